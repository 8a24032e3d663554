// SPDX-License-Identifier: MIT
// What a gc is to evict: its limits, and plans as files.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>

#include <larder/cache.hpp>

#include "cachetool/cli/arguments.hpp"

namespace cachetool {

/// Returns the limits among the options. --min-free may be a percentage of the disk that `root` is
/// on.
[[nodiscard]] Expected<larder::Limits> limits_of(const ParsedArguments& arguments,
                                                 const std::filesystem::path& root);

/// Writes a plan: a file of JSON Lines. The first line names the cache, each other line is an
/// eviction, and the last line says how many there are. Without the last line a plan is not valid.
class PlanWriter {
public:
    /// Makes the file. Errors: anything has the name already.
    [[nodiscard]] static Expected<PlanWriter> create(const std::filesystem::path& path,
                                                     const std::filesystem::path& root);
    void add(const larder::Eviction& eviction);
    /// Writes the last line. Errors: a line could not be written; the file is then removed.
    [[nodiscard]] Expected<> finish();

private:
    /// Removes a plan that was not finished.
    struct UnfinishedPlan {
        std::filesystem::path path;
        ~UnfinishedPlan();
    };
    std::unique_ptr<UnfinishedPlan> unfinished_;
    std::filesystem::path path_;
    std::ofstream file_;
    std::uint64_t count_ = 0;
};

/// Reads a plan. Errors: the file is no plan, is cut off, or was made for another cache.
[[nodiscard]] Expected<std::vector<larder::Eviction>> read_plan(const std::filesystem::path& path,
                                                                const std::filesystem::path& root);

}  // namespace cachetool
