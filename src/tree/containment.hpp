// SPDX-License-Identifier: MIT
// Whether a path that came from outside lies where larder may read from it or write to it.
#pragma once

#include <optional>

#include <larder/error.hpp>

namespace larder::tree {

/// The root of the cache that `path` (which need not exist) lies in, symlinks resolved; nothing where it lies in none.
[[nodiscard]] std::optional<std::filesystem::path> enclosing_cache(
    const std::filesystem::path& path);

/// Whether `inner`, symlinks resolved, is `outer` or lies below it.
[[nodiscard]] bool lies_within(const std::filesystem::path& inner,
                               const std::filesystem::path& outer);

}  // namespace larder::tree
