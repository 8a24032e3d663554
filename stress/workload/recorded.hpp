// SPDX-License-Identifier: MIT
// Records an operation: before it begins and after it has ended.
#pragma once

#include <optional>

#include "stress/workload/actor.hpp"

namespace larder::stress {

/// One operation in the history. The constructor writes its begin, and end() its end. If the
/// process dies before end(), the outcome is unclear.
class RecordedOp {
public:
    RecordedOp(Actor& actor, EventKind kind, std::uint32_t bucket, std::uint32_t key,
               Version version = 0, Durability durability = Durability::process);
    void middle();
    void end(OpOutcome outcome, Version version = 0, std::uint64_t detail = 0);
    /// Ends the operation with the outcome that the error means. An error that no fault of this run
    /// explains is a violation.
    void end(const Error& error);

private:
    void append(EventPhase phase, OpOutcome outcome, Version version, std::uint64_t detail);
    Actor& actor_;
    LogEvent event_;
    std::uint64_t begun_;
};

/// Records, beside a put that is to survive a power cut, that the key may have been removed: if the
/// put can't sync what it has published, it removes that again. It lives as long as the put.
class PossibleRemove {
public:
    PossibleRemove(Actor& actor, std::uint32_t bucket, std::uint32_t key, Durability durability);
    /// Ends the removal.
    void end(bool published);

private:
    std::optional<RecordedOp> operation_;
};

}  // namespace larder::stress
