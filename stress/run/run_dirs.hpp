// SPDX-License-Identifier: MIT
// The directories of a run. They are made before it, and removed after it unless they are evidence.
#pragma once

#include <optional>

#include "stress/run/command_line.hpp"
#include "stress/system/disk.hpp"

namespace larder::stress {

class RunDirs {
public:
    /// Makes them. Adds to `left_out` what can't be done on this machine. Errors: `exists` if the
    /// cache is not empty; `system`.
    [[nodiscard]] static Result<RunDirs> make(const CommandLine& line,
                                              std::vector<std::string>& left_out);
    RunDirs(RunDirs&&) = default;
    RunDirs& operator=(RunDirs&&) = delete;
    ~RunDirs();

    /// Returns the disk whose power can be cut; null if there is none.
    [[nodiscard]] CutDisk* cut_disk() noexcept { return cut_disk_ ? &*cut_disk_ : nullptr; }
    /// Returns the setting of the run in these directories.
    [[nodiscard]] RunSetting setting(const CommandLine& line) const;
    /// Keeps the cache and the histories.
    void keep() noexcept;

private:
    RunDirs() = default;
    Result<> mount_disk(const Scenario& scenario, const std::filesystem::path& at);
    std::filesystem::path base_, cache_, scratch_, histories_;
    std::optional<SmallDisk> disk_;
    std::optional<CutDisk> cut_disk_;
    bool made_cache_ = false;
    bool is_small_ = false;
    bool kept_ = false;
};

}  // namespace larder::stress
