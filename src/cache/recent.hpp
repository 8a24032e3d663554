// SPDX-License-Identifier: MIT
// What this process got lately: under which id, and until when its use need not be written down
// again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "format/id.hpp"

namespace larder::cache {

/// A use of an entry is written down at most once in this time. An hour is arbitrary: it is fine
/// enough for ages in days, and rare enough to cost nothing.
inline constexpr std::chrono::minutes use_interval{60};

/// What is remembered of a key.
struct RecentEntry {
    format::Id id;         ///< its entry when it was last settled; zero if nothing is remembered
    bool settled = false;  ///< the use of that entry need not be written down now
};

/// A table of fixed size, by the paths of keys. It takes no lock, and it is lossy: a key may be
/// forgotten, and an id is a guess. It may be out of date, or mixed out of two that threads wrote
/// at once. A forgotten or wrong id costs one more read of the link, and never a wrong result,
/// since callers confirm it.
class Recent {
public:
    Recent();

    [[nodiscard]] RecentEntry lookup(std::string_view key_path) const noexcept;
    /// Remembers that the key has this entry, whose use need not be written down for `time`, which
    /// is use_interval at most.
    void settle(std::string_view key_path, const format::Id& id,
                std::chrono::minutes time) noexcept;
    /// Forgets a key that has no entry.
    void forget(std::string_view key_path) noexcept;

private:
    /// A path, as far as the table tells one from another: its hash.
    using Mark = std::uint64_t;
    /// The state is 48 bits of the mark, and in the other 16 the minute until which the entry is
    /// settled, which comes round after 45 days.
    struct RecentSlot {
        std::atomic<std::uint64_t> state{0};
        std::atomic<std::uint64_t> high{0}, low{0};
    };
    struct SlotsDeleter {
        void operator()(RecentSlot* slots) const noexcept { std::free(slots); }
    };
    [[nodiscard]] RecentSlot* set_of(Mark mark) const noexcept;
    [[nodiscard]] RecentSlot* find(Mark mark) const noexcept;

    /// From calloc, zero as the system gives it: a process that gets one key touches one page of
    /// it.
    std::unique_ptr<RecentSlot[], SlotsDeleter> slots_;
};

}  // namespace larder::cache
