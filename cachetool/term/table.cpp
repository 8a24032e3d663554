// SPDX-License-Identifier: MIT
#include "cachetool/term/table.hpp"

#include <algorithm>
#include <limits>

#include "cachetool/term/colour.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/width.hpp"

namespace cachetool {

TextTable::TextTable(Cells headings) {
    for (const auto heading : headings) {
        columns_.push_back(column_of(heading));
        headings_.push_back(columns_.back().heading);
        widths_.push_back(headings_.back().size());
    }
}

void TextTable::add(Cells cells) {
    rows_.emplace_back(cells.begin(), cells.end());
    measure(rows_.back());
}

void TextTable::measure(const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
        widths_[i] = std::max(widths_[i], shown_width(cells[i]));
    fitted_.clear();
}

const std::vector<std::optional<std::size_t>>& TextTable::fitted() const {
    // Once for all rows: there may be millions.
    if (fitted_.empty())
        fitted_ = fitting_widths(columns_, widths_,
                                 output_width().value_or(std::numeric_limits<std::size_t>::max()));
    return fitted_;
}

std::string TextTable::line_of(const std::vector<std::string>& row) const {
    const auto& widths = fitted();
    std::string line, padding;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!widths[i]) continue;
        if (!line.empty() || !padding.empty()) padding += column_gap;
        const auto cell = shortened(row[i], *widths[i]);
        const std::string filling(*widths[i] - std::min(*widths[i], shown_width(cell)), ' ');
        line += padding;
        if (columns_[i].aligned_right) line += filling;
        line += cell;
        // What would only pad the last column is not written.
        padding = columns_[i].aligned_right ? std::string() : filling;
    }
    return line + "\n";
}

std::string TextTable::heading_line() const {
    auto line = line_of(headings_);
    line.pop_back();
    return coloured(line, TextColour::bold, system::StandardStream::output) + "\n";
}

std::string TextTable::text() const {
    auto text = heading_line();
    for (const auto& row : rows_) text += line_of(row);
    return text;
}

}  // namespace cachetool
