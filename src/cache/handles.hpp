// SPDX-License-Identifier: MIT
// The open directories of a cache.
#pragma once

#include "os/dir.hpp"

namespace larder::cache {

/// The open directories of a root, named as in format/layout.hpp. Everything is reached through
/// these handles. So it does not matter if a directory above is renamed, or if a symlink is put in
/// the place of a directory. In a read-only root, some may not be open. `generations` is open only
/// if buckets are pointers. Those of what is retired and deleted are opened when they are first
/// needed: see Root::open_rest.
struct Handles {
    os::Dir root;
    os::Dir participants;
    os::Dir staging;
    os::Dir buckets;
    os::Dir generations;
    os::Dir archive;
    os::Dir retired_links;
    os::Dir retired_buckets;
    os::Dir deleting;
};

}  // namespace larder::cache
