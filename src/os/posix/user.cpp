// SPDX-License-Identifier: MIT
#include "os/user.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

namespace larder::os {

namespace {

/// Returns the name of a user; an empty string if it has none.
std::string name_of(uid_t user) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer{};
    const bool known =
        ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
    return known ? entry.pw_name : "";
}

/// Returns whether a group has the name of the user and no other member.
bool is_private_group(gid_t number, uid_t user) {
    const std::string owner = name_of(user);
    group entry{};
    group* found = nullptr;
    std::array<char, 16384> buffer{};
    if (owner.empty() || ::getgrgid_r(number, &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr)
        return false;
    for (char** member = entry.gr_mem; *member != nullptr; ++member) {
        if (owner != *member) return false;
    }
    return owner == entry.gr_name;
}

}  // namespace

std::uint64_t this_user() noexcept { return ::geteuid(); }

bool is_superuser() noexcept { return ::geteuid() == 0; }

bool others_may_write(const FileInfo& info) {
    const auto may = [&](Permissions right) {
        return (info.permissions & right) != Permissions::none;
    };
    if (may(Permissions::others_write)) return true;
    return may(Permissions::group_write) &&
           !is_private_group(static_cast<gid_t>(info.group), static_cast<uid_t>(info.owner));
}

std::string user_name(std::uint64_t user) {
    const std::string name = name_of(static_cast<uid_t>(user));
    return name.empty() ? std::to_string(user) : name + " (" + std::to_string(user) + ")";
}

}  // namespace larder::os
