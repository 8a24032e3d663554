// SPDX-License-Identifier: MIT
#include "os/file.hpp"

#include <array>

#include "os/points.hpp"
#include "os/windows/held_locks.hpp"
#include "os/windows/nt.hpp"
#include "os/windows/numbers.hpp"
#include "os/windows/remove.hpp"

namespace larder::os {

namespace {

using windows::How;

How how_of(OpenMode mode, Permissions permissions) noexcept {
    const bool may_write = (permissions & Permissions::owner_write) != Permissions::none;
    const ULONG attributes = may_write ? FILE_ATTRIBUTE_NORMAL : FILE_ATTRIBUTE_READONLY;
    switch (mode) {
        case OpenMode::read:
        case OpenMode::read_nonblocking:
            // A directory can be opened, too, and then not be read.
            return {.access = FILE_GENERIC_READ};
        case OpenMode::read_write:
            return {.access = FILE_GENERIC_READ | FILE_GENERIC_WRITE,
                    .options = FILE_NON_DIRECTORY_FILE};
        case OpenMode::open_or_create:
            return {.access = FILE_GENERIC_READ | FILE_GENERIC_WRITE,
                    .disposition = FILE_OPEN_IF,
                    .options = FILE_NON_DIRECTORY_FILE,
                    .attributes = attributes};
        case OpenMode::create_new:
            return {.access = FILE_GENERIC_WRITE | FILE_READ_ATTRIBUTES,
                    .disposition = FILE_CREATE,
                    .options = FILE_NON_DIRECTORY_FILE,
                    .attributes = attributes};
    }
    return {};
}

/// Opens a file; see open_at.
NTSTATUS open_as(FileHandle& file, const Dir& parent, const char* name, OpenMode mode,
                 Permissions permissions) noexcept {
    const NTSTATUS status = windows::open_path(file, windows::handle_of(parent.handle), name,
                                               how_of(mode, permissions));
    if (mode == OpenMode::create_new) {
        // A directory at the name is in the way like anything else.
        return status == windows::is_a_directory ? windows::name_collision : status;
    }
    // A name that is being deleted is as good as gone.
    return status == windows::delete_pending ? windows::name_not_found : status;
}

/// Returns the bytes that one call is asked for: its argument has 32 bits.
DWORD at_once(std::size_t size) noexcept {
    constexpr std::size_t most = 1U << 30U;
    return static_cast<DWORD>(std::min(size, most));
}

OVERLAPPED at_offset(std::uint64_t offset) noexcept {
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(offset);
    place.OffsetHigh = static_cast<DWORD>(offset >> 32U);
    return place;
}

/// Returns the error of a read. The system says of a directory only that it cannot do this.
std::error_code read_error(HANDLE file, DWORD error) noexcept {
    windows::AttributeTag found;
    if ((error == ERROR_INVALID_FUNCTION || error == ERROR_INVALID_PARAMETER) &&
        windows::query_tag(file, found) >= 0 && found.is_directory())
        return {windows::error_directory_not_supported, std::system_category()};
    return {static_cast<int>(error), std::system_category()};
}

/// Writes all bytes from the present position on. Returns the system's error; 0 if there was none.
int write_here(const FileHandle& file, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        DWORD put = 0;
        if (!::WriteFile(windows::handle_of(file), bytes.data(), at_once(bytes.size()), &put,
                         nullptr))
            return static_cast<int>(::GetLastError());
        // Trying again might never end.
        if (put == 0) return ERROR_DISK_FULL;
        bytes.remove_prefix(put);
    }
    return 0;
}

/// Opens a file or directory once more with a right to write, by which it can be synced. A file
/// with the attribute READONLY gives no such right, so it loses the attribute for an instant.
/// Crash: it may stay without.
NTSTATUS reopen_to_sync(FileHandle& writable, HANDLE file) noexcept {
    const How to_append{.access = FILE_APPEND_DATA};
    const NTSTATUS status = windows::reopen(writable, file, to_append);
    if (status != windows::access_denied) return status;
    FileHandle changeable;
    FILE_BASIC_INFORMATION basic{};
    const How to_set{.access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES};
    if (windows::reopen(changeable, file, to_set) < 0 ||
        windows::query(windows::handle_of(changeable), windows::InfoClass::basic, basic) < 0)
        return status;
    constexpr ULONG read_only = FILE_ATTRIBUTE_READONLY;
    const ULONG attributes = basic.FileAttributes;
    if ((attributes & read_only) == 0 || (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return status;
    const auto set_attributes = [&](ULONG wanted) {
        FILE_BASIC_INFORMATION change{};  // times of 0 stay as they are
        change.FileAttributes = wanted == 0 ? FILE_ATTRIBUTE_NORMAL : wanted;
        return windows::set(windows::handle_of(changeable), windows::InfoClass::basic, change);
    };
    const NTSTATUS cleared = set_attributes(attributes & ~read_only);
    if (cleared < 0) return cleared;
    const NTSTATUS opened = windows::reopen(writable, file, to_append);
    // A handle keeps the rights with which it was opened.
    const NTSTATUS restored = set_attributes(attributes);
    return opened < 0 ? opened : restored;
}

}  // namespace

Result<FileHandle> open_at(const Dir& parent, const std::string& name, OpenMode mode,
                           Permissions permissions) {
    FileHandle file;
    const NTSTATUS status = open_as(file, parent, name.c_str(), mode, permissions);
    if (status < 0) return fail(windows::error_of(status), "open", parent / name);
    return file;
}

CallResult<FileHandle> try_open_at(const Dir& parent, const char* name, OpenMode mode) noexcept {
    FileHandle file;
    const NTSTATUS status = open_as(file, parent, name, mode, private_file);
    if (status < 0) return tl::unexpected(windows::code_of_status(status));
    return file;
}

Result<FileHandle> open_to_append(const std::filesystem::path& path) {
    windows::Path whole(path);
    NTSTATUS status = whole.status();
    FileHandle file;
    // Without FILE_WRITE_DATA, every write goes to the end of the file.
    How how{.access = FILE_APPEND_DATA | FILE_READ_DATA | FILE_READ_ATTRIBUTES,
            .disposition = FILE_OPEN_IF,
            .options = FILE_NON_DIRECTORY_FILE};
    if (status >= 0) status = windows::open(file, {nullptr, whole.string()}, how);
    // The right to write is enough.
    how.access &= ~static_cast<ACCESS_MASK>(FILE_READ_DATA);
    if (status == windows::access_denied)
        status = windows::open(file, {nullptr, whole.string()}, how);
    if (status < 0) return fail(windows::error_of(status), "open", path);
    return file;
}

CallResult<std::size_t> read_some(const FileHandle& file, char* to, std::size_t size) noexcept {
    DWORD got = 0;
    if (::ReadFile(windows::handle_of(file), to, at_once(size), &got, nullptr)) return got;
    const DWORD error = ::GetLastError();
    // A pipe whose writers have closed it is at its end.
    if (error == ERROR_HANDLE_EOF || error == ERROR_BROKEN_PIPE) return std::size_t{0};
    return tl::unexpected(read_error(windows::handle_of(file), error));
}

CallResult<std::size_t> read_at(const FileHandle& file, void* to, std::size_t size,
                                std::uint64_t offset) noexcept {
    std::size_t got = 0;
    while (got < size) {
        OVERLAPPED place = at_offset(offset + got);
        DWORD more = 0;
        if (!::ReadFile(windows::handle_of(file), static_cast<char*>(to) + got, at_once(size - got),
                        &more, &place)) {
            const DWORD error = ::GetLastError();
            if (error == ERROR_HANDLE_EOF) break;
            return tl::unexpected(read_error(windows::handle_of(file), error));
        }
        if (more == 0) break;
        got += more;
    }
    return got;
}

std::error_code write_at(const FileHandle& file, const void* from, std::size_t size,
                         std::uint64_t offset) noexcept {
    for (std::size_t put = 0; put < size;) {
        OVERLAPPED place = at_offset(offset + put);
        DWORD more = 0;
        if (!::WriteFile(windows::handle_of(file), static_cast<const char*>(from) + put,
                         at_once(size - put), &more, &place))
            return windows::last_code();
        // Trying again might never end.
        if (more == 0) return {ERROR_DISK_FULL, std::system_category()};
        put += more;
    }
    return {};
}

std::error_code set_size(const FileHandle& file, std::uint64_t size) noexcept {
    FILE_END_OF_FILE_INFO end{};
    end.EndOfFile.QuadPart = static_cast<LONGLONG>(size);
    if (!::SetFileInformationByHandle(windows::handle_of(file), FileEndOfFileInfo, &end,
                                      sizeof end))
        return windows::last_code();
    return {};
}

Result<> write_all(const FileHandle& file, std::string_view bytes,
                   const std::filesystem::path& path) {
    if (const int error = write_here(file, bytes)) return fail(error, "write", path);
    return {};
}

void write_once(const FileHandle& file, std::string_view bytes) noexcept {
    DWORD put = 0;
    (void)::WriteFile(windows::handle_of(file), bytes.data(), at_once(bytes.size()), &put, nullptr);
}

Result<> remove_file_at(const Dir& parent, const std::string& name) {
    const int error = windows::remove_at(parent, name, windows::DeletedKind::file);
    if (error != 0) return fail(error, "remove", parent / name);
    return {};
}

Result<> sync(const FileHandle& file, const std::filesystem::path& path) {
    if (const int error = point("os.sync")) return fail(error, "sync", path);
    if (::FlushFileBuffers(windows::handle_of(file))) return {};
    const DWORD error = ::GetLastError();
    if (error != ERROR_ACCESS_DENIED) return fail(static_cast<int>(error), "sync", path);
    // The call needs the right to write, which the handle of a directory never has.
    FileHandle writable;
    const NTSTATUS status = reopen_to_sync(writable, windows::handle_of(file));
    if (status < 0) return fail(windows::error_of(status), "sync", path);
    if (::FlushFileBuffers(windows::handle_of(writable))) return {};
    return fail(windows::last_code(), "sync", path);
}

std::error_code close(FileHandle file) noexcept {
    windows::forget_locks(file.native());
    if (!::CloseHandle(reinterpret_cast<HANDLE>(file.release()))) return windows::last_code();
    return {};
}

// Windows has no execve: a process that runs another program stays, and keeps its handles.
std::error_code keep_across_exec(const FileHandle&) noexcept { return {}; }

}  // namespace larder::os
