// SPDX-License-Identifier: MIT
// Suspects: entries of an earlier boot of which it is not known that a power cut has left them
// whole. Each is compared with its manifest once, before it is served.
#pragma once

#include "cache/root.hpp"

namespace larder::protocol {

/// Returns whether an entry of an earlier boot is whole: its record can be read, and either it is
/// known that all of it is on the disk, or its tree is now as its manifest says. What this user may
/// not read counts as whole. If the tree was compared, writes that down in the entry, so that no
/// other process of this boot does it again; if that fails, another process compares again.
///
/// Requires: a lease keeps the entry, or the caller looks again after a `false`. Errors: what keeps
/// the entry from being read, which says nothing about it; `interrupted`.
[[nodiscard]] Result<bool> has_survived_cuts(cache::Root& root, const format::Id& id,
                                             const cache::CallContext& context);

}  // namespace larder::protocol
