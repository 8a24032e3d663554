// SPDX-License-Identifier: MIT
// The bytes with which Windows keeps where a junction or a symlink leads: REPARSE_DATA_BUFFER, as
// [MS-FSCC] 2.1.2.4 and 2.1.2.5 describe it. All numbers are little-endian.
//
//   4 bytes  tag
//   2        length of all that follows the next two bytes
//   2        0
//   2        where the substitute name begins, and 2 for its length, both in bytes
//   2        where the print name begins, and 2 for its length
//   4        flags, in a symlink alone; 1 means that the target is relative
//   ...      the two names, in UTF-16
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "os/windows/utf16.hpp"

namespace larder::os::windows {

inline constexpr std::uint32_t junction_tag = 0xa0000003, symlink_tag = 0xa000000c;
/// Set in the tag of every reparse point that leads to another name.
inline constexpr std::uint32_t surrogate_bit = 0x20000000;
/// The largest data that a file system accepts (MAXIMUM_REPARSE_DATA_BUFFER_SIZE).
inline constexpr std::size_t max_reparse_data = 16384;

/// What a reparse point says.
struct Reparse {
    std::uint32_t tag = 0;
    /// Where it leads, in UTF-8 with backslashes. For an absolute path the system writes the prefix
    /// "\??\"; here it begins as Win32 writes it: with a drive, with "\\" and a server, or with
    /// "\\?\".
    std::string target;
};

inline unsigned reparse_number(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<unsigned char>(bytes[at]) |
           static_cast<unsigned>(static_cast<unsigned char>(bytes[at + 1])) << 8U;
}

/// Reads the data of a junction or a symlink. Returns nullopt for any other tag, and for data that
/// is not formed as above.
inline std::optional<Reparse> parse_reparse(std::string_view data) {
    constexpr std::size_t header = 8, names_of_junction = 16, names_of_symlink = 20;
    if (data.size() < names_of_junction) return std::nullopt;
    Reparse found;
    found.tag = reparse_number(data, 0) | reparse_number(data, 2) << 16U;
    if (found.tag != junction_tag && found.tag != symlink_tag) return std::nullopt;
    if (header + reparse_number(data, 4) != data.size()) return std::nullopt;
    const std::size_t names = found.tag == junction_tag ? names_of_junction : names_of_symlink;
    const std::size_t start = names + reparse_number(data, 8);
    const std::size_t length = reparse_number(data, 10);
    if (start % 2 != 0 || length % 2 != 0 || start + length > data.size()) return std::nullopt;
    std::u16string name;
    for (std::size_t at = start; at < start + length; at += 2)
        name += static_cast<char16_t>(reparse_number(data, at));
    append_utf8<char16_t>(found.target, name);
    constexpr std::string_view prefix = "\\??\\", network = "\\??\\UNC\\";
    if (found.target.starts_with(network)) {
        found.target.replace(0, network.size(), "\\\\");
    } else if (found.target.starts_with(prefix)) {
        const bool has_drive = found.target.size() > 5 && found.target[5] == ':';
        found.target.replace(0, prefix.size(), has_drive ? "" : "\\\\?\\");
    }
    return found;
}

/// Returns whether a path begins with a drive and its root, as "C:\cache" does.
inline bool begins_with_drive(std::string_view path) noexcept {
    const char drive = path.empty() ? '\0' : path[0];
    const bool is_letter = (drive >= 'A' && drive <= 'Z') || (drive >= 'a' && drive <= 'z');
    return is_letter && path.size() >= 3 && path[1] == ':' && path[2] == '\\';
}

/// Returns the data of a junction that leads to an absolute path, such as "C:\cache\archive".
/// Returns nullopt if the path is not UTF-8, is not absolute, or is too long.
inline std::optional<std::string> junction_data(std::string_view target) {
    if (!begins_with_drive(target)) return std::nullopt;
    if (target.find_first_of(std::string_view("\0/", 2)) != target.npos) return std::nullopt;
    std::u16string print(target.size(), u'\0');  // UTF-16 has no more units than UTF-8 has bytes
    const auto size = to_utf16(target, print.data(), print.size());
    if (!size) return std::nullopt;
    print.resize(*size);
    const std::u16string substitute = u"\\??\\" + print;
    // Each name ends with a zero, which its length does not count.
    const std::size_t print_at = 2 * (substitute.size() + 1);
    const std::size_t length = 8 + print_at + 2 * (print.size() + 1);
    if (8 + length > max_reparse_data) return std::nullopt;
    std::string data;
    const auto put = [&](std::size_t number) {
        data += static_cast<char>(number & 0xff);
        data += static_cast<char>(number >> 8 & 0xff);
    };
    put(junction_tag & 0xffff);
    put(junction_tag >> 16);
    put(length);
    put(0);
    put(0);
    put(2 * substitute.size());
    put(print_at);
    put(2 * print.size());
    for (const std::u16string_view name :
         {std::u16string_view(substitute), std::u16string_view(print)}) {
        for (const char16_t unit : name) put(unit);
        put(0);
    }
    return data;
}

/// Returns where the data of a junction lead: the absolute path, such as "C:\cache\archive", from
/// which junction_data makes such data. Returns nullopt for any other data: of another tag; with a
/// reserved field that is not 0; with a substitute name that is not "\??\" and a path with a drive;
/// with a byte that belongs to no name. The print name is for people, and may say anything. A zero
/// may stand behind each of the two.
inline std::optional<std::string> parse_junction(std::string_view data) {
    constexpr std::size_t header = 8, names = 16;
    if (data.size() < names || data.size() > max_reparse_data) return std::nullopt;
    const auto number = [&](std::size_t at) -> std::size_t { return reparse_number(data, at); };
    if ((number(0) | number(2) << 16U) != junction_tag) return std::nullopt;
    if (header + number(4) != data.size() || number(6) != 0 || number(8) != 0) return std::nullopt;
    const std::size_t length = number(10), print_at = number(12), print_length = number(14);
    if (length % 2 != 0 || print_length % 2 != 0) return std::nullopt;
    // Returns whether `end` is `begin`, or one zero behind it.
    const auto ends_name = [&](std::size_t begin, std::size_t end) {
        if (begin == end) return true;
        return begin + 2 == end && names + end <= data.size() && number(names + begin) == 0;
    };
    if (!ends_name(length, print_at)) return std::nullopt;
    if (!ends_name(print_at + print_length, data.size() - names)) return std::nullopt;
    const auto parsed = parse_reparse(data);
    if (!parsed || !begins_with_drive(parsed->target)) return std::nullopt;
    // A path has one spelling there. So what was read must be what would be written.
    const auto made = junction_data(parsed->target);
    if (!made || reparse_number(*made, 10) != length) return std::nullopt;
    if (made->compare(names, length, data.substr(names, length)) != 0) return std::nullopt;
    return parsed->target;
}

}  // namespace larder::os::windows
