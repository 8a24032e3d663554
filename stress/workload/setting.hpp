// SPDX-License-Identifier: MIT
// The setting of a run, which is the same for all of its processes.
#pragma once

#include <filesystem>
#include <optional>

#include <larder/options.hpp>

#include "stress/scenario/scenario.hpp"

namespace larder::stress {

struct RunSetting {
    Scenario scenario;
    std::uint64_t seed = 0;
    std::filesystem::path cache;  ///< its root
    /// On the file system of the cache: what is materialized, and sources for cachetool put.
    std::filesystem::path scratch;
    /// Where each process writes its history, and notes on what it found.
    std::filesystem::path histories;
    std::filesystem::path cachetool;  ///< empty: there is none, and its work is left out
    std::filesystem::path self;  ///< this program, which a cachetool runs to fill and read trees
    std::optional<LinkKind> link_kind;
    std::optional<BucketKind> bucket_kind;
    bool without_exchange = false;  ///< no process of the harness can exchange two names
    bool like_windows = false;      ///< the processes of the harness act like Windows
    bool disk_is_small = false;     ///< so that the fault `full` may strike
};

/// Returns the options with which every process opens the cache.
[[nodiscard]] inline OpenOptions open_options(const RunSetting& setting) {
    OpenOptions options;
    options.link_kind = setting.link_kind;
    options.bucket_kind = setting.bucket_kind;
    options.lock_timeout = std::chrono::milliseconds(setting.scenario.lock_timeout_ms);
    options.build_timeout = std::chrono::milliseconds(setting.scenario.build_timeout_ms);
    return options;
}

}  // namespace larder::stress
