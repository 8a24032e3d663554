// SPDX-License-Identifier: MIT
// What the buckets and keys of a run are called: numbers in a history, and names that a cache has to cope with.
#pragma once

#include <cstdint>
#include <string>

namespace larder::stress {

[[nodiscard]] std::string bucket_name(std::uint32_t bucket);

/// Different for different keys. Plain names for the most part; beside them what an encoding might get wrong: the empty name,
/// separators, dots, upper case, UTF-8, a leading dash, and names so long that the library has to hash them.
[[nodiscard]] std::string key_name(std::uint32_t key);

}  // namespace larder::stress
