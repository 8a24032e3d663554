// SPDX-License-Identifier: MIT
#include "cachetool/term/column_layout.hpp"

#include <algorithm>

namespace cachetool {
namespace {

/// A shortened cell keeps this many columns, as long as another column can be left out instead.
/// Arbitrary: a name and a bit of its version.
constexpr std::size_t readable = 16;
/// It never has fewer: a letter at each side of the ellipsis.
constexpr std::size_t least = 3;

using Widths = std::vector<std::optional<std::size_t>>;

std::size_t sum_of(const Widths& widths) {
    std::size_t sum = 0;
    for (const auto& width : widths) {
        if (width) sum += *width + (sum == 0 ? 0 : column_gap.size());
    }
    return sum;
}

}  // namespace

ColumnStyle column_of(std::string_view marked_heading) {
    ColumnStyle column;
    for (;; marked_heading.remove_prefix(1)) {
        if (marked_heading.starts_with('>')) {
            column.aligned_right = true;
        } else if (marked_heading.starts_with('?')) {
            column.may_be_left_out = true;
        } else if (marked_heading.starts_with('~')) {
            column.may_be_shortened = true;
        } else {
            break;
        }
    }
    column.heading = marked_heading;
    return column;
}

std::vector<std::optional<std::size_t>> fitting_widths(const std::vector<ColumnStyle>& columns,
                                                       const std::vector<std::size_t>& widths,
                                                       std::size_t available) {
    Widths fitting(widths.begin(), widths.end());
    const auto shortest = [&] {
        auto least_widths = fitting;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].may_be_shortened && fitting[i])
                least_widths[i] = std::min(widths[i], readable);
        }
        return sum_of(least_widths);
    };
    for (std::size_t i = 0; i < columns.size() && shortest() > available; ++i) {
        if (columns[i].may_be_left_out) fitting[i].reset();
    }
    while (sum_of(fitting) > available) {
        std::optional<std::size_t>* widest = nullptr;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].may_be_shortened && fitting[i] && *fitting[i] > least &&
                (widest == nullptr || *fitting[i] > **widest))
                widest = &fitting[i];
        }
        if (widest == nullptr) break;
        --**widest;
    }
    return fitting;
}

}  // namespace cachetool
