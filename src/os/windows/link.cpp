// SPDX-License-Identifier: MIT
#include "os/link.hpp"

#include <algorithm>
#include <cstring>

#include "os/dir_reader.hpp"
#include "os/file_info.hpp"
#include "os/points.hpp"
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

/// Sets where an open directory leads. Returns the system's error; 0 if there was none.
int set_reparse_data(HANDLE directory, std::string& data) noexcept {
    DWORD got = 0;
    if (::DeviceIoControl(directory, FSCTL_SET_REPARSE_POINT, data.data(),
                          static_cast<DWORD>(data.size()), nullptr, 0, &got, nullptr))
        return 0;
    return static_cast<int>(::GetLastError());
}

/// The data of a reparse point, on the stack.
struct ReparseData {
    std::array<char, windows::max_reparse_data> bytes;
    DWORD size = 0;

    [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
};

/// Reads the data of what stands at a path. Returns the system's error; a file that is no reparse
/// point has ERROR_NOT_A_REPARSE_POINT, which is Why::invalid.
std::error_code read_reparse_data(const Dir& parent, const char* path, ReparseData& data) noexcept {
    FileHandle link;
    const NTSTATUS status = windows::open_path_itself(link, windows::handle_of(parent.handle), path,
                                                      {.access = FILE_READ_ATTRIBUTES});
    if (status < 0) return windows::code_of_status(status);
    if (::DeviceIoControl(windows::handle_of(link), FSCTL_GET_REPARSE_POINT, nullptr, 0,
                          data.bytes.data(), static_cast<DWORD>(data.bytes.size()), &data.size,
                          nullptr))
        return {};
    const DWORD error = ::GetLastError();
    // A file system without reparse points has no links either.
    const bool has_none = error == ERROR_INVALID_FUNCTION || error == ERROR_NOT_SUPPORTED;
    return {static_cast<int>(has_none ? ERROR_NOT_A_REPARSE_POINT : error), std::system_category()};
}

std::error_code not_a_reparse_point() noexcept {
    return {ERROR_NOT_A_REPARSE_POINT, std::system_category()};
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
    const int error = set_reparse_data(windows::handle_of(made), data);
    if (error == 0) return 0;
    made.reset();
    (void)windows::remove_at(parent, name, windows::DeletedKind::directory);
    return error;
}

}  // namespace

CallResult<std::size_t> read_symlink_at(const Dir& parent, const char* path, char* text,
                                        std::size_t size) noexcept {
    ReparseData data;
    if (const auto error = read_reparse_data(parent, path, data)) return tl::unexpected(error);
    try {
        auto parsed = windows::parse_reparse(data.view());
        if (!parsed) return tl::unexpected(not_a_reparse_point());
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

bool has_junctions() noexcept { return true; }

Result<std::string> junction_path_of(const Dir& dir) {
    constexpr std::string_view prefix = "\\\\?\\";
    std::string path = windows::to_text(windows::final_path(windows::handle_of(dir.handle)));
    if (path.starts_with(prefix)) path.erase(0, prefix.size());
    if (!windows::begins_with_drive(path)) {
        return larder::fail(Errc::unsupported, "make junction", dir.path,
                            "no drive leads to this directory, and a junction needs one");
    }
    std::replace(path.begin(), path.end(), '\\', '/');
    if (path.ends_with('/')) path.pop_back();  // "C:/"
    return path;
}

CallResult<std::string> read_junction_at(const Dir& parent, const char* path) {
    ReparseData data;
    if (const auto error = read_reparse_data(parent, path, data)) return tl::unexpected(error);
    auto target = windows::parse_junction(data.view());
    if (!target) return tl::unexpected(not_a_reparse_point());
    std::replace(target->begin(), target->end(), '\\', '/');
    return *std::move(target);
}

namespace {

/// Returns the data of a junction that leads to a path with slashes; nullopt if none can.
std::optional<std::string> data_of(std::string target) {
    std::replace(target.begin(), target.end(), '/', '\\');
    return windows::junction_data(target);
}

}  // namespace

Result<> make_junction_at(const Dir& parent, const std::string& name, const std::string& target) {
    const auto data = data_of(target);
    const int error = data ? make_junction(parent, name, *data) : ERROR_INVALID_NAME;
    if (error != 0) return fail(error, "make junction", parent / name);
    return {};
}

bool is_unset_junction_at(const Dir& parent, const std::string& name) {
    const auto dir = open_dir_at(parent, name);
    return dir && is_empty(*dir).value_or(false);
}

Result<FileHandle> open_junction_at(const Dir& parent, const std::string& name) {
    FileHandle junction;
    NTSTATUS status = windows::open_path_itself(
        junction, windows::handle_of(parent.handle), name,
        {.access = FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES | FILE_READ_ATTRIBUTES,
         .limit = windows::to_rename});
    windows::AttributeTag found;
    if (status >= 0) status = windows::query_tag(windows::handle_of(junction), found);
    if (status < 0) return fail(windows::error_of(status), "open junction", parent / name);
    // Wine sets where a file leads, and where a symlink does.
    if (!found.is_directory() || (found.is_link() && found.tag != windows::junction_tag))
        return fail(ERROR_NOT_A_REPARSE_POINT, "open junction", parent / name);
    return junction;
}

Result<> set_junction(const FileHandle& junction, const std::string& target,
                      const std::filesystem::path& where) {
    int error = point("os.set-junction");
    auto data = data_of(target);
    if (error == 0 && !data) error = ERROR_INVALID_NAME;
    if (error == 0) error = set_reparse_data(windows::handle_of(junction), *data);
    if (error != 0) return fail(error, "set junction", where);
    // Whether the system does this by itself is not documented. It is the time of the last use.
    FILETIME now{};
    ::GetSystemTimeAsFileTime(&now);
    (void)::SetFileTime(windows::handle_of(junction), nullptr, nullptr, &now);
    return {};
}

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
