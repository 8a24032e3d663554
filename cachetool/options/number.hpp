// SPDX-License-Identifier: MIT
// Numbers as people write them on a command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace larder::options {

/// Reads a number that has digits and nothing else. Returns nullopt for any other text, and for a
/// number that does not fit.
[[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view text);

/// Reads a finite number, such as "1.5". Returns nullopt for any other text.
[[nodiscard]] std::optional<double> decimal_number(std::string_view text);

}  // namespace larder::options
