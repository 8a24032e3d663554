// SPDX-License-Identifier: MIT
// How a bucket comes and goes, as a directory or as a pointer to a generation. Where its keys are
// meanwhile, cache/bucket_keys.hpp tells.
#pragma once

#include <optional>

#include "cache/root.hpp"
#include "os/file_lock.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

/// How a publish holds the lock of its bucket, and what its names must survive.
struct PublishHold {
    const os::Dir& staging;  ///< of this process
    os::Mode mode;           ///< in which it holds the bucket's lock
    bool power;              ///< the names must survive a power cut
};

/// Makes the bucket of a key if it is missing, and returns where the link of the key stands. A
/// refresh and a collection may take the bucket away before this returns. Then the caller's next
/// step meets no directory, and the caller calls this again.
///
/// With pointers, makes a generation: first its pointer `g-<generation>` in the staging area, then
/// its directory, and then renames the pointer to `buckets/<bucket>`, over no other. If another
/// publish is faster, the directory goes, then `g-`. So one pointer names a generation at every
/// instant. Returns nullopt if it can only be done under the exclusive lock: the system has no
/// rename that never replaces, or the bucket's pointer leads nowhere and must go. A kill leaves
/// `g-`, which a reap retires, or an empty bucket.
///
/// Requires: the caller holds the bucket's lock. Errors: `damaged` if something else stands at the
/// bucket's name, which would lead a rename out of the cache; those of the system.
[[nodiscard]] Result<std::optional<cache::KeyPath>> ensure_bucket(const cache::Root& root,
                                                                  const KeyRef& place,
                                                                  const PublishHold& hold);

/// Takes a bucket away if it has no key: a directory by `rmdir`; a pointer by a rename into
/// `retired/buckets/`, if the bucket's lock is free, exclusively. Then the generation goes like a
/// refreshed one. A bucket that cannot be taken away stays: it costs nothing but its name.
/// Requires: the caller holds the collector's lock.
void remove_if_empty(cache::Root& root, const std::string& encoded_bucket);

/// Removes a refreshed bucket whose links were taken out, by its name in `retired/buckets/`: the
/// directory of the keys, and then its pointer, if it has one. Returns false if a late publish has
/// brought one more link, and the bucket stays. Requires: the caller holds the collector's lock.
[[nodiscard]] Result<bool> remove_refreshed(const cache::Root& root, const std::string& retired);

}  // namespace larder::protocol
