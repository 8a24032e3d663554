// SPDX-License-Identifier: MIT
// Writes trees that prove themselves, and reads them: a reader can tell a torn, mixed, stale,
// foreign or changed tree from the one that was put.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <larder/error.hpp>

#include "stress/content/shape.hpp"

namespace larder::stress {

/// Fills `tree`, an empty directory, with the tree of `identity`.
[[nodiscard]] Result<> write_tree(const std::filesystem::path& tree, const TreeIdentity& identity);

/// What reading every byte of a tree has shown.
struct TreeReading {
    Version version = 0;  ///< 0 if not even that can be told
    std::string damage;   ///< a sentence; empty if the tree is whole
    [[nodiscard]] bool sound() const noexcept { return damage.empty(); }
};

/// The tree that a reader expects.
struct ExpectedTree {
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    std::optional<Version> version;  ///< nullopt: any
};

/// Reads every name, mode, target and byte of a tree. Errors: if this process has no descriptors or
/// memory left. If it can't find or read something for another reason, that is damage.
[[nodiscard]] Result<TreeReading> read_tree(const std::filesystem::path& tree,
                                            const ExpectedTree& expected);

/// Reads the version alone, from one small file. Returns nullopt if the tree is not there (any
/// more).
[[nodiscard]] std::optional<Version> read_version(const std::filesystem::path& tree);

}  // namespace larder::stress
