// SPDX-License-Identifier: MIT
// Rows of a list of any length, sorted in little memory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cachetool/term/failure.hpp"

namespace cachetool {

/// A row: what it is sorted by, byte by byte, and the text that the list shows of it.
struct SortedRow {
    std::string order;
    std::string text;
};

/// Sorts rows. If they are more than a few mebibytes, sorted parts of them go to a file without a
/// name, and are merged when they are read. If that file can't be made or written, the rows stay in
/// memory.
class SortedRows {
public:
    /// Keeps the first `limit` rows.
    explicit SortedRows(std::uint64_t limit) : limit_(limit) {}

    void add(SortedRow row);
    /// Calls `see` for the text of each row, in order. May be called several times, after all rows
    /// were added. Errors: the file can't be read.
    [[nodiscard]] Expected<> for_each(const std::function<void(std::string_view text)>& see);

private:
    /// A sorted part in the file.
    struct SortedPart {
        long begin, end;
    };
    class PartReader;
    struct CloseFile {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    void sort();
    /// Moves the rows from memory to the file. After an error they stay in memory, and so do all
    /// that are added later.
    void write_part();
    [[nodiscard]] bool append_rows();

    std::uint64_t limit_;
    std::vector<SortedRow> rows_;
    std::size_t bytes_ = 0;  ///< that the rows in memory take, nearly
    std::vector<SortedPart> parts_;
    std::unique_ptr<std::FILE, CloseFile> file_;
    bool file_failed_ = false;  ///< nothing more is written to it
};

/// Returns text such that texts joined by this sort as the list of them does.
[[nodiscard]] std::string order_of_text(std::string_view text);
/// Returns text that sorts as the number does.
[[nodiscard]] std::string order_of_number(std::uint64_t number);

}  // namespace cachetool
