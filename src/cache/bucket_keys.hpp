// SPDX-License-Identifier: MIT
// Where the keys of a bucket are: in the directory `buckets/<bucket>/`; or, if buckets are
// pointers, in the directory `generations/<generation>/` that `buckets/<bucket>` names. All steps
// ask this class, and go on with the directory and the path that it tells. So they are the same
// with both kinds of buckets.
#pragma once

#include <string>

#include "cache/handles.hpp"
#include "format/format_file.hpp"
#include "format/link.hpp"
#include "os/file_info.hpp"

namespace larder::cache {

/// Where the link of a key stands: its path from a directory that is open.
struct KeyPath {
    const os::Dir* dir;  ///< `buckets/` or `generations/`, as long as the Root is there
    std::string path;    ///< "<bucket>/<key>" or "<generation>/<key>"
};

/// See the head of this file. A `key_path` is the path of a link from `buckets/`, as
/// format::key_path makes it; the names in it are encoded. Thread-safe.
///
/// A pointer is read anew by each call, because a refresh may have moved it since. So an answer is
/// right at one instant, like that of a path which the kernel resolves: a caller that goes on with
/// it may act in a generation that was refreshed since, as it might act in a bucket's directory
/// that was moved aside during its system call.
class BucketKeys {
public:
    /// The handles outlive this object.
    BucketKeys(const Handles& dirs, const format::Format& format) noexcept
        : dirs_(dirs), links_(format.links), buckets_(format.buckets) {}

    /// Returns whether buckets are pointers.
    [[nodiscard]] bool use_pointers() const noexcept { return buckets_ == BucketKind::pointer; }

    /// Reads the link of a key without following it. If there is no bucket, there is no link.
    [[nodiscard]] Result<format::LinkRead> read(const std::string& key_path) const;
    /// Does what format::link_names_complete_entry says, and reads the pointer before the link.
    [[nodiscard]] bool name_complete_entry(const std::string& key_path, const format::Id& id) const;

    /// Returns where the link of a key stands, for a caller that only looks at it. Costs no system
    /// call if the kernel finds the way by itself. Errors: `absent` if there is no bucket.
    [[nodiscard]] Result<KeyPath> path_for_look(const std::string& key_path) const;
    /// Returns where the link of a key stands, for a caller that renames it. Errors: `absent` if
    /// there is no bucket; `damaged` if something stands in its place that is no pointer.
    [[nodiscard]] Result<KeyPath> path_for_change(const std::string& key_path) const;

    /// Returns whether there is a bucket. A pointer that larder has not made, or not in full, is
    /// none. Errors: `damaged` if something else stands there, such as a symlink in the place of a
    /// directory, because what is below it does not belong to the cache.
    [[nodiscard]] Result<bool> bucket_exists(const std::string& encoded_bucket) const;
    /// Opens the directory that holds the keys of a bucket. Fails with Why::absent if there is
    /// none, and with Why::not_directory or Why::is_link if something stands there that is no
    /// bucket.
    [[nodiscard]] Result<os::Dir> open_bucket(const std::string& encoded_bucket) const;
    /// Does the same for a refreshed bucket, by its name in `retired/buckets/`. If its pointer
    /// leads nowhere, the result is a Dir that is not open, and so has no names.
    [[nodiscard]] Result<os::Dir> open_refreshed(const os::Dir& retired_buckets,
                                                 const std::string& name) const;

    /// Reads the pointer of a bucket. Requires: buckets are pointers.
    [[nodiscard]] Result<format::PointerRead> read_pointer(const std::string& encoded_bucket) const;

private:
    const Handles& dirs_;
    LinkKind links_;
    BucketKind buckets_;
};

}  // namespace larder::cache
