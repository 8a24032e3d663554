// SPDX-License-Identifier: MIT
// Puts a copy of a leased tree somewhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <vector>

#include <larder/digest.hpp>
#include <larder/error.hpp>

namespace larder {

/// How the files of a tree reach their destination. Clones and copies do not have the set-id bits,
/// the sticky bit, the capabilities and the access control list of their source.
enum class LinkMode {
    /// Tries for each file: clone, then hard link, then copy. A file that has any of the things
    /// above is copied, because a hard link would have them too.
    automatic,
    clone,     ///< shares the blocks until one side is written (btrfs, xfs, APFS)
    hardlink,  ///< shares the file: a program that writes to it in place changes the cache
    copy,      ///< shares nothing
};

/// How a tree is put somewhere else.
struct MaterializeOptions {
    LinkMode mode = LinkMode::automatic;
    /// Replaces files and symlinks that stand in the way, instead of failing. Never directories.
    bool replace = false;
    /// How many threads work. 0 lets larder choose by the number of files.
    unsigned threads = 0;
    /// Ends the call before the next file, with the error `interrupted`.
    std::stop_token stop{};
    /// The algorithms that this program has for digests. A file that was modified after its entry
    /// was published is taken if its digest is that of the entry's manifest.
    std::vector<const DigestAlgorithm*> digests{};
};

/// How many files arrived in which way.
struct MaterializeReport {
    std::uint64_t cloned = 0;       ///< files that share their blocks with the tree
    std::uint64_t hardlinked = 0;   ///< files that are hard links to files of the tree
    std::uint64_t copied = 0;       ///< files that were copied
    std::uint64_t symlinks = 0;     ///< symlinks that were made
    std::uint64_t directories = 0;  ///< directories that were made; not those that existed
    std::uint64_t bytes = 0;        ///< the sizes of all files, cloned and linked ones included
    /// Files and directories that are there, but without their mode, their time or some of the
    /// attributes that users set, because the destination refused to set it (vfat, some FUSE file
    /// systems, some sandboxes), or because an attribute could not be read.
    std::uint64_t inexact = 0;
};

/// Makes `destination` hold everything that `tree` holds: directories (empty ones too), files,
/// symlinks, modes, modification times, holes, the attributes that users set, and hard links within
/// the tree. Symlinks are made anew with the same text and are never followed. Existing directories
/// are filled, and missing ones are made. Below `destination` no symlink is followed.
///
/// If the destination refuses to set a mode, a modification time or an attribute, or if an
/// attribute can't be read, that is no error: the report counts it as `inexact`.
///
/// A destination that is missing is made by one rename, from a directory beside it. It is whole or
/// missing. In one that exists, a file gets its name when it is complete. If neither its directory
/// nor that of `tree` has the right to write for its owner, this call lends it, and takes it back.
/// So a tree with read-only directories can be put in one place again.
///
/// If `tree` is the whole tree of an entry, a file that was modified after the entry was published
/// is put nowhere, whatever the mode is, unless its digest is that of the manifest: the call ends
/// with `damaged`. So does a call for an entry that has lost its manifest, which tells when that
/// was, whatever its record says; and for a tree that is staged and has none yet. So an edit
/// through a hard link does not reach the next user. The times of modification tell it. So an edit
/// is not noticed if it has set the old time again, or if files of the entry had times in the
/// future when it was published. Of a cache that was copied without its times, only entries with
/// digests can be put anywhere.
///
/// Requires: `tree` does not change during the call. Hold a Lease on it.
/// Errors: `exists` if something stands in the way and `replace` is off; `unsupported` if `mode`
/// names a way that does not work here; `invalid` if `destination` lies inside a cache or contains
/// the cache of `tree`; `damaged` as above; `interrupted` if `stop` was requested. What was written
/// by then into a destination that existed stays; of one that was missing, nothing stays.
/// Crash: leaves a directory `.larder-…` beside a destination that was missing, or a file of such a
/// name in one that existed. The same call, with `replace` if the destination existed, completes
/// what was begun. But a directory of such a destination that was being filled keeps the mode 0700,
/// or the right that was lent. The first call of another process that makes a destination in the
/// same place deletes such a directory `.larder-…`, if this is all true:
///   - the process that filled it has certainly ended, and the machine was not started anew since;
///   - it belongs to this user, and no user but this one and root can have put it there: if other
///     users may write to that place, it is sticky (as /tmp is), and they may not write to the
///     directory.
/// Nothing deletes such a file, nor any other such directory: delete it by hand when no process
/// materializes there.
/// Concurrency: several calls may fill one destination at the same time. One of them may take a
/// right back that another still needs: that one lends it again.
[[nodiscard]] Result<MaterializeReport> materialize(const std::filesystem::path& tree,
                                                    const std::filesystem::path& destination,
                                                    const MaterializeOptions& options = {});

}  // namespace larder
