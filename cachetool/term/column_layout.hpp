// SPDX-License-Identifier: MIT
// Which columns of a table are shown on a terminal, and how wide.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

/// A column, by its heading. Marks may stand before the heading:
///   - '>' aligns the column to the right,
///   - '?' lets it be left out if the terminal is too narrow,
///   - '~' lets its cells be shortened.
struct ColumnStyle {
    std::string heading;
    bool aligned_right = false;
    bool may_be_left_out = false;
    bool may_be_shortened = false;
};
[[nodiscard]] ColumnStyle column_of(std::string_view marked_heading);

/// What stands between two columns.
inline constexpr std::string_view column_gap = "  ";

/// Returns the width of each column, and nullopt for one that is left out. `widths` is what their
/// cells need. If that is more than `available`, columns are left out from the left until the
/// others fit, and then the widest cells are shortened.
[[nodiscard]] std::vector<std::optional<std::size_t>> fitting_widths(
    const std::vector<ColumnStyle>& columns, const std::vector<std::size_t>& widths,
    std::size_t available);

}  // namespace cachetool
