// SPDX-License-Identifier: MIT
#include "os/link.hpp"

#include <algorithm>
#include <cstring>

#include "os/file_info.hpp"
#include "os/windows/nt.hpp"
#include "os/windows/remove.hpp"
#include "os/windows/reparse.hpp"
#include "os/windows/utf16.hpp"

// winioctl.h declares them for programs that are not lean.
#ifndef FSCTL_GET_REPARSE_POINT
#define FSCTL_GET_REPARSE_POINT 0x000900a8
#define FSCTL_SET_REPARSE_POINT 0x000900a4
#endif

namespace larder::os {

namespace {

/// FILE_LINK_INFORMATION of the kernel's headers. The name continues behind the struct.
struct LinkInformation {
    BOOLEAN replace;
    HANDLE directory;
    ULONG name_size;  ///< in bytes
    wchar_t name[1024];
};

/// Returns the whole path of a name in an open directory, without the prefix "\\?\" where the
/// system does not need it.
std::wstring path_at(const Dir& parent, const windows::Name& name) {
    return windows::final_path(windows::handle_of(parent.handle)) + L'\\' +
           std::wstring(name.view());
}

/// Makes a junction with these data. Returns the system's error; 0 if there was none.
int make_junction(const Dir& parent, const std::string& name, std::string data) noexcept {
    windows::Name text(name);
    if (text.status() < 0) return windows::error_of(text.status());
    FileHandle made;
    const NTSTATUS status =
        windows::open_itself(made, {windows::handle_of(parent.handle), text.string()},
                             {.access = FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES,
                              .disposition = FILE_CREATE,
                              .options = FILE_DIRECTORY_FILE});
    if (status < 0) return windows::error_of(status);
    DWORD got = 0;
    if (::DeviceIoControl(windows::handle_of(made), FSCTL_SET_REPARSE_POINT, data.data(),
                          static_cast<DWORD>(data.size()), nullptr, 0, &got, nullptr))
        return 0;
    const auto error = static_cast<int>(::GetLastError());
    made.reset();
    (void)windows::remove_at(parent, name, windows::DeletedKind::directory);
    return error;
}

}  // namespace

CallResult<std::size_t> read_symlink_at(const Dir& parent, const char* path, char* text,
                                        std::size_t size) noexcept {
    FileHandle link;
    NTSTATUS status = windows::open_path_itself(link, windows::handle_of(parent.handle), path,
                                                {.access = FILE_READ_ATTRIBUTES});
    if (status < 0) return tl::unexpected(windows::code_of_status(status));
    std::array<char, windows::max_reparse_data> data;
    DWORD got = 0;
    // A file that is no reparse point fails with ERROR_NOT_A_REPARSE_POINT, which is
    // Why::invalid.
    if (!::DeviceIoControl(windows::handle_of(link), FSCTL_GET_REPARSE_POINT, nullptr, 0,
                           data.data(), static_cast<DWORD>(data.size()), &got, nullptr)) {
        const DWORD error = ::GetLastError();
        // A file system without reparse points has no symlinks either.
        const bool has_none = error == ERROR_INVALID_FUNCTION || error == ERROR_NOT_SUPPORTED;
        return tl::unexpected(
            std::error_code(static_cast<int>(has_none ? ERROR_NOT_A_REPARSE_POINT : error),
                            std::system_category()));
    }
    try {
        auto parsed = windows::parse_reparse({data.data(), got});
        if (!parsed) {
            return tl::unexpected(
                std::error_code(ERROR_NOT_A_REPARSE_POINT, std::system_category()));
        }
        // Inside of larder, texts of links have slashes on every system.
        std::replace(parsed->target.begin(), parsed->target.end(), '\\', '/');
        const std::size_t length = std::min(size, parsed->target.size());
        std::memcpy(text, parsed->target.data(), length);
        return length;
    } catch (...) {
        return tl::unexpected(std::error_code(ERROR_NOT_ENOUGH_MEMORY, std::system_category()));
    }
}

Result<> make_symlink_at(const Dir& parent, const std::string& name, const std::string& text,
                         LeadsTo leads_to) {
    const auto failure = [&](int error) { return fail(error, "make link", parent / name); };
    const windows::Name link_name(name);
    if (link_name.status() < 0) return failure(windows::error_of(link_name.status()));
    std::string target = text;
    std::replace(target.begin(), target.end(), '/', '\\');
    std::wstring wide(target.size(), L'\0');  // UTF-16 has no more units than UTF-8 has bytes
    const auto size = windows::to_utf16(target, wide.data(), wide.size());
    if (!size || target.find('\0') != target.npos) return failure(ERROR_INVALID_NAME);
    wide.resize(*size);
    const std::wstring link = path_at(parent, link_name);
    constexpr DWORD for_directory = 1, without_privilege = 2;
    const DWORD kind = leads_to == LeadsTo::directory ? for_directory : 0;
    DWORD error = 0;
    // Windows before 10 1703 does not know the second flag.
    for (const DWORD flags : {kind | without_privilege, kind}) {
        error = ::CreateSymbolicLinkW(link.c_str(), wide.c_str(), flags) ? 0 : ::GetLastError();
        if (error != ERROR_INVALID_PARAMETER) break;
    }
    if (error == ERROR_PRIVILEGE_NOT_HELD && leads_to == LeadsTo::directory) {
        if (const auto data = windows::junction_data(target))
            error = static_cast<DWORD>(make_junction(parent, name, *data));
    }
    if (error != 0) return failure(static_cast<int>(error));
    // Wine 10 returns a success, and makes nothing.
    const auto made = try_stat_at(parent, name.c_str());
    if (!made || !made->is_symlink()) return failure(ERROR_NOT_SUPPORTED);
    return {};
}

bool all_users_make_symlinks() noexcept { return false; }
bool replaces_symlinks_to_directories() noexcept { return false; }

Result<> make_hard_link(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                        const std::string& to) {
    windows::Name target(to);
    NTSTATUS status = target.status();
    FileHandle file;
    if (status >= 0) {
        status = windows::open_path_itself(file, windows::handle_of(from_dir.handle), from,
                                           {.access = FILE_WRITE_ATTRIBUTES});
    }
    if (status >= 0) {
        LinkInformation link;
        std::memset(&link, 0, offsetof(LinkInformation, name));
        link.directory = windows::handle_of(to_dir.handle);
        link.name_size = static_cast<ULONG>(target.view().size() * sizeof(wchar_t));
        std::memcpy(link.name, target.view().data(), link.name_size);
        status = windows::patiently(windows::to_rename, [&] {
            return windows::set(windows::handle_of(file), windows::InfoClass::link, link,
                                windows::size_with_name<LinkInformation>(link.name_size));
        });
    }
    if (status < 0) return refused(windows::error_of(status), "link", to_dir / to);
    return {};
}

}  // namespace larder::os
