// SPDX-License-Identifier: MIT
// What this process remembers of the keys that it got lately: the id of the entry, which the next
// get guesses, and until when that entry is *settled*. An entry is settled while its use need not
// be written down again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "format/id.hpp"

namespace larder::cache {

/// The use of an entry is written down at most once in this time. An hour is arbitrary: it is exact
/// enough for limits that are counted in days, and the write is too rare to cost anything.
inline constexpr std::chrono::minutes use_interval{60};

/// What is remembered of a key.
struct RecentEntry {
    format::Id id;         ///< the entry that the key named last; zero if nothing is remembered
    bool settled = false;  ///< the use of that entry need not be written down now
    /// The number of that use in the ring of this process: see cache/use_ring.hpp. 0 if it is not
    /// there.
    std::uint64_t use = 0;
};

/// A hash table of fixed size, from the path of a key to a RecentEntry. It takes no lock, and may
/// lose what it is told:
///   - A key may be forgotten.
///   - An id is only a guess: it may be out of date, belong to another key, or be mixed from two
///     ids that two threads wrote at once.
///
/// Callers confirm the id by the link. So a key that was forgotten, or a wrong id, costs one more
/// read of the link and never leads to a wrong result.
class Recent {
public:
    Recent();

    /// Returns what is remembered of a key, which may be nothing.
    [[nodiscard]] RecentEntry lookup(std::string_view key_path) const noexcept;
    /// Remembers that the key names this entry, that the entry is settled for `time`, and the
    /// number of its use in the ring. Requires: `time` is at most use_interval.
    void settle(std::string_view key_path, const format::Id& id, std::chrono::minutes time,
                std::uint64_t use = 0) noexcept;
    /// Forgets a key that has no entry.
    void forget(std::string_view key_path) noexcept;

private:
    /// The hash of a path. The table takes two paths with the same hash for one key.
    using Mark = std::uint64_t;
    /// A place for one key. Its state holds the upper 48 bits of the mark. The lower 16 bits are
    /// the minute at which the entry is no longer settled, and begin again at 0 every 45 days. A
    /// state of 0 means that the slot is free.
    struct RecentSlot {
        std::atomic<std::uint64_t> state{0};
        std::atomic<std::uint64_t> high{0}, low{0};  ///< the words of the id
        std::atomic<std::uint64_t> use{0};           ///< see RecentEntry
    };
    struct SlotsDeleter {
        void operator()(RecentSlot* slots) const noexcept { std::free(slots); }
    };
    /// Returns the first slot of the set to which the mark belongs.
    [[nodiscard]] RecentSlot* set_of(Mark mark) const noexcept;
    /// Returns the slot of the mark; null if there is none.
    [[nodiscard]] RecentSlot* find(Mark mark) const noexcept;

    /// All slots, set after set. The memory comes from calloc, which takes zero pages from the
    /// system without writing to them. So a process that gets one key uses one page of the table.
    std::unique_ptr<RecentSlot[], SlotsDeleter> slots_;
};

}  // namespace larder::cache
