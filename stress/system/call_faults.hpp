// SPDX-License-Identifier: MIT
// System calls that fail, do less than they were asked for, or take their time.
//
// The linker puts the functions of wrapped_calls.cpp in front of the system's (see CMakeLists.txt).
// They ask a CallFaults what is to happen to each call.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace larder::stress {

/// The errors that a call can be made to return.
enum class CallError : std::uint8_t {
    no_space,
    io,
    interrupted,
    too_many_open_files,
    no_locks,
    no_memory,
};

/// How long a call takes beyond what it needs.
struct CallDelay {
    std::chrono::microseconds before{0};
    std::chrono::microseconds after{0};
};

/// Decides about calls. Any thread may ask at any time.
class CallFaults {
public:
    virtual ~CallFaults() = default;

    /// Returns the error, one of `possible`, with which a call fails; nullopt if the call is made.
    /// A call that fails is not made, so an error of the library means that its call has had no
    /// effect. For a call that moves bytes, `*bytes` is how many it is asked for: it may be made
    /// smaller, but never 0.
    virtual std::optional<CallError> error_of_call(std::initializer_list<CallError> possible,
                                                   std::size_t* bytes) noexcept = 0;
    /// Returns the delay of a call that is made.
    virtual CallDelay delay_of_call() noexcept = 0;
};

/// Lets `faults` decide about all calls of this process from now on. It must live as long as the
/// process. Null: nothing happens to calls.
void set_call_faults(CallFaults* faults) noexcept;

}  // namespace larder::stress
