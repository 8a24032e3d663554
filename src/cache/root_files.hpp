// SPDX-License-Identifier: MIT
// The small files of a root beside `format`.
#pragma once

#include "os/dir.hpp"
#include "os/file.hpp"

namespace larder::cache {

/// What is wrong with `format` or `locks` if no file stands there, and what to do.
inline constexpr const char* file_belongs_here =
    "a file of the cache should be here; move away what stands here";

/// Writes a small file if it is missing. Completes it if it holds only the beginning of its text,
/// as a power cut leaves it. A file that holds anything else is left alone. Another process may be
/// writing the same text just now, so the file is never removed. Errors: those of making the file,
/// if none stands there afterwards.
[[nodiscard]] Result<> write_if_missing(const os::Dir& root, const char* name,
                                        std::string_view text,
                                        os::Permissions permissions = os::readable_file);

/// Does so for `CACHEDIR.TAG` and `.gitignore`. Requires: the caller holds the collector's lock, so
/// no destroy takes the one that this makes for the sign of a new cache; or the root is a new one.
[[nodiscard]] Result<> mend_tags(const os::Dir& root);

}  // namespace larder::cache
