// SPDX-License-Identifier: MIT
// What is left of a cache whose files do not say that it is one.
//
// A husk holds nothing that a user could miss: it is what an open leaves that meets a destroy, or
// that a power cut ends. Remains hold entries and links as well: an `rm -rf` that stopped has left
// them.
#pragma once

#include "os/dir.hpp"

namespace larder::cache {

/// Returns whether the root holds parts of a cache, and in them no file but lease tables and the
/// empty file of the locks. Beside them, or in their place, may stand a tag that holds our text or
/// the beginning of it; and beside them our .gitignore. What can't be looked at counts as a file.
/// Errors: `system` if the root can't be listed.
[[nodiscard]] Result<bool> is_husk(const os::Dir& root);
/// Does the same, and allows entries, which bear ids and hold nothing but a tree, a record, a
/// manifest and a file `judged`; links to entries; empty files in the place of links; what a
/// killed process was writing in `deleting/`; and a `format` that is empty or was cut off, beside
/// which the tag may hold any text.
[[nodiscard]] Result<bool> is_remains(const os::Dir& root);

/// Returns whether a file holds the beginning of the text, or all of it: a file that is being
/// written, or was when a process was killed, does. Returns false if it can't be read.
[[nodiscard]] bool holds_beginning_of(const os::Dir& dir, const char* name, std::string_view text);

}  // namespace larder::cache
