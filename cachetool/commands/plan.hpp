// SPDX-License-Identifier: MIT
// What a gc is to evict: its limits, and plans as files.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>

#include <larder/cache.hpp>

#include "cachetool/cli/arguments.hpp"

namespace cachetool {

/// The limits among the options. --min-free may be a share of the disk that `root` is on.
[[nodiscard]] tl::expected<larder::Limits, Failure> limits_of(const Arguments& arguments,
                                                              const std::filesystem::path& root);

/// A file of JSON Lines: {"larder_plan": 1, …}, one line for each eviction, {"evictions": N}. Without the last line it is no plan.
class PlanWriter {
public:
    /// Errors: where something stands at `path`.
    [[nodiscard]] static tl::expected<PlanWriter, Failure> create(
        const std::filesystem::path& path, const std::filesystem::path& root);
    void add(const larder::Eviction& eviction);
    /// Errors: where a line could not be written; the file is then removed.
    [[nodiscard]] tl::expected<void, Failure> finish();

private:
    /// Removes what was not finished.
    struct Unfinished {
        std::filesystem::path path;
        ~Unfinished();
    };
    std::unique_ptr<Unfinished> unfinished_;
    std::filesystem::path path_;
    std::ofstream file_;
    std::uint64_t count_ = 0;
};

/// Errors: `usage` for what is no plan, is cut off, or was made for another cache.
[[nodiscard]] tl::expected<std::vector<larder::Eviction>, Failure> read_plan(
    const std::filesystem::path& path, const std::filesystem::path& root);

}  // namespace cachetool
