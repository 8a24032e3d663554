// SPDX-License-Identifier: MIT
#include "stress/run/strikes.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace larder::stress {

namespace {

using std::chrono::milliseconds;

/// Draws a worker that has not been killed yet; null if there is none.
CrowdMember* draw_worker(StrikeContext& field) {
    std::vector<CrowdMember*> workers;
    for (CrowdMember& member : field.crowd.members()) {
        if (member.role == ProcessRole::worker && !member.killed) workers.push_back(&member);
    }
    return workers.empty() ? nullptr : workers[field.random.below(workers.size())];
}

class KillStrike : public FaultStrike {
    bool start(StrikeContext& field) override {
        CrowdMember* const victim = draw_worker(field);
        if (victim != nullptr) field.crowd.kill_member(*victim);
        return victim != nullptr;
    }
};

class StopStrike : public FaultStrike {
    bool start(StrikeContext& field) override {
        CrowdMember* const victim = draw_worker(field);
        if (victim != nullptr)
            field.crowd.stop_member(*victim, milliseconds(field.random.between(10, 2000)));
        return victim != nullptr;
    }
};

class PauseStrike : public FaultStrike {
    bool start(StrikeContext& field) override {
        const milliseconds time(field.random.between(10, 1000));
        for (CrowdMember& member : field.crowd.members()) {
            if (member.role != ProcessRole::metronome) field.crowd.stop_member(member, time);
        }
        return true;
    }
};

class ClockStrike : public FaultStrike {
    bool start(StrikeContext& field) override {
        constexpr std::int64_t second = 1'000'000'000, year = 365 * 24 * 3600 * second;
        const auto drawn = static_cast<std::int64_t>(field.random.next());
        switch (field.random.below(4)) {
            case 0:
                field.board.clock_offset = 0;
                break;
            case 1:
                field.board.clock_offset = drawn % second;
                break;
            default:
                field.board.clock_offset = drawn % year;
                break;
        }
        return true;
    }
    void check(StrikeContext& field) override { field.board.clock_offset = 0; }
};

class CollectorStrike : public FaultStrike {
    bool start(StrikeContext& field) override {
        CrowdMember* const collector = field.crowd.spawn({ProcessRole::collector});
        if (collector == nullptr) return false;
        collector->kill_at = std::chrono::steady_clock::now() +
                             std::chrono::microseconds(field.random.between(500, 50'000));
        return true;
    }
};

class FullStrike : public FaultStrike {
    bool start(StrikeContext& field) override {
        if (!field.setting.disk_is_small || ballast_) return false;
        ballast_.emplace(field.setting.scratch / "ballast");
        until_ = std::chrono::steady_clock::now() + milliseconds(field.random.between(50, 1000));
        return true;
    }
    void tick(StrikeContext&, SteadyTime now) override {
        if (!ballast_) return;
        if (now >= until_) {
            ballast_.reset();
        } else {
            ballast_->fill();  // processes have freed space meanwhile
        }
    }
    void check(StrikeContext&) override { ballast_.reset(); }

    std::optional<BallastFile> ballast_;
    SteadyTime until_;
};

class PowerCutStrike : public FaultStrike {
    bool start(StrikeContext& field) override {
        if (field.disk == nullptr) return false;
        LogEvent event;
        event.kind = EventKind::cut;
        event.operation = event.bucket = ++number_;
        event.phase = EventPhase::begin;
        field.log.append(event);
        const bool made = field.disk->cut(number_).has_value();
        event.phase = EventPhase::end;
        event.outcome = made ? OpOutcome::ok : OpOutcome::failed;
        field.log.append(event);
        if (made) field.cuts.push_back(number_);
        return made;
    }

    std::uint32_t number_ = 0;
};

std::unique_ptr<FaultStrike> make_strike(std::string_view name) {
    if (name == "kill") return std::make_unique<KillStrike>();
    if (name == "stop") return std::make_unique<StopStrike>();
    if (name == "pause") return std::make_unique<PauseStrike>();
    if (name == "clock") return std::make_unique<ClockStrike>();
    if (name == "collector") return std::make_unique<CollectorStrike>();
    if (name == "full") return std::make_unique<FullStrike>();
    if (name == "power-cut") return std::make_unique<PowerCutStrike>();
    return nullptr;  // the other faults strike from inside: see fault/
}

/// Returns when to strike next. The times between independent strikes are distributed
/// exponentially.
SteadyTime draw_next(double rate, Random& random) {
    const double share = static_cast<double>(random.below(1'000'000) + 1) / 1e6;
    const double seconds = std::min(-std::log(share) / rate, 1e6);
    return std::chrono::steady_clock::now() +
           std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6));
}

}  // namespace

StrikeSchedule::StrikeSchedule(const RunSetting& setting, Random& random) {
    for (const auto& named : fault_names()) {
        const double rate = setting.scenario.measure_of(named.name);
        auto strike = make_strike(named.name);
        if (rate <= 0 || !strike) continue;
        planned_.push_back({named.name, rate, draw_next(rate, random), std::move(strike)});
    }
}

SteadyTime StrikeSchedule::strike_due(StrikeContext& field) {
    SteadyTime next = SteadyTime::max();
    for (auto& planned : planned_) {
        const auto now = std::chrono::steady_clock::now();
        planned.strike->tick(field, now);
        if (planned.next <= now) {
            if (planned.strike->start(field)) ++field.board.tally_of(planned.name);
            planned.next = draw_next(planned.rate, field.random);
        }
        next = std::min(next, planned.next);
    }
    return next;
}

void StrikeSchedule::end(StrikeContext& field) {
    for (auto& planned : planned_) planned.strike->check(field);
    planned_.clear();
}

}  // namespace larder::stress
