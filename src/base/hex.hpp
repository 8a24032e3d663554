// SPDX-License-Identifier: MIT
// Digits of hexadecimal numbers.
#pragma once

namespace larder::base {

/// Returns the value of a hexadecimal digit; -1 for every other character. Capitals are no digits,
/// because larder and the kernel write small letters.
[[nodiscard]] constexpr int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

}  // namespace larder::base
