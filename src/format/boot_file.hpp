// SPDX-License-Identifier: MIT
// A file of `boots/`, which says what is known of one boot of the machine. Its name is the boot's
// id, in hexadecimal digits.
#pragma once

#include <string_view>

namespace larder::format {

/// On disk: "larder boot 1\nsettled\n". The first collection of the boot writes it when it has
/// given a name to each entry of an earlier boot that had none. A later version may add lines.
inline constexpr std::string_view settled_boot_text = "larder boot 1\nsettled\n";
/// Arbitrary: room for what later versions may write.
inline constexpr std::size_t max_boot_file = 4096;

/// Returns whether the text of such a file says that the boot is settled. A text that was cut off
/// says nothing.
[[nodiscard]] inline bool says_settled(std::string_view text) noexcept {
    return text.starts_with(settled_boot_text);
}

/// Returns whether `name` is that of a file in `boots/`.
[[nodiscard]] inline bool is_boot_name(std::string_view name) noexcept {
    return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == name.npos;
}

}  // namespace larder::format
