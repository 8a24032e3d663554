// SPDX-License-Identifier: MIT
// A second process, which does one thing, reports how it went, and stays until it is killed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cachetool::system {

/// What a second process does.
struct ProcessPart {
    const char* name;  ///< by which a program finds the part that it was started for
    bool (*act)(const std::vector<std::string>& words);
};

class OtherProcess {
public:
    /// Makes a process that calls `part.act(words)`, and then does nothing until this process kills
    /// it, or ends. POSIX forks. Windows starts this program once more, and main() must then call
    /// play_part() with what follows the program's name. Requires: no other threads.
    OtherProcess(const ProcessPart& part, const std::vector<std::string>& words);
    ~OtherProcess();
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;

    /// Returns what `act` returned, or false if there is no child or it died.
    [[nodiscard]] bool succeeded() const noexcept { return succeeded_; }
    [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }

    /// Kills the child, as an accident would. Returns when it has ended.
    void crash();

private:
    struct ChildState;
    std::unique_ptr<ChildState> child_;
    std::int64_t pid_ = -1;
    bool succeeded_ = false;
};

/// The first word of a command line by which this program starts itself for a part. The name of the
/// part follows, and then its words.
inline constexpr const char* part_word = "--part-of-doctor";

/// Plays a part: acts, writes a byte to stdout that says how that went, and waits until stdin is
/// closed. Returns the exit code of this process.
[[nodiscard]] int play_part(const ProcessPart& part, const std::vector<std::string>& words);

}  // namespace cachetool::system
