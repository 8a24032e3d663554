// SPDX-License-Identifier: MIT
// Trees that prove themselves: a torn, mixed, stale, foreign or changed one is told from what was put.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <larder/error.hpp>

#include "stress/content/shape.hpp"

namespace larder::stress {

/// Fills `tree`, an empty directory, with all that `identity` stands for.
[[nodiscard]] Result<> write_tree(const std::filesystem::path& tree, const TreeIdentity& identity);

/// What a look at every byte of a tree has shown.
struct TreeReading {
    Version version = 0;  ///< 0 where not even that can be told
    std::string damage;   ///< a sentence; empty where the tree is whole
    [[nodiscard]] bool sound() const noexcept { return damage.empty(); }
};

/// Whose tree a reader expects.
struct ExpectedTree {
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    std::optional<Version> version;  ///< without it, any
};

/// Looks at every name, mode, target and byte.
/// Errors: where this process lacks descriptors or memory to look. What it can't find or read is damage.
[[nodiscard]] Result<TreeReading> read_tree(const std::filesystem::path& tree,
                                            const ExpectedTree& expected);

/// The version alone, from one small file: absent where the tree is not there (any more).
[[nodiscard]] std::optional<Version> read_version(const std::filesystem::path& tree);

}  // namespace larder::stress
