// SPDX-License-Identifier: MIT
// The judge: decides from what a run recorded whether every promise was kept.
//
// *Register.* Each key is a register, which is empty at first. Put, replace, get, get_or_build,
// remove, evict and refresh of it are linearizable: there is an order of them in which each did
// what it said, and in which an operation that had ended before another one began comes before it.
// Keys are judged one by one. So it is not judged that a refresh empties all keys of its bucket at
// one instant.
//
//     put ok           writes its version         remove ok      finds an entry, and removes it
//     get ok           reads a version            remove miss    finds nothing
//     get miss         finds nothing              refresh ok     removes whatever is there
//     build ok         reads a version; or, with a middle, finds nothing before it and then writes
//     failed, busy     nothing has happened (but a build with a middle found nothing before it)
//     unclear          a write or a removal that may have happened, or not, at any instant between
//                      its begin and its end
//
// *Content*, *evictions*, *build once*, *hostage* and *power cuts*: see content.cpp, evictions.cpp,
// build_once.cpp, hostage.cpp and cuts.cpp.
//
// A sound history always passes, as long as the noise stays within the limits of JudgeOptions.
// docs/judge.md proves this, and that an unsound order is always found.
#pragma once

#include "stress/judge/verdict.hpp"

namespace larder::stress {

/// Judges a history. Memory: beside the history a dozen bytes for each operation, and, for one key
/// at a time, 120 bytes for each of its operations. Time: a microsecond or less for each operation
/// of 16 processes, and 20 µs if 256 processes are at one key all the time.
[[nodiscard]] JudgeVerdict judge(const History& history, const JudgeOptions& options = {});

}  // namespace larder::stress
