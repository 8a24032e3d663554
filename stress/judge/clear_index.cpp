// SPDX-License-Identifier: MIT
#include "stress/judge/clear_index.hpp"

#include <algorithm>
#include <bit>

namespace larder::stress {

void ClearIndex::complete() {
    std::sort(all_.begin(), all_.end(),
              [](const Clear& a, const Clear& b) { return a.from < b.from; });
    width_ = std::bit_ceil(std::max<std::size_t>(all_.size(), 1));
    tree_.assign(2 * width_, {});
    for (std::size_t i = 0; i < all_.size(); ++i)
        tree_[width_ + i] = {all_[i].to, all_[i].certain ? all_[i].to : never, all_[i].to};
    for (std::size_t node = width_ - 1; node > 0; --node) {
        const auto &left = tree_[2 * node], &right = tree_[2 * node + 1];
        tree_[node] = {std::min(left.earliest, right.earliest),
                       std::min(left.earliest_certain, right.earliest_certain),
                       std::max(left.latest, right.latest)};
    }
}

template <class Enter, class Leaf>
bool ClearIndex::visit(std::size_t node, std::size_t node_from, std::size_t node_to,
                       std::size_t from, std::size_t to, const Enter& enter,
                       const Leaf& leaf) const {
    if (node_to <= from || to <= node_from || !enter(tree_[node])) return true;
    if (node >= width_) return leaf(all_[node_from]);
    const std::size_t middle = node_from + (node_to - node_from) / 2;
    return visit(2 * node, node_from, middle, from, to, enter, leaf) &&
           visit(2 * node + 1, middle, node_to, from, to, enter, leaf);
}

template <class Enter, class Leaf>
bool ClearIndex::visit(std::size_t from, std::size_t to, const Enter& enter,
                       const Leaf& leaf) const {
    return from >= to || visit(1, 0, width_, from, to, enter, leaf);
}

std::size_t ClearIndex::first_after(Time time) const {
    return static_cast<std::size_t>(
        std::partition_point(all_.begin(), all_.end(),
                             [&](const Clear& clear) { return clear.from <= time; }) -
        all_.begin());
}

void ClearIndex::select(const std::vector<Time>& instants, RegisterModel& model) const {
    const auto add = [&](const Clear& clear) {
        model.add({clear.from, clear.to, BitOp::Kind::clear, clear.certain}, clear.source);
        return true;
    };
    const auto add_one = [&](const Clear& clear) { return !add(clear); };
    std::size_t from = 0;
    for (const Time instant : instants) {
        const std::size_t to = first_after(instant);
        if (to == from) continue;
        // Before its first operation the key is empty, so clears make no difference there.
        const bool is_first = instant == instants.front();
        if (!is_first &&
            visit(
                from, to, [&](const ClearSpan& ends) { return ends.earliest_certain < instant; },
                add_one)) {
            visit(
                from, to, [&](const ClearSpan& ends) { return ends.earliest < instant; }, add_one);
        }
        visit(
            from, to, [&](const ClearSpan& ends) { return ends.latest >= instant; }, add);
        from = to;
    }
}

bool ClearIndex::any_between(Time from, Time to) const {
    return !visit(
        0, first_after(to), [&](const ClearSpan& ends) { return ends.latest >= from; },
        [](const Clear&) { return false; });
}

}  // namespace larder::stress
