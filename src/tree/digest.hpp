// SPDX-License-Identifier: MIT
// Digests of what stands in a tree.
#pragma once

#include <functional>
#include <string>

#include <larder/digest.hpp>

#include "os/file.hpp"

namespace larder::tree {

/// Returns the digest of a file's contents, or of a symlink's text. `info` is what the system knows
/// about it. Errors: `unsupported` if the algorithm fails; the system's if it cannot be read. Does
/// not wait if a pipe stands there by now.
[[nodiscard]] Result<std::string> digest_of(const DigestAlgorithm& algorithm, const os::Dir& parent,
                                            const std::string& name, const os::FileInfo& info);

/// Returns the digest of a file or symlink of a tree, or an empty text for none. `path` is its path
/// below the tree.
using FindDigest =
    std::function<Result<std::string>(const os::Dir& parent, const std::string& name,
                                      const os::FileInfo& info, const std::string& path)>;

}  // namespace larder::tree
