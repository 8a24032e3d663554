// SPDX-License-Identifier: MIT
// The faults that the supervisor brings on others: workloads of its own kind.
#pragma once

#include <memory>
#include <vector>

#include "stress/random.hpp"
#include "stress/run/crowd.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

/// What a strike works on.
struct StrikeContext {
    const RunSetting& setting;
    SharedBoard& board;
    ProcessCrowd& crowd;
    Random& random;
};

class FaultStrike {
public:
    virtual ~FaultStrike() = default;
    /// Strikes once. False where there was nothing to strike.
    virtual bool start(StrikeContext& field) = 0;
    /// Called often: undoes what has lasted long enough.
    virtual void tick(StrikeContext&, SteadyTime) {}
    /// Undoes all, at once.
    virtual void check(StrikeContext&) {}
};

/// All strikes that the scenario names, each at its own rate, at random times.
class StrikeSchedule {
public:
    explicit StrikeSchedule(const RunSetting& setting, Random& random);

    /// Strikes what is due. When the next will be due is the result.
    SteadyTime strike_due(StrikeContext& field);
    /// No strikes from now on, and nothing left of those that were.
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
