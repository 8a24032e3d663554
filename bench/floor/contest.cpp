// SPDX-License-Identifier: MIT
#include "contest.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

/// What a process reports after a round, in nanoseconds of a clock that all processes share.
struct Lap {
    std::int64_t begin = 0, end = 0;
    std::int64_t busy = 0;  ///< the time of the calls, without undoing them
};

std::int64_t now() {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

Lap run(const Worker& worker, unsigned calls) {
    Lap lap{now(), 0, 0};
    if (!worker.undo) {
        for (unsigned i = 0; i < calls; ++i) worker.call();
        lap.end = now();
        lap.busy = lap.end - lap.begin;
        return lap;
    }
    for (unsigned i = 0; i < calls; ++i) {
        const auto begin = now();
        worker.call();
        lap.busy += now() - begin;
        worker.undo();
    }
    lap.end = now();
    return lap;
}

void warm(const Worker& worker) {
    worker.call();
    if (worker.undo) worker.undo();
}

/// Processes that do the same and begin each round together.
class Team {
public:
    Team(const Make& make, unsigned processes, unsigned calls) : calls_(calls) {
        for (unsigned number = 0; number < processes; ++number)
            members_.push_back(start(make, number));
        for (const auto& member : members_) (void)hear(member);  // it is ready
    }
    ~Team() {
        for (const auto& member : members_) ::close(member.go);
        for (const auto& member : members_) {
            ::close(member.told);
            (void)::waitpid(member.pid, nullptr, 0);
        }
    }
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    /// Returns the microseconds of a call of each process. They count from the start of the first
    /// process to the end of the last one, or only during the calls if there is something to undo.
    double round() {
        for (const auto& member : members_) {
            if (::write(member.go, "g", 1) != 1) give_up("a process of the benchmark has ended");
        }
        std::vector<Lap> laps;
        for (const auto& member : members_) laps.push_back(hear(member));
        std::int64_t begin = laps[0].begin, end = laps[0].end, busy = 0, whole = 0;
        for (const auto& lap : laps) {
            begin = std::min(begin, lap.begin);
            end = std::max(end, lap.end);
            busy += lap.busy;
            whole += lap.end - lap.begin;
        }
        const double nanoseconds =
            busy == whole ? static_cast<double>(end - begin)
                          : static_cast<double>(busy) / static_cast<double>(laps.size());
        return nanoseconds / 1000 / calls_;
    }

private:
    struct Member {
        pid_t pid = -1;
        int go = -1, told = -1;
    };

    Member start(const Make& make, unsigned number) {
        std::array<int, 2> go{}, told{};
        if (::pipe(go.data()) != 0 || ::pipe(told.data()) != 0) give_up("cannot make a pipe");
        const pid_t pid = ::fork();
        if (pid < 0) give_up("cannot fork");
        if (pid == 0) {
            ::close(go[1]);
            ::close(told[0]);
            for (const auto& member : members_) {  // so that only the parent has these pipes
                ::close(member.go);
                ::close(member.told);
            }
            obey(make(number), go[0], told[1]);
        }
        ::close(go[0]);
        ::close(told[1]);
        return {pid, go[1], told[0]};
    }

    [[noreturn]] void obey(const Worker& worker, int go, int told) const {
        warm(worker);
        Lap lap;
        char byte = 0;
        do {
            if (::write(told, &lap, sizeof lap) != sizeof lap) break;
            if (::read(go, &byte, 1) != 1) break;
            lap = run(worker, calls_);
        } while (true);
        ::_exit(0);
    }

    static Lap hear(const Member& member) {
        Lap lap;
        if (::read(member.told, &lap, sizeof lap) != sizeof lap)
            give_up("a process of the benchmark has failed");
        return lap;
    }

    unsigned calls_;
    std::vector<Member> members_;
};

}  // namespace

void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_floor: %s\n", why.c_str());
    std::_Exit(1);  // a forked process must not run the destructors of its parent
}

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    const auto index = static_cast<std::size_t>(part * static_cast<double>(values.size()));
    return values.at(std::min(index, values.size() - 1));
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

std::vector<double> ratios(const Outcome& outcome) {
    std::vector<double> all;
    for (std::size_t i = 0; i < outcome.bare.size(); ++i)
        all.push_back(outcome.larder[i] / outcome.bare[i]);
    return all;
}

Outcome measure(const Contest& contest, unsigned processes, unsigned rounds) {
    Outcome outcome{contest.row, contest.floor, contest.goal, processes, {}, {}};
    Team bare(contest.bare, processes, contest.calls),
        larder(contest.larder, processes, contest.calls);
    for (unsigned round = 0; round < rounds; ++round) {
        // The order alternates, because the first side may fill the caches of the processor.
        if (round % 2 == 0) outcome.bare.push_back(bare.round());
        outcome.larder.push_back(larder.round());
        if (round % 2 != 0) outcome.bare.push_back(bare.round());
    }
    return outcome;
}

void prepare(const Contest& contest) {
    if (!contest.prepare) return;
    const pid_t pid = ::fork();
    if (pid < 0) give_up("cannot fork");
    if (pid == 0) {
        contest.prepare();
        ::_exit(0);
    }
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0)
        give_up("cannot prepare \"" + contest.row + "\"");
}

void trace(const Make& side, unsigned calls) {
    const Worker worker = side(0);
    warm(worker);
    (void)::getppid();
    for (unsigned i = 0; i < calls; ++i) {
        worker.call();
        if (worker.undo) {
            (void)::getppid();
            worker.undo();
            (void)::getppid();
        }
    }
    (void)::getppid();
}

}  // namespace bench
