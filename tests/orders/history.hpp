// SPDX-License-Identifier: MIT
// What two processes did, and when; and whether they could have done it one after the other.
#pragma once

#include <string>
#include <vector>

namespace larder::testing {

/// `build` publishes what the `claim` before it has claimed. It does nothing if that was nothing.
enum class Op { get, put, remove, refresh, collect, evict, adopt, verify, claim, build };

[[nodiscard]] std::string name_of(Op operation);

/// One operation of one process. `begun` and `ended` count the steps of the schedule. If one
/// operation ended before another one began it came before it; otherwise they were concurrent.
struct TimedOp {
    int process = 0;
    Op operation = Op::get;
    std::string value;  ///< what a put puts, or a build builds
    unsigned begun = 0;
    unsigned ended = 0;
    std::string result;  ///< "ok", "miss", "busy", "sound", "claimed", "none", or what a get got
};

/// Judges whether the operations are linearizable (Herlihy and Wing, 1990). The object is one key,
/// which holds `first` in the beginning ("" for nothing) and must hold `last` in the end. Tries
/// every order of the operations in which each comes after all that had ended before it began.
/// Returns an empty string if there is such an order, otherwise what is wrong. A collector or a
/// verifier may answer `busy` while another one is at work, and at no other time. So may a claim
/// while the other process has claimed the key or claims it. Two processes never have claimed the
/// key at one time.
[[nodiscard]] std::string judge(const std::vector<TimedOp>& history, const std::string& first,
                                const std::string& last);

/// Returns a line for each operation.
[[nodiscard]] std::string describe(const std::vector<TimedOp>& history);

}  // namespace larder::testing
