// SPDX-License-Identifier: MIT
#include "stress/run/life.hpp"

#include <chrono>
#include <fmt/format.h>
#include <thread>

#include "stress/fault/calls.hpp"
#include "stress/fault/points.hpp"
#include "stress/run/metronome.hpp"
#include "stress/system/process.hpp"
#include "stress/system/wall_clock.hpp"
#include "stress/workload/reading.hpp"
#include "stress/workload/workload.hpp"

namespace larder::stress {

namespace {

/// The workloads of one thread, drawn by their weights.
class WeightedWork {
public:
    explicit WeightedWork(const RunSetting& setting) {
        for (const auto& [name, weight] : setting.scenario.work) {
            if (weight <= 0 || (setting.cachetool.empty() && name.starts_with("tool-"))) continue;
            total_ += weight;
            all_.push_back({total_, make_workload(name)});
        }
    }

    /// Works until this many operations are done, or the run ends.
    void run(Actor& actor, std::uint64_t operations) {
        SharedBoard& board = actor.process.board;
        while (operations-- > 0 && !board.ending.load(std::memory_order_relaxed)) {
            if (board.operations_left.fetch_sub(1, std::memory_order_relaxed) <= 0) return;
            const double drawn =
                static_cast<double>(actor.random.below(1 << 30)) / (1 << 30) * total_;
            for (const auto& [limit, workload] : all_) {
                if (drawn >= limit) continue;
                workload->start(actor);
                break;
            }
        }
    }

private:
    double total_ = 0;
    std::vector<std::pair<double, std::unique_ptr<Workload>>> all_;
};

/// The thread number, in a history, of what a process does before it has threads.
constexpr std::uint16_t before_threads = UINT16_MAX;

/// Opens the cache for the process. Tries several times, since opening may be made to fail. Returns
/// null if all tries fail.
std::shared_ptr<Cache> open_cache(Actor& actor, const OpenOptions& options) {
    for (int i = 0; i < 10; ++i) {
        RecordedOp operation(actor, EventKind::open, 0, 0);
        auto opened = [&] {
            const LibraryCall call;
            return Cache::open(actor.setting().cache, options);
        }();
        if (opened) {
            operation.end(OpOutcome::ok);
            return std::make_shared<Cache>(std::move(*opened));
        }
        operation.end(opened.error());
    }
    return nullptr;
}

std::shared_ptr<Cache> open_cache(Actor& actor) {
    return open_cache(actor, open_options(actor.setting()));
}

/// Calls `body(actor)` in as many threads as the scenario says.
template <class Body>
void in_threads(RunProcess& process, Body body) {
    std::vector<std::thread> threads;
    for (std::uint16_t thread = 1; thread < process.setting.scenario.threads; ++thread) {
        threads.emplace_back([&, thread] {
            Actor actor(process, thread, process.cache);
            body(actor);
        });
    }
    {
        Actor actor(process, 0, process.cache);
        body(actor);
    }
    for (auto& thread : threads) thread.join();
}

/// Plans the faults that strike this process from inside.
void meet_faults(RunProcess& process, ProcessSeat& seat, std::function<void()> forked) {
    const Scenario& scenario = process.setting.scenario;
    follow_clock(&process.board.clock_offset);
    Random random(process.setting.seed, mix(process.number, 0xfa7e));
    const bool errors = random.chance(scenario.measure_of("errors"));
    plan_errors(process.setting.seed, process.number, errors ? random.between(50, 1000) : 0,
                process.board.tally_of("errors"));
    const bool slow = random.chance(scenario.measure_of("slow"));
    plan_delays(process.setting.seed, process.number, slow ? random.between(5, 100) : 0,
                process.board.tally_of("slow"));
    if (process.setting.like_windows) {
        const bool meets = random.chance(scenario.measure_of("sharing"));
        plan_sharing(process.setting.seed, process.number, meets ? random.between(20, 500) : 0,
                     process.board.tally_of("sharing"));
    }
    plan_points(scenario, process.board, seat, random, std::move(forked),
                process.setting.without_exchange);
}

/// Waits until the supervisor has noticed this forked child, so that its birth stands in the
/// history before its operations. Returns null if there is no free seat.
ProcessSeat* take_seat(SharedBoard& board) {
    ProcessSeat* const seat = board.claim_seat();
    if (seat == nullptr) return nullptr;
    seat->pid = this_process_id();
    seat->number = board.processes.fetch_add(1) + 1;
    seat->state.store(ProcessSeat::announced, std::memory_order_release);
    while (seat->state.load(std::memory_order_acquire) != ProcessSeat::noticed)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    // The parent may still be the process between (see fork_away), whose end must not end this
    // process.
    while (parent_process_id() != board.supervisor)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    die_with_parent();
    return seat;
}

/// The cache that a process has open, for the children that it forks at points. There are points
/// in the opening and the closing of a cache, too: then it has none, since no thread may use an
/// object that is just being destroyed. Must live longer than the RunProcess.
class OpenedCache {
public:
    void set(const std::shared_ptr<Cache>& cache) { cache_ = cache; }
    [[nodiscard]] std::shared_ptr<Cache> get() const { return cache_.lock(); }

private:
    std::weak_ptr<Cache> cache_;
};

/// Lives the life of a child that was forked in the middle of things, with `cache` and `held` of
/// its parent.
void live_as_child(const RunSetting& setting, SharedBoard& board, std::shared_ptr<Cache> cache,
                   std::vector<HeldEntry> held, const std::function<void()>& read) {
    plan_errors(0, 0, 0, board.tally_of("errors"));
    plan_delays(0, 0, 0, board.tally_of("slow"));
    plan_sharing(0, 0, 0, board.tally_of("sharing"));
    forget_points();
    ProcessSeat* const seat = take_seat(board);
    if (seat == nullptr) return;
    auto log = HistoryLog::open_for_process(setting.histories, seat->number);
    if (!log) return;
    OpenedCache opened;
    RunProcess process{setting, board, *log, seat->number, cache, {}, {}};
    process.live_as_child = [&](Actor& parent, const std::function<void()>& done) {
        live_as_child(setting, board, parent.cache, std::move(parent.held), done);
    };
    Actor actor(process, 0, std::move(cache));
    // Forked while the parent opened or closed it.
    if (!actor.cache) process.cache = actor.cache = open_cache(actor);
    if (!actor.cache) return;
    opened.set(process.cache);
    // There may be thousands, and the parent waits.
    constexpr std::size_t enough = 20;
    for (std::size_t i = 0; i < std::min(held.size(), enough); ++i) use(actor, held[i]);
    held.clear();
    if (read) read();

    meet_faults(process, *seat, [&] { live_as_child(setting, board, opened.get(), {}, {}); });
    WeightedWork(setting).run(actor, actor.random.between(1, 100));
}

void live_as_worker(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat) {
    auto log = HistoryLog::open_for_process(setting.histories, seat.number);
    if (!log) return;
    OpenedCache opened;
    RunProcess process{setting, board, *log, seat.number, nullptr, {}, {}};
    process.live_as_child = [&](Actor& actor, const std::function<void()>& read) {
        live_as_child(setting, board, actor.cache, std::move(actor.held), read);
    };
    meet_faults(process, seat, [&] { live_as_child(setting, board, opened.get(), {}, {}); });

    Actor beginner(process, before_threads, nullptr);
    process.cache = open_cache(beginner);
    if (!process.cache) return;
    opened.set(process.cache);
    const std::uint64_t life = setting.scenario.life;
    in_threads(process, [&](Actor& actor) {
        const auto operations =
            life == 0 ? UINT64_MAX
                      : actor.random.between(1, 2 * life / setting.scenario.threads + 1);
        WeightedWork(setting).run(actor, operations);
    });
}

void live_as_collector(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat) {
    auto log = HistoryLog::open_for_process(setting.histories, seat.number);
    if (!log) return;
    RunProcess process{setting, board, *log, seat.number, nullptr, {}, {}};
    meet_faults(process, seat, [] {});
    Actor actor(process, 0, nullptr);
    actor.cache = open_cache(actor);
    const auto collect = make_workload("collect");
    for (int i = 0; actor.cache && i < 1000 && !board.ending; ++i) collect->start(actor);
}

void live_as_metronome(const RunSetting& setting, SharedBoard& board, const ProcessSeat& seat) {
    auto log = HistoryLog::open_for_process(setting.histories, seat.number);
    if (log) beat(board, *log, seat.number, setting.scratch);
}

/// Calls `step` in a process that no fault strikes, before or after the run.
///
/// If `cut` is not 0, the process lives in the boot after that power cut.
template <class Step>
int live_quietly(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat, Step step,
                 std::uint32_t cut = 0) {
    auto log = HistoryLog::open_for_process(setting.histories, seat.number);
    if (!log) return 1;
    forget_points();
    RunProcess process{setting, board, *log, seat.number, nullptr, {}, {}};
    Actor beginner(process, before_threads, nullptr);
    if (cut != 0) {
        live_in_later_boot();
        RecordedOp(beginner, EventKind::restart, cut, 0).end(OpOutcome::ok);
    }
    OpenOptions options = open_options(setting);
    if (cut != 0) {
        options.on_event = [&board](const Event& event) {
            if (event.kind == Event::Kind::repaired && event.what == "a torn entry") ++board.torn;
        };
    }
    process.cache = open_cache(beginner, options);
    if (!process.cache) return 1;
    step(process);
    return 0;
}

int set_up(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat) {
    return live_quietly(setting, board, seat, [](RunProcess& process) {
        in_threads(process, [](Actor& actor) {
            for (const auto& named : work_names()) make_workload(named.name)->setup(actor);
        });
    });
}

int check(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat) {
    return live_quietly(setting, board, seat, [](RunProcess& process) {
        Actor actor(process, 0, process.cache);
        // The collection comes first, since the others look at what it leaves.
        for (const char* first : {"collect", "verify", "list", "get"})
            make_workload(first)->check(actor);
    });
}

/// Reads all keys before the collection and after it: the collection may not be what makes a torn
/// entry a miss, nor take what the cut has left.
int survive(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat, std::uint32_t cut) {
    const auto look = [](RunProcess& process) {
        Actor actor(process, 0, process.cache);
        for (const char* step : {"get", "collect", "verify", "list", "get"})
            make_workload(step)->check(actor);
    };
    return live_quietly(setting, board, seat, look, cut);
}

}  // namespace

int live(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat,
         const ProcessTask& task) {
    die_with_parent();
    ignore_broken_pipes();
    switch (task.role) {
        case ProcessRole::worker:
            live_as_worker(setting, board, seat);
            return 0;
        case ProcessRole::collector:
            live_as_collector(setting, board, seat);
            return 0;
        case ProcessRole::metronome:
            live_as_metronome(setting, board, seat);
            return 0;
        case ProcessRole::setup:
            return set_up(setting, board, seat);
        case ProcessRole::check:
            return check(setting, board, seat);
        case ProcessRole::survivor:
            return survive(setting, board, seat, task.cut);
    }
    return 1;
}

}  // namespace larder::stress
