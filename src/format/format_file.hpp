// SPDX-License-Identifier: MIT
// The file `format`: which version of the layout a cache has, and how it publishes.
#pragma once

#include <string>
#include <string_view>

#include <larder/options.hpp>

namespace larder::format {

/// On disk: "larder 1\nlinks symlink\n". A later version keeps the first line's shape, so that every version can tell.
inline constexpr std::string_view format_begin = "larder ";
inline constexpr int format_version = 1;
inline constexpr std::size_t max_format =
    4096;  ///< arbitrary: room for what later versions may say

struct Format {
    LinkKind links = LinkKind::symlink;
};

struct FormatRead {
    enum class Kind {
        ours,
        newer,    ///< of a later version: not to be touched
        unknown,  ///< no file of ours, or cut off
    };
    Kind kind = Kind::unknown;
    Format format;
};

[[nodiscard]] std::string print_format(const Format& format);
[[nodiscard]] FormatRead parse_format(std::string_view text) noexcept;

}  // namespace larder::format
