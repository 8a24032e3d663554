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
    rows_.emplace_back(cells.begin(), cells.end());
    measure(rows_.back());
}

void TextTable::measure(const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
        widths_[i] = std::max(widths_[i], shown_width(cells[i]));
}

std::string TextTable::line_of(const std::vector<std::string>& row) const {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const bool is_last = i + 1 == row.size();
        const std::string padding(is_last ? 0 : widths_[i] - shown_width(row[i]), ' ');
        line += aligned_right_[i] ? padding + row[i] : row[i] + padding;
        if (!is_last) line += "  ";
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
