// SPDX-License-Identifier: MIT
// Rows in aligned columns, for stdout.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cachetool/term/column_layout.hpp"

namespace cachetool {

class TextTable {
public:
    using Cells = std::initializer_list<std::string_view>;

    /// The headings may have marks: see ColumnStyle.
    explicit TextTable(Cells headings);

    /// Adds a row of as many cells as there are headings. Cells may be coloured.
    void add(Cells cells);

    // For a table that is not kept in memory: every row is measured, and then each is printed.
    void measure(const std::vector<std::string>& cells);
    [[nodiscard]] std::string heading_line() const;
    [[nodiscard]] std::string line_of(const std::vector<std::string>& cells) const;
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

    /// Returns the headings and the rows, each on a line, which fits the terminal if stdout is one.
    /// The last column is not padded, so that one key of four kilobytes costs the others nothing.
    [[nodiscard]] std::string text() const;

private:
    using Row = std::vector<std::string>;

    Row headings_;
    /// Returns the width of each column, and nullopt for one that is left out.
    [[nodiscard]] const std::vector<std::optional<std::size_t>>& fitted() const;

    std::vector<ColumnStyle> columns_;
    std::vector<std::size_t> widths_;  ///< what the cells need
    mutable std::vector<std::optional<std::size_t>> fitted_;
    std::vector<Row> rows_;
};

}  // namespace cachetool
