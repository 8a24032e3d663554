// SPDX-License-Identifier: MIT
// Which files, directories and symlinks the tree of one put has: a function of what was put, so that a reader can work it out
// anew.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stress/history/event.hpp"

namespace larder::stress {

/// How large trees are.
enum class TreeSize : std::uint8_t {
    tiny,   ///< one small file: for runs with very many entries
    small,  ///< a few files of some KiB
    mixed,  ///< up to some dozen files of 0 to 200 KiB, in directories, with symlinks
};
[[nodiscard]] std::string_view name_of(TreeSize size) noexcept;
[[nodiscard]] std::optional<TreeSize> tree_size_of(std::string_view name) noexcept;

/// What was put: everything in a tree derives from it.
struct TreeIdentity {
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    Version version = 0;
    TreeSize size = TreeSize::small;
    friend bool operator==(const TreeIdentity&, const TreeIdentity&) = default;
};

struct TreeNode {
    enum class Type { directory, file, symlink };
    Type type;
    std::string path;         ///< below the tree
    mode_t mode = 0;          ///< of a directory or file
    std::uint64_t bytes = 0;  ///< of a file
    std::uint64_t seed = 0;   ///< of a file's bytes
    std::string target;       ///< of a symlink
};

/// The file that says whose tree it is; see print_identity.
inline constexpr const char* identity_file = "identity";

/// Every node but the identity file; a directory comes before what is in it.
[[nodiscard]] std::vector<TreeNode> shape_of(const TreeIdentity& identity);

/// One line of text with a checksum: half of it, or of another, is none.
[[nodiscard]] std::string print_identity(const TreeIdentity& identity);
[[nodiscard]] std::optional<TreeIdentity> parse_identity(std::string_view text);

}  // namespace larder::stress
