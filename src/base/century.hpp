// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace larder::base {

/// The longest time that larder counts with. A caller's longer time is replaced by it: no wait
/// lasts longer, and nothing is older. It can be added to the time of any clock, or taken from it,
/// without an overflow of the nanoseconds.
inline constexpr std::chrono::seconds century{std::int64_t{100} * 365 * 24 * 3600};

}  // namespace larder::base
