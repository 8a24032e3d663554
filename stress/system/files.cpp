// SPDX-License-Identifier: MIT
#include "stress/system/files.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "stress/system/posix.hpp"

namespace larder::stress {

namespace fs = std::filesystem;

namespace {

tl::unexpected<std::error_code> failed() { return tl::make_unexpected(last_reason()); }

SystemResult<> write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
        if (written < 0) return failed();
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

SystemResult<InputFile> InputFile::open(const fs::path& path) {
    const int fd =
        retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); });
    if (fd < 0) return failed();
    return InputFile(fd);
}

InputFile::InputFile(InputFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

InputFile::~InputFile() {
    if (fd_ >= 0) ::close(fd_);
}

SystemResult<std::size_t> InputFile::read(void* to, std::size_t size) const {
    const auto got = retry([&] { return ::read(fd_, to, size); });
    if (got < 0) return failed();
    return static_cast<std::size_t>(got);
}

SystemResult<std::size_t> InputFile::read_at(void* to, std::size_t size,
                                             std::uint64_t offset) const {
    const auto got = retry([&] { return ::pread(fd_, to, size, static_cast<off_t>(offset)); });
    if (got < 0) return failed();
    return static_cast<std::size_t>(got);
}

SystemResult<std::optional<std::uint64_t>> InputFile::regular_size() const {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) return failed();
    if (!S_ISREG(status.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

SystemResult<OutputFile> OutputFile::create(const fs::path& path, std::uint32_t mode) {
    const int fd = retry([&] {
        return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                      static_cast<mode_t>(mode));
    });
    if (fd < 0) return failed();
    return OutputFile(fd);
}

OutputFile::OutputFile(OutputFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

OutputFile::~OutputFile() {
    if (fd_ >= 0) ::close(fd_);
}

SystemResult<> OutputFile::write(std::string_view bytes) const { return write_all(fd_, bytes); }

SystemResult<> OutputFile::set_mode(std::uint32_t mode) const {
    if (::fchmod(fd_, static_cast<mode_t>(mode)) != 0) return failed();
    return {};
}

SystemResult<std::string> read_whole_file(const fs::path& path) {
    const Fd fd(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (!fd) return failed();
    std::string text;
    std::array<char, 65'536> buffer;
    for (;;) {
        const auto more = retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
        if (more < 0) return failed();
        if (more == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(more));
    }
}

void append_line(const fs::path& path, std::string_view line) noexcept {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!fd || ::write(fd.get(), line.data(), line.size()) < 0)
        (void)!::write(STDERR_FILENO, line.data(), line.size());
}

SystemResult<FileStatus> status_of(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return failed();
    const auto type = S_ISREG(status.st_mode)   ? fs::file_type::regular
                      : S_ISDIR(status.st_mode) ? fs::file_type::directory
                      : S_ISLNK(status.st_mode) ? fs::file_type::symlink
                                                : fs::file_type::unknown;
    return FileStatus{type, static_cast<std::uint64_t>(status.st_size), status.st_mode & 07777U};
}

Result<fs::path> make_temporary_directory(const fs::path& pattern) {
    std::string name = pattern.string();
    if (::mkdtemp(name.data()) == nullptr)
        return failure(last_reason(), "make a directory", pattern);
    std::error_code unknown;
    const fs::path path = fs::canonical(name, unknown);
    return unknown ? fs::path(name) : path;
}

bool is_executable(const fs::path& path) noexcept { return ::access(path.c_str(), X_OK) == 0; }

fs::path this_program() {
    std::error_code unknown;
    return fs::read_symlink("/proc/self/exe", unknown);
}

}  // namespace larder::stress
