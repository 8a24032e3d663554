// SPDX-License-Identifier: MIT
// The open directories of a cache.
//
// They are named as in format/layout.hpp, and everything is reached through them. So it does not
// matter if a directory above is renamed, or if a symlink is put in the place of a directory. In a
// read-only root, some may not be open.
#pragma once

#include <memory>
#include <variant>

#include "os/dir.hpp"

namespace larder::cache {

/// The root, and the directories that every call needs. `generations` is open only if buckets are
/// pointers.
struct Handles {
    os::Dir root;
    os::Dir participants;
    os::Dir staging;
    os::Dir buckets;
    os::Dir generations;
    os::Dir archive;
};

/// The directories of what is retired and deleted. They are opened when they are first needed: see
/// Root::open_garbage.
struct GarbageHandles {
    os::Dir retired_links;
    os::Dir retired_buckets;
    os::Dir deleting;
};
/// Null as long as they are not open.
using GarbageRef = std::unique_ptr<const GarbageHandles>;

/// Says which directory of a root is meant.
using WhichDir = std::variant<os::Dir Handles::*, os::Dir GarbageHandles::*>;

}  // namespace larder::cache
