// SPDX-License-Identifier: MIT
// Digits of hexadecimal numbers.
#pragma once

namespace larder::base {

/// Returns the value of a hexadecimal digit. Capitals are no digits, because larder and the kernel
/// write small letters. Returns -1 for every other character.
[[nodiscard]] constexpr int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

}  // namespace larder::base
