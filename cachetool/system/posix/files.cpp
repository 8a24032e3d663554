// SPDX-License-Identifier: MIT
#include "cachetool/system/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <array>
#include <cstdlib>

#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {
namespace {

namespace fs = std::filesystem;

enum class RenameKind { exchange, to_new };

std::error_code rename_as(const fs::path& from, const fs::path& to, RenameKind kind) {
#if defined(__linux__)
    constexpr unsigned noreplace = 1, exchange = 2;  // the kernel's numbers
    return error_unless_zero(static_cast<int>(retry([&] {
        return ::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                         kind == RenameKind::exchange ? exchange : noreplace);
    })));
#elif defined(__APPLE__)
    return error_unless_zero(::renamex_np(
        from.c_str(), to.c_str(), kind == RenameKind::exchange ? RENAME_SWAP : RENAME_EXCL));
#else
    static_cast<void>(from), static_cast<void>(to), static_cast<void>(kind);
    return std::make_error_code(std::errc::function_not_supported);
#endif
}

#ifdef __APPLE__
timespec modified_of(const struct stat& status) { return status.st_mtimespec; }
#else
timespec modified_of(const struct stat& status) { return status.st_mtim; }
#endif

}  // namespace

std::error_code create_new_file(const fs::path& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int fd = retry([&] { return ::open(path.c_str(), flags, 0666); });
    if (fd < 0) return last_error();
    ::close(fd);
    return {};
}

std::error_code make_private_directory(const fs::path& prefix, fs::path& made) {
    std::string path = prefix.string() + "XXXXXX";
    const std::string pattern = path;
    const auto make = [&] {
        path = pattern;
        return ::mkdtemp(path.data()) == nullptr ? -1 : 0;
    };
    if (retry(make) != 0) return last_error();
    made = path;
    return {};
}

std::error_code remove_tree(const fs::path& path) {
    std::error_code error;
    fs::remove_all(path, error);
    return error;
}

std::FILE* open_temporary_file() {
    std::error_code error;
    const std::filesystem::path directory = std::filesystem::temp_directory_path(error);
    if (error) return nullptr;
    std::string path = directory / "cachetool-XXXXXX";
    const int fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return nullptr;
    (void)::unlink(path.c_str());
    std::FILE* const file = ::fdopen(fd, "w+b");
    if (file == nullptr) ::close(fd);
    return file;
}

bool may_write_in(const fs::path& directory) {
    return retry([&] { return ::access(directory.c_str(), W_OK | X_OK); }) == 0;
}

bool on_one_file_system(const fs::path& a, const fs::path& b) {
    struct stat first {};
    struct stat second {};
    return retry([&] { return ::stat(a.c_str(), &first); }) == 0 &&
           retry([&] { return ::stat(b.c_str(), &second); }) == 0 && first.st_dev == second.st_dev;
}

std::error_code exchange_names(const fs::path& a, const fs::path& b) {
    return rename_as(a, b, RenameKind::exchange);
}

std::error_code rename_to_new(const fs::path& from, const fs::path& to) {
    return rename_as(from, to, RenameKind::to_new);
}

std::uintmax_t link_count(const fs::path& path) {
    std::error_code error;
    const auto count =
        retried(error, [&](std::error_code& each) { return fs::hard_link_count(path, each); });
    return error ? 0 : count;
}

std::error_code set_modified(const fs::path& path, FileTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const timespec to{static_cast<time_t>(seconds.time_since_epoch().count()),
                      static_cast<long>((time - seconds).count())};
    const std::array times{to, to};
    return error_unless_zero(retry(
        [&] { return ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW); }));
}

std::error_code get_modified(const fs::path& path, FileTime& time) {
    struct stat status {};
    if (retry([&] { return ::lstat(path.c_str(), &status); }) != 0) return last_error();
    const auto modified = modified_of(status);
    time = FileTime(std::chrono::seconds(modified.tv_sec) +
                    std::chrono::nanoseconds(modified.tv_nsec));
    return {};
}

std::error_code write_text(const fs::path& path, std::string_view text) {
    constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    const int fd = retry([&] { return ::open(path.c_str(), flags, 0666); });
    if (fd < 0) return last_error();
    std::error_code error;
    while (!error && !text.empty()) {
        const ssize_t put = retry([&] { return ::write(fd, text.data(), text.size()); });
        if (put < 0) error = last_error();
        if (put > 0) text.remove_prefix(static_cast<std::size_t>(put));
        if (put == 0) error = std::make_error_code(std::errc::no_space_on_device);
    }
    ::close(fd);
    return error;
}

std::error_code read_text(const fs::path& path, std::string& text) {
    const int fd = retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
    if (fd < 0) return last_error();
    constexpr std::size_t most = std::size_t{16} << 20;  // arbitrary: more than any text here has
    std::array<char, 4096> chunk{};
    std::error_code error;
    text.clear();
    for (ssize_t got = 1; got > 0 && text.size() < most;) {
        got = retry([&] { return ::read(fd, chunk.data(), chunk.size()); });
        if (got < 0) error = last_error();
        if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    ::close(fd);
    return error;
}

std::error_code full_disk_error() { return {ENOSPC, std::system_category()}; }

std::error_code stream_error() { return last_error(); }

}  // namespace cachetool::system
