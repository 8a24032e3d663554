// SPDX-License-Identifier: MIT
// Users, by the number that FileInfo::owner gives.
#pragma once

#include <cstdint>
#include <string>

namespace larder::os {

/// Returns the user with whose rights this process acts.
[[nodiscard]] std::uint64_t this_user() noexcept;
/// Returns "name (number)", or the number alone for a user without a name.
[[nodiscard]] std::string user_name(std::uint64_t user);

}  // namespace larder::os
