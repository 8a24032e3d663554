// SPDX-License-Identifier: MIT
// Plans, drawn from the run's seed, that say which system calls of the library fail, with what
// error, which do less than they were asked for, and which take their time.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

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

/// In a process that acts like Windows, lets such calls meet another program that holds the file
/// from now on: one in `one_in` on average of those that open, rename or delete something; none if
/// that is 0.
void plan_sharing(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                  std::atomic<std::uint64_t>& tally) noexcept;
/// Returns the error of a call that has met one, if `point` is one of the points behind which such
/// calls are made; 0 if the call is made.
[[nodiscard]] int error_of_sharing(std::string_view point) noexcept;

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
