// SPDX-License-Identifier: MIT
// Destroy: deletes a whole cache.
#pragma once

#include <filesystem>

#include <larder/error.hpp>

namespace larder::protocol {

/// Deletes the cache at `path`, or what an earlier call or an `rm -rf` has left of it. See
/// Cache::destroy. Errors: `refused` for what is no cache, or not this user's; `busy` if a process
/// uses it, and then its entries are as before. A kill leaves a cache that no process can open, and
/// that another call deletes.
[[nodiscard]] Result<> destroy(const std::filesystem::path& path);

/// Makes all the checks of a destroy, and changes nothing. See Cache::check_destroy. Errors: those
/// that destroy would have before its first change.
[[nodiscard]] Result<> check_destroy(const std::filesystem::path& path);

}  // namespace larder::protocol
