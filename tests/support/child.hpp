// SPDX-License-Identifier: MIT
// Real processes for tests. They are held at named points and ordered by pipes, never by sleeping.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "os/process.hpp"

#ifdef _WIN32
// The exit code of a Child that was killed has the number of this signal in it.
inline constexpr int SIGKILL = 9;
#endif

namespace larder::testing {

struct Points {
    std::vector<std::string> hold_at = {};
    std::vector<std::string> kill_at = {};
};

/// A forked process that runs `body`. It exits with 0, or with 1 if a check failed or `body` threw.
///
/// In the child, say() sends a word to the parent, hear() waits for the parent's go_on(), and
/// must() checks a condition. At each point named in `hold_at`, the child sends the name of the
/// point and waits. At each point named in `kill_at`, it kills itself.
class Child {
public:
    explicit Child(std::function<void(Child&)> body, Points points = {});
    ~Child();  ///< kills the child if it still runs
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // For the parent. A wait fails the test after a minute, because only a hang takes that long.
    void wait_for(const std::string& word);  ///< fails unless the child's next word is this
    [[nodiscard]] std::string listen();      ///< the child's next word; empty after its end
    void go_on();
    void kill();               ///< SIGKILL, and waits for its end
    void stop();               ///< SIGSTOP, and waits until it has stopped
    void resume();             ///< SIGCONT
    [[nodiscard]] int join();  ///< its exit code; 128 + the signal that ended it
    [[nodiscard]] pid_t pid() const { return pid_; }

    // For the child.
    void say(const std::string& word);
    void hear();
    [[noreturn]] static void die();  ///< kills this process by SIGKILL
    /// Ends the child with a message if `good` is false, or returns the value of a result.
    static void must(bool good, const std::string& what);
    template <class ResultType>
    static auto must(ResultType result) {
        must(result.has_value(), result ? "" : result.error().message());
        if constexpr (!std::is_void_v<typename ResultType::value_type>) return std::move(*result);
    }

private:
    pid_t pid_ = -1;
    [[maybe_unused]] int from_child_ = -1, to_child_ = -1;
    std::string heard_;
};

/// A body for a Child: ends the child's first thread at once. A second one waits for go_on(), and
/// then ends the process.
void run_without_first_thread(Child& self);

/// Waits until the first thread of a child with that body has ended. Returns the child's identity,
/// which has no time of its start.
[[nodiscard]] os::ProcessIdentity without_first_thread(const Child& child);

/// Calls `condition` until it returns true. Use it for what another process will certainly do, at a
/// moment that the test cannot control. Fails after a minute.
void eventually(const std::string& what, const std::function<bool()>& condition);

}  // namespace larder::testing
