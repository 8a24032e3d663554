// SPDX-License-Identifier: MIT
// Says which files, directories and symlinks the tree of a put has. They follow from the identity
// of the put, so a reader of the tree can work them out again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stress/history/event.hpp"

namespace larder::stress {

/// How large the trees of a run are.
enum class TreeSize : std::uint8_t {
    tiny,   ///< one small file, for runs with very many entries
    small,  ///< a few files of some KiB
    mixed,  ///< up to some dozen files of 0 to 200 KiB, in directories, with symlinks
};
[[nodiscard]] std::string_view name_of(TreeSize size) noexcept;
/// Returns the size with this name; nullopt if there is none.
[[nodiscard]] std::optional<TreeSize> tree_size_of(std::string_view name) noexcept;

/// What was put. Everything in a tree follows from it.
struct TreeIdentity {
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    Version version = 0;
    TreeSize size = TreeSize::small;
    friend bool operator==(const TreeIdentity&, const TreeIdentity&) = default;
};

/// One file, directory or symlink of a tree.
struct TreeNode {
    enum class Type { directory, file, symlink };
    Type type;
    std::string path;         ///< below the tree
    std::uint32_t mode = 0;   ///< of a directory or file
    std::uint64_t bytes = 0;  ///< of a file
    std::uint64_t seed = 0;   ///< of a file's bytes
    std::string target;       ///< of a symlink
};

/// The name of the file that holds the identity, as print_identity writes it.
inline constexpr const char* identity_file = "identity";

/// Returns every node but the identity file. A directory comes before what is in it.
[[nodiscard]] std::vector<TreeNode> shape_of(const TreeIdentity& identity);

/// Returns a line of text with a checksum.
[[nodiscard]] std::string print_identity(const TreeIdentity& identity);
/// Returns the identity in such a line; nullopt if the line is not complete and unchanged.
[[nodiscard]] std::optional<TreeIdentity> parse_identity(std::string_view text);

}  // namespace larder::stress
