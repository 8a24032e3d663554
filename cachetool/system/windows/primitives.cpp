// SPDX-License-Identifier: MIT
// These calls are made here once more, and not by the library, for the reason that
// doctor/names.cpp gives: the library takes its second way without a word.
#include "cachetool/system/primitives.hpp"

#include <array>
#include <cstring>
#include <winioctl.h>
#include <winternl.h>

#include "cachetool/system/files.hpp"
#include "cachetool/system/other_process.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/system/windows/last_error.hpp"
#include "cachetool/system/windows/started_process.hpp"
#include "cachetool/system/windows/wide.hpp"
#include "cachetool/system/windows/words.hpp"

namespace cachetool::system {
namespace {

namespace fs = std::filesystem;
using windows::long_path;
using windows::open_itself;
using windows::ScopedHandle;

/// Returns "error 32 (Sharing violation)".
std::string text_of_error(std::error_code error) {
    return "error " + std::to_string(error.value()) + " (" + error.message() + ")";
}

std::string text_of_status(NTSTATUS status) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "status ";
    for (int shift = 28; shift >= 0; shift -= 4)
        text += digits[(static_cast<unsigned long>(status) >> shift) & 0xfU];
    return text;
}

// Classes and flags of NtSetInformationFile, which the headers of programs do not name.
enum class FileInfoClass : int { disposition_ex = 64, rename_ex = 65 };
constexpr ULONG replace_if_exists = 1, posix_rename = 2;
constexpr ULONG delete_file = 1, posix_delete = 2;

NTSTATUS set_information(HANDLE file, FileInfoClass info, void* value, std::size_t size) {
    IO_STATUS_BLOCK block{};
    return ::NtSetInformationFile(file, &block, value, static_cast<ULONG>(size),
                                  static_cast<FILE_INFORMATION_CLASS>(info));
}

/// Renames with POSIX semantics, as the library does first.
NTSTATUS rename_as_posix(const fs::path& from, const fs::path& to) {
    struct {
        ULONG flags;
        HANDLE directory;
        ULONG name_size;
        wchar_t name[2048];
    } request{};
    const auto file = open_itself(from, DELETE | SYNCHRONIZE);
    const auto name = L"\\??\\" + long_path(to).substr(4);
    request.flags = replace_if_exists | posix_rename;
    request.name_size = static_cast<ULONG>(name.size() * sizeof(wchar_t));
    if (request.name_size > sizeof request.name) return static_cast<NTSTATUS>(0xc0000106);
    std::memcpy(request.name, name.data(), request.name_size);
    return set_information(file.get(), FileInfoClass::rename_ex, &request, sizeof request);
}

NTSTATUS delete_as_posix(const fs::path& path) {
    const auto file = open_itself(path, DELETE | SYNCHRONIZE);
    ULONG flags = delete_file | posix_delete;
    return set_information(file.get(), FileInfoClass::disposition_ex, &flags, sizeof flags);
}

bool stands(const fs::path& path) {
    return ::GetFileAttributesW(long_path(path).c_str()) != INVALID_FILE_ATTRIBUTES;
}

std::string contents_of(HANDLE file) {
    std::array<char, 64> text{};
    OVERLAPPED begin{};
    DWORD got = 0;
    ::ReadFile(file, text.data(), text.size(), &got, &begin);
    return {text.data(), got};
}

/// Works in one directory, and records what it finds.
class PrimitiveProbe {
public:
    explicit PrimitiveProbe(const fs::path& directory) : directory_(directory) {}

    std::vector<Primitive> run() {
        ::CreateDirectoryW(long_path(directory_).c_str(), nullptr);
        tell_system();
        try_rename_of_directory();
        try_replacing();
        try_deleting();
        try_deleting_mapped();
        try_mandatory_locks();
        try_symlink();
        try_junction();
        try_long_path();
        try_names();
        try_stream();
        try_sync_of_directory();
        try_job();
        return std::move(rows_);
    }

private:
    void record(const char* name, bool is_as_hoped, std::string found, const char* effect) {
        rows_.push_back({name, is_as_hoped, std::move(found), effect});
    }

    /// Makes a file that has its own name as its contents.
    [[nodiscard]] fs::path file(const char* name) const {
        const auto path = directory_ / name;
        static_cast<void>(write_text(path, name));
        return path;
    }

    void tell_system() {
        RTL_OSVERSIONINFOW version{};
        version.dwOSVersionInfoSize = sizeof version;
        using GetVersion = NTSTATUS(NTAPI*)(RTL_OSVERSIONINFOW*);
        using WineVersion = const char*(CDECL*)();
        const HMODULE ntdll = ::GetModuleHandleW(L"ntdll.dll");
        const auto call_of = [&](const char* name) {
            return reinterpret_cast<void*>(::GetProcAddress(ntdll, name));
        };
        const auto get_version = reinterpret_cast<GetVersion>(call_of("RtlGetVersion"));
        if (get_version != nullptr) get_version(&version);
        const std::string windows = "Windows " + std::to_string(version.dwMajorVersion) + "." +
                                    std::to_string(version.dwMinorVersion) + "." +
                                    std::to_string(version.dwBuildNumber);
        const auto wine_version = reinterpret_cast<WineVersion>(call_of("wine_get_version"));
        if (wine_version == nullptr) return record("system", true, windows, "");
        record("system", false, std::string("Wine ") + wine_version() + ", as " + windows,
               "Wine proves little about Windows: see docs/windows.md");
    }

    void try_rename_of_directory() {
        const auto from = directory_ / "in-use", to = directory_ / "renamed";
        ::CreateDirectoryW(long_path(from).c_str(), nullptr);
        const ScopedHandle reader = open_itself(file("in-use/file"), GENERIC_READ);
        const NTSTATUS status = rename_as_posix(from, to);
        // Windows' own documents say that it denies this. Larder does not count on it in any case.
        record("rename of a directory in use", true,
               status < 0 ? "denied: " + text_of_status(status) : "allowed", "");
    }

    void try_replacing() {
        const auto old = file("old"), fresh = file("new");
        const ScopedHandle reader = open_itself(old, GENERIC_READ);
        const NTSTATUS status = rename_as_posix(fresh, old);
        std::string now;
        static_cast<void>(read_text(old, now));
        const bool works = status >= 0 && now == "new" && contents_of(reader.get()) == "old";
        record("replacing an open file", works,
               status < 0 ? "denied: " + text_of_status(status)
               : works    ? "works, and its readers keep the old one"
                          : "its readers lose the old one",
               "a put waits for a reader of the key's link, for half a second, and then fails with "
               "\"busy\"");
    }

    void try_deleting() {
        const auto path = file("deleted");
        const ScopedHandle reader = open_itself(path, GENERIC_READ);
        const NTSTATUS status = delete_as_posix(path);
        const bool is_gone = !stands(path);
        const auto made_anew = write_text(path, "new");
        const bool works =
            status >= 0 && is_gone && !made_anew && contents_of(reader.get()) == "deleted";
        record("deleting an open file", works,
               status < 0  ? "denied: " + text_of_status(status)
               : !is_gone  ? "the name stays until the file is closed"
               : made_anew ? "the name can't be used again: " + text_of_error(made_anew)
               : works     ? "the name is free at once, and readers keep the file"
                           : "its readers lose the file",
               "what is deleted may stay until its last reader has closed it, and a collection "
               "comes back to it");
    }

    void try_deleting_mapped() {
        const auto path = file("mapped");
        const auto opened = open_itself(path, GENERIC_READ);
        const ScopedHandle mapping(
            ::CreateFileMappingW(opened.get(), nullptr, PAGE_READONLY, 0, 0, nullptr));
        const void* const view =
            mapping ? ::MapViewOfFile(mapping.get(), FILE_MAP_READ, 0, 0, 0) : nullptr;
        const NTSTATUS status = delete_as_posix(path);
        const bool is_gone = !stands(path);
        if (view != nullptr) ::UnmapViewOfFile(view);
        record("deleting a mapped file", view != nullptr && status >= 0 && is_gone,
               view == nullptr ? "it can't be mapped"
               : status < 0    ? "denied: " + text_of_status(status)
               : is_gone       ? "works"
                               : "the name stays until it is unmapped",
               "a collection comes back to such a file");
    }

    void try_mandatory_locks() {
        const auto path = file("locked");
        const auto holder = open_itself(path, GENERIC_READ | GENERIC_WRITE);
        const auto writer = open_itself(path, GENERIC_WRITE);
        OVERLAPPED begin{};
        const bool is_held = ::LockFileEx(
            holder.get(), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &begin);
        DWORD put = 0;
        OVERLAPPED at{};
        const bool is_written = ::WriteFile(writer.get(), "x", 1, &put, &at);
        record("locks are mandatory", is_held && !is_written,
               !is_held     ? "a byte can't be locked"
               : is_written ? "another handle writes to locked bytes"
                            : "another handle can't write to locked bytes",
               "larder locks bytes behind all data, so that it needs neither");
    }

    void try_symlink() {
        const auto link = directory_ / "symlink";
        constexpr DWORD unprivileged = 0x2;  // SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE
        const bool is_made = ::CreateSymbolicLinkW(long_path(link).c_str(), L".",
                                                   SYMBOLIC_LINK_FLAG_DIRECTORY | unprivileged);
        const auto error = last_error();
        const bool works = is_made && stands(link);
        record("symlinks for this user", works,
               works     ? "work"
               : is_made ? "are made and then are not there"
                         : text_of_error(error),
               "a key's link is a small file, and a symlink of an entry to an absolute directory "
               "is made as a junction");
    }

    /// Makes the directory at `place` a junction to `target`, or sets it again.
    static std::error_code set_junction(const fs::path& place, const fs::path& target) {
        struct {
            ULONG tag;
            USHORT size, reserved, name_at, name_size, shown_at, shown_size;
            wchar_t text[2048];
        } data{};
        const auto shown = long_path(target).substr(4);
        const auto name = L"\\??\\" + shown;
        data.tag = IO_REPARSE_TAG_MOUNT_POINT;
        data.name_size = static_cast<USHORT>(name.size() * sizeof(wchar_t));
        data.shown_at = static_cast<USHORT>(data.name_size + sizeof(wchar_t));
        data.shown_size = static_cast<USHORT>(shown.size() * sizeof(wchar_t));
        const std::size_t both = data.shown_at + data.shown_size + sizeof(wchar_t);
        if (both > sizeof data.text) return {ERROR_FILENAME_EXCED_RANGE, std::system_category()};
        std::memcpy(data.text, name.c_str(), data.shown_at);
        std::memcpy(data.text + name.size() + 1, shown.c_str(), data.shown_size);
        constexpr DWORD head = 8, middle = 8;
        data.size = static_cast<USHORT>(middle + both);
        const auto file = open_itself(place, GENERIC_WRITE);
        DWORD ignored = 0;
        return error_unless(::DeviceIoControl(file.get(), FSCTL_SET_REPARSE_POINT, &data,
                                              head + data.size, nullptr, 0, &ignored, nullptr));
    }

    void try_junction() {
        const auto junction = directory_ / "junction";
        for (const char* const name : {"junction", "one", "two"})
            ::CreateDirectoryW(long_path(directory_ / name).c_str(), nullptr);
        static_cast<void>(write_text(directory_ / "one" / "first", "text"));
        static_cast<void>(write_text(directory_ / "two" / "second", "text"));
        const auto made = set_junction(junction, directory_ / "one");
        const bool works = !made && stands(junction / "first");
        constexpr const char* effect =
            "a key's link is a small file; a symlink of an entry that this user may not make can't "
            "become a junction either";
        record("junctions", works,
               works  ? "work"
               : made ? text_of_error(made)
                      : "lead nowhere",
               effect);
        if (!works) return;
        const ScopedHandle reader = open_itself(junction / "first", GENERIC_READ);
        const auto again = set_junction(junction, directory_ / "two");
        const bool is_set = !again && stands(junction / "second") && !stands(junction / "first");
        record("setting a junction again", is_set,
               is_set  ? "works in place"
               : again ? text_of_error(again)
                       : "leaves it as it was",
               "a junction can't be a key's link");
    }

    void try_long_path() {
        auto path = directory_ / "long";
        std::error_code error;
        for (int depth = 0; depth < 4 && !error; ++depth) {
            error = error_unless(::CreateDirectoryW(long_path(path).c_str(), nullptr));
            path /= std::string(100, 'd');
        }
        if (!error) error = write_text(path.parent_path() / "file", "text");
        record("paths of over 260 characters", !error, error ? text_of_error(error) : "work",
               "keep the path of the cache, and those of the files in entries, short");
    }

    void try_names() {
        for (const char* const name : {"con", "aux.txt", "dot.", "space "}) {
            const auto path = directory_ / name;
            const auto error = write_text(path, name);
            WIN32_FIND_DATAW found{};
            const HANDLE list = ::FindFirstFileW(long_path(path).c_str(), &found);
            const bool is_there = list != INVALID_HANDLE_VALUE;
            if (is_there) ::FindClose(list);
            const bool works = !error && is_there && windows::narrow(found.cFileName) == name;
            record(
                ("the name \"" + std::string(name) + "\"").c_str(), works,
                works   ? "can be had behind \"\\\\?\\\""
                : error ? text_of_error(error)
                        : "becomes another one",
                "keys are safe, because their file names never look so; an entry can't hold such "
                "a file");
        }
    }

    void try_stream() {
        const auto error = write_text(directory_ / "file:stream", "text");
        const bool is_stream = !error && stands(directory_ / "file");
        record("the name \"file:stream\"", true,
               error       ? text_of_error(error)
               : is_stream ? "is a stream of \"file\""
                           : "is a file of that name",
               "");
    }

    void try_sync_of_directory() {
        const auto opened = open_itself(directory_, GENERIC_WRITE);
        const auto error = opened ? error_unless(::FlushFileBuffers(opened.get())) : last_error();
        record("syncing a directory", !error, error ? text_of_error(error) : "is accepted",
               "whether a name survives a power cut is up to the file system");
    }

    /// Starts this program once more, in a job, and closes the last handle of the job.
    void try_job() {
        HANDLE read = nullptr, write = nullptr;
        ::CreatePipe(&read, &write, nullptr, 0);
        const ScopedHandle stdin_of_child(read), stay(write);
        std::wstring self(32768, L'\0');  // no path is longer
        self.resize(::GetModuleFileNameW(nullptr, self.data(), static_cast<DWORD>(self.size())));
        auto line =
            windows::wide(windows::command_line_of({windows::narrow(self), part_word, "stay"}));
        ScopedHandle process;
        {
            const windows::StartedProcess child(self, std::move(line), {read, nullptr, nullptr},
                                                {});
            process =
                ScopedHandle(::OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(child.pid())));
        }
        constexpr DWORD long_enough = 5000;  // arbitrary: the system ends it at once
        const bool has_ended =
            process && ::WaitForSingleObject(process.get(), long_enough) == WAIT_OBJECT_0;
        record("programs of an ended process", has_ended, has_ended ? "end with it" : "go on",
               "if cachetool is killed, a program that exec runs goes on without its lease");
    }

    fs::path directory_;
    std::vector<Primitive> rows_;
};

}  // namespace

std::vector<Primitive> try_primitives(const fs::path& scratch) {
    return PrimitiveProbe(scratch / "primitives").run();
}

}  // namespace cachetool::system
