// SPDX-License-Identifier: MIT
#include "cachetool/term/sorted_rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "cachetool/system/files.hpp"

namespace cachetool {
namespace {

/// Arbitrary: some ten thousand rows, which few caches have.
constexpr std::size_t most_bytes = 4 << 20;
/// Arbitrary: a hundred parts need little memory then.
constexpr std::size_t read_at_once = 16 << 10;

using Lengths = std::array<std::uint32_t, 2>;

bool is_before(const SortedRow& one, const SortedRow& other) { return one.order < other.order; }

tl::unexpected<Failure> reading_failed() {
    return fail(
        system_failure("read the sorted list from a temporary file", system::stream_error()));
}

}  // namespace

/// Reads the rows of a part, one after the other.
class SortedRows::PartReader {
public:
    PartReader(std::FILE* file, const SortedPart& part)
        : file_(file), at_(part.begin), end_(part.end) {}

    [[nodiscard]] const SortedRow& row() const { return row_; }
    /// Returns false at the end of the part.
    Expected<bool> next() {
        if (at_ == end_ && used_ == ahead_.size()) return false;
        Lengths lengths{};
        if (!has(sizeof lengths)) return reading_failed();
        std::memcpy(lengths.data(), ahead_.data() + used_, sizeof lengths);
        const std::size_t size = sizeof lengths + lengths[0] + lengths[1];
        if (!has(size)) return reading_failed();
        row_.order.assign(ahead_, used_ + sizeof lengths, lengths[0]);
        row_.text.assign(ahead_, used_ + sizeof lengths + lengths[0], lengths[1]);
        used_ += size;
        return true;
    }

private:
    /// Reads until so many bytes are there. Returns false if they can't be read.
    bool has(std::size_t size) {
        if (ahead_.size() - used_ >= size) return true;
        ahead_.erase(0, std::exchange(used_, 0));
        const std::size_t had = ahead_.size();
        const std::size_t more =
            std::min(std::max(size - had, read_at_once), static_cast<std::size_t>(end_ - at_));
        ahead_.resize(had + more);
        if (std::fseek(file_, at_, SEEK_SET) != 0 ||
            std::fread(ahead_.data() + had, 1, more, file_) != more)
            return false;
        at_ += static_cast<long>(more);
        return ahead_.size() >= size;
    }

    std::FILE* file_;
    long at_, end_;
    std::string ahead_;
    std::size_t used_ = 0;
    SortedRow row_;
};

void SortedRows::sort() {
    std::sort(rows_.begin(), rows_.end(), is_before);
    if (rows_.size() > limit_) rows_.resize(static_cast<std::size_t>(limit_));
    bytes_ = 0;
    for (const auto& row : rows_) bytes_ += sizeof row + row.order.size() + row.text.size();
}

void SortedRows::add(SortedRow row) {
    bytes_ += sizeof row + row.order.size() + row.text.size();
    rows_.push_back(std::move(row));
    if (bytes_ < most_bytes || file_failed_) return;
    sort();
    // With a limit, the rows that stay may be few, and then nothing goes to the file.
    if (bytes_ >= most_bytes / 2) write_part();
}

bool SortedRows::append_rows() {
    for (const auto& row : rows_) {
        const Lengths lengths{static_cast<std::uint32_t>(row.order.size()),
                              static_cast<std::uint32_t>(row.text.size())};
        std::fwrite(lengths.data(), sizeof lengths, 1, file_.get());
        std::fwrite(row.order.data(), 1, row.order.size(), file_.get());
        std::fwrite(row.text.data(), 1, row.text.size(), file_.get());
    }
    return std::fflush(file_.get()) == 0 && std::ferror(file_.get()) == 0;
}

void SortedRows::write_part() {
    if (!file_) file_.reset(system::open_temporary_file());
    const long begin =
        file_ && std::fseek(file_.get(), 0, SEEK_END) == 0 ? std::ftell(file_.get()) : -1;
    file_failed_ = begin < 0 || !append_rows();
    if (file_failed_) return;
    parts_.push_back({begin, std::ftell(file_.get())});
    rows_.clear();
    bytes_ = 0;
}

Expected<> SortedRows::for_each(const std::function<void(std::string_view text)>& see) {
    sort();
    std::vector<PartReader> parts;
    for (const auto& part : parts_) {
        parts.emplace_back(file_.get(), part);
        LARDER_TRY(parts.back().next());
    }
    const auto is_after = [&](std::size_t one, std::size_t other) {
        return is_before(parts[other].row(), parts[one].row());
    };
    std::vector<std::size_t> heap(parts.size());  // of the parts, the one with the first row on top
    for (std::size_t i = 0; i < heap.size(); ++i) heap[i] = i;
    std::make_heap(heap.begin(), heap.end(), is_after);
    auto in_memory = rows_.begin();
    for (std::uint64_t seen = 0; seen < limit_ && (in_memory != rows_.end() || !heap.empty());
         ++seen) {
        if (heap.empty() ||
            (in_memory != rows_.end() && is_before(*in_memory, parts[heap.front()].row()))) {
            see((in_memory++)->text);
            continue;
        }
        auto& part = parts[heap.front()];
        see(part.row().text);
        std::pop_heap(heap.begin(), heap.end(), is_after);
        LARDER_TRY_ASSIGN(const bool has_more, part.next());
        if (has_more) {
            std::push_heap(heap.begin(), heap.end(), is_after);
        } else {
            heap.pop_back();
        }
    }
    return {};
}

std::string order_of_text(std::string_view text) {
    std::string order;
    for (const char c : text) {
        order += c;
        if (c == '\0') order += '\1';
    }
    return order.append(2, '\0');
}

std::string order_of_number(std::uint64_t number) {
    std::string order;
    for (int shift = 56; shift >= 0; shift -= 8) order += static_cast<char>(number >> shift);
    return order;
}

}  // namespace cachetool
