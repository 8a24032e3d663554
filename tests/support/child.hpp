// SPDX-License-Identifier: MIT
// Real processes for tests, held at named points and ordered by pipes: never by sleeping.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace larder::testing {

struct Points {
    std::vector<std::string> hold_at = {};
    std::vector<std::string> kill_at = {};
};

/// A forked process that runs `body` and exits with 0, or with 1 where a check failed or an exception left the body.
///
/// In the child: say() tells the parent something, hear() waits for its go_on(), must() is a check. At each point named in `hold_at` the
/// child says the point's name and waits; at each in `kill_at` it is killed.
class Child {
public:
    explicit Child(std::function<void(Child&)> body, Points points = {});
    ~Child();  ///< kills it, if it still runs
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // The parent's side. Each of these fails the test after a minute: only a hang takes that long.
    void wait_for(const std::string& word);  ///< the next thing the child says must be this
    [[nodiscard]] std::string listen();  ///< the next thing the child says; empty when it has ended
    void go_on();
    void kill();               ///< SIGKILL, and waits for its end
    void stop();               ///< SIGSTOP, and waits until it has stopped
    void resume();             ///< SIGCONT
    [[nodiscard]] int join();  ///< its exit code; 128 + the signal that ended it
    [[nodiscard]] pid_t pid() const { return pid_; }

    // The child's side.
    void say(const std::string& word);
    void hear();
    /// Ends the child with a message where `good` is false.
    static void must(bool good, const std::string& what);
    template <class ResultType>
    static auto must(ResultType result) {
        must(result.has_value(), result ? "" : result.error().message());
        if constexpr (!std::is_void_v<typename ResultType::value_type>) return std::move(*result);
    }

private:
    pid_t pid_ = -1;
    int from_child_ = -1, to_child_ = -1;
    std::string heard_;
};

/// Calls `condition` until it is true: for what another process will certainly do, without any say in when. Fails after a minute.
void eventually(const std::string& what, const std::function<bool()>& condition);

}  // namespace larder::testing
