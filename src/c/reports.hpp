// SPDX-License-Identifier: MIT
// Converts what the C++ interface reports to structs of C. There are two kinds:
//   - A view is a struct whose texts belong to the C++ value. It is for a callback.
//   - A result is one object that owns all: the struct that C sees, and behind it what that points
//     into. It belongs to the caller of the C interface.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <larder/collect.hpp>
#include <larder/event.hpp>
#include <larder/larder.h>
#include <larder/materialize.hpp>
#include <larder/report.hpp>

#include "base/error.hpp"

namespace larder::c {

/// Returns a time as the nanoseconds since 1970 that C has.
[[nodiscard]] std::int64_t nanoseconds_of(WallTime time) noexcept;
/// Returns the time of so many nanoseconds since 1970.
[[nodiscard]] WallTime time_of(std::int64_t nanoseconds) noexcept;

/// Returns a view of the arguments, which must live longer than the view. `path` is the text of the
/// entry's path.
[[nodiscard]] larder_entry_info view_of(const EntryInfo& info, const std::string& path) noexcept;
[[nodiscard]] larder_eviction view_of(const Eviction& eviction) noexcept;
[[nodiscard]] larder_collect_progress view_of(const CollectProgress& progress) noexcept;
/// Calls `see` with a view of the event, which is valid until `see` returns. (The texts of an Event
/// do not end with a zero byte, so they must be copied for C, and the copies must live somewhere.)
void with_view_of(const Event& event, const std::function<void(const larder_event&)>& see);

/// Returns a new result, which takes over the argument. It must be freed by the function of the C
/// interface that is named after its type: larder_names_free and so on.
[[nodiscard]] larder_names* result_of(std::vector<std::string> names);
[[nodiscard]] larder_entry_info* result_of(EntryInfo info);
[[nodiscard]] larder_entries* result_of(std::vector<EntryInfo> entries);
[[nodiscard]] larder_pins* result_of(std::vector<PinInfo> pins);
[[nodiscard]] larder_roots* result_of(std::vector<RootInfo> roots);
[[nodiscard]] larder_status* result_of(StatusReport status);
[[nodiscard]] larder_counters* result_of(const Counters& counters);
[[nodiscard]] larder_collect_report* result_of(CollectReport report);
[[nodiscard]] larder_verify_report* result_of(VerifyReport report);
[[nodiscard]] larder_content_report* result_of(ContentReport report);
[[nodiscard]] larder_dedupe_report* result_of(DedupeReport report);
[[nodiscard]] larder_materialize_report* result_of(const MaterializeReport& report);

/// Stores a result for the value of `got` at `place`, or returns its error. The caller of the C
/// interface owns the result. If `place` is null, the caller does not want one.
template <class Struct, class Value>
[[nodiscard]] Result<> hand_out_struct(Struct** place, Result<Value> got) {
    TRY(got);
    if (place != nullptr) *place = result_of(std::move(*got));
    return {};
}

}  // namespace larder::c
