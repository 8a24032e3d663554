// SPDX-License-Identifier: MIT
#include "os/file_info.hpp"

#include "os/windows/nt.hpp"

namespace larder::os {

namespace {

using windows::How;
using windows::InfoClass;

using Ticks = std::int64_t;  // units of 100 ns since 1601
constexpr Ticks ticks_per_second = 10'000'000, from_1601_to_1970 = 11'644'473'600;

FileTime time_of(Ticks ticks) noexcept {
    const Ticks within = (ticks % ticks_per_second + ticks_per_second) % ticks_per_second;
    return {.seconds = (ticks - within) / ticks_per_second - from_1601_to_1970,
            .nanoseconds = static_cast<std::uint32_t>(within) * 100};
}

/// Returns a time as the system keeps it. A time that it cannot keep becomes the first or the last
/// one that it can. (The values 0 and -1 would mean that the time stays as it is.)
Ticks ticks_of(const FileTime& time) noexcept {
    constexpr std::int64_t last = std::numeric_limits<Ticks>::max() / ticks_per_second - 1;
    if (time.seconds < -from_1601_to_1970) return 1;
    if (time.seconds > last - from_1601_to_1970) return last * ticks_per_second;
    const Ticks ticks =
        (time.seconds + from_1601_to_1970) * ticks_per_second + time.nanoseconds / 100;
    return ticks == 0 ? 1 : ticks;
}

/// FILE_ID_INFORMATION of the kernel's headers.
struct IdInformation {
    std::uint64_t volume;
    std::uint64_t id[2];
};

/// Returns the identity of a file. ReFS has ids of 128 bits; a file system with shorter ones has
/// zeros in the second half.
NTSTATUS query_identity(HANDLE file, FileIdentity& identity) noexcept {
    IdInformation id{};
    if (windows::query(file, InfoClass::id, id) >= 0) {
        // The multiplier spreads the few high bits that are in use.
        identity = {.device = id.volume, .inode = id.id[0] ^ id.id[1] * 0x9e3779b97f4a7c15U};
        return windows::ok;
    }
    FILE_INTERNAL_INFORMATION internal{};
    NTSTATUS status = windows::query(file, InfoClass::internal, internal);
    if (status < 0) return status;
    alignas(FILE_FS_VOLUME_INFORMATION) std::array<std::byte, 1024> volume{};
    IO_STATUS_BLOCK block{};
    status = ::NtQueryVolumeInformationFile(file, &block, volume.data(),
                                            static_cast<ULONG>(volume.size()),
                                            static_cast<FS_INFORMATION_CLASS>(1));
    if (status < 0) return status;
    identity = {
        .device =
            reinterpret_cast<const FILE_FS_VOLUME_INFORMATION*>(volume.data())->VolumeSerialNumber,
        .inode = static_cast<std::uint64_t>(internal.IndexNumber.QuadPart)};
    return windows::ok;
}

/// Returns the kind of what an open file is; `symlink` also for a junction.
FileKind kind_of(const windows::AttributeTag& found) noexcept {
    if (found.is_link()) return FileKind::symlink;
    return found.is_directory() ? FileKind::directory : FileKind::regular;
}

/// Returns the permissions by which a program could tell files apart on Windows: all of them for
/// the owner, or all but writing. Who else has them is told by the access control list.
Permissions permissions_of(const windows::AttributeTag& found) noexcept {
    const bool is_read_only =
        (found.attributes & FILE_ATTRIBUTE_READONLY) != 0 && !found.is_directory();
    return is_read_only ? Permissions::owner_read | Permissions::owner_exec
                        : Permissions::owner_all;
}

NTSTATUS query_info(HANDLE file, FileInfo& info) noexcept {
    windows::AttributeTag found;
    NTSTATUS status = windows::query_tag(file, found);
    FILE_BASIC_INFORMATION basic{};
    FILE_STANDARD_INFORMATION standard{};
    if (status >= 0) status = windows::query(file, InfoClass::basic, basic);
    if (status >= 0) status = windows::query(file, InfoClass::standard, standard);
    if (status >= 0) status = query_identity(file, info.identity);
    if (status < 0) return status;
    info.kind = kind_of(found);
    info.leads_to_directory = found.is_link() && found.is_directory();
    info.permissions = permissions_of(found);
    info.size = static_cast<std::uint64_t>(standard.EndOfFile.QuadPart);
    info.allocated = static_cast<std::uint64_t>(standard.AllocationSize.QuadPart);
    info.links = standard.DeletePending ? 0 : standard.NumberOfLinks;
    info.modified = time_of(basic.LastWriteTime.QuadPart);
    return windows::ok;
}

constexpr How to_look{.access = FILE_READ_ATTRIBUTES};
constexpr How to_change{.access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES};

/// Sets the time of modification of an open file.
NTSTATUS set_time(HANDLE file, Ticks ticks) noexcept {
    FILE_BASIC_INFORMATION basic{};  // what is 0 stays as it is
    basic.LastWriteTime.QuadPart = ticks;
    return windows::set(file, InfoClass::basic, basic);
}

NTSTATUS set_permissions(HANDLE file, Permissions permissions) noexcept {
    windows::AttributeTag found;
    const NTSTATUS status = windows::query_tag(file, found);
    if (status < 0) return status;
    // On a directory the attribute means something else.
    if (found.is_directory()) return windows::ok;
    constexpr ULONG read_only = FILE_ATTRIBUTE_READONLY;
    const bool may_write = (permissions & Permissions::owner_write) != Permissions::none;
    const ULONG wanted = may_write ? found.attributes & ~read_only : found.attributes | read_only;
    if (wanted == found.attributes) return windows::ok;
    FILE_BASIC_INFORMATION basic{};
    basic.FileAttributes = wanted == 0 ? FILE_ATTRIBUTE_NORMAL : wanted;
    return windows::set(file, InfoClass::basic, basic);
}

/// Calls `change(HANDLE)` for an open file. If its handle lacks the right, opens the file again.
template <class Change>
std::error_code change(const FileHandle& file, Change change) noexcept {
    NTSTATUS status = change(windows::handle_of(file));
    if (status == windows::access_denied) {
        FileHandle changeable;
        status = windows::reopen(changeable, windows::handle_of(file), to_change);
        if (status >= 0) status = change(windows::handle_of(changeable));
    }
    if (status < 0) return windows::code_of_status(status);
    return {};
}

Result<> set_time_at(const Dir& parent, const std::string& name, Ticks ticks) {
    FileHandle file;
    NTSTATUS status =
        windows::open_path_itself(file, windows::handle_of(parent.handle), name, to_change);
    if (status >= 0) status = set_time(windows::handle_of(file), ticks);
    if (status < 0) return fail(windows::error_of(status), "set the time of", parent / name);
    return {};
}

}  // namespace

CallResult<FileInfo> try_stat_at(const Dir& parent, const char* path) noexcept {
    FileHandle file;
    const NTSTATUS status =
        windows::open_path_itself(file, windows::handle_of(parent.handle), path, to_look);
    if (status < 0) return tl::unexpected(windows::code_of_status(status));
    return try_stat(file);
}

CallResult<FileInfo> try_stat(const FileHandle& handle) noexcept {
    const HANDLE file = windows::handle_of(handle);
    FileInfo info;
    const NTSTATUS status = query_info(file, info);
    if (status >= 0) return info;
    // A console or a pipe has few of the answers.
    switch (::GetFileType(file)) {
        case FILE_TYPE_CHAR:
            info.kind = FileKind::character_device;
            return info;
        case FILE_TYPE_PIPE:
            info.kind = FileKind::other;
            return info;
        default:
            return tl::unexpected(windows::code_of_status(status));
    }
}

// Any program may set this time, so it would tell nothing.
std::optional<FileTime> birth_of(const FileHandle&) noexcept { return std::nullopt; }

CallResult<FileInfo> try_stat_path(const std::filesystem::path& path, Follow follow) noexcept {
    windows::Path whole(path);
    NTSTATUS status = whole.status();
    FileHandle file;
    const auto open = follow == Follow::yes ? windows::open : windows::open_itself;
    if (status >= 0) status = open(file, {nullptr, whole.string()}, to_look);
    if (status < 0) return tl::unexpected(windows::code_of_status(status));
    return try_stat(file);
}

std::error_code try_set_permissions(const FileHandle& handle, Permissions permissions) noexcept {
    return change(handle, [&](HANDLE file) { return set_permissions(file, permissions); });
}

Result<> set_permissions_at(const Dir& parent, const std::string& name, Permissions permissions) {
    FileHandle file;
    NTSTATUS status = windows::open_path(file, windows::handle_of(parent.handle), name, to_change);
    if (status >= 0) status = set_permissions(windows::handle_of(file), permissions);
    if (status < 0) return fail(windows::error_of(status), "set mode", parent / name);
    return {};
}

std::error_code try_set_modified(const FileHandle& handle, const FileTime& time) noexcept {
    return change(handle, [&](HANDLE file) { return set_time(file, ticks_of(time)); });
}

Result<> set_modified_at(const Dir& parent, const std::string& name, const FileTime& time) {
    return set_time_at(parent, name, ticks_of(time));
}

Result<> touch_at(const Dir& parent, const std::string& name) {
    FILETIME now{};
    ::GetSystemTimeAsFileTime(&now);
    return set_time_at(
        parent, name,
        static_cast<Ticks>(std::uint64_t{now.dwHighDateTime} << 32U | now.dwLowDateTime));
}

}  // namespace larder::os
