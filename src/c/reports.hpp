// SPDX-License-Identifier: MIT
// Converts the reports of the C++ interface to structs of C. Each result is one object: the struct
// that C sees, and behind it what that points into.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <larder/collect.hpp>
#include <larder/event.hpp>
#include <larder/larder.h>
#include <larder/materialize.hpp>
#include <larder/report.hpp>

namespace larder::c {

/// Convert between a time and the nanoseconds since 1970 that C has.
[[nodiscard]] std::int64_t nanoseconds_of(WallTime time) noexcept;
[[nodiscard]] WallTime time_of(std::int64_t nanoseconds) noexcept;

/// Valid for the length of a callback.
[[nodiscard]] larder_entry_info view_of(const EntryInfo& info) noexcept;
[[nodiscard]] larder_eviction view_of(const Eviction& eviction) noexcept;
[[nodiscard]] larder_collect_progress view_of(const CollectProgress& progress) noexcept;
/// Calls `see` with the event as C sees it, which is valid until `see` returns.
void with_view_of(const Event& event, const std::function<void(const larder_event&)>& see);

/// The caller frees the result by the function of the C interface that is named after it.
[[nodiscard]] larder_names* result_of(std::vector<std::string> names);
[[nodiscard]] larder_entry_info* result_of(EntryInfo info);
[[nodiscard]] larder_entries* result_of(std::vector<EntryInfo> entries);
[[nodiscard]] larder_pins* result_of(std::vector<PinInfo> pins);
[[nodiscard]] larder_status* result_of(StatusReport status);
[[nodiscard]] larder_counters* result_of(const Counters& counters);
[[nodiscard]] larder_collect_report* result_of(CollectReport report);
[[nodiscard]] larder_verify_report* result_of(VerifyReport report);
[[nodiscard]] larder_materialize_report* result_of(const MaterializeReport& report);

}  // namespace larder::c
