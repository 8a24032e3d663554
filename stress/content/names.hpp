// SPDX-License-Identifier: MIT
// The names of the buckets and keys of a run. A history has numbers for them; the cache sees names
// that are hard to store.
#pragma once

#include <cstdint>
#include <string>

namespace larder::stress {

[[nodiscard]] std::string bucket_name(std::uint32_t bucket);

/// Returns the name of a key. No two keys have the same name. Most names are plain. The others are
/// what an encoding might get wrong: the empty name, separators, dots, upper case, UTF-8, a leading
/// dash, and names so long that the library has to hash them.
[[nodiscard]] std::string key_name(std::uint32_t key);

}  // namespace larder::stress
