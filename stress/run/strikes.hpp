// SPDX-License-Identifier: MIT
// The faults with which the supervisor strikes processes.
#pragma once

#include <memory>
#include <vector>

#include "stress/random.hpp"
#include "stress/run/crowd.hpp"
#include "stress/system/disk.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

/// What strikes work on.
struct StrikeContext {
    const RunSetting& setting;
    SharedBoard& board;
    ProcessCrowd& crowd;
    Random& random;
    HistoryLog& log;                  ///< the supervisor's
    CutDisk* disk = nullptr;          ///< whose power can be cut; null: none
    std::vector<std::uint32_t> cuts;  ///< the cuts that were made
};

/// A kind of fault. Like a workload it has the steps start and check.
class FaultStrike {
public:
    virtual ~FaultStrike() = default;
    /// Strikes once. Returns false if there was nothing to strike.
    virtual bool start(StrikeContext& field) = 0;
    /// Ends what has lasted long enough. Called often.
    virtual void tick(StrikeContext&, SteadyTime) {}
    /// Ends everything at once.
    virtual void check(StrikeContext&) {}
};

/// All strikes that the scenario names. Each has its own rate, and strikes at random times.
class StrikeSchedule {
public:
    explicit StrikeSchedule(const RunSetting& setting, Random& random);

    /// Does what is due. Returns when the next strike will be due.
    SteadyTime strike_due(StrikeContext& field);
    /// Ends all strikes and their effects.
    void end(StrikeContext& field);

private:
    struct Planned {
        const char* name;
        double rate;
        SteadyTime next;
        std::unique_ptr<FaultStrike> strike;
    };
    std::vector<Planned> planned_;
};

}  // namespace larder::stress
