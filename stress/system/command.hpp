// SPDX-License-Identifier: MIT
// Runs a command, and lets what the command starts in its turn talk to this process.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace larder::stress {

/// How a command ended.
struct CommandRun {
    int code = 0;       ///< its exit code; 128 + N if signal N ended it
    std::string out{};  ///< its standard output; if it could not be started, why
    bool started = true;
    bool had_signal = false;  ///< its deadline came before its end
    /// Returns the signal that ended it; 0 if it ended by itself.
    [[nodiscard]] int signal() const noexcept { return code > 128 ? code - 128 : 0; }
    /// Returns whether it ended by a signal, after its deadline.
    [[nodiscard]] bool was_killed() const noexcept { return had_signal && signal() != 0; }
};

/// When a command is to be ended, and how.
struct CommandDeadline {
    std::chrono::steady_clock::time_point at = std::chrono::steady_clock::time_point::max();
    /// SIGKILL; or SIGTERM, for a command that ends what it has started before it ends itself.
    bool gently = false;

    [[nodiscard]] bool is_set() const noexcept {
        return at != std::chrono::steady_clock::time_point::max();
    }
};

/// Runs a command until it ends. Its first word is the program's path. At `deadline` it gets a
/// signal.
///
/// The command hands a descriptor on to the programs that it starts, without knowing of it. When
/// one of them calls ask_runner(), `answer` is called here. After the deadline there is no answer
/// any more: the program waits until the command has ended, and then learns that there is none. So
/// what it does afterwards is not done for the command.
[[nodiscard]] CommandRun run_command(const std::vector<std::string>& command,
                                     CommandDeadline deadline, const std::function<void()>& answer);

/// In a program that a command has started: asks the process that runs the command, and waits for
/// the answer. Returns whether there was one.
[[nodiscard]] bool ask_runner() noexcept;

/// Closes every descriptor but standard input, output and error, as many programs do before they
/// begin.
void close_inherited_files() noexcept;

}  // namespace larder::stress
