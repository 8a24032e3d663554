// SPDX-License-Identifier: MIT
#include "os/points.hpp"

#include <thread>

#include "stress/fault/calls.hpp"
#include "stress/fault/points.hpp"
#include "stress/system/forking.hpp"
#include "stress/system/process.hpp"

namespace larder::stress {

namespace {

enum class PointFate { none, kill, stop, fork };

/// A point that this process has met, known by the address of its name.
struct KnownPoint {
    std::atomic<const char*> name{nullptr};
    std::atomic<std::size_t> index{unknown};
    static constexpr std::size_t unknown = max_points;
};

struct PointPlan {
    SharedBoard* board = nullptr;
    ProcessSeat* seat = nullptr;
    std::function<void()> forked;
    bool without_exchange = false;
    PointFate fate = PointFate::none;
    std::size_t where = 0;                    ///< the index of the point; max_points: any
    std::atomic<std::int64_t> times_left{0};  ///< how often it is still met before that
    std::uint32_t stop_ms = 0;
    std::array<KnownPoint, max_points> known;
};
PointPlan plan;

/// Returns the board's number of a point. Since some points are met millions of times, each is
/// looked up by its text only once in a process.
std::optional<std::size_t> index_of(const char* name) {
    for (KnownPoint& known : plan.known) {
        const char* seen = known.name.load(std::memory_order_acquire);
        if (seen == nullptr)
            known.name.compare_exchange_strong(seen, name, std::memory_order_acq_rel);
        if (seen != nullptr && seen != name) continue;
        if (const auto index = known.index.load(std::memory_order_relaxed);
            index != KnownPoint::unknown)
            return index;
        const auto index = plan.board->point_of(name);
        if (index) known.index.store(*index, std::memory_order_relaxed);
        return index;
    }
    return plan.board->point_of(name);
}

void fork_here() {
    const auto forked = plan.forked;
    fork_away([&] {
        // A new thread has none of what the interrupted operation keeps for its thread.
        std::thread([&] { forked(); }).join();
    });
}

void strike(PointTally& point, std::size_t index) {
    switch (plan.fate) {
        case PointFate::none:
            return;
        case PointFate::kill:
            point.killed.fetch_add(1, std::memory_order_relaxed);
            plan.seat->died_at.store(static_cast<std::int32_t>(index) + 1,
                                     std::memory_order_release);
            kill_this_process();
        case PointFate::stop:
            point.stopped.fetch_add(1, std::memory_order_relaxed);
            plan.seat->stop_ms.store(plan.stop_ms, std::memory_order_release);
            stop_this_process();
            return;
        case PointFate::fork:
            point.forked.fetch_add(1, std::memory_order_relaxed);
            fork_here();
            return;
    }
}

/// Returns the error of the call behind a point; 0 if it is made.
int error_at(std::string_view name) {
    const bool is_lacking = name == "os.exchange" || name == "os.noreplace";
    return plan.without_exchange && is_lacking ? static_cast<int>(std::errc::invalid_argument) : 0;
}

int at_point(const char* name) {
    if (const int error = error_of_sharing(name)) return error;
    const OutsideLibrary outside;
    if (const int error = error_at(name)) return error;
    const auto index = index_of(name);
    if (!index) return 0;
    PointTally& point = plan.board->points[*index];
    point.seen.fetch_add(1, std::memory_order_relaxed);
    if (plan.fate == PointFate::none || (plan.where != max_points && plan.where != *index))
        return 0;
    if (plan.times_left.fetch_sub(1, std::memory_order_relaxed) == 1) strike(point, *index);
    return 0;
}

std::uint64_t struck(const PointTally& point, PointFate fate) {
    return fate == PointFate::kill   ? point.killed
           : fate == PointFate::stop ? point.stopped
                                     : point.forked;
}

/// Draws three of the known points. Returns the one at which this has happened least.
std::size_t choose_point(const SharedBoard& board, PointFate fate, Random& random) {
    std::size_t count = 0;
    while (count < max_points && board.points[count].named.load() != 0) ++count;
    if (count == 0) return max_points;
    std::size_t chosen = random.below(count);
    for (int i = 0; i < 2; ++i) {
        const std::size_t other = random.below(count);
        if (struck(board.points[other], fate) < struck(board.points[chosen], fate)) chosen = other;
    }
    return chosen;
}

}  // namespace

void plan_points(const Scenario& scenario, SharedBoard& board, ProcessSeat& seat, Random& random,
                 std::function<void()> forked, bool without_exchange) {
    plan.without_exchange = without_exchange;
    plan.board = &board;
    plan.seat = &seat;
    plan.forked = std::move(forked);
    plan.fate = PointFate::none;
    for (const auto& [fate, fault] : {std::pair{PointFate::kill, "point-kill"},
                                      {PointFate::stop, "point-stop"},
                                      {PointFate::fork, "point-fork"}}) {
        if (!random.chance(scenario.measure_of(fault))) continue;
        plan.fate = fate;
        plan.where = random.chance(0.1) ? max_points : choose_point(board, fate, random);
        // A process meets many points only once.
        const std::uint64_t times = plan.where == max_points ? random.between(1, 2000)
                                    : random.chance(0.6)     ? 1
                                                             : random.between(2, 6);
        plan.times_left = static_cast<std::int64_t>(times);
        plan.stop_ms = static_cast<std::uint32_t>(random.between(20, 2000));
        break;
    }
    os::set_point_hook(at_point);
}

void forget_points() {
    os::set_point_hook([](const char*) { return 0; });
}

void live_in_later_boot() {
    os::set_point_hook(
        [](const char* name) { return name == std::string_view("os.other-boot") ? 1 : 0; });
}

}  // namespace larder::stress
