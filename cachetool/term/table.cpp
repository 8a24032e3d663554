// SPDX-License-Identifier: MIT
#include "cachetool/term/table.hpp"

#include <algorithm>

#include "cachetool/term/colour.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {

TextTable::TextTable(Cells headings) {
    for (auto heading : headings) {
        aligned_right_.push_back(heading.starts_with('>'));
        if (aligned_right_.back()) heading.remove_prefix(1);
        headings_.emplace_back(heading);
        widths_.push_back(heading.size());
    }
}

void TextTable::add(Cells cells) {
    auto& row = rows_.emplace_back();
    for (const auto cell : cells) {
        auto& width = widths_[row.size()];
        width = std::max(width, shown_width(cell));
        row.emplace_back(cell);
    }
}

std::string TextTable::line_of(const Row& row) const {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const bool is_last = i + 1 == row.size();
        const std::string padding(is_last ? 0 : widths_[i] - shown_width(row[i]), ' ');
        line += aligned_right_[i] ? padding + row[i] : row[i] + padding;
        if (!is_last) line += "  ";
    }
    return line;
}

std::string TextTable::text() const {
    auto text =
        coloured(line_of(headings_), TextColour::bold, system::StandardStream::output) + "\n";
    for (const auto& row : rows_) text += line_of(row) + "\n";
    return text;
}

}  // namespace cachetool
