// SPDX-License-Identifier: MIT
// One thread of one process of a run: what it works with, and how it writes down what it does.
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

/// A process of the run, as all of its threads share it.
struct RunProcess {
    const RunSetting& setting;
    SharedBoard& board;
    HistoryLog& log;
    std::uint32_t number;
    std::shared_ptr<Cache>
        cache;  ///< that its threads begin with; never changed once there are several
    std::atomic<std::uint32_t> versions{0};  ///< of its puts: with its number they are the run's
    /// Lives the life of a child that was forked with `actor` in hand, as a process of its own. `read` is called when the child
    /// has read what `actor` holds, and let go of it.
    std::function<void(class Actor& actor, const std::function<void()>& read)> live_as_child;
};

/// An entry leased a while ago.
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
    [[nodiscard]] Version fresh_version();
    [[nodiscard]] Bucket bucket(std::uint32_t bucket) const;
    [[nodiscard]] std::uint32_t draw_bucket() {
        return static_cast<std::uint32_t>(random.below(scenario().buckets));
    }
    [[nodiscard]] std::uint32_t draw_key() {
        return static_cast<std::uint32_t>(random.below(scenario().keys));
    }
    /// A fresh name below the scratch directory.
    [[nodiscard]] std::filesystem::path fresh_scratch();

    void hold(HeldEntry held);

    /// A promise is broken, in a sentence: counted, and written to this process's notes.
    void report_violation(const std::string& sentence);

private:
    std::uint64_t scratch_ = 0;
};

}  // namespace larder::stress
