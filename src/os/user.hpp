// SPDX-License-Identifier: MIT
// Users, by the number that FileInfo::owner gives.
#pragma once

#include <cstdint>
#include <string>

#include "os/file_info.hpp"

namespace larder::os {

/// Returns the user with whose rights this process acts.
[[nodiscard]] std::uint64_t this_user() noexcept;
/// Returns "name (number)", or the number alone for a user without a name.
[[nodiscard]] std::string user_name(std::uint64_t user);
/// Returns true if this process runs as the superuser, even if only of a container.
[[nodiscard]] bool is_superuser() noexcept;
/// Returns true if this process may act on the files of all users. The superuser of a user
/// namespace may act on those of its own users alone.
[[nodiscard]] bool has_all_rights() noexcept;
/// Returns false if what the system knows about a file tells already that no user but the owner may
/// write to it: then others_may_write need not be asked, and the file not be opened.
[[nodiscard]] bool may_let_others_write(const FileInfo& info) noexcept;
/// Returns true if users other than the owner may write to the file or directory: by its
/// permissions, or by its access control list. A group that bears the owner's name and has no other
/// member, as many systems make for each user, gives that right to no other user. `info` is what
/// the system knows about `file`. Returns true if the system does not tell what is in the list. On
/// Windows, where FileInfo has no owner, it returns true, too, if the file belongs to a user other
/// than this one, the administrators and the system itself.
[[nodiscard]] bool others_may_write(const FileHandle& file, const FileInfo& info);

}  // namespace larder::os
