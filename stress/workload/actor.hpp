// SPDX-License-Identifier: MIT
// One thread of one process of a run: what it works with, and how it reports what it finds.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <larder/larder.hpp>

#include "stress/board/board.hpp"
#include "stress/history/log.hpp"
#include "stress/random.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

/// A process of the run: what all of its threads share.
struct RunProcess {
    const RunSetting& setting;
    SharedBoard& board;
    HistoryLog& log;
    std::uint32_t number;
    /// The cache that its threads begin with. It does not change once there are several threads.
    std::shared_ptr<Cache> cache;
    /// How many versions it has written. Together with `number` each is unique in the run.
    std::atomic<std::uint32_t> versions{0};
    /// Lives the life of a child that was forked from `actor`, as a process of the run. Calls
    /// `read` when the child has read what `actor` holds, and has released it.
    std::function<void(class Actor& actor, const std::function<void()>& read)> live_as_child;
};

/// An entry that was leased a while ago.
struct HeldEntry {
    Lease lease;
    std::uint32_t bucket;
    std::uint32_t key;
    Version version;
};

class Actor {
public:
    Actor(RunProcess& process, std::uint16_t thread, std::shared_ptr<Cache> cache);

    RunProcess& process;
    std::uint16_t thread;
    std::uint32_t operations = 0;
    Random random;
    std::shared_ptr<Cache> cache;
    std::vector<HeldEntry> held;

    [[nodiscard]] const RunSetting& setting() const { return process.setting; }
    [[nodiscard]] const Scenario& scenario() const { return process.setting.scenario; }
    /// Returns a version that no other put of the run has.
    [[nodiscard]] Version fresh_version();
    [[nodiscard]] Bucket bucket(std::uint32_t bucket) const;
    [[nodiscard]] std::uint32_t draw_bucket() {
        return static_cast<std::uint32_t>(random.below(scenario().buckets));
    }
    [[nodiscard]] std::uint32_t draw_key() {
        return static_cast<std::uint32_t>(random.below(scenario().keys));
    }
    /// Draws whether the next change is made for power.
    [[nodiscard]] Durability draw_durability() {
        return random.below(100) < scenario().power_percent ? Durability::power
                                                            : Durability::process;
    }
    /// Returns a new name below the scratch directory.
    [[nodiscard]] std::filesystem::path fresh_scratch();

    /// Keeps the lease for later. If there are too many, a random one of them is released.
    void hold(HeldEntry held);

    /// Reports a broken promise: counts it, and writes the sentence to the notes of this process.
    void report_violation(const std::string& sentence);

private:
    std::uint64_t scratch_ = 0;
};

}  // namespace larder::stress
