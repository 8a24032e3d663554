// SPDX-License-Identifier: MIT
#include "tree/space.hpp"

#include <algorithm>

#include "base/saturate.hpp"
#include "os/file_system.hpp"

namespace larder::tree {

SpaceCount::SpaceCount(bool wanted, const os::Dir& dir)
    : wanted_(wanted), files_share_blocks_(wanted && os::traits_of(dir.handle).has_clones) {}

GivenBack SpaceCount::look_at(const os::Dir& dir, const std::string& name) const {
    if (!wanted_) return {};
    const auto info = os::try_stat_at(dir, name.c_str());
    if (!info || info->links > 1) return {};
    if (!files_share_blocks_ || info->allocated == 0 || !info->is_regular())
        return {info->allocated, false};
    const auto own = os::unshared_bytes(dir, name);
    if (!own) return {0, true};
    return {std::min(*own, info->allocated), false};
}

void SpaceCount::add(const GivenBack& given) noexcept {
    base::add(bytes_, given.bytes);
    if (given.at_least) at_least_ = true;
}

}  // namespace larder::tree
