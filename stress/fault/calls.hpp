// SPDX-License-Identifier: MIT
// System calls that fail, or take their time: the linker puts these in front of the library's own (see CMakeLists.txt), and a
// plan drawn from the seed says which of them fail, with what, or do less than they were asked for.
//
// A call that is to fail is not made: so an error of the library means that its call has had no effect.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::stress {

/// From now on calls of this process that are made inside a LibraryCall fail, or do less, one in `one_in` on average; each is
/// counted in `tally`. 0: none.
void plan_errors(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept;
/// From now on such calls take longer, one in `one_in` on average, by up to 65 ms before or after it is made: so that what lies
/// between two of them, which are microseconds, is time enough for others. 0: none.
void plan_delays(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept;

/// Whether an error of the library may be one of ours.
[[nodiscard]] bool errors_are_planned() noexcept;

/// Lives while this thread is in the library. The harness's own calls, those of a builder among them, never fail on purpose.
class LibraryCall {
public:
    LibraryCall() noexcept;
    ~LibraryCall();
    LibraryCall(const LibraryCall&) = delete;
    LibraryCall& operator=(const LibraryCall&) = delete;
};

/// Lives while the library is back in the harness: in a builder, or at a point.
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
