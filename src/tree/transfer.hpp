// SPDX-License-Identifier: MIT
// Carries one file, symlink or directory's attributes: the ways there are, and which of them work here.
#pragma once

#include <atomic>
#include <string>

#include <larder/materialize.hpp>

#include "os/file_info.hpp"

namespace larder::tree {

/// What has not failed yet between a pair of file systems: so that what can't work is tried once and not for each file.
struct Ability {
    std::atomic<bool> clone{true};
    std::atomic<bool> hardlink{true};
};

enum class Way { cloned, hardlinked, copied };

/// Where a thing comes from and where it goes.
struct Move {
    const os::Dir& from;
    const std::string& name;
    const os::FileInfo& info;  // of `name` in `from`, not followed
    const os::Dir& to;
};

/// Makes the regular file `name` in `to`. With `replace` a file or symlink that stands there is replaced atomically, and never
/// written to: it may be a hard link into a cache. A directory that stands there is `exists` always.
/// Crash: leaves a file that is not complete or, when replacing, a `.larder-…` beside the old one.
[[nodiscard]] Result<Way> transfer_file(const Move& move, const MaterializeOptions& options,
                                        Ability& ability);

/// The same for a symlink: made anew with the same text.
[[nodiscard]] Result<> transfer_symlink(const Move& move, const MaterializeOptions& options);

/// Gives a directory that was made anew, and is filled now, the mode and modification time of its source.
[[nodiscard]] Result<> finish_directory(const os::FileInfo& source, const os::Dir& made);

}  // namespace larder::tree
