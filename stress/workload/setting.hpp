// SPDX-License-Identifier: MIT
// What is the same for every process of a run.
#pragma once

#include <filesystem>
#include <optional>

#include <larder/options.hpp>

#include "stress/scenario/scenario.hpp"

namespace larder::stress {

struct RunSetting {
    Scenario scenario;
    std::uint64_t seed = 0;
    std::filesystem::path cache;  ///< the root under stress
    std::filesystem::path
        scratch;  ///< on the cache's file system: what is materialized, and sources of cachetool put
    std::filesystem::path
        histories;  ///< where each process writes its history, and sentences about what it found
    std::filesystem::path cachetool;  ///< empty: its part is left out
    std::filesystem::path self;  ///< this program, which a cachetool runs to fill and to read trees
    std::optional<LinkKind> link_kind;
    bool can_exchange =
        true;  ///< without it a publish that dies or fails may have taken the old entry out: see MayRemove
    bool disk_is_small = false;  ///< so that `full` may strike
};

[[nodiscard]] inline OpenOptions open_options(const RunSetting& setting) {
    OpenOptions options;
    options.link_kind = setting.link_kind;
    options.lock_timeout = std::chrono::milliseconds(setting.scenario.lock_timeout_ms);
    options.build_timeout = std::chrono::milliseconds(setting.scenario.build_timeout_ms);
    return options;
}

}  // namespace larder::stress
