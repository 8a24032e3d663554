// SPDX-License-Identifier: MIT
// An operation, written down before it begins and after it has ended.
#pragma once

#include <optional>

#include "stress/workload/actor.hpp"

namespace larder::stress {

/// One operation in the history: its begin is written when it is made, its end by end(). Without an end it is unknown: this
/// process has died in it.
class RecordedOp {
public:
    RecordedOp(Actor& actor, EventKind kind, std::uint32_t bucket, std::uint32_t key,
               Version version = 0);
    void middle();
    void end(OpOutcome outcome, Version version = 0, std::uint64_t detail = 0);
    /// Ends with what the error means. One that no fault of this run explains is a violation.
    void end(const Error& error);

private:
    void append(EventPhase phase, OpOutcome outcome, Version version, std::uint64_t detail);
    Actor& actor_;
    LogEvent event_;
    std::uint64_t begun_;
};

/// On a file system that can't exchange two names, a publish retires the old link first: where it dies or fails between, the
/// key is gone. This writes down that it may have been removed, beside the put. Lives as long as the put.
class PossibleRemove {
public:
    PossibleRemove(Actor& actor, std::uint32_t bucket, std::uint32_t key, bool possible);
    /// Whether the put was done, which has taken out nothing but what it replaced.
    void end(bool published);

private:
    std::optional<RecordedOp> operation_;
};

}  // namespace larder::stress
