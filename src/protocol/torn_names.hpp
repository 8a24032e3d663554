// SPDX-License-Identifier: MIT
// Torn names: links and pointers of kind `file` that a power cut has emptied. A file system may
// bring a name to the disk before the bytes of its file.
#pragma once

#include <stop_token>

#include "cache/root.hpp"

namespace larder::protocol {

/// Moves each torn name in a bucket to `deleting/`, and each bucket's torn pointer. Such a name is
/// a miss, but no other step of a collection takes it away. Passes over a name if its bucket's lock
/// is taken: a publish of its key replaces it, or a repair by verify takes it away. Does nothing if
/// links are symlinks, which have no bytes of their own. Requires: the caller holds the collector's
/// lock. Errors: `interrupted` if `stop` was requested; the first thing that could not be listed,
/// read or moved.
[[nodiscard]] Result<> remove_torn_names(cache::Root& root, const std::stop_token& stop);

}  // namespace larder::protocol
