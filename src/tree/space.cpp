// SPDX-License-Identifier: MIT
#include "tree/space.hpp"

#include <algorithm>

#include "base/saturate.hpp"
#include "os/file_system.hpp"

namespace larder::tree {

SpaceCount::SpaceCount(bool wanted, const os::Dir& dir)
    : wanted_(wanted), files_share_blocks_(wanted && os::traits_of(dir.handle).has_clones) {}

FreedSpace SpaceCount::freed_by_unlinking(const os::Dir& dir, const std::string& name) const {
    if (!wanted_) return {};
    const auto info = os::try_stat_at(dir, name.c_str());
    // If nothing stands there, nothing will be unlinked, and the caller adds nothing.
    if (!info) return {.at_least = true};
    if (info->links > 1) return {};
    // Only the blocks of a regular file can be shared with a clone.
    if (!files_share_blocks_ || info->allocated == 0 || !info->is_regular())
        return {.bytes = info->allocated};
    const auto unshared = os::unshared_bytes(dir, name);
    if (!unshared) return {.at_least = true};
    // Extents have their length in the file, which is more than they take if they are compressed.
    return {.bytes = std::min(*unshared, info->allocated)};
}

void SpaceCount::add(const FreedSpace& freed) noexcept {
    base::add(bytes_, freed.bytes);
    if (freed.at_least) at_least_ = true;
}

}  // namespace larder::tree
