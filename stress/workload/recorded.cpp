// SPDX-License-Identifier: MIT
#include "stress/workload/recorded.hpp"

#include <fmt/format.h>

#include "stress/fault/calls.hpp"
#include "stress/system/clock.hpp"

namespace larder::stress {

RecordedOp::RecordedOp(Actor& actor, EventKind kind, std::uint32_t bucket, std::uint32_t key,
                       Version version, Durability durability)
    : actor_(actor), begun_(monotonic_now()) {
    event_.process = actor.process.number;
    event_.thread = actor.thread;
    event_.operation = ++actor.operations;
    event_.kind = kind;
    event_.bucket = bucket;
    event_.key = key;
    event_.for_power = durability == Durability::power;
    append(EventPhase::begin, OpOutcome::none, version, 0);
    event_.for_power = false;
}

void RecordedOp::middle() { append(EventPhase::middle, OpOutcome::none, 0, 0); }

void RecordedOp::end(OpOutcome outcome, Version version, std::uint64_t detail) {
    append(EventPhase::end, outcome, version, detail);
    actor_.process.board.latencies[static_cast<std::size_t>(event_.kind) % max_kinds].add(
        monotonic_now() - begun_);
}

void RecordedOp::end(const Error& error) {
    const auto detail = static_cast<std::uint64_t>(error.sys_errno);
    switch (error.code) {
        case Errc::miss:
            return end(OpOutcome::miss, 0, detail);
        case Errc::busy:
            // Another program that holds a file is a fault of its own, and no lock.
            if (error.why == Why::sharing) break;
            return end(OpOutcome::busy, 0, detail);
        case Errc::build:
            return end(OpOutcome::failed, 0, detail);  // an error of our own builder
        case Errc::no_space:
            if (actor_.setting().disk_is_small) return end(OpOutcome::failed, 0, detail);
            break;
        default:
            break;
    }
    // If calls of this process fail on purpose, so may everything that it does. If not, an error is
    // a violation: nothing that other processes do at the same time is an error.
    if (!errors_are_planned()) {
        actor_.report_violation(
            fmt::format("operation {} (kind {}) failed, which no fault explains: {}",
                        event_.operation, static_cast<unsigned>(event_.kind), error.message()));
    }
    end(OpOutcome::failed, 0, detail);
}

void RecordedOp::append(EventPhase phase, OpOutcome outcome, Version version,
                        std::uint64_t detail) {
    event_.phase = phase;
    event_.outcome = outcome;
    event_.version = version;
    event_.detail = detail;
    actor_.process.log.append(event_);
}

PossibleRemove::PossibleRemove(Actor& actor, std::uint32_t bucket, std::uint32_t key,
                               Durability durability) {
    if (durability == Durability::power) operation_.emplace(actor, EventKind::remove, bucket, key);
}

void PossibleRemove::end(bool published) {
    if (operation_) operation_->end(published ? OpOutcome::failed : OpOutcome::unclear);
}

}  // namespace larder::stress
