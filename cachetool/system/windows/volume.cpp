// SPDX-License-Identifier: MIT
#include "cachetool/system/volume.hpp"

#include <array>

#include "cachetool/system/path_text.hpp"
#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {
namespace {

constexpr DWORD supports_block_refcounting = 0x08000000;  // has no name in mingw-w64's headers

/// Returns whether the system leaves the times of the last access as they are. The lowest bit of
/// this value says so; the others say who has decided it.
bool keeps_no_access_times() {
    DWORD value = 0, size = sizeof value;
    return ::RegGetValueW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\FileSystem",
                          L"NtfsDisableLastAccessUpdate", RRF_RT_REG_DWORD, nullptr, &value,
                          &size) == ERROR_SUCCESS &&
           (value & 1U) != 0;
}

void append(std::string& options, const char* option) {
    if (!options.empty()) options += ',';
    options += option;
}

}  // namespace

MountedVolume volume_of(const std::filesystem::path& path) {
    MountedVolume volume;
    volume.type = "a file system of a type that is not known here";
    const auto whole = windows::long_path(path);
    std::wstring root(whole.size() + 2, L'\0');
    if (!::GetVolumePathNameW(whole.c_str(), root.data(), static_cast<DWORD>(root.size())))
        return volume;
    root.resize(root.find(L'\0'));
    constexpr std::wstring_view prefix = L"\\\\?\\";
    volume.mount_point = windows::narrow(root.substr(root.starts_with(prefix) ? prefix.size() : 0));

    std::array<wchar_t, MAX_PATH + 1> type{};
    DWORD flags = 0;
    if (::GetVolumeInformationW(root.c_str(), nullptr, 0, nullptr, nullptr, &flags, type.data(),
                                static_cast<DWORD>(type.size()))) {
        volume.type = windows::narrow(type.data());
        volume.read_only = (flags & FILE_READ_ONLY_VOLUME) != 0;
    }
    volume.no_atime = volume.type == "NTFS" && keeps_no_access_times();
    append(volume.options, volume.read_only ? "ro" : "rw");
    if (volume.no_atime) append(volume.options, "noatime");
    if ((flags & FILE_VOLUME_IS_COMPRESSED) != 0) append(volume.options, "compressed");
    if ((flags & FILE_SUPPORTS_REPARSE_POINTS) != 0) append(volume.options, "reparse points");
    if ((flags & supports_block_refcounting) != 0) append(volume.options, "block clones");

    volume.device = volume.mount_point;
    std::array<wchar_t, 64> device{};
    if (::GetVolumeNameForVolumeMountPointW(root.c_str(), device.data(),
                                            static_cast<DWORD>(device.size())))
        volume.device = windows::narrow(device.data());

    ULARGE_INTEGER free{}, total{};
    if (::GetDiskFreeSpaceExW(root.c_str(), &free, &total, nullptr)) {
        volume.bytes_free = free.QuadPart;
        volume.bytes_total = total.QuadPart;
    }
    return volume;
}

}  // namespace cachetool::system
