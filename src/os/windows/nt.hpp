// SPDX-License-Identifier: MIT
// The calls of Windows that src/os/windows is made of. Files are opened by NtCreateFile, because it
// alone takes a name in an open directory; it stands below the calls of Win32, and fails with an
// NTSTATUS. No other file of larder sees an NTSTATUS: error_of turns it into an error of Win32,
// which is the number that an Error has on Windows.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <windows.h>
#include <winternl.h>

#include "os/error.hpp"
#include "os/handle.hpp"

namespace larder::os::windows {

// These have names in headers of the kernel, which programs cannot include.
inline constexpr NTSTATUS status_of(unsigned long number) { return static_cast<NTSTATUS>(number); }
inline constexpr NTSTATUS ok = 0;
inline constexpr NTSTATUS buffer_overflow = status_of(0x80000005);
inline constexpr NTSTATUS no_more_files = status_of(0x80000006);
inline constexpr NTSTATUS not_implemented = status_of(0xc0000002);
inline constexpr NTSTATUS invalid_info_class = status_of(0xc0000003);
inline constexpr NTSTATUS invalid_parameter = status_of(0xc000000d);
inline constexpr NTSTATUS no_such_file = status_of(0xc000000f);
inline constexpr NTSTATUS invalid_device_request = status_of(0xc0000010);
inline constexpr NTSTATUS no_memory = status_of(0xc0000017);
inline constexpr NTSTATUS access_denied = status_of(0xc0000022);
inline constexpr NTSTATUS name_invalid = status_of(0xc0000033);
inline constexpr NTSTATUS name_not_found = status_of(0xc0000034);
inline constexpr NTSTATUS name_collision = status_of(0xc0000035);
inline constexpr NTSTATUS sharing_violation = status_of(0xc0000043);
inline constexpr NTSTATUS delete_pending = status_of(0xc0000056);
inline constexpr NTSTATUS not_supported = status_of(0xc00000bb);
inline constexpr NTSTATUS is_a_directory = status_of(0xc00000ba);
inline constexpr NTSTATUS not_a_directory = status_of(0xc0000103);
inline constexpr NTSTATUS name_too_long = status_of(0xc0000106);
inline constexpr NTSTATUS cannot_delete = status_of(0xc0000121);
inline constexpr NTSTATUS file_deleted = status_of(0xc0000123);
inline constexpr NTSTATUS user_mapped_file = status_of(0xc0000243);
inline constexpr NTSTATUS link_encountered = status_of(0xc000050b);

/// Classes of information about a file. winternl.h names only some of them.
enum class InfoClass : int {
    directory_full = 2,
    basic = 4,
    standard = 5,
    internal = 6,
    rename = 10,
    link = 11,
    disposition = 13,
    streams = 22,
    attribute_tag = 35,
    id = 59,
    disposition_ex = 64,
    rename_ex = 65,
};

/// Returns whether a status is that of a system or a file system which does not know such a call.
[[nodiscard]] constexpr bool says_unknown(NTSTATUS status) noexcept {
    return status == invalid_info_class || status == invalid_parameter ||
           status == not_implemented || status == not_supported || status == invalid_device_request;
}

/// Returns the error of Win32 for a status; 0 for a success.
[[nodiscard]] int error_of(NTSTATUS status) noexcept;
[[nodiscard]] inline std::error_code code_of_status(NTSTATUS status) noexcept {
    return {error_of(status), std::system_category()};
}
/// Returns the error of the last call of Win32.
[[nodiscard]] inline std::error_code last_code() noexcept {
    return {static_cast<int>(::GetLastError()), std::system_category()};
}

[[nodiscard]] inline HANDLE handle_of(const FileHandle& file) noexcept {
    return reinterpret_cast<HANDLE>(file.native());
}
/// Takes a handle over.
[[nodiscard]] inline FileHandle own(HANDLE handle) noexcept {
    return FileHandle(reinterpret_cast<FileHandle::Native>(handle));
}

/// A name in a directory, or a path of several names, in the form that NtCreateFile takes. It lies
/// on the stack, because the callers must not fail for lack of memory.
class Name {
public:
    /// Turns slashes into backslashes. A text that cannot be such a name makes every call with it
    /// fail: one that is empty or not UTF-8, and one with a character that Windows reserves. (A
    /// colon would silently name a stream of another file.)
    explicit Name(std::string_view text) noexcept;
    Name(const Name&) = delete;
    Name& operator=(const Name&) = delete;

    /// Returns `ok`, or the status with which every call fails.
    [[nodiscard]] NTSTATUS status() const noexcept { return status_; }
    [[nodiscard]] UNICODE_STRING* string() noexcept { return &string_; }
    [[nodiscard]] std::wstring_view view() const noexcept {
        return {string_.Buffer, string_.Length / sizeof(wchar_t)};
    }

private:
    std::array<wchar_t, 1024> text_;
    UNICODE_STRING string_{};
    NTSTATUS status_ = ok;
};

/// A path that a caller gave, in the form that NtCreateFile takes: absolute, and behind "\\??\". It
/// may have any length that the system knows, which is 32,767 characters. The system's own
/// conversion would refuse more than 260, unless the machine and the program allow them.
class Path {
public:
    explicit Path(const std::filesystem::path& path) noexcept;
    Path(const Path&) = delete;
    Path& operator=(const Path&) = delete;

    [[nodiscard]] NTSTATUS status() const noexcept { return status_; }
    [[nodiscard]] UNICODE_STRING* string() noexcept { return &string_; }
    [[nodiscard]] std::wstring_view view() const noexcept {
        return {string_.Buffer, string_.Length / sizeof(wchar_t)};
    }

private:
    std::unique_ptr<wchar_t[]> text_;
    UNICODE_STRING string_{};
    NTSTATUS status_ = ok;
};

/// How long a call is made again that another program hinders for a moment: a virus scanner that
/// has opened the file, or a reader of a file that is being replaced.
struct TryLimit {
    /// For a sharing violation, and for a name that is being deleted where another one is made.
    std::chrono::milliseconds sharing;
    /// For a denial, which is most often meant.
    std::chrono::milliseconds denied;
};
/// For calls that open a file. Arbitrary: a scanner looks at a file for some milliseconds.
inline constexpr TryLimit to_open{std::chrono::milliseconds(50), std::chrono::milliseconds(0)};
/// For calls that change names, and for opening what they change: a scanner that does not share
/// deletion hinders that call already. Arbitrary, but other programs have found half a second to be
/// enough.
inline constexpr TryLimit to_rename{std::chrono::milliseconds(500), std::chrono::milliseconds(200)};
inline constexpr TryLimit to_delete{std::chrono::milliseconds(500), std::chrono::milliseconds(20)};
/// For a rename that replaces a file. Some file systems deny that as long as a reader has the file
/// open.
inline constexpr TryLimit to_replace{std::chrono::milliseconds(500),
                                     std::chrono::milliseconds(500)};

/// What to open: a name in a directory, or a whole path if the directory is null. An empty name
/// means the directory itself, opened once more.
struct NameToOpen {
    HANDLE directory = nullptr;
    UNICODE_STRING* name = nullptr;
};

/// How to open it.
struct How {
    ACCESS_MASK access = 0;
    ULONG disposition = FILE_OPEN;
    ULONG options = 0;
    ULONG attributes = FILE_ATTRIBUTE_NORMAL;  ///< of a file that is made
    TryLimit limit = to_open;
};

/// Opens something, and shares it with every other use. Follows a link in the last part. No program
/// inherits the handle. A name that is being deleted is as good as gone: it is waited for only in
/// order to make another file there.
[[nodiscard]] NTSTATUS open(FileHandle& opened, const NameToOpen& place, const How& how) noexcept;
/// Opens what stands at a name itself, also if that is a link.
[[nodiscard]] NTSTATUS open_itself(FileHandle& opened, const NameToOpen& place,
                                   const How& how) noexcept;
/// Opens something that is no link. Fails with link_encountered for a symlink or a junction. A file
/// that the system keeps in another form (compressed, or in a cloud) is opened as usual.
[[nodiscard]] NTSTATUS open_no_link(FileHandle& opened, const NameToOpen& place,
                                    const How& how) noexcept;
/// Opens an open file or directory once more, with other rights and a position of its own.
[[nodiscard]] NTSTATUS reopen(FileHandle& opened, HANDLE file, const How& how) noexcept;

/// Opens what a path leads to from an open directory. The path may have several parts, and follows
/// links in all of them but the last, which must be no link (link_encountered). It may have "." and
/// "..", which Windows does not know in such a path: the latter leads from a directory that is no
/// link back to the directory in whose listing it stands.
[[nodiscard]] NTSTATUS open_path(FileHandle& opened, HANDLE directory, std::string_view path,
                                 const How& how) noexcept;
/// Does the same, and opens the last part itself if that is a link.
[[nodiscard]] NTSTATUS open_path_itself(FileHandle& opened, HANDLE directory, std::string_view path,
                                        const How& how) noexcept;

/// Returns the size of a struct that ends with a name of so many bytes. The system takes none that
/// is shorter than the struct with one character.
template <class T>
constexpr std::size_t size_with_name(std::size_t name_size) noexcept {
    constexpr std::size_t align = alignof(T);
    constexpr std::size_t shortest =
        (offsetof(T, name) + sizeof(wchar_t) + align - 1) / align * align;
    return std::max(offsetof(T, name) + name_size, shortest);
}

/// Reads or sets one class of information about an open file.
template <class T>
[[nodiscard]] NTSTATUS query(HANDLE file, InfoClass info, T& value) noexcept {
    IO_STATUS_BLOCK block{};
    return ::NtQueryInformationFile(file, &block, &value, sizeof value,
                                    static_cast<FILE_INFORMATION_CLASS>(info));
}
template <class T>
[[nodiscard]] NTSTATUS set(HANDLE file, InfoClass info, T& value,
                           std::size_t size = sizeof(T)) noexcept;

/// The attributes of a file, and the tag of a reparse point; 0 if it is none.
struct AttributeTag {
    ULONG attributes = 0;
    ULONG tag = 0;

    /// Returns whether this is a symlink or a junction: a reparse point that leads elsewhere.
    [[nodiscard]] bool is_link() const noexcept;
    [[nodiscard]] bool is_directory() const noexcept {
        return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    }
};
[[nodiscard]] NTSTATUS query_tag(HANDLE file, AttributeTag& found) noexcept;

/// Waits before a call is made again. Returns false if the call must be given up.
class Retry {
public:
    explicit Retry(const TryLimit& limit) noexcept : limit_(limit) {}
    [[nodiscard]] bool again(NTSTATUS status) noexcept;

private:
    TryLimit limit_;
    std::chrono::steady_clock::time_point started_{};
    std::chrono::microseconds pause_{0};  // 0 before the first one
};

/// Makes a call, which returns a status, again as long as another program hinders it. Returns the
/// last status.
template <class Call>
NTSTATUS patiently(const TryLimit& limit, Call call) {
    Retry retry(limit);
    for (;;) {
        const NTSTATUS status = call();
        if (status >= 0 || !retry.again(status)) return status;
    }
}

/// Returns the UTF-8 of a text of Windows.
[[nodiscard]] std::string to_text(std::wstring_view text);
/// Returns the path of an open file or directory, in UTF-16 and with the prefix "\\?\"; an empty
/// text if the system does not tell it.
[[nodiscard]] std::wstring final_path(HANDLE file);

/// Returns whether a user may change a file who is neither this user nor an administrator nor the
/// system itself: because the access control list lets that user, or because the file belongs to
/// that user, who may then change the list. Returns true if the system does not tell.
[[nodiscard]] bool list_lets_others_write(HANDLE file) noexcept;
/// Does the same for an owner and a list that were read, or that a test has made.
[[nodiscard]] bool descriptor_lets_others_write(PSECURITY_DESCRIPTOR descriptor) noexcept;

template <class T>
NTSTATUS set(HANDLE file, InfoClass info, T& value, std::size_t size) noexcept {
    IO_STATUS_BLOCK block{};
    return ::NtSetInformationFile(file, &block, &value, static_cast<ULONG>(size),
                                  static_cast<FILE_INFORMATION_CLASS>(info));
}

}  // namespace larder::os::windows
