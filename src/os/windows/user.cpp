// SPDX-License-Identifier: MIT
#include "os/user.hpp"

#include <array>

#include "os/windows/nt.hpp"

namespace larder::os {

// A user of Windows has no number. All files count as those of this process's user. A file that
// belongs to a stranger counts as one to which others may write.

std::uint64_t this_user() noexcept { return 0; }

bool is_superuser() noexcept { return false; }

bool has_all_rights() noexcept { return false; }

// A file has no permissions for others, only a list.
bool may_let_others_write(const FileInfo&) noexcept { return true; }

bool others_may_write(const FileHandle& file, const FileInfo&) {
    return windows::list_lets_others_write(windows::handle_of(file));
}

std::string user_name(std::uint64_t user) {
    std::array<wchar_t, 257> name{};  // the longest name of a user, and a zero
    auto size = static_cast<DWORD>(name.size());
    if (user != this_user() || !::GetUserNameW(name.data(), &size)) return std::to_string(user);
    return windows::to_text(name.data()) + " (" + std::to_string(user) + ")";
}

}  // namespace larder::os
