// SPDX-License-Identifier: MIT
// The file `format`: the version of the layout on disk, and the kind of links the cache uses.
#pragma once

#include <string>
#include <string_view>

#include <larder/options.hpp>

namespace larder::format {

/// On disk: "larder 1\nlinks symlink\n". Every later version keeps the form of the first line, so
/// that an older version recognizes it.
inline constexpr std::string_view format_begin = "larder ";
inline constexpr int format_version = 1;
/// Arbitrary: room for what later versions may write.
inline constexpr std::size_t max_format = 4096;

struct Format {
    LinkKind links = LinkKind::symlink;
};

struct FormatRead {
    enum class Kind {
        ours,
        newer,    ///< a later version wrote it: this version must not touch the cache
        unknown,  ///< larder did not write it, or it was cut off
    };
    Kind kind = Kind::unknown;
    Format format;
};

/// Returns the text of the file.
[[nodiscard]] std::string print_format(const Format& format);
/// Reads the text of a file that any program may have written.
[[nodiscard]] FormatRead parse_format(std::string_view text);

}  // namespace larder::format
