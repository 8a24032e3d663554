// SPDX-License-Identifier: MIT
// The file of a root, in `roots/<id>/`: a path outside of the cache that keeps the entry `<id>`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder::format {

/// On disk:
///     larder root 1
///     dest PATH       the absolute path, encoded by encode_escapes
///     device N        the number of the device that holds the directory of the path
///     end CRC         CRC-32 of all bytes before this line
struct RootFile {
    std::string destination;
    std::uint64_t device = 0;

    friend bool operator==(const RootFile&, const RootFile&) = default;
};

/// No such file is longer: a path of 4,096 bytes may need three times as many.
inline constexpr std::size_t max_root_file = 16384;

/// Requires: the text is no longer than max_root_file.
[[nodiscard]] std::string print_root_file(const RootFile& file);
/// Returns nullopt for a text that was cut off, or changed in any byte, and for a path that is not
/// absolute.
[[nodiscard]] std::optional<RootFile> parse_root_file(std::string_view text);

/// Returns the name of a root in `roots/<id>/`: a hash of its path and its device. So a second link
/// to the same path replaces the root of the first one.
[[nodiscard]] std::string root_file_name(const RootFile& file);

}  // namespace larder::format
