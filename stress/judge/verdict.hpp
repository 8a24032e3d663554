// SPDX-License-Identifier: MIT
// What the judge is asked, and what it answers.
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
    /// How long a get, a refresh or a collect may take, less the time in which its process, or the
    /// whole machine, was stopped. They take microseconds, and a collect as long as its deletions;
    /// with a hundred processes on two cores and a slow disk we saw hundreds of milliseconds. An
    /// operation that waits for a stopped process waits for as long as that is stopped. So the
    /// limit has to be less than the time for which the run stops processes.
    std::chrono::nanoseconds hostage_limit = std::chrono::seconds(5);

    /// OpenOptions::lock_timeout of the run. A put, build or remove may end `busy` if another
    /// process was stopped for that long meanwhile.
    std::chrono::nanoseconds lock_timeout = std::chrono::seconds(10);
    /// OpenOptions::build_timeout of the run. A build that waited for longer goes on without the
    /// lock, and may be a second one.
    std::chrono::nanoseconds build_timeout = std::chrono::minutes(30);
    /// How long a process may lose the processor between the release of a lock, or a signal, and
    /// the time that is written down for it. A second is arbitrary: far more than a busy scheduler
    /// takes, far less than the wait for a lock. No more than half of `lock_timeout` is allowed for
    /// it.
    std::chrono::nanoseconds noise = std::chrono::seconds(1);
    /// Says of a build whether it may do without the lock, as when builds wait for each other in a
    /// circle. Empty: none may.
    std::function<bool(const Operation&)> may_build_unlocked = {};

    /// How many violations of each kind are explained. The others are counted.
    std::size_t most_explained = 10;
};

struct Violation {
    enum class Kind : std::uint8_t {
        content,      ///< what was read was torn, mixed or changed under its lease
        foreign,      ///< a version was read that no operation had begun to write there
        lost,         ///< an acknowledged put was not found, and nothing may have removed it
        stale,        ///< a version was read again after it was replaced, removed or refreshed
        disorder,     ///< the operations on a key fit in no order, for another reason
        built_twice,  ///< two builds of a key ran at once, or one ran although it was not needed
        hostage,      ///< an operation that never waits did, or one waited longer than it may
        evicted,      ///< an entry was evicted that was leased all the time, or newer than the plan
        undone,       ///< a power cut has undone a change that was made for power
    };
    static constexpr std::size_t kinds = 9;

    Kind kind = Kind::disorder;
    std::string explanation;            ///< a sentence
    std::vector<Operation> operations;  ///< the few that matter
    std::string timeline;               ///< of these operations; see timeline.hpp
};

[[nodiscard]] std::string_view name_of(Violation::Kind kind) noexcept;

struct JudgeVerdict {
    std::vector<Violation> violations;  ///< those that are explained
    /// How many there are of each kind, explained or not.
    std::array<std::uint64_t, Violation::kinds> found = {};

    std::uint64_t operations = 0;
    std::uint64_t unclear = 0;    ///< changes of which it is not known whether they happened
    std::uint64_t registers = 0;  ///< (bucket, key) pairs, each judged on its own
    /// Operations on a register, without the refreshes of its bucket.
    std::uint64_t fewest = 0, median = 0, most = 0;
    std::uint64_t builds = 0;  ///< that called their own builder, each compared with the next one
    std::uint64_t evictions = 0;  ///< of entries, each compared with the leases on the entry
    std::uint64_t waits = 0;      ///< operations whose time was compared with a limit
    std::uint64_t cuts = 0;       ///< power cuts after which at least one key was read
    std::uint64_t cut_reads = 0;  ///< gets after a power cut, each compared with what it may find

    [[nodiscard]] bool sound() const noexcept;  ///< nothing was found
};

}  // namespace larder::stress
