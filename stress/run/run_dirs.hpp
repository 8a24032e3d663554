// SPDX-License-Identifier: MIT
// The directories of one run: made before it, and taken away after it unless they are evidence.
#pragma once

#include <optional>

#include "stress/run/command_line.hpp"
#include "stress/run/disk.hpp"

namespace larder::stress {

class RunDirs {
public:
    /// Makes them, and says in `left_out` what can't be had here.
    /// Errors: `exists` where the cache is not empty; `system`.
    [[nodiscard]] static Result<RunDirs> make(const CommandLine& line,
                                              std::vector<std::string>& left_out);
    RunDirs(RunDirs&&) = default;
    RunDirs& operator=(RunDirs&&) = delete;
    ~RunDirs();

    /// What it comes to for the processes of the run.
    [[nodiscard]] RunSetting setting(const CommandLine& line) const;
    /// Cache and histories stay.
    void keep() noexcept;

private:
    RunDirs() = default;
    std::filesystem::path base_, cache_, scratch_, histories_;
    std::optional<SmallDisk> disk_;
    bool made_cache_ = false;
    bool is_small_ = false;
    bool kept_ = false;
};

}  // namespace larder::stress
