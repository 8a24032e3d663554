// SPDX-License-Identifier: MIT
// Plans, drawn from the run's seed, that say which system calls of the library fail, with what
// error, which do less than they were asked for, and which take their time.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::stress {

/// Lets calls that this process makes inside a LibraryCall fail, or move fewer bytes, from now on:
/// one in `one_in` on average; none if that is 0. Each is counted in `tally`.
void plan_errors(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept;
/// Lets such calls come up to 65 ms late from now on, before or after they are made: one in
/// `one_in` on average; none if that is 0. What lies between two calls takes microseconds
/// otherwise; this gives other processes time to act there.
void plan_delays(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept;

/// Returns whether an error of the library may come from a plan.
[[nodiscard]] bool errors_are_planned() noexcept;

/// Lives while this thread is in the library. Outside, calls never fail on purpose: those of the
/// harness, and those of its builders.
class LibraryCall {
public:
    LibraryCall() noexcept;
    ~LibraryCall();
    LibraryCall(const LibraryCall&) = delete;
    LibraryCall& operator=(const LibraryCall&) = delete;
};

/// Lives while the library has called back into the harness: in a builder, or at a point.
class OutsideLibrary {
public:
    OutsideLibrary() noexcept;
    ~OutsideLibrary();
    OutsideLibrary(const OutsideLibrary&) = delete;
    OutsideLibrary& operator=(const OutsideLibrary&) = delete;

private:
    bool before_;
};

}  // namespace larder::stress
