// SPDX-License-Identifier: MIT
// The same text again and again, until somebody has seen enough.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cachetool/term/output.hpp"

namespace cachetool {

/// Makes a frame and shows it, every `interval`, and at once when the terminal's size has changed. On a terminal each frame
/// takes the place of the one before, on a screen of their own, which is given back at the end; elsewhere they follow each
/// other. Ends at SIGINT, SIGTERM or SIGHUP, with 128 and the signal's number; where a frame can't be made or written; never
/// otherwise. Requires: no other threads, so that these signals come here.
[[nodiscard]] Outcome watch(std::chrono::milliseconds interval, const Output& output,
                            const std::function<tl::expected<std::string, Failure>()>& make_frame);

}  // namespace cachetool
