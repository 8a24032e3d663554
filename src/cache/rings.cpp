// SPDX-License-Identifier: MIT
#include "cache/rings.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

using format::RingBytes;

constexpr std::size_t ring_at = offsetof(format::LeaseTableBytes, ring);

/// The two words before the uses of a ring.
struct RingWords {
    format::TableWord head = 0, settled = 0;
};
static_assert(sizeof(RingWords) == offsetof(RingBytes, uses));

/// Calls `visit(number, file)` for each table. Passes over one that is gone. Goes on after an
/// error, also of `visit`, and notes it in `errors`.
template <class Visit>
void for_each_ring(const os::Dir& participants, NotedErrors& errors, Visit visit) {
    const auto visit_name = [&](const std::string& name, os::FileKind) -> Result<> {
        const auto number = format::parse_participant_name(name);
        if (!number) return {};
        const auto file = os::open_at(participants, name, os::OpenMode::read_nonblocking);
        if (is_absent(file)) return {};
        return errors.note(file ? visit(*number, *file) : tl::make_unexpected(file.error()));
    };
    const auto listed = os::for_each_name(participants, visit_name);
    if (!listed) errors.add(listed.error());
}

/// Reads the words of a ring. Returns zeros if the file is shorter than a table: it has no uses.
Result<RingWords> read_words(const os::FileHandle& file, const std::filesystem::path& path) {
    RingWords words;
    const auto size = read_shared(file, &words, sizeof words, ring_at);
    if (!size) return os::fail(size.error(), "read lease table", path);
    return *size == sizeof words ? words : RingWords();
}

}  // namespace

Rings Rings::read(const os::Dir& participants) {
    Rings rings;
    if (!participants.is_open()) return rings;
    const auto read_ring = [&](std::uint32_t number, const os::FileHandle& file) -> Result<> {
        const auto path = participants / format::participant_name(number);
        // The head comes first: a use that is written meanwhile counts as one after this look.
        const auto words = read_words(file, path);
        if (!words) return {};
        rings.heads_[number] = words->head;
        if (words->head == words->settled) return {};
        const auto table = read_table(file, path);
        if (!table || is_copy(file, *table)) return {};
        rings.unsettled_.insert(number);
        rings.uses_.insert(rings.uses_.end(), table->uses.begin(), table->uses.end());
        return {};
    };
    for_each_ring(participants, rings.unopened_, read_ring);
    std::sort(rings.uses_.begin(), rings.uses_.end());
    rings.uses_.erase(std::unique(rings.uses_.begin(), rings.uses_.end()), rings.uses_.end());
    return rings;
}

bool Rings::has(const format::Id& id) const {
    return std::binary_search(uses_.begin(), uses_.end(), id);
}

void Rings::mark_settled(const os::Dir& participants) const {
    for (const std::uint32_t number : unsettled_) {
        const auto file =
            os::open_at(participants, format::participant_name(number), os::OpenMode::read_write);
        if (!file) continue;
        // One word, which its owner reads whole. An owner that writes the word too makes it smaller
        // at most, and then uses are settled twice.
        const format::TableWord settled = heads_.at(number);
        (void)os::write_at(*file, &settled, sizeof settled, ring_at + offsetof(RingBytes, settled));
    }
}

Result<bool> Rings::used_since(const os::Dir& participants, const format::Id& id) const {
    // The slots were read before this.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    bool found = false;
    const auto look = [&](std::uint32_t number, const os::FileHandle& file) -> Result<> {
        const auto path = participants / format::participant_name(number);
        TRY_ASSIGN(const RingWords words, read_words(file, path));
        const auto known = heads_.find(number);
        const std::uint64_t before = known == heads_.end() ? 0 : known->second;
        if (found || words.head == before) return {};
        const auto ring = std::make_unique<RingBytes>();
        const auto size = read_shared(file, ring.get(), sizeof *ring, ring_at);
        if (!size) return os::fail(size.error(), "read lease table", path);
        const auto uses = format::uses_between(*ring, before, words.head);
        found = std::find(uses.begin(), uses.end(), id) != uses.end();
        return {};
    };
    NotedErrors errors;
    for_each_ring(participants, errors, look);
    TRY(errors.first());
    return found;
}

}  // namespace larder::cache
