// SPDX-License-Identifier: MIT
// Destroy: deletes a whole cache.
#pragma once

#include <filesystem>

#include <larder/error.hpp>

namespace larder::protocol {

/// Deletes the cache at `path`, or what an earlier call or an `rm -rf` has left of it. See
/// Cache::destroy.
[[nodiscard]] Result<> destroy(const std::filesystem::path& path);

}  // namespace larder::protocol
