// SPDX-License-Identifier: MIT
// Symbolic links and hard links.
#pragma once

#include <cstddef>
#include <string>

#include "os/dir.hpp"

namespace larder::os {

/// Reads the text of a symlink, up to `size` bytes of it. Returns its length. Fails with
/// Why::invalid if no symlink stands there. `path` is one of several parts, of which all but the
/// last may be symlinks that are followed.
[[nodiscard]] CallResult<std::size_t> read_symlink_at(const Dir& parent, const char* path,
                                                      char* text, std::size_t size) noexcept;
[[nodiscard]] Result<> make_symlink_at(const Dir& parent, const std::string& name,
                                       const std::string& text);

/// Gives the file `from` a second name. Fails with Why::exists if that is taken.
[[nodiscard]] Result<> make_hard_link(const Dir& from_dir, const std::string& from,
                                      const Dir& to_dir, const std::string& to);

}  // namespace larder::os
