// SPDX-License-Identifier: MIT
// Which cache a command uses, and how it opens it.
#pragma once

#include <filesystem>
#include <optional>

#include <larder/cache.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/term/output.hpp"

namespace cachetool {

/// Returns the cache's directory, absolute, as the options and the environment name it. Touches
/// nothing.
[[nodiscard]] Expected<std::filesystem::path> named_root(const ParsedArguments& arguments);
/// Returns the same directory without symlinks in its path.
[[nodiscard]] Expected<std::filesystem::path> cache_root(const ParsedArguments& arguments);

enum class CacheAccess {
    read,   ///< the command writes nothing, not even a lease
    write,  ///< the command changes the cache, or needs a lease
};

/// What a command says if it has an entry that no lease protects.
inline constexpr const char* unprotected_warning =
    "the cache is read-only here, so a collection by another process may delete the files";

/// Lets an error say what to do if the root, which was not found, is a symlink to nowhere.
[[nodiscard]] larder::Error explained(larder::Error error, const std::filesystem::path& root);

// There are four ways to open the cache. If the library waits for other processes for a second,
// stderr says for which.

/// Opens the cache, or creates it, with the kinds that the options --buckets and --links name: for
/// commands that put something into it.
[[nodiscard]] Expected<larder::Cache> open_or_create(const ParsedArguments& arguments,
                                                     const CommandOutput& output,
                                                     larder::OpenOptions options = {});

/// Opens the cache if there is one. A mistyped path must not become a cache because a command
/// looked at it. So if there is none, this says so and returns nullopt, and the command goes on as
/// with an empty cache.
[[nodiscard]] Expected<std::optional<larder::Cache>> open_existing(const ParsedArguments& arguments,
                                                                   const CommandOutput& output,
                                                                   CacheAccess access);

/// Opens the cache for reading, and never completes one that is unfinished: for a dry run.
[[nodiscard]] Expected<larder::Cache> open_unchanged(const ParsedArguments& arguments,
                                                     const CommandOutput& output);

/// Opens the cache as open_existing() does if the command names no bucket, and otherwise as
/// open_for_entry() does.
[[nodiscard]] Expected<std::optional<larder::Cache>> open_for_buckets(
    const ParsedArguments& arguments, const CommandOutput& output, CacheAccess access,
    bool names_a_bucket);

/// Opens the cache for a command that needs an entry: if there is no cache, there is no such entry.
[[nodiscard]] Expected<larder::Cache> open_for_entry(const ParsedArguments& arguments,
                                                     const CommandOutput& output,
                                                     CacheAccess access);

}  // namespace cachetool
