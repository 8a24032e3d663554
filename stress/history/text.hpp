// SPDX-License-Identifier: MIT
// The same history as text: kept as a file, written by hand for a test, or shown to explain a violation.
//
// One Event a line, words apart by spaces; what follows # is a comment.
//
//   TIME PROCESS.THREAD.OPERATION PHASE KIND [BUCKET | BUCKET/KEY] [vVERSION] [OUTCOME] [detail=NUMBER]
//   TIME PROCESS KIND PROCESS-CONCERNED
//
//   100 1.0.1 begin put 0/7 v12
//   180 1.0.1 end put 0/7 v12 ok
//   200 0 killed 1
//
// put, get, build, use and remove name a bucket and a key, refresh a bucket.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <larder/error.hpp>

#include "stress/history/history.hpp"

namespace larder::stress {

// The words; empty for what has none.
[[nodiscard]] std::string_view name_of(EventKind kind) noexcept;
[[nodiscard]] std::string_view name_of(EventPhase phase) noexcept;
[[nodiscard]] std::string_view name_of(OpOutcome outcome) noexcept;

/// One line, without its end. Also of an Event that makes no sense.
[[nodiscard]] std::string text_of(const LogEvent& event);

[[nodiscard]] LogEvent begin_of(const Operation& operation) noexcept;
/// What was written down of it: its begin, its middle if it had one, its end if it came so far.
[[nodiscard]] std::vector<LogEvent> events_of(const Operation& operation);

/// All lines, in the order of time, each time less `origin`. Parses back to the same operations and incidents.
[[nodiscard]] std::string text_of(const std::vector<Operation>& operations,
                                  const std::vector<ProcessIncident>& incidents, Time origin = 0);

/// Errors: `invalid`, with the line and what to write instead; `name` says whose lines they are.
[[nodiscard]] Result<History> parse_text(std::string_view text, const std::filesystem::path& name);
[[nodiscard]] Result<History> read_text(const std::filesystem::path& file);

}  // namespace larder::stress
