// SPDX-License-Identifier: MIT
// Transfers one file, one symlink, or the attributes of one directory: by clone, hard link or copy.
#pragma once

#include <atomic>
#include <string>

#include <larder/materialize.hpp>

#include "os/file_info.hpp"

namespace larder::tree {

/// Which ways have not failed yet between two file systems. If a way does not work, it is tried
/// only once, and not again for each file.
struct Ability {
    std::atomic<bool> clone{true};
    std::atomic<bool> hardlink{true};
};

enum class TransferKind { cloned, hardlinked, copied };

/// The source and the destination of one transfer.
struct Transfer {
    const os::Dir& from;
    const std::string& name;
    const os::FileInfo& info;  // of `name` in `from`; if that is a symlink, of the symlink itself
    const os::Dir& to;
};

/// Makes the regular file `name` in `to`. With `replace`, a file or symlink that stands there is
/// replaced atomically. It is never written to, because it may be a hard link into a cache.
///
/// Errors: `exists` if a directory stands there, or a file and `replace` is off.
/// Crash: leaves an incomplete file or, if it replaces one, a `.larder-…` beside the old file.
[[nodiscard]] Result<TransferKind> transfer_file(const Transfer& transfer,
                                                 const MaterializeOptions& options,
                                                 Ability& ability);

/// Makes a symlink with the same text, under the same rules.
[[nodiscard]] Result<> transfer_symlink(const Transfer& transfer,
                                        const MaterializeOptions& options);

/// Gives a new directory, once it is filled, the mode and the modification time of its source.
[[nodiscard]] Result<> finish_directory(const os::FileInfo& source, const os::Dir& made);

}  // namespace larder::tree
