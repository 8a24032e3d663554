// SPDX-License-Identifier: MIT
// Symbolic links, junctions and hard links.
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
/// What a symlink leads to. Windows must be told when the link is made, although nothing need stand
/// there yet, and follows no link of the wrong kind. The other systems do not ask.
enum class LeadsTo { file, directory };
/// Makes a symlink at `name`. Fails with Why::exists if something stands there. On Windows a link
/// to an absolute path of a directory becomes a junction if this user may make no symlinks.
[[nodiscard]] Result<> make_symlink_at(const Dir& parent, const std::string& name,
                                       const std::string& text, LeadsTo leads_to = LeadsTo::file);
/// Returns whether every user may make symlinks. On Windows only administrators may, and the users
/// of a machine in Developer Mode. So a cache that one user has made there with symlinks may be of
/// no use to another one.
[[nodiscard]] bool all_users_make_symlinks() noexcept;

/// Returns whether a symlink to a directory can be made by every user, and be replaced by one
/// rename. Windows can do neither.
[[nodiscard]] bool replaces_symlinks_to_directories() noexcept;
/// Returns whether this system has directory junctions. Windows has them, and needs no right for
/// them. Elsewhere each of the functions below fails with Errc::unsupported, or its reason.
[[nodiscard]] bool has_junctions() noexcept;
/// Returns the absolute path by which the system knows an open directory now, with slashes. Fails
/// with Errc::unsupported if no junction can lead there: the path has no drive.
[[nodiscard]] Result<std::string> junction_path_of(const Dir& dir);
/// Reads where a junction leads, as an absolute path with slashes. `path` is one that
/// read_symlink_at takes. Fails with Why::invalid if something stands there whose data are not
/// those of make_junction_at.
[[nodiscard]] CallResult<std::string> read_junction_at(const Dir& parent, const char* path);
/// Makes a junction that leads to an absolute path with slashes; nothing need stand there. Fails
/// with Why::exists if something stands at `name`. Crash: may leave an empty directory.
[[nodiscard]] Result<> make_junction_at(const Dir& parent, const std::string& name,
                                        const std::string& target);
/// Returns whether an empty directory stands there, as such a kill leaves it.
[[nodiscard]] bool is_unset_junction_at(const Dir& parent, const std::string& name);
/// Opens a junction, or the empty directory that a kill has left of one, to set it again. `name` is
/// a name, or a path of two. Fails with Why::absent if nothing stands there, and with Why::invalid
/// if something else does.
[[nodiscard]] Result<FileHandle> open_junction_at(const Dir& parent, const std::string& name);
/// Sets an open junction again, so that it leads to `target`, in one step: each reader finds the
/// old target or the new one. It is set wherever it is now, also if it was renamed since it was
/// opened. Its time of modification becomes the present. `where` is for messages.
[[nodiscard]] Result<> set_junction(const FileHandle& junction, const std::string& target,
                                    const std::filesystem::path& where);

/// Gives the file `from` a second name, `to`. Fails with Why::exists if that name is taken, and
/// with Errc::unsupported if the system refuses such a link.
[[nodiscard]] Result<> make_hard_link(const Dir& from_dir, const std::string& from,
                                      const Dir& to_dir, const std::string& to);

}  // namespace larder::os
