// SPDX-License-Identifier: MIT
// The file `judged` of an entry: it says that the files of the entry were found to be as its
// manifest says, and when.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "os/clock.hpp"

namespace larder::format {

/// On disk:
///     larder judged 1
///     boot HEX                    the boot of the machine in which the entry was judged
///     boottime SECONDS.NANOS      when its files were all compared, on the clock of that boot
///     timens N                    the time namespace whose clock it was; 0 if unknown
///     end CRC                     CRC-32 of all bytes before this line
struct JudgedFile {
    std::string boot;  ///< 32 hexadecimal digits
    os::BootTime time;

    friend bool operator==(const JudgedFile&, const JudgedFile&) = default;
};

/// No such file is longer.
inline constexpr std::size_t max_judged_file = 256;

[[nodiscard]] std::string print_judged_file(const JudgedFile& file);
/// Returns nullopt for a text that was cut off, or changed in any byte.
[[nodiscard]] std::optional<JudgedFile> parse_judged_file(std::string_view text);

}  // namespace larder::format
