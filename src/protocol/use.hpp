// SPDX-License-Identifier: MIT
// Use: the last time at which an entry was published or got. It is kept as the modification time of
// the entry's link.
#pragma once

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

/// Writes the use of an entry down after a hit, if that can be done, and remembers the hit. If the
/// link was replaced since, the new entry, which is as good as used, counts as used now.
void note_use(cache::Root& root, const KeyRef& place, const format::Id& id) noexcept;

/// Returns the last use of an entry, from the status of its link.
[[nodiscard]] inline WallTime last_use(const os::FileInfo& link) noexcept {
    return link.modified.to_clock();
}

}  // namespace larder::protocol
