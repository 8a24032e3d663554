// SPDX-License-Identifier: MIT
#include "os/rename.hpp"

#include <cstring>

#include "os/file_info.hpp"
#include "os/points.hpp"
#include "os/windows/nt.hpp"
#include "os/windows/remove.hpp"

namespace larder::os {

namespace {

using windows::InfoClass;

// Flags of FILE_RENAME_INFORMATION. Windows 10 has the second one since 1607, the third since 1809.
constexpr ULONG replace_if_exists = 0x1, posix_semantics = 0x2, ignore_read_only = 0x40;

/// FILE_RENAME_INFORMATION of the kernel's headers, with either of its two first members. The
/// longest path that NtCreateFile takes fits.
struct RenameInformation {
    ULONG flags;
    HANDLE directory;
    ULONG name_size;  ///< in bytes
    wchar_t name[32768];
};

/// The new name: in an open directory, or a whole path if the directory is null.
struct Target {
    HANDLE directory;
    std::wstring_view name;
};

enum class Replacing { no, yes };

/// Returns whether an open file has been deleted.
bool is_deleted(HANDLE file) noexcept {
    FILE_STANDARD_INFORMATION standard{};
    const NTSTATUS status = windows::query(file, InfoClass::standard, standard);
    if (status < 0) return status == windows::delete_pending || status == windows::file_deleted;
    return standard.DeletePending != FALSE;
}

/// Renames an open file. First with the flag by which open files can be replaced, and deleted names
/// are gone at once. A system or a file system that does not know it gets the older call.
NTSTATUS rename_open(HANDLE file, const Target& target, Replacing replace,
                     const windows::TryLimit& limit) {
    const auto request = std::make_unique<RenameInformation>();
    request->directory = target.directory;
    request->name_size = static_cast<ULONG>(target.name.size() * sizeof(wchar_t));
    if (request->name_size > sizeof request->name) return windows::name_too_long;
    std::memcpy(request->name, target.name.data(), request->name_size);
    const std::size_t size = windows::size_with_name<RenameInformation>(request->name_size);
    const ULONG replacing = replace == Replacing::yes ? replace_if_exists : 0;
    const auto try_once = [&] {
        NTSTATUS status = windows::ok;
        for (const ULONG flags : {posix_semantics | ignore_read_only, posix_semantics}) {
            request->flags = replacing | flags;
            status = windows::set(file, InfoClass::rename_ex, *request, size);
            if (!windows::says_unknown(status)) return status;
        }
        request->flags = replacing;  // in this class a byte that is 0 or 1
        return windows::set(file, InfoClass::rename, *request, size);
    };
    return windows::patiently(limit, [&] {
        const NTSTATUS status = try_once();
        // Another process has deleted the file since it was opened here.
        if (status == windows::access_denied && is_deleted(file)) return windows::name_not_found;
        return status;
    });
}

constexpr windows::TryLimit without_waiting{std::chrono::milliseconds(0),
                                            std::chrono::milliseconds(0)};

windows::How to_be_renamed(const windows::TryLimit& limit) noexcept {
    return {.access = DELETE | FILE_READ_ATTRIBUTES, .limit = limit};
}

/// Returns whether a file at the new name cannot be replaced only because a program has it open. A
/// file system without POSIX renames calls that a denial.
bool is_in_use(const Target& target) noexcept {
    UNICODE_STRING name{};
    name.Buffer = const_cast<wchar_t*>(target.name.data());  // the system only reads it
    name.Length = name.MaximumLength = static_cast<USHORT>(target.name.size() * sizeof(wchar_t));
    FileHandle file;
    const NTSTATUS status =
        windows::open_itself(file, {target.directory, &name}, to_be_renamed(without_waiting));
    if (status == windows::sharing_violation) return true;
    windows::AttributeTag found;
    if (status < 0 || windows::query_tag(windows::handle_of(file), found) < 0) return false;
    return !found.is_directory() && (found.attributes & FILE_ATTRIBUTE_READONLY) == 0;
}

/// Renames a name in a directory.
NTSTATUS rename_at(const Dir& dir, const std::string& name, const Target& target, Replacing replace,
                   const windows::TryLimit& limit) {
    FileHandle file;
    NTSTATUS status =
        windows::open_path_itself(file, windows::handle_of(dir.handle), name, to_be_renamed(limit));
    if (status < 0) return status;
    status = rename_open(windows::handle_of(file), target, replace, limit);
    if (status == windows::access_denied && replace == Replacing::yes && is_in_use(target))
        return windows::sharing_violation;
    return status;
}

/// Renames to a name that must be free. Every file system of Windows can do that.
Result<> rename_free(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                     const std::string& to, const windows::TryLimit& limit) {
    int error = point("os.noreplace");
    if (error == 0) {
        const windows::Name target(to);
        NTSTATUS status = target.status();
        if (status >= 0) {
            status = rename_at(from_dir, from, {windows::handle_of(to_dir.handle), target.view()},
                               Replacing::no, limit);
        }
        error = windows::error_of(status);
    }
    if (error != 0) return fail(error, "rename", from_dir / from, "to " + (to_dir / to).string());
    return {};
}

/// Returns whether two names belong to one file that has several names; false if the system does
/// not tell.
bool is_one_file(const Dir& dir, const std::string& name, const Dir& other_dir,
                 const std::string& other_name) {
    const auto one = try_stat_at(dir, name.c_str());
    if (!one || one->links < 2) return false;
    const auto other = try_stat_at(other_dir, other_name.c_str());
    return other && one->identity == other->identity;
}

}  // namespace

Result<> rename_new_atomic(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                           const std::string& to) {
    return rename_free(from_dir, from, to_dir, to, windows::to_rename);
}

Result<> rename_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                    const std::string& to) {
    return rename_free(from_dir, from, to_dir, to, windows::to_rename);
}

Result<> rename_new_at_once(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                            const std::string& to) {
    return rename_free(from_dir, from, to_dir, to, without_waiting);
}

Result<> rename_dir_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                        const std::string& to) {
    TRY_ASSIGN(const bool stands, is_dir_at(from_dir, from));
    if (!stands) return fail(Why::absent, "rename", from_dir / from);
    return rename_new(from_dir, from, to_dir, to);
}

Result<> rename_dir_out(const Dir& from_dir, const std::string& from,
                        const std::filesystem::path& to) {
    const windows::Path target(to);
    int error = windows::error_of(target.status());
    if (error == 0) {
        error = windows::error_of(
            rename_at(from_dir, from, {nullptr, target.view()}, Replacing::no, windows::to_rename));
    }
    if (error != 0) return fail(error, "rename", from_dir / from, "to " + to.string());
    return {};
}

Result<> rename_replacing(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                          const std::string& to) {
    int error = point("os.rename-over");
    if (error == 0 && is_one_file(from_dir, from, to_dir, to)) return {};
    if (error == 0) {
        const windows::Name target(to);
        NTSTATUS status = target.status();
        if (status >= 0) {
            status = rename_at(from_dir, from, {windows::handle_of(to_dir.handle), target.view()},
                               Replacing::yes, windows::to_replace);
        }
        error = windows::error_of(status);
    }
    if (error != 0) return fail(error, "replace", to_dir / to);
    return {};
}

// Windows replaces no directory by a rename, so an empty one is removed first.
Result<> rename_dir(const std::filesystem::path& from, const Dir& to_dir, const std::string& to) {
    windows::Path source(from);
    const windows::Name target(to);
    NTSTATUS status = source.status() < 0 ? source.status() : target.status();
    FileHandle file;
    if (status >= 0) {
        status = windows::open_itself(file, {nullptr, source.string()},
                                      to_be_renamed(windows::to_rename));
    }
    int error = windows::error_of(status);
    for (bool again : {true, false}) {
        if (error != 0) break;
        error = windows::error_of(rename_open(windows::handle_of(file),
                                              {windows::handle_of(to_dir.handle), target.view()},
                                              Replacing::no, windows::to_rename));
        if (why_of(error) != Why::exists || !again) break;
        error = windows::remove_at(to_dir, to, windows::DeletedKind::directory);
    }
    if (error != 0) return fail(error, "rename", from, "to " + (to_dir / to).string());
    return {};
}

bool renames_directories_in_use() noexcept { return false; }

// Windows has no such call.
Result<> exchange(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                  const std::string& to) {
    int error = point("os.exchange");
    if (error == 0) error = ERROR_NOT_SUPPORTED;
    return refused(error, "exchange", from_dir / from, "with " + (to_dir / to).string());
}

}  // namespace larder::os
