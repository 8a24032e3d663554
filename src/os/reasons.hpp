// SPDX-License-Identifier: MIT
// What each system knows of its own errors. For os/error.cpp alone.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <larder/error.hpp>

namespace larder::os {

/// An error number of the system, and the word for it.
struct ReasonRow {
    int number;
    Why why;
};

/// Returns the rows of this system. If a word has several rows, the first one has the number that
/// the system usually gives for it.
[[nodiscard]] std::span<const ReasonRow> reasons() noexcept;

/// Returns the system's number for an error, which may be one of the standard library.
[[nodiscard]] int number_of(const std::error_code& error) noexcept;
/// Returns the number that the system usually gives for a word; 0 if it has none.
[[nodiscard]] int number_of(Why why) noexcept;

/// What denies a right to the user of this process.
struct Denial {
    std::filesystem::path path;  ///< a file or a directory
    std::string owner;           ///< another user's name, for people; empty if it is this user
};
/// Returns the path, or the directory above it, that denies a right to the user of this process:
/// the right to read a file, or one of the three to a directory; of what belongs to another user,
/// also the right to write to a file. Returns nullopt if none does, or if the system has no such
/// rights.
[[nodiscard]] std::optional<Denial> denial_at(const std::filesystem::path& path);

}  // namespace larder::os
