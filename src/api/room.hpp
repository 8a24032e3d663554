// SPDX-License-Identifier: MIT
// Makes room on a full disk. A rename can find no space on some file systems (ext4, xfs), so even
// remove and refresh may. This stands above both retire and collect, since it needs both.
#pragma once

#include "protocol/collect.hpp"

namespace larder::detail {

/// Calls `step`, which returns a Result<>. If the disk has no space for it, deletes what is garbage
/// already and calls `step` once more.
template <class Step>
[[nodiscard]] Result<> with_room(const protocol::RootRef& root, const cache::CallContext& context,
                                 Step step) {
    Result<> done = step();
    if (done || done.error().code != Errc::no_space) return done;
    if (!protocol::collect(root, {}, context)) return done;
    return step();
}

}  // namespace larder::detail
