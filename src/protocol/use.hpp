// SPDX-License-Identifier: MIT
// Use: a publish or a get of an entry. The time of the last use is the time at which the entry's
// link was modified.
#pragma once

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

/// Writes down that an entry is used now, and remembers the hit (see cache/recent.hpp). Called
/// after a get has found the entry. Does nothing if the use was written down less than an hour ago.
/// If another process has replaced the link since, the new entry counts as used now. That does no
/// harm, because its publish is a use too.
void note_use(cache::Root& root, const KeyRef& place, const format::Id& id) noexcept;

/// Returns the time of the last use of an entry. `link` is what the system knows about its link.
[[nodiscard]] inline WallTime last_use(const os::FileInfo& link) noexcept {
    return link.modified.to_clock();
}

}  // namespace larder::protocol
