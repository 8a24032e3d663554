// SPDX-License-Identifier: MIT
// Use: the last time at which an entry was published or got. It is kept as the modification time of
// the entry's link.
#pragma once

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

/// Call this after a hit. It remembers the hit, and writes the use to the disk if the disk has none
/// of the last hour. A failure is ignored. If the link was replaced meanwhile, the new entry counts
/// as used now, which is true enough.
void note_use(cache::Root& root, const KeyRef& place, cache::Recent::Mark mark,
              const format::Id& id) noexcept;

/// Returns the last use of an entry, from the status of its link.
[[nodiscard]] inline WallTime last_use(const os::FileInfo& link) noexcept {
    return link.modified.to_clock();
}

}  // namespace larder::protocol
