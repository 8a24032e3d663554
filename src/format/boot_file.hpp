// SPDX-License-Identifier: MIT
// A file of `boots/`, which says what is known of one boot of the machine. Its name is the boot's
// id, in hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "os/clock.hpp"
#include "os/file_info.hpp"

namespace larder::format {

/// Tells a root from every copy of it: no system call sets the time at which a directory was made,
/// and no two directories of one file system have one number at the same time.
struct RootIdentity {
    std::uint64_t inode = 0;
    os::FileTime born;

    friend bool operator==(const RootIdentity&, const RootIdentity&) = default;
};

/// Says that all files that were written below one root before a time of the boot are on the disk.
struct Watermark {
    os::BootTime time;
    RootIdentity root;

    friend bool operator==(const Watermark&, const Watermark&) = default;
};

/// On disk:
///     larder boot 1
///     settled                     if the boot's first collection has given a name to each orphan
///     synced SECONDS.NANOS        the watermark: its time since the boot,
///     timens N                    the time namespace whose clock told it,
///     root INODE SECONDS.NANOS    and the root: its number, and when it was made
///     end CRC                     CRC-32 of all bytes before this line
/// The last four lines are missing if there is no watermark.
struct BootFile {
    bool settled = false;
    std::optional<Watermark> watermark;
};

/// Arbitrary: room for what later versions may write.
inline constexpr std::size_t max_boot_file = 4096;

[[nodiscard]] std::string print_boot_file(const BootFile& file);
/// Returns what the text says. A watermark that was cut off, or changed in any byte, is none. A
/// text that begins with the first two lines says that the boot is settled, whatever follows.
[[nodiscard]] BootFile parse_boot_file(std::string_view text);

/// Returns whether `name` is that of a file in `boots/`.
[[nodiscard]] inline bool is_boot_name(std::string_view name) noexcept {
    return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == name.npos;
}

}  // namespace larder::format
