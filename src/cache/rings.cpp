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

/// Calls `visit(number, file)` for each table. Passes over one that is gone. Errors: those of
/// listing and opening, and of `visit`, which end it.
template <class Visit>
Result<> for_each_ring(const os::Dir& participants, Visit visit) {
    return os::for_each_name(participants, [&](const std::string& name, os::FileKind) -> Result<> {
        const auto number = format::parse_participant_name(name);
        if (!number) return {};
        const auto file = os::open_at(participants, name, os::OpenMode::read_nonblocking);
        if (is_absent(file)) return {};
        TRY(file);
        return visit(*number, *file);
    });
}

/// Reads the words of a ring. Returns zeros if the file is shorter than a table: it has no uses.
Result<RingWords> read_words(const os::FileHandle& file, const std::filesystem::path& path) {
    RingWords words;
    const auto size = read_shared(file, &words, sizeof words, ring_at);
    if (!size) return os::fail(size.error(), "read lease table", path);
    return *size == sizeof words ? words : RingWords();
}

}  // namespace

Result<Rings> Rings::read(const os::Dir& participants) {
    Rings rings;
    TRY(for_each_ring(participants,
                      [&](std::uint32_t number, const os::FileHandle& file) -> Result<> {
                          const auto path = participants / format::participant_name(number);
                          // The head comes first: a use that is written meanwhile counts as one
                          // after this look.
                          const auto words = read_words(file, path);
                          if (!words) return {};
                          rings.heads_[number] = words->head;
                          if (words->head == words->settled) return {};
                          const auto table = read_table(file, path);
                          if (!table || is_copy(file, *table)) return {};
                          rings.unsettled_.insert(number);
                          rings.uses_.insert(table->uses.begin(), table->uses.end());
                          return {};
                      }));
    return rings;
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
    TRY(for_each_ring(participants, look));
    return found;
}

}  // namespace larder::cache
