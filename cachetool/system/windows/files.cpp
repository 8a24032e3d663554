// SPDX-License-Identifier: MIT
#include "cachetool/system/files.hpp"

#include <fcntl.h>

#include <array>
#include <io.h>
#include <random>

#include "cachetool/system/windows/last_error.hpp"
#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {
namespace {

namespace fs = std::filesystem;
using windows::long_path;
using windows::ScopedHandle;

/// Windows counts in units of 100 ns since 1601.
using FileTicks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;
constexpr std::chrono::seconds ticks_before_1970{11'644'473'600};

ScopedHandle open_file(const fs::path& path, DWORD access, DWORD disposition) {
    return ScopedHandle(::CreateFileW(long_path(path).c_str(), access, windows::share_all, nullptr,
                                      disposition, FILE_ATTRIBUTE_NORMAL, nullptr));
}

std::wstring random_letters() {
    std::random_device random;
    std::wstring letters;
    for (int i = 0; i < 10; ++i) letters += static_cast<wchar_t>(L'a' + random() % 26);
    return letters;
}

/// Deletes what stands at a path, a link itself. Returns why it is left, or no error.
std::error_code remove_one(const fs::path& path, DWORD attributes) {
    const auto name = long_path(path);
    if ((attributes & FILE_ATTRIBUTE_READONLY) != 0)
        ::SetFileAttributesW(name.c_str(), attributes & ~DWORD{FILE_ATTRIBUTE_READONLY});
    const bool is_directory = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    return error_unless(is_directory ? ::RemoveDirectoryW(name.c_str())
                                     : ::DeleteFileW(name.c_str()));
}

}  // namespace

std::error_code create_new_file(const fs::path& path) {
    return open_file(path, GENERIC_WRITE, CREATE_NEW) ? std::error_code() : last_error();
}

std::error_code make_private_directory(const fs::path& prefix, fs::path& made) {
    // It inherits the list of the directory around it, as all that larder makes here.
    constexpr int max_attempts = 100;  // arbitrary: no two draws are equal
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        made = prefix;
        made += random_letters();
        if (::CreateDirectoryW(long_path(made).c_str(), nullptr)) return {};
        if (::GetLastError() != ERROR_ALREADY_EXISTS) break;
    }
    return last_error();
}

std::error_code remove_tree(const fs::path& path) {
    const DWORD attributes = ::GetFileAttributesW(long_path(path).c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        const auto error = last_error();
        const bool is_gone =
            error.value() == ERROR_FILE_NOT_FOUND || error.value() == ERROR_PATH_NOT_FOUND;
        return is_gone ? std::error_code() : error;
    }
    std::error_code left;
    // A junction is a directory, and what it leads to is no part of this tree.
    const bool is_link = (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 && !is_link) {
        WIN32_FIND_DATAW found;
        const HANDLE list = ::FindFirstFileW(long_path(path / L"*").c_str(), &found);
        if (list == INVALID_HANDLE_VALUE) return last_error();
        do {
            const std::wstring_view name = found.cFileName;
            if (name == L"." || name == L"..") continue;
            const auto error = remove_tree(path / name);
            if (error && !left) left = error;
        } while (::FindNextFileW(list, &found));
        ::FindClose(list);
    }
    const auto error = remove_one(path, attributes);
    return left ? left : error;
}

std::FILE* open_temporary_file() {
    std::array<wchar_t, MAX_PATH + 1> directory{};
    if (::GetTempPathW(static_cast<DWORD>(directory.size()), directory.data()) == 0) return nullptr;
    const auto path = fs::path(directory.data()) / (L"cachetool-" + random_letters());
    const HANDLE file = ::CreateFileW(
        long_path(path).c_str(), GENERIC_READ | GENERIC_WRITE | DELETE, windows::share_all, nullptr,
        CREATE_NEW, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, nullptr);
    if (file == INVALID_HANDLE_VALUE) return nullptr;
    const int descriptor = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(file), _O_BINARY);
    if (descriptor < 0) {
        ::CloseHandle(file);
        return nullptr;
    }
    std::FILE* const stream = ::_fdopen(descriptor, "w+b");
    if (stream == nullptr) ::_close(descriptor);
    return stream;
}

bool may_write_in(const fs::path& directory) {
    return static_cast<bool>(
        windows::open_itself(directory, FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY | FILE_TRAVERSE));
}

bool on_one_file_system(const fs::path& a, const fs::path& b) {
    const auto volume_of_path = [](const fs::path& path, DWORD& serial) {
        const ScopedHandle file(::CreateFileW(long_path(path).c_str(), FILE_READ_ATTRIBUTES,
                                              windows::share_all, nullptr, OPEN_EXISTING,
                                              FILE_FLAG_BACKUP_SEMANTICS, nullptr));
        BY_HANDLE_FILE_INFORMATION info{};
        if (!file || !::GetFileInformationByHandle(file.get(), &info)) return false;
        serial = info.dwVolumeSerialNumber;
        return true;
    };
    DWORD first = 0, second = 0;
    return volume_of_path(a, first) && volume_of_path(b, second) && first == second;
}

std::error_code exchange_names(const fs::path& /*a*/, const fs::path& /*b*/) {
    return std::make_error_code(std::errc::function_not_supported);
}

std::error_code rename_to_new(const fs::path& from, const fs::path& to) {
    return error_unless(::MoveFileExW(long_path(from).c_str(), long_path(to).c_str(), 0));
}

std::uintmax_t link_count(const fs::path& path) {
    const auto file = windows::open_itself(path, FILE_READ_ATTRIBUTES);
    BY_HANDLE_FILE_INFORMATION info{};
    return file && ::GetFileInformationByHandle(file.get(), &info) ? info.nNumberOfLinks : 0;
}

std::error_code set_modified(const fs::path& path, FileTime time) {
    const auto file = windows::open_itself(path, FILE_WRITE_ATTRIBUTES);
    if (!file) return last_error();
    // In nanoseconds, a time since 1601 does not fit into 64 bits.
    const auto ticks = std::chrono::floor<FileTicks>(time.time_since_epoch()) + ticks_before_1970;
    const auto count = static_cast<std::uint64_t>(ticks.count());
    const FILETIME modified{static_cast<DWORD>(count), static_cast<DWORD>(count >> 32U)};
    return error_unless(::SetFileTime(file.get(), nullptr, nullptr, &modified));
}

std::error_code get_modified(const fs::path& path, FileTime& time) {
    const auto file = windows::open_itself(path, FILE_READ_ATTRIBUTES);
    FILETIME modified{};
    if (!file || !::GetFileTime(file.get(), nullptr, nullptr, &modified)) return last_error();
    const FileTicks ticks(static_cast<std::int64_t>(std::uint64_t{modified.dwHighDateTime} << 32U |
                                                    modified.dwLowDateTime));
    time = FileTime(ticks - ticks_before_1970);
    return {};
}

std::error_code write_text(const fs::path& path, std::string_view text) {
    const auto file = open_file(path, GENERIC_WRITE, CREATE_ALWAYS);
    if (!file) return last_error();
    while (!text.empty()) {
        DWORD put = 0;
        if (!::WriteFile(file.get(), text.data(), static_cast<DWORD>(text.size()), &put, nullptr))
            return last_error();
        if (put == 0) return std::make_error_code(std::errc::no_space_on_device);
        text.remove_prefix(put);
    }
    return {};
}

std::error_code read_text(const fs::path& path, std::string& text) {
    const auto file = open_file(path, GENERIC_READ, OPEN_EXISTING);
    if (!file) return last_error();
    constexpr std::size_t most = std::size_t{16} << 20;  // arbitrary: more than any text here has
    std::array<char, 4096> chunk{};
    text.clear();
    for (DWORD got = 1; got > 0 && text.size() < most;) {
        if (!::ReadFile(file.get(), chunk.data(), chunk.size(), &got, nullptr)) return last_error();
        text.append(chunk.data(), got);
    }
    return {};
}

std::error_code full_disk_error() { return {ERROR_DISK_FULL, std::system_category()}; }

std::error_code stream_error() { return {errno, std::generic_category()}; }

}  // namespace cachetool::system
