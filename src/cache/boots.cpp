// SPDX-License-Identifier: MIT
#include "cache/boots.hpp"

#include "base/error.hpp"
#include "format/layout.hpp"

namespace larder::cache {

Result<format::BootFile> read_boot_file(const os::Dir& root, const std::string& boot) {
    const auto boots = os::open_dir_at(root, format::boots_name);
    if (has_no_directory(boots)) return format::BootFile{};
    TRY(boots);
    const auto text = os::read_file_at(*boots, boot, format::max_boot_file);
    if (text) return format::parse_boot_file(*text);
    // A symlink, a directory or a file that is too long says nothing.
    const bool is_none =
        is_absent(text) || why_of(text) == Why::is_link || text.error().code == Errc::damaged;
    if (is_none) return format::BootFile{};
    return tl::make_unexpected(text.error());
}

std::optional<format::RootIdentity> identity_of(const os::Dir& root) {
    const auto info = os::try_stat(root.handle);
    const auto born = os::birth_of(root.handle);
    if (!info || !born) return std::nullopt;
    return format::RootIdentity{.inode = info->identity.inode, .born = *born};
}

Result<std::optional<os::BootTime>> EarlierBoots::watermark_of(const os::Dir& root,
                                                               const std::string& boot) {
    // If another thread has the map, this one reads the file itself, and remembers nothing.
    const std::unique_lock guard(mutex_, std::try_to_lock);
    if (guard) {
        const auto known = watermarks_.find(boot);
        if (known != watermarks_.end()) return known->second;
    }
    const auto file = read_boot_file(root, boot);
    // It belongs to another user. Then nothing is known.
    if (why_of(file) == Why::denied) return std::nullopt;
    TRY(file);
    std::optional<os::BootTime> time;
    const auto identity = identity_of(root);
    if (file->watermark && identity && file->watermark->root == *identity)
        time = file->watermark->time;
    if (guard) watermarks_.emplace(boot, time);
    return time;
}

}  // namespace larder::cache
