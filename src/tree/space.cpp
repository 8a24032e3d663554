// SPDX-License-Identifier: MIT
#include "tree/space.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

namespace larder::tree {

namespace {

/// Whether files of this file system may share blocks without being hard links. Numbers: statfs(2) and the kernel's linux/magic.h.
bool has_clones(const os::Dir& dir) {
#ifdef __linux__
    struct statfs status {};
    if (::fstatfs(dir.get(), &status) != 0) return true;
    switch (static_cast<std::uint32_t>(status.f_type)) {
        case 0xef53:      // ext2, 3 and 4
        case 0x01021994:  // tmpfs
        case 0x858458f6:  // ramfs
        case 0xf2f52010:  // f2fs
            return false;
        default:
            return true;
    }
#else
    (void)dir;
    return true;
#endif
}

/// The bytes of a file that are in no other file, as the file system tells them extent by extent; nothing where it does not tell.
std::optional<std::uint64_t> unshared(const os::Dir& dir, const std::string& name) {
#ifdef __linux__
    const auto fd = os::open_at(dir, name, O_RDONLY | O_NONBLOCK);
    if (!fd) return std::nullopt;
    // A fiemap ends in an array of no declared length: this is one with room for 32 extents (arbitrary, most files have one).
    constexpr std::size_t extents = 32;
    alignas(fiemap) std::array<std::byte, sizeof(fiemap) + extents * sizeof(fiemap_extent)> room{};
    auto& map = *reinterpret_cast<fiemap*>(room.data());
    std::uint64_t bytes = 0;
    for (std::uint64_t from = 0;;) {
        map.fm_start = from;
        map.fm_length = FIEMAP_MAX_OFFSET - from;
        map.fm_flags = 0;
        map.fm_extent_count = extents;
        if (os::retry([&] { return ::ioctl(fd->get(), FS_IOC_FIEMAP, &map); }) != 0)
            return std::nullopt;
        for (std::size_t i = 0; i < map.fm_mapped_extents; ++i) {
            fiemap_extent extent{};
            std::memcpy(&extent, room.data() + sizeof(fiemap) + i * sizeof extent, sizeof extent);
            if ((extent.fe_flags & FIEMAP_EXTENT_SHARED) == 0) bytes += extent.fe_length;
            from = extent.fe_logical + extent.fe_length;
            if ((extent.fe_flags & FIEMAP_EXTENT_LAST) != 0) return bytes;
        }
        if (map.fm_mapped_extents == 0) return bytes;
    }
#else
    (void)dir;
    (void)name;
    return std::nullopt;
#endif
}

}  // namespace

SpaceCount::SpaceCount(bool wanted, const os::Dir& dir)
    : wanted_(wanted), files_share_blocks_(wanted && has_clones(dir)) {}

GivenBack SpaceCount::look_at(const os::Dir& dir, const std::string& name) const {
    if (!wanted_) return {};
    const auto status = os::stat_at(dir, name);
    if (!status || status->st_nlink > 1) return {};
    const std::uint64_t blocks = static_cast<std::uint64_t>(status->st_blocks) * 512;
    if (!files_share_blocks_ || blocks == 0 || !S_ISREG(status->st_mode)) return {blocks, false};
    const auto own = unshared(dir, name);
    if (!own) return {0, true};
    return {std::min(*own, blocks), false};
}

void SpaceCount::add(const GivenBack& given) noexcept {
    bytes_ += given.bytes;
    if (given.at_least) at_least_ = true;
}

}  // namespace larder::tree
