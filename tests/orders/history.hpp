// SPDX-License-Identifier: MIT
// What two processes did and when, and whether it could have been one thing after another.
#pragma once

#include <string>
#include <vector>

namespace larder::testing {

enum class Op { get, put, remove, refresh, collect, evict, adopt, verify };

[[nodiscard]] std::string name_of(Op operation);

/// One operation of one process. `begun` and `ended` count the steps of the schedule: an operation whose end is before
/// another's beginning came before it, and all others were concurrent.
struct TimedOp {
    int process = 0;
    Op operation = Op::get;
    std::string value;  ///< what a put puts
    unsigned begun = 0;
    unsigned ended = 0;
    std::string result;  ///< "ok", "miss", "busy", "sound", or what a get got
};

/// Herlihy and Wing, "Linearizability" (1990), by trying every order of the operations in which each comes after all that had
/// ended before it began. The object is one key, which holds `first` at the beginning ("": nothing) and must hold `last` in the
/// end. Nothing where there is such an order, else what is wrong. `busy` is a collector's or a verifier's answer while another
/// one is at work, and at no other time.
[[nodiscard]] std::string judge(const std::vector<TimedOp>& history, const std::string& first,
                                const std::string& last);

/// One line for each event.
[[nodiscard]] std::string describe(const std::vector<TimedOp>& history);

}  // namespace larder::testing
