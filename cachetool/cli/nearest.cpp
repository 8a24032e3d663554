// SPDX-License-Identifier: MIT
#include "cachetool/cli/nearest.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <limits>

namespace cachetool {

std::size_t edit_distance(std::string_view from, std::string_view to) {
    // Three rows of the table are enough, because an exchange of neighbours looks two rows back.
    std::vector<std::size_t> before, previous, row(to.size() + 1);
    for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= from.size(); ++i) {
        before = std::move(previous);
        previous = std::move(row);
        row.assign(to.size() + 1, i);
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t replaced = previous[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, previous[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[to.size()];
}

const std::string* nearest(std::string_view word, const std::vector<std::string>& names) {
    // No name is half as long. The time taken grows with the product of both lengths, and the
    // length of `word` comes from outside.
    constexpr std::size_t longest = 64;
    if (word.size() > longest) return nullptr;
    const std::string* best = nullptr;
    std::size_t best_distance = std::numeric_limits<std::size_t>::max();
    for (const auto& name : names) {
        const std::size_t distance = edit_distance(word, name);
        // One mistake in three letters, as Cargo allows; with more, a word resembles many names.
        // One mistake is allowed in the shortest words, too.
        const std::size_t limit = std::max<std::size_t>(1, std::max(word.size(), name.size()) / 3);
        // At least one letter must be right.
        if (distance > limit || distance >= std::max(word.size(), name.size()) ||
            distance >= best_distance)
            continue;
        best = &name;
        best_distance = distance;
    }
    return best_distance == 0 ? nullptr : best;
}

const std::string* nearest_or_longer(std::string_view word, const std::vector<std::string>& names) {
    if (const auto* name = nearest(word, names)) return name;
    // Two letters begin many names.
    if (word.size() < 3) return nullptr;
    const auto longer = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return name.size() > word.size() && name.starts_with(word);
    });
    return longer == names.end() ? nullptr : &*longer;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
    const auto* name = nearest(word, names);
    return name == nullptr ? std::string() : fmt::format(" (did you mean {}?)", *name);
}

}  // namespace cachetool
