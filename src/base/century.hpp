// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace larder::base {

/// A longer time than this counts as this: no wait lasts longer, and nothing is older. It can be
/// added to the time of any clock, or taken from it, without an overflow of its nanoseconds.
inline constexpr std::chrono::seconds century{std::int64_t{100} * 365 * 24 * 3600};

}  // namespace larder::base
