// SPDX-License-Identifier: MIT
// A husk is what is left of a cache, or was begun of one, and holds nothing that a user could miss:
// what an open leaves that meets a destroy, or that a power cut ends.
#pragma once

#include "os/dir.hpp"

namespace larder::cache {

/// Returns whether the root holds parts of a cache, and in them no file but lease tables and the
/// empty file of the locks. Beside them, or in their place, may stand a tag that holds our text or
/// the beginning of it; and beside them our .gitignore. What can't be looked at counts as a file.
/// Errors: `system` if the root can't be listed.
[[nodiscard]] Result<bool> is_husk(const os::Dir& root);

/// Returns whether a file holds the beginning of the text, or all of it: a file that is being
/// written, or was when a process was killed, does. Returns false if it can't be read.
[[nodiscard]] bool holds_beginning_of(const os::Dir& dir, const char* name, std::string_view text);

}  // namespace larder::cache
