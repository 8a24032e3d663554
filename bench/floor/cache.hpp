// SPDX-License-Identifier: MIT
// Functions by which the rows use larder.
#pragma once

#include <utility>

#include <larder/larder.hpp>

#include "contest.hpp"

namespace bench {

template <class T>
T value(larder::Result<T> result) {
    if (!result) give_up(result.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct Opened {
    explicit Opened(const fs::path& root)
        : cache(value(larder::Cache::open(root))), bucket(value(cache.bucket("bench-v1"))) {}
    larder::Cache cache;
    larder::Bucket bucket;
};

/// Returns a key such as installers use.
[[nodiscard]] inline std::string key_name(unsigned number) {
    return "numpy-2.1.0-cp312-" + std::to_string(number);
}

/// Makes a cache with `keys` entries, each an empty directory, and closes it.
void make_cache(const fs::path& root, unsigned keys);

}  // namespace bench
