// SPDX-License-Identifier: MIT
// Orphans: entries that no link names. A power cut may leave one, or a program that outlives its
// builder. No collection lists the archive, but for the first one of a boot.
#pragma once

#include <functional>
#include <stop_token>

#include "cache/root.hpp"

namespace larder::protocol {

/// Returns whether no collection of this boot has found all orphans, so that the next one is the
/// first. Returns false as well if the machine does not tell its boot: then each collection would
/// be the first.
[[nodiscard]] Result<bool> is_first_of_boot(const cache::Root& root);

/// Calls `visit` for each entry of an earlier boot that no link names. Requires: the caller holds
/// the collector's lock, and has reaped the dead participants. Errors: `interrupted` if `stop` was
/// requested; the first directory or link that could not be read, after which no entry of that part
/// was visited, because the missing link may name it; those of `visit`.
[[nodiscard]] Result<> for_each_orphan(const cache::Root& root,
                                       const std::function<Result<>(const format::Id&)>& visit,
                                       const std::stop_token& stop);

/// Gives an orphan a link in `retired/links/`, so that a collection treats it like any other
/// garbage. Errors: those of joining the cache, and of making and renaming the link.
[[nodiscard]] Result<> name_orphan(cache::Root& root, const format::Id& id,
                                   const cache::CallContext& context);

/// Writes down that the first collection of this boot has given all orphans a name. A kill leaves a
/// file in `deleting/`, and the next collection looks again.
[[nodiscard]] Result<> note_first_of_boot(const cache::Root& root);

}  // namespace larder::protocol
