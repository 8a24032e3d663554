// SPDX-License-Identifier: MIT
#include "os/user.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace larder::os {

std::uint64_t this_user() noexcept { return ::geteuid(); }

std::string user_name(std::uint64_t user) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer{};
    const bool known =
        ::getpwuid_r(static_cast<uid_t>(user), &entry, buffer.data(), buffer.size(), &found) == 0 &&
        found != nullptr;
    return known ? std::string(entry.pw_name) + " (" + std::to_string(user) + ")"
                 : std::to_string(user);
}

}  // namespace larder::os
