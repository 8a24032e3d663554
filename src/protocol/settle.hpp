// SPDX-License-Identifier: MIT
// Settle: brings all that is in the cache to the disk, and writes down in a watermark that it is
// there. So after a power cut an entry of this boot need not be compared with its manifest.
#pragma once

#include <chrono>

#include "cache/root.hpp"

namespace larder::protocol {

/// Replaces the file of this boot in `boots/`. A kill leaves a file in `deleting/`. If `sync` is
/// true, the file is on the disk before it gets its name, and its name is there when this returns;
/// otherwise a power cut may leave the file before, or an empty one, which says nothing.
[[nodiscard]] Result<> write_boot_file(const cache::Root& root, const format::BootFile& file,
                                       bool sync);

/// Returns whether a sync of the whole file system brings what is in this cache to the disk.
[[nodiscard]] bool can_settle(const cache::Root& root);

/// What a settle does on a full disk that has no room for the watermark.
enum class IfFull {
    fail,   ///< the error is `no_space`
    leave,  ///< leaves the old one: a later settle writes it, and until then more is compared
};
/// Syncs the whole file system, and raises the watermark. Waits as long as the system needs for
/// that. Errors: `unsupported` unless can_settle; `read_only`; the first one of the sync, after
/// which data may be lost.
[[nodiscard]] Result<> settle(const cache::Root& root, IfFull if_full = IfFull::fail);

/// Raises the watermark of this boot to `time`, or leaves one that is higher. Requires: a sync of
/// the whole file system has succeeded that began after `time`. Leaves no watermark if the machine
/// does not tell its boot itself, or not the time namespace, or if the file system does not tell
/// when the root was made: nothing could be compared with it. Two processes that do this at once
/// may leave the lower one of their times, which is right too.
[[nodiscard]] Result<> raise_watermark(const cache::Root& root, const os::BootTime& time,
                                       bool sync);

/// Returns whether a settle would raise the watermark by `interval` or more.
[[nodiscard]] Result<bool> is_settle_due(const cache::Root& root, std::chrono::minutes interval);

}  // namespace larder::protocol
