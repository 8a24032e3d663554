// SPDX-License-Identifier: MIT
// The library's values as JSON. docs/cachetool.md documents each field: keep it true.
#pragma once

#include <larder/collect.hpp>
#include <larder/materialize.hpp>
#include <larder/report.hpp>

#include "cachetool/cli/failure.hpp"

namespace cachetool {

[[nodiscard]] Json json_of(const larder::EntryInfo& entry);
[[nodiscard]] Json json_of(const larder::ProcessInfo& process);
[[nodiscard]] Json json_of(const larder::LeaseInfo& lease);
[[nodiscard]] Json json_of(const larder::LockInfo& lock);
[[nodiscard]] Json json_of(const larder::StatusReport& report);
[[nodiscard]] Json json_of(const larder::CollectReport& report);
[[nodiscard]] Json json_of(const larder::Eviction& eviction);
[[nodiscard]] Json json_of(const larder::Finding& finding);
[[nodiscard]] Json json_of(const larder::VerifyReport& report);
[[nodiscard]] Json json_of(const larder::MaterializeReport& report);

/// An array of all of them.
template <class Range>
[[nodiscard]] Json json_of_all(const Range& values) {
    Json array = Json::array();
    for (const auto& value : values) array.push_back(json_of(value));
    return array;
}

}  // namespace cachetool
