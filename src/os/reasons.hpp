// SPDX-License-Identifier: MIT
// What each system knows of its own errors. For os/error.cpp alone.
#pragma once

#include <span>
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

}  // namespace larder::os
