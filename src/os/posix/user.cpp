// SPDX-License-Identifier: MIT
#include "os/user.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

/// Returns the name of a user; an empty string if the user has none, or if the system does not
/// tell.
std::string name_of(uid_t user) {
    passwd entry{};
    passwd* result = nullptr;         // null if there is no such user
    std::array<char, 4096> buffer{};  // arbitrary: the text of one line of /etc/passwd
    if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &result) != 0) return "";
    return result == nullptr ? "" : entry.pw_name;
}

/// Returns whether a group has the name of the user and no other member. Returns false if the
/// system does not tell, also because the list of members is longer than the buffer.
bool is_private_group(gid_t number, uid_t user) {
    const std::string owner = name_of(user);
    if (owner.empty()) return false;
    group entry{};
    group* result = nullptr;           // null if there is no such group
    std::array<char, 16384> buffer{};  // arbitrary: a private group has no more than one member
    if (::getgrgid_r(number, &entry, buffer.data(), buffer.size(), &result) != 0) return false;
    if (result == nullptr) return false;
    for (char** member = entry.gr_mem; *member != nullptr; ++member) {
        if (owner != *member) return false;
    }
    return owner == entry.gr_name;
}

}  // namespace

std::uint64_t this_user() noexcept { return ::geteuid(); }

bool is_superuser() noexcept { return ::geteuid() == 0; }

bool has_all_rights() noexcept { return is_superuser() && platform::has_all_users(); }

// Without these rights, no access control list gives one.
bool may_let_others_write(const FileInfo& info) noexcept {
    constexpr auto others = Permissions::group_write | Permissions::others_write;
    return (info.permissions & others) != Permissions::none;
}

bool others_may_write(const FileHandle& file, const FileInfo& info) {
    const bool all_may = (info.permissions & Permissions::others_write) != Permissions::none;
    if (all_may) return true;
    const bool group_may = (info.permissions & Permissions::group_write) != Permissions::none;
    if (group_may &&
        !is_private_group(static_cast<gid_t>(info.group), static_cast<uid_t>(info.owner)))
        return true;
    return platform::list_lets_others_write(fd_of(file), info);
}

std::string user_name(std::uint64_t user) {
    const std::string name = name_of(static_cast<uid_t>(user));
    return name.empty() ? std::to_string(user) : name + " (" + std::to_string(user) + ")";
}

}  // namespace larder::os
