// SPDX-License-Identifier: MIT
#include "os/file_system.hpp"

#include <array>
#include <string_view>

#include "os/points.hpp"
#include "os/windows/nt.hpp"

namespace larder::os {

namespace {

/// Classes of information about a volume.
enum class VolumeInfo : int { device = 4, attribute = 5, full_size = 7 };

template <class T>
NTSTATUS query_volume(HANDLE file, VolumeInfo info, T& value) noexcept {
    IO_STATUS_BLOCK block{};
    return ::NtQueryVolumeInformationFile(file, &block, &value, sizeof value,
                                          static_cast<FS_INFORMATION_CLASS>(info));
}

/// FILE_FS_ATTRIBUTE_INFORMATION, with room for the name of a file system.
struct VolumeAttributes {
    ULONG flags;
    LONG longest_name;
    ULONG name_size;  ///< in bytes
    wchar_t name[64];
};

struct FileSystemOfWindows {
    std::wstring_view name;
    FileSystemTraits traits;
};

// What kinds of file systems have in common. On none of them a mapping keeps the locks of its file:
// they belong to the handle.

/// A kind without clones that writes each block in place.
constexpr FileSystemTraits written_in_place = {
    .has_clones = false,
    .maps_without_space = true,
    .has_fixed_numbers = true,
};

/// The same for a kind without inodes, which may give a file another number.
constexpr FileSystemTraits written_in_place_without_inodes = {
    .has_clones = false,
    .maps_without_space = true,
    .has_fixed_numbers = false,
};

constexpr FileSystemTraits with_clones = {
    .has_clones = true,
    .maps_without_space = false,
    .has_fixed_numbers = true,
};

constexpr FileSystemOfWindows file_systems[] = {
    {L"NTFS", written_in_place},
    {L"ReFS", with_clones},
    {L"FAT", written_in_place_without_inodes},
    {L"FAT32", written_in_place_without_inodes},
    {L"exFAT", written_in_place_without_inodes},
};

}  // namespace

FileSystemTraits traits_of(const FileHandle& handle) noexcept {
    const HANDLE file = windows::handle_of(handle);
    FILE_FS_DEVICE_INFORMATION device{};
    if (query_volume(file, VolumeInfo::device, device) < 0) return {};
    constexpr ULONG is_remote = 0x10;  // FILE_REMOTE_DEVICE
    if ((device.Characteristics & is_remote) != 0)
        return FileSystemTraits{.network = "a network drive"};
    VolumeAttributes volume{};
    const NTSTATUS status = query_volume(file, VolumeInfo::attribute, volume);
    if (status < 0 || volume.name_size > sizeof volume.name) return {};
    const std::wstring_view name(volume.name, volume.name_size / sizeof(wchar_t));
    for (const FileSystemOfWindows& row : file_systems) {
        if (row.name == name) return row.traits;
    }
    return {};  // the safe answers
}

std::size_t longest_name(const Dir& dir) noexcept {
    // A test may tell a length here.
    if (const int told = point("os.longest-name")) return static_cast<std::size_t>(told);
    VolumeAttributes volume{};
    const NTSTATUS status =
        query_volume(windows::handle_of(dir.handle), VolumeInfo::attribute, volume);
    // Windows counts units of 16 bits, of which a name has no more than it has bytes.
    return status >= 0 && volume.longest_name > 0 ? static_cast<std::size_t>(volume.longest_name)
                                                  : 255;
}

Result<DiskSpace> space_of(const Dir& dir) {
    FILE_FS_FULL_SIZE_INFORMATION volume{};
    const NTSTATUS status =
        query_volume(windows::handle_of(dir.handle), VolumeInfo::full_size, volume);
    if (status < 0) {
        return fail(windows::error_of(status), "look at the free space of", dir.path);
    }
    const std::uint64_t unit =
        std::uint64_t{volume.SectorsPerAllocationUnit} * volume.BytesPerSector;
    return DiskSpace{
        .free = static_cast<std::uint64_t>(volume.CallerAvailableAllocationUnits.QuadPart) * unit,
        .size = static_cast<std::uint64_t>(volume.TotalAllocationUnits.QuadPart) * unit,
    };
}

// ReFS tells which blocks are shared only to programs that read its structures.
std::optional<std::uint64_t> unshared_bytes(const Dir&, const std::string&) { return std::nullopt; }

// ReFS writes a file in place unless it keeps checksums of the file's data, so this turns them off.
void write_in_place(const FileHandle& empty_file) noexcept {
    struct {  // FSCTL_SET_INTEGRITY_INFORMATION_BUFFER of the kernel's headers
        std::uint16_t checksum_algorithm, reserved;
        std::uint32_t flags;
    } none{};
    constexpr DWORD set_integrity = 0x0009c280;  // FSCTL_SET_INTEGRITY_INFORMATION
    DWORD got = 0;
    (void)::DeviceIoControl(windows::handle_of(empty_file), set_integrity, &none, sizeof none,
                            nullptr, 0, &got, nullptr);
}

// To flush a volume needs the rights of an administrator, so each file is synced by itself.
Result<> sync_file_system(const Dir& dir) { return fail(Why::not_supported, "sync", dir.path); }

}  // namespace larder::os
