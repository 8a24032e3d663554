// SPDX-License-Identifier: MIT
// What the judge is asked, and what it says.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

struct JudgeOptions {
    /// How long a get, a refresh or a collect may take, less the time in which its process, or everybody, was stopped. They
    /// take microseconds (a collect as long as its deleting); on two cores with a hundred processes and a slow disk we saw
    /// hundreds of milliseconds. Whoever waits for a stopped process waits for as long as that is stopped, so this has to be
    /// less than what the run stops processes for.
    std::chrono::nanoseconds hostage_limit = std::chrono::seconds(5);

    /// OpenOptions::lock_timeout of the run. A put, build or remove may end `busy` if some other process was stopped for that
    /// long meanwhile.
    std::chrono::nanoseconds lock_timeout = std::chrono::seconds(10);
    /// OpenOptions::build_timeout of the run. A build that waited for longer goes on without the lock, and so may be a second
    /// one.
    std::chrono::nanoseconds build_timeout = std::chrono::minutes(30);
    /// Between a lock's release, or a signal, and the instant that was written down for it, a process may lose the processor. A
    /// second is arbitrary: far more than a busy scheduler takes it away for, far less than a lock is waited for. Of a lock's
    /// time-out it takes away half at most.
    std::chrono::nanoseconds noise = std::chrono::seconds(1);
    /// Builds that may do without the lock, as where builds wait for each other in a circle. Empty: none.
    std::function<bool(const Operation&)> may_build_unlocked = {};

    /// So many violations of each kind are explained; the rest is counted.
    std::size_t most_explained = 10;
};

struct Violation {
    enum class Kind : std::uint8_t {
        content,  ///< what was read was torn, mixed or changed under its lease
        foreign,  ///< a version was read that nobody had begun to write there
        lost,   ///< an acknowledged put was not to be found, though nothing may have taken it away
        stale,  ///< what had been replaced, removed or refreshed was read again
        disorder,  ///< the operations on a key fit in no order, for another reason
        built_twice,  ///< two builds of a key at once, or one although nothing had taken away what the other had made
        hostage,  ///< something waited that waits for nobody, or for a process that did not hold it up
        evicted,  ///< an entry was evicted that was leased all the time, or newer than the plan
    };
    static constexpr std::size_t kinds = 8;

    Kind kind = Kind::disorder;
    std::string explanation;            ///< in plain words
    std::vector<Operation> operations;  ///< the few that matter
    std::string
        timeline;  ///< of these: a drawing as comments, then a history of its own, as text.hpp reads it
};

[[nodiscard]] std::string_view name_of(Violation::Kind kind) noexcept;

struct JudgeVerdict {
    std::vector<Violation> violations;
    std::array<std::uint64_t, Violation::kinds> found =
        {};  ///< of each kind, those that are not explained as well

    std::uint64_t operations = 0;
    std::uint64_t unclear = 0;    ///< of them, those of which nobody knows whether they happened
    std::uint64_t registers = 0;  ///< (bucket, key) pairs, each judged on its own
    /// Operations on a register, refreshes of its bucket not counted.
    std::uint64_t fewest = 0, median = 0, most = 0;
    std::uint64_t builds =
        0;  ///< that called the caller's own build, and were compared with the next of their key
    std::uint64_t evictions = 0;  ///< of entries, each looked at for who leased it
    std::uint64_t waits = 0;      ///< operations whose time was measured against a limit

    [[nodiscard]] bool sound() const noexcept;
};

}  // namespace larder::stress
