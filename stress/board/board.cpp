// SPDX-License-Identifier: MIT
#include "stress/board/board.hpp"

#include "stress/scenario/scenario.hpp"

namespace larder::stress {

std::string PointTally::text() const {
    std::string text;
    for (const auto& c : name) {
        if (c.load(std::memory_order_relaxed) == 0) break;
        text += c.load(std::memory_order_relaxed);
    }
    return text;
}

std::optional<std::size_t> SharedBoard::point_of(const char* name) noexcept {
    enum : std::uint32_t { none, being_named, done };
    for (std::size_t i = 0; i < points.size(); ++i) {
        PointTally& point = points[i];
        std::uint32_t state = none;
        if (point.named.compare_exchange_strong(state, being_named, std::memory_order_acq_rel)) {
            for (std::size_t c = 0; c + 1 < point.name.size() && name[c] != 0; ++c)
                point.name[c].store(name[c], std::memory_order_relaxed);
            point.named.store(done, std::memory_order_release);
            return i;
        }
        // A process that was killed while it named a point leaves a half name. It matches nothing,
        // and the next one is taken.
        bool same = state == done;
        for (std::size_t c = 0; same && c + 1 < point.name.size(); ++c) {
            same = point.name[c].load(std::memory_order_relaxed) == name[c];
            if (name[c] == 0) break;
        }
        if (same) return i;
    }
    return std::nullopt;
}

ProcessSeat* SharedBoard::claim_seat() noexcept {
    for (ProcessSeat& seat : seats) {
        std::uint32_t state = ProcessSeat::empty;
        if (!seat.state.compare_exchange_strong(state, ProcessSeat::claimed,
                                                std::memory_order_acq_rel))
            continue;
        seat.stop_ms = 0;
        seat.died_at = 0;
        return &seat;
    }
    return nullptr;
}

std::atomic<std::uint64_t>& SharedBoard::tally_of(std::string_view fault) noexcept {
    const auto& names = fault_names();
    std::size_t i = 0;
    while (fault != names.at(i).name) ++i;
    return faults.at(i);
}

std::uint64_t SharedBoard::operations() const noexcept {
    std::uint64_t count = 0;
    for (const auto& latency : latencies) count += latency.count();
    return count;
}

SharedPointer<SharedBoard> make_board() { return make_shared_object<SharedBoard>(); }

}  // namespace larder::stress
