// SPDX-License-Identifier: MIT
// Shows something again and again.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cachetool/term/output.hpp"

namespace cachetool {

/// Makes a frame and shows it, every `interval`, and at once if the terminal's size has changed. On
/// a terminal each frame replaces the one before, on a screen of its own that is given back at the
/// end; elsewhere the frames follow each other. Ends
///   - at SIGINT, SIGTERM or SIGHUP, with 128 and the signal's number,
///   - with a failure, if a frame can't be made or written.
/// Requires: no other threads, so that these signals come here.
[[nodiscard]] CommandResult watch(std::chrono::milliseconds interval, const CommandOutput& output,
                                  const std::function<Expected<std::string>()>& make_frame);

}  // namespace cachetool
