// SPDX-License-Identifier: MIT
// Symbolic links and hard links.
#pragma once

#include <cstddef>
#include <string>

#include "os/dir.hpp"

namespace larder::os {

/// Reads the text of a symlink, up to `size` bytes, into `text`, without a zero byte at its end.
/// Returns how many bytes it has read: `size` if the text may be longer. Fails with Why::invalid if
/// something other than a symlink stands there. `path` may have several parts, and symlinks are
/// followed in all of them but the last.
[[nodiscard]] CallResult<std::size_t> read_symlink_at(const Dir& parent, const char* path,
                                                      char* text, std::size_t size) noexcept;
/// Makes a symlink at `name`. Fails with Why::exists if something stands there.
[[nodiscard]] Result<> make_symlink_at(const Dir& parent, const std::string& name,
                                       const std::string& text);

/// Gives the file `from` a second name, `to`. Fails with Why::exists if that name is taken, and
/// with Errc::unsupported if the system refuses such a link.
[[nodiscard]] Result<> make_hard_link(const Dir& from_dir, const std::string& from,
                                      const Dir& to_dir, const std::string& to);

}  // namespace larder::os
