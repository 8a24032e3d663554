// SPDX-License-Identifier: MIT
// Which cache, and how it is opened.
#pragma once

#include <filesystem>
#include <optional>

#include <larder/cache.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/term/output.hpp"

namespace cachetool {

/// The cache's directory, absolute, as the options and the environment choose it. Touches nothing.
[[nodiscard]] tl::expected<std::filesystem::path, Failure> cache_root(const Arguments& arguments);

enum class Access {
    read,   ///< writes nothing, not even a lease
    write,  ///< what the command does changes the cache, or needs a lease
};

/// The three ways to open it. Whenever the library waits for others for a second, stderr tells for whom.
///
/// Opens the cache, and creates it where there is none: for commands that put something into it.
[[nodiscard]] tl::expected<larder::Cache, Failure> open_or_create(const Arguments& arguments,
                                                                  const Output& output,
                                                                  larder::OpenOptions options = {});

/// Opens the cache where there is one. A mistyped path must not become a cache by looking at it; so where there is none yet
/// this says so, and the command goes on with nothing: as it would with an empty cache.
[[nodiscard]] tl::expected<std::optional<larder::Cache>, Failure> open_existing(
    const Arguments& arguments, const Output& output, Access access);

/// The same for a command that needs an entry: without a cache there is no such entry.
[[nodiscard]] tl::expected<larder::Cache, Failure> open_for_entry(const Arguments& arguments,
                                                                  const Output& output,
                                                                  Access access);

}  // namespace cachetool
