// SPDX-License-Identifier: MIT
// A history as text: kept as a file, written by hand for a test, or shown to explain a violation.
//
// Each line has one event. Blanks separate words, and # begins a comment.
//
//   TIME PROCESS.THREAD.OPERATION PHASE KIND [BUCKET[/KEY]] [vVERSION] [OUTCOME] [detail=NUMBER]
//   TIME PROCESS KIND PROCESS-CONCERNED
//
//   100 1.0.1 begin put 0/7 v12
//   180 1.0.1 end put 0/7 v12 ok
//   200 0 killed 1
//
// put, get, build, use, remove and evict name a bucket and a key; refresh and list name a bucket.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <larder/error.hpp>

#include "stress/history/history.hpp"

namespace larder::stress {

// Each returns the word in a line; an empty one for a value that has none.
[[nodiscard]] std::string_view name_of(EventKind kind) noexcept;
[[nodiscard]] std::string_view name_of(EventPhase phase) noexcept;
[[nodiscard]] std::string_view name_of(OpOutcome outcome) noexcept;

/// Returns the line of an event, even of one that makes no sense, without a newline.
[[nodiscard]] std::string text_of(const LogEvent& event);

/// Returns the event with which an operation begins.
[[nodiscard]] LogEvent begin_of(const Operation& operation) noexcept;
/// Returns the events of an operation: its begin, its middle if it had one, its end if it has one.
[[nodiscard]] std::vector<LogEvent> events_of(const Operation& operation);

/// Returns all lines in the order of time. `origin` is subtracted from each time. parse_text makes
/// the same operations and incidents of the lines again.
[[nodiscard]] std::string text_of(const std::vector<Operation>& operations,
                                  const std::vector<ProcessIncident>& incidents, Time origin = 0);

/// Parses a history. Errors: `invalid`, with the number of the line and what to write there; `name`
/// stands for the file.
[[nodiscard]] Result<History> parse_text(std::string_view text, const std::filesystem::path& name);
/// Does the same for a file.
[[nodiscard]] Result<History> read_text(const std::filesystem::path& file);

}  // namespace larder::stress
