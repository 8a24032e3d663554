// SPDX-License-Identifier: MIT
// The judge: from what was recorded, whether every promise was kept.
//
// *Register.* Each key is a register, which is absent at first; put, replace, get, get_or_build, remove and refresh of it are
// linearizable: there is an order of them, in which nothing comes before what had ended before it began, and each did what it
// said. Keys are judged one by one: that a refresh takes all keys of a bucket at one instant is more than is judged, since
// linearizability of each key does not say so.
//
//   put ok            writes its version         remove ok      found an entry, and takes it
//   get ok            reads a version            remove miss    finds nothing
//   get miss          finds nothing              refresh ok     takes whatever is there
//   build ok          reads a version; with a middle: finds nothing before it, then writes its own version
//   failed, busy      nothing has happened (but the nothing that a build found)
//   unclear           a write or a taking that may have happened or not, at any instant between its begin and its end
//
// *Content*, *build once* and *hostage*: content.cpp, build_once.cpp, hostage.cpp.
//
// A sound history passes, always, but for noise beyond the limits in JudgeOptions.
#pragma once

#include "stress/judge/verdict.hpp"

namespace larder::stress {

/// Memory: beside the history a dozen bytes for each operation; and, for one key at a time, 120 bytes for each of its
/// operations. Time: a microsecond or less for each operation of 16 processes, twenty where 256 of them are at one key all the
/// time.
[[nodiscard]] JudgeVerdict judge(const History& history, const JudgeOptions& options = {});

}  // namespace larder::stress
