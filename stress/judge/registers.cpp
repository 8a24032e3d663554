// SPDX-License-Identifier: MIT
#include "stress/judge/registers.hpp"

#include <algorithm>

namespace larder::stress {

namespace {

bool is_on_register(Kind kind) {
    return kind == Kind::put || kind == Kind::get || kind == Kind::build || kind == Kind::remove ||
           kind == Kind::evict;
}

}  // namespace

Registers::Registers(const History& history) {
    const auto& operations = history.operations;
    // Counted, then dealt out: sorting ten million places by key would take longer than all the rest.
    constexpr std::uint32_t none = ~std::uint32_t{0};
    std::unordered_map<std::uint64_t, std::uint32_t> numbers;
    std::vector<std::uint32_t> number_of(operations.size(), none);
    std::vector<std::size_t> counts;
    for (std::size_t place = 0; place < operations.size(); ++place) {
        const auto& operation = operations[place];
        if (is_on_register(operation.kind)) {
            const auto key = std::uint64_t{operation.bucket} << 32 | operation.key;
            const auto number =
                numbers.try_emplace(key, static_cast<std::uint32_t>(counts.size())).first->second;
            if (number == counts.size()) counts.push_back(0);
            number_of[place] = number;
            ++counts[number];
        } else if (operation.kind == Kind::refresh &&
                   (operation.outcome == Outcome::ok || operation.outcome == Outcome::unclear)) {
            refreshes_[operation.bucket].add(operation.begin, operation.end,
                                             operation.outcome == Outcome::ok,
                                             static_cast<Place>(place));
        }
    }
    for (auto& [bucket, refreshes] : refreshes_) refreshes.complete();
    for (const auto count : counts) begins_.push_back(begins_.back() + count);
    std::vector<std::size_t> next(begins_.begin(), std::prev(begins_.end()));
    places_.resize(begins_.back());
    for (std::size_t place = 0; place < operations.size(); ++place) {
        if (number_of[place] != none) places_[next[number_of[place]]++] = static_cast<Place>(place);
    }
    for (std::size_t number = 0; number < size(); ++number) {
        std::sort(places_.begin() + static_cast<std::ptrdiff_t>(begins_[number]),
                  places_.begin() + static_cast<std::ptrdiff_t>(begins_[number + 1]),
                  [&](Place a, Place b) { return operations[a].begin < operations[b].begin; });
    }
}

const Clears& Registers::refreshes(std::uint32_t bucket) const {
    static const Clears none = [] {
        Clears clears;
        clears.complete();
        return clears;
    }();
    const auto found = refreshes_.find(bucket);
    return found == refreshes_.end() ? none : found->second;
}

Writers::Writers(const History& history) : operations_(history.operations) {
    for (std::size_t place = 0; place < operations_.size(); ++place) {
        const auto kind = operations_[place].kind;
        if (kind == Kind::put || kind == Kind::build)
            by_version_.push_back(static_cast<Place>(place));
    }
    std::sort(by_version_.begin(), by_version_.end(),
              [&](Place a, Place b) { return operations_[a].intended < operations_[b].intended; });
}

std::optional<Place> Writers::find(Version version) const {
    const auto found =
        std::partition_point(by_version_.begin(), by_version_.end(),
                             [&](Place place) { return operations_[place].intended < version; });
    if (found == by_version_.end() || operations_[*found].intended != version) return std::nullopt;
    return *found;
}

std::optional<std::pair<Place, Place>> Writers::duplicate() const {
    const auto found = std::adjacent_find(
        by_version_.begin(), by_version_.end(),
        [&](Place a, Place b) { return operations_[a].intended == operations_[b].intended; });
    if (found == by_version_.end()) return std::nullopt;
    return std::pair(*found, *std::next(found));
}

}  // namespace larder::stress
