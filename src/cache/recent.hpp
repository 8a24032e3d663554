// SPDX-License-Identifier: MIT
// What this process got lately: under which id, and until when the use
// of it need not be written down again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "format/id.hpp"

namespace larder::cache {

/// A use is written down at most so often for each entry. Arbitrary: fine enough for ages in days,
/// and rare enough to cost nothing.
inline constexpr std::chrono::minutes use_interval{60};

/// A table of fixed size, without locks, by the paths of keys. What it has forgotten costs a look
/// more, and so does what it says wrongly: an id is a guess, out of date once the key has another
/// entry, or mixed out of two that threads wrote at once.
class Recent {
public:
    /// A path, as far as the table tells one from another.
    using Mark = std::uint64_t;
    [[nodiscard]] static Mark mark_of(std::string_view key_path) noexcept;

    Recent();

    /// The id that was settled last; none where none was.
    [[nodiscard]] format::Id guess(Mark mark) const noexcept;
    /// Whether settle() said so of this entry, and the time is not over.
    [[nodiscard]] bool is_settled(Mark mark, const format::Id& id) const noexcept;
    /// The key has this entry, of whose use nothing need be written down for so long, an interval
    /// at most.
    void settle(Mark mark, const format::Id& id, std::chrono::minutes time) noexcept;
    /// The key has no entry.
    void forget(Mark mark) noexcept;

private:
    /// 48 bits of the mark, and in the rest the minute until which it is settled, which comes round
    /// after 45 days.
    struct Slot {
        std::atomic<std::uint64_t> state{0};
        std::atomic<std::uint64_t> high{0}, low{0};
        [[nodiscard]] format::Id id() const noexcept;
    };
    /// From calloc, zero as the system gives it: a process that gets one key touches one page of
    /// it.
    struct Free {
        void operator()(Slot* slots) const noexcept { std::free(slots); }
    };
    [[nodiscard]] Slot* set_of(Mark mark) const noexcept;
    [[nodiscard]] Slot* find(Mark mark) const noexcept;

    std::unique_ptr<Slot[], Free> slots_;
};

}  // namespace larder::cache
