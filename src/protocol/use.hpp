// SPDX-License-Identifier: MIT
// Use: a publish or a get of an entry. A use is in the ring of the process that made it (see
// cache/use_ring.hpp), or the time at which the entry's link was modified.
#pragma once

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

/// Writes down that an entry is used now, and remembers the hit (see cache/recent.hpp). Called
/// after a get has found the entry. `known` is what was remembered of the key before. Writes the
/// use into the ring of this process, or sets the time of the link where there is no ring. Does
/// nothing if this process has done so within the hour, and no collection has settled the use
/// since.
void note_use(cache::Root& root, const KeyRef& place, const format::Id& id,
              const cache::RecentEntry& known) noexcept;

/// Returns the time of the last use of an entry that stands in no ring. `link` is what the system
/// knows about its link.
[[nodiscard]] inline WallTime last_use(const os::FileInfo& link) noexcept {
    return link.modified.to_clock();
}

}  // namespace larder::protocol
