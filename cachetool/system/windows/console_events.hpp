// SPDX-License-Identifier: MIT
// What a console tells its programs, as the signals of POSIX. For the sources of this folder alone.
#pragma once

#include <windows.h>

namespace cachetool::system::windows {

/// The numbers that these signals have everywhere: exit codes and JSON have them.
enum ConsoleSignal : int { hang_up = 1, interrupt = 2, quit = 3, terminate = 15 };

/// Returns the signal that stands for an event of a console.
[[nodiscard]] int signal_of(DWORD event) noexcept;

/// Returns what a handler that has noted `event` returns. If the console or the session ends, the
/// system ends this process when the handler returns, and after some seconds in any case. So that
/// the work can end by itself until then, this call does not return for those events.
[[nodiscard]] BOOL noted(DWORD event) noexcept;

/// Ends this process as Ctrl-C does without a handler, so that the shell can tell.
[[noreturn]] void end_as_interrupted() noexcept;

}  // namespace cachetool::system::windows
