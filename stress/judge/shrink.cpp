// SPDX-License-Identifier: MIT
#include "stress/judge/shrink.hpp"

#include <algorithm>
#include <cstddef>

namespace larder::stress {

namespace {

using DemandList = std::vector<RegisterModel::Demand>;

/// Returns the least `n` for which `fails(n)`. Requires: fails(size), and if fails(n) then fails(n
/// + 1). Tries small numbers first.
template <class Fails>
std::size_t least(std::size_t size, Fails fails) {
    std::size_t good = 0, step = 1;  // fails(good) is false, unless good is 0
    if (fails(0)) return 0;
    while (good + step < size && !fails(good + step)) {
        good += step;
        step *= 2;
    }
    std::size_t bad = std::min(good + step, size);
    while (bad - good > 1) {
        const auto middle = good + (bad - good) / 2;
        (fails(middle) ? bad : good) = middle;
    }
    return bad;
}

}  // namespace

DemandList smallest_conflict(RegisterModel& model) {
    DemandList demands = model.demands();
    BitHistory bits;

    // Find the shortest history that has no order. Its last demand is part of every conflict in it.
    std::sort(demands.begin(), demands.end(),
              [](const auto& a, const auto& b) { return a.to < b.to; });
    std::size_t good = 0, bad = demands.size();
    while (bad - good > 1) {
        const auto middle = good + (bad - good) / 2;
        (model.has_order({demands.data(), middle}, bits) ? good : bad) = middle;
    }
    const Time end = demands[bad - 1].to;
    demands.resize(bad);
    DemandList conflict{demands.back()};
    demands.pop_back();

    // Then, again and again, find the fewest latest demands that contradict those found so far. The
    // earliest of these few is one more demand of the conflict. What may have happened after `end`
    // does not help operations that were over by then.
    model.forget_after(end);
    std::sort(demands.begin(), demands.end(),
              [](const auto& a, const auto& b) { return a.from > b.from; });
    for (;;) {
        const auto fails = [&](std::size_t count) {
            DemandList tried = conflict;
            tried.insert(tried.end(), demands.begin(),
                         demands.begin() + static_cast<std::ptrdiff_t>(count));
            return !model.has_order(tried, bits);
        };
        const std::size_t needed = least(demands.size(), fails);
        if (needed == 0) break;
        conflict.push_back(demands[needed - 1]);
        demands.resize(needed - 1);
    }
    std::sort(conflict.begin(), conflict.end(),
              [](const auto& a, const auto& b) { return a.from < b.from; });
    return conflict;
}

}  // namespace larder::stress
