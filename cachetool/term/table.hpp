// SPDX-License-Identifier: MIT
// Rows in aligned columns, for stdout.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

class TextTable {
public:
    using Cells = std::initializer_list<std::string_view>;

    /// A heading that begins with '>' aligns its column to the right, and is shown without it.
    explicit TextTable(Cells headings);

    /// Adds a row of as many cells as there are headings. Cells may be coloured.
    void add(Cells cells);

    // For a table that is not kept in memory: every row is measured, and then each is printed.
    void measure(const std::vector<std::string>& cells);
    [[nodiscard]] std::string heading_line() const;
    [[nodiscard]] std::string line_of(const std::vector<std::string>& cells) const;
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

    /// Returns the headings and the rows, each on a line. The last column is not padded, so that
    /// one key of four kilobytes costs the others nothing.
    [[nodiscard]] std::string text() const;

private:
    using Row = std::vector<std::string>;

    Row headings_;
    std::vector<bool> aligned_right_;
    std::vector<std::size_t> widths_;
    std::vector<Row> rows_;
};

}  // namespace cachetool
