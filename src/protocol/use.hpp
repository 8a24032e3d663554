// SPDX-License-Identifier: MIT
// Use: when an entry was last of use to anybody, as its link's time of modification tells it: the time of publishing, then of a hit.
#pragma once

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

/// After a hit: remembers it, and writes the use down, at most once an hour for each entry, and only where that can be done. The link may have been replaced
/// since: then the new entry, which is as good as used, counts as used now.
void note_use(cache::Root& root, const KeyRef& place, cache::Recent::Mark mark,
              const format::Id& id) noexcept;

/// What a link's status says of its entry's last use.
[[nodiscard]] inline WallTime last_use(const os::FileInfo& link) noexcept {
    return link.modified.to_clock();
}

}  // namespace larder::protocol
