// SPDX-License-Identifier: MIT
// The file `format`: the version of the layout on disk, the longest name, and the kinds of links
// and of buckets that the cache uses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <larder/options.hpp>

#include "format/name.hpp"

namespace larder::format {

/// On disk: "larder 5\nlinks symlink\nbuckets directory\n", where each kind may be another one, and
/// after the first line "names 143\n" if the longest name is not max_name. (It is no last line,
/// because a text that is cut off must be none.) Every later version keeps the form of the first
/// line, so that an older version recognizes it.
inline constexpr std::string_view format_begin = "larder ";
/// Versions 1 to 3 were never released. The first two staged trees in the staging areas, and
/// version 3 had lease tables without rings. Version 4 is the same as version 5, but its programs
/// know no roots: their collections would delete what a root keeps. So a cache of version 4 is
/// used as it is, and can't have roots.
inline constexpr int format_version = 5;
/// The oldest version of a cache that is still used.
inline constexpr int oldest_format_version = 4;
/// Arbitrary: room for what later versions may write.
inline constexpr std::size_t max_format = 4096;

/// What the file begins with while the cache is being destroyed. Behind it stands what the file
/// said before, so that the cache can be given back.
inline constexpr std::string_view destroyed_text = "larder destroyed\n";

/// What is chosen when a cache is made, and never changes.
struct Format {
    LinkKind links = LinkKind::symlink;
    BucketKind buckets = BucketKind::directory;
    std::size_t longest_name = max_name;  ///< of a key: see name.hpp
    int version = format_version;

    /// Returns whether all programs that use the cache know roots.
    [[nodiscard]] bool has_roots() const noexcept { return version > oldest_format_version; }
};

/// What the text of a `format` says. `format` is set for `ours` alone.
struct FormatRead {
    enum class Kind {
        ours,
        older,      ///< an earlier version wrote it, by another protocol
        newer,      ///< a later version wrote it: this version must not touch the cache
        unknown,    ///< larder did not write it, or it was cut off
        destroyed,  ///< the cache is being destroyed, or was in part
    };
    Kind kind = Kind::unknown;
    Format format;
    /// What the file said before a destroy replaced it. Nullopt unless that was `ours`.
    std::optional<std::string> before;
};

/// Returns the text of the file.
[[nodiscard]] std::string print_format(const Format& format);
/// Reads the text of a file that any program may have written. Accepts exactly the texts that
/// print_format makes, so that a file that was cut off or changed is `unknown`. Of another version
/// it reads the first line alone.
[[nodiscard]] FormatRead parse_format(std::string_view text);

}  // namespace larder::format
