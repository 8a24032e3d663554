// SPDX-License-Identifier: MIT
#include "stress/judge/registers.hpp"

#include <algorithm>

namespace larder::stress {

namespace {

bool is_on_register(EventKind kind) {
    return kind == EventKind::put || kind == EventKind::get || kind == EventKind::build ||
           kind == EventKind::remove || kind == EventKind::evict;
}

}  // namespace

RegisterTable::RegisterTable(const History& history) {
    const auto& operations = history.operations;
    // The operations are counted by key, then dealt out. Sorting ten million of them by key would
    // take longer than all the rest.
    constexpr std::uint32_t none = ~std::uint32_t{0};
    std::unordered_map<std::uint64_t, std::uint32_t> numbers;
    std::vector<std::uint32_t> number_of(operations.size(), none);
    std::vector<std::size_t> counts;
    for (std::size_t op = 0; op < operations.size(); ++op) {
        const auto& operation = operations[op];
        if (history.restarted.contains(operation.process)) continue;
        if (is_on_register(operation.kind)) {
            const auto key = std::uint64_t{operation.bucket} << 32 | operation.key;
            const auto number =
                numbers.try_emplace(key, static_cast<std::uint32_t>(counts.size())).first->second;
            if (number == counts.size()) counts.push_back(0);
            number_of[op] = number;
            ++counts[number];
        } else if (operation.kind == EventKind::refresh &&
                   (operation.outcome == OpOutcome::ok ||
                    operation.outcome == OpOutcome::unclear)) {
            refreshes_[operation.bucket].add(operation.begin, operation.end,
                                             operation.outcome == OpOutcome::ok,
                                             static_cast<OpIndex>(op));
        }
    }
    for (auto& [bucket, refreshes] : refreshes_) refreshes.complete();
    for (const auto count : counts) begins_.push_back(begins_.back() + count);
    std::vector<std::size_t> next(begins_.begin(), std::prev(begins_.end()));
    ops_.resize(begins_.back());
    for (std::size_t op = 0; op < operations.size(); ++op) {
        if (number_of[op] != none) ops_[next[number_of[op]]++] = static_cast<OpIndex>(op);
    }
    for (std::size_t number = 0; number < size(); ++number) {
        std::sort(ops_.begin() + static_cast<std::ptrdiff_t>(begins_[number]),
                  ops_.begin() + static_cast<std::ptrdiff_t>(begins_[number + 1]),
                  [&](OpIndex a, OpIndex b) { return operations[a].begin < operations[b].begin; });
    }
}

const ClearIndex& RegisterTable::refreshes(std::uint32_t bucket) const {
    static const ClearIndex none = [] {
        ClearIndex clears;
        clears.complete();
        return clears;
    }();
    const auto found = refreshes_.find(bucket);
    return found == refreshes_.end() ? none : found->second;
}

VersionWriters::VersionWriters(const History& history) : operations_(history.operations) {
    for (std::size_t op = 0; op < operations_.size(); ++op) {
        const auto kind = operations_[op].kind;
        if (kind == EventKind::put || kind == EventKind::build)
            by_version_.push_back(static_cast<OpIndex>(op));
    }
    std::sort(by_version_.begin(), by_version_.end(), [&](OpIndex a, OpIndex b) {
        return operations_[a].intended < operations_[b].intended;
    });
}

std::optional<OpIndex> VersionWriters::find(Version version) const {
    const auto found =
        std::partition_point(by_version_.begin(), by_version_.end(),
                             [&](OpIndex op) { return operations_[op].intended < version; });
    if (found == by_version_.end() || operations_[*found].intended != version) return std::nullopt;
    return *found;
}

std::optional<std::pair<OpIndex, OpIndex>> VersionWriters::duplicate() const {
    const auto found = std::adjacent_find(
        by_version_.begin(), by_version_.end(),
        [&](OpIndex a, OpIndex b) { return operations_[a].intended == operations_[b].intended; });
    if (found == by_version_.end()) return std::nullopt;
    return std::pair(*found, *std::next(found));
}

}  // namespace larder::stress
