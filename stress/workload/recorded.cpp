// SPDX-License-Identifier: MIT
#include "stress/workload/recorded.hpp"

#include <fmt/format.h>

#include "stress/fault/calls.hpp"

namespace larder::stress {

Recorded::Recorded(Actor& actor, Kind kind, std::uint32_t bucket, std::uint32_t key,
                   Version version)
    : actor_(actor), begun_(Log::now()) {
    event_.process = actor.crew.process;
    event_.thread = actor.thread;
    event_.operation = ++actor.operations;
    event_.kind = kind;
    event_.bucket = bucket;
    event_.key = key;
    append(Phase::begin, Outcome::none, version, 0);
}

void Recorded::middle() { append(Phase::middle, Outcome::none, 0, 0); }

void Recorded::end(Outcome outcome, Version version, std::uint64_t detail) {
    append(Phase::end, outcome, version, detail);
    actor_.crew.board.latencies[static_cast<std::size_t>(event_.kind) % max_kinds].add(Log::now() -
                                                                                       begun_);
}

void Recorded::end(const Error& error) {
    const auto detail = static_cast<std::uint64_t>(error.sys_errno);
    switch (error.code) {
        case Errc::miss:
            return end(Outcome::miss, 0, detail);
        case Errc::busy:
            return end(Outcome::busy, 0, detail);
        case Errc::build:
            return end(Outcome::failed, 0, detail);  // our own builder's
        case Errc::no_space:
            if (actor_.setting().disk_is_small) return end(Outcome::failed, 0, detail);
            break;
        default:
            break;
    }
    // Where calls of this process fail on purpose, so may everything that it does. Where none do, the library has met something
    // of which it should have made sense: what others do beside it is no error.
    if (!errors_are_planned()) {
        actor_.report_violation(
            fmt::format("operation {} (kind {}): an error that no fault explains: {}",
                        event_.operation, static_cast<unsigned>(event_.kind), error.message()));
    }
    end(Outcome::failed, 0, detail);
}

void Recorded::append(Phase phase, Outcome outcome, Version version, std::uint64_t detail) {
    event_.phase = phase;
    event_.outcome = outcome;
    event_.version = version;
    event_.detail = detail;
    actor_.crew.log.append(event_);
}

MayRemove::MayRemove(Actor& actor, std::uint32_t bucket, std::uint32_t key, bool possible) {
    if (possible) operation_.emplace(actor, Kind::remove, bucket, key);
}

void MayRemove::end(bool published) {
    if (operation_) operation_->end(published ? Outcome::failed : Outcome::unclear);
}

}  // namespace larder::stress
