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
struct Field {
    const Setting& setting;
    Board& board;
    Crowd& crowd;
    Random& random;
};

class Strike {
public:
    virtual ~Strike() = default;
    /// Strikes once. False where there was nothing to strike.
    virtual bool start(Field& field) = 0;
    /// Called often: undoes what has lasted long enough.
    virtual void tick(Field&, SteadyTime) {}
    /// Undoes all, at once.
    virtual void check(Field&) {}
};

/// All strikes that the scenario names, each at its own rate, at random times.
class Strikes {
public:
    explicit Strikes(const Setting& setting, Random& random);

    /// Strikes what is due. When the next will be due is the result.
    SteadyTime strike_due(Field& field);
    /// No strikes from now on, and nothing left of those that were.
    void end(Field& field);

private:
    struct Planned {
        const char* name;
        double rate;
        SteadyTime next;
        std::unique_ptr<Strike> strike;
    };
    std::vector<Planned> planned_;
};

}  // namespace larder::stress
