// SPDX-License-Identifier: MIT
#include "cache/retired_hints.hpp"

#include <algorithm>

namespace larder::cache {

bool RetiredHints::begin_search() noexcept {
    const std::lock_guard guard(mutex_);
    return std::exchange(was_searched_, true);
}

void RetiredHints::replace(std::vector<Hint> hints) {
    std::sort(hints.begin(), hints.end());
    const std::lock_guard guard(mutex_);
    hints_ = std::move(hints);
}

std::optional<format::Id> RetiredHints::name_of(const format::Id& entry) const {
    const std::lock_guard guard(mutex_);
    const auto hint = std::lower_bound(hints_.begin(), hints_.end(), Hint(entry, format::Id()));
    if (hint == hints_.end() || hint->first != entry) return std::nullopt;
    return hint->second;
}

}  // namespace larder::cache
