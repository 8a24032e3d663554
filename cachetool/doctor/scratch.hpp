// SPDX-License-Identifier: MIT
// A directory for experiments that leaves no trace.
#pragma once

#include <filesystem>
#include <system_error>
#include <tl/expected.hpp>

#include "cachetool/cli/failure.hpp"

namespace cachetool::doctor {

/// Where probing tells about a cache at `root`, and harms nothing: beside it where that is the same file system (a cache, or an
/// empty directory that is to become one, should not be seen to hold something strange), else in it; above it where it is not
/// there yet.
[[nodiscard]] std::filesystem::path place_for_probing(const std::filesystem::path& root);

/// A fresh private directory, removed with all that is in it when this ends. While it is there SIGINT, SIGTERM and SIGHUP only
/// note that they have come; when it has been removed they do what they did before.
class Scratch {
public:
    [[nodiscard]] static tl::expected<Scratch, Failure> make_in(
        const std::filesystem::path& directory);
    Scratch(Scratch&& other) noexcept;
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch() { static_cast<void>(remove()); }

    /// Does so now. Yields why some of it is left.
    [[nodiscard]] std::error_code remove();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Somebody wants this process to end: begin nothing new.
    [[nodiscard]] static bool is_interrupted() noexcept;

private:
    explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

}  // namespace cachetool::doctor
