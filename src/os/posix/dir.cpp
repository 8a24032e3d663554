// SPDX-License-Identifier: MIT
#include "os/dir.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "os/dir_reader.hpp"
#include "os/file_info.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

constexpr int open_dir_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/// False once the kernel could not open a directory without crossing a mount, or a sandbox has
/// forbidden the call.
std::atomic<bool> open_unmounted_works{true};

/// The longest path of a DirPath: the longest that a call accepts (PATH_MAX on Linux).
constexpr std::size_t longest_path = 4096;

/// Returns whether an error of platform::open_unmounted tells what stands at the name. Any other
/// error may be a refusal of the call itself, and the second way shows whether it was.
bool tells_what_is_there(int error) {
    return error == EXDEV || error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/// Returns whether an empty directory stands at a name.
bool is_empty_dir(const Dir& parent, const std::string& name) {
    const auto dir = open_dir_at(parent, name);
    if (!dir) return false;
    auto reader = DirReader::open(*dir);
    if (!reader) return false;
    const auto first = reader->next();
    return first && !*first;
}

}  // namespace

DirPath DirPath::below(std::string_view name) const {
    DirPath inner;
    inner.text_.reserve(text_.size() + 1 + name.size());
    inner.text_ = text_;
    if (!text_.empty() && !text_.ends_with('/')) inner.text_ += '/';
    inner.text_ += name;
    if (inner.text_.size() <= longest_path) return inner;
    // Keep both ends, and cut at names. A name has at most 255 bytes, so both cuts find a slash.
    constexpr std::string_view gap = "/...";
    constexpr std::size_t kept_at_end = 1024, kept_at_start = 2048;
    const auto start = inner.text_.rfind('/', kept_at_start);
    const auto end = inner.text_.find('/', inner.text_.size() - kept_at_end);
    if (start != std::string::npos && end != std::string::npos)
        inner.text_.replace(start, end - start, gap);
    return inner;
}

Result<Dir> open_dir(const std::filesystem::path& path) {
    const int fd = retry([&] { return ::open(path.c_str(), open_dir_flags); });
    if (fd < 0) return fail(errno, "open directory", path);
    return Dir{Fd(fd), path};
}

Result<Dir> open_dir_at(const Dir& parent, const std::string& name) {
    if (!parent.is_open()) return fail(ENOENT, "open directory", parent / name);
    const int fd = retry(
        [&] { return ::openat(fd_of(parent.handle), name.c_str(), open_dir_flags | O_NOFOLLOW); });
    if (fd < 0) return fail(errno, "open directory", parent / name);
    return Dir{Fd(fd), parent.path.below(name)};
}

Result<Dir> open_dir_unmounted_at(const Dir& parent, const std::string& name) {
    if (open_unmounted_works) {
        const int fd = retry([&] {
            if ((errno = point("os.openat2")) != 0) return -1;
            return platform::open_unmounted(fd_of(parent.handle), name.c_str());
        });
        if (fd >= 0) return Dir{Fd(fd), parent.path.below(name)};
        if (tells_what_is_there(errno)) return fail(errno, "open directory", parent / name);
    }
    TRY_ASSIGN(Dir dir, open_dir_at(parent, name));
    // The plain call opens it, so the other one was refused as such. Do not make it again.
    open_unmounted_works = false;
    TRY_ASSIGN(const FileInfo outside, stat_of(parent));
    TRY_ASSIGN(const FileInfo inside, stat_of(dir));
    if (inside.identity.device != outside.identity.device)
        return fail(EXDEV, "open directory", dir.path);
    return dir;
}

bool sees_bind_mounts() noexcept { return open_unmounted_works; }

Result<Dir> make_and_open_dir_at(const Dir& parent, const std::string& name) {
    if (auto opened = open_dir_at(parent, name); !is_absent(opened)) return opened;
    if (auto made = make_dir_at(parent, name); !made && why_of(made) != Why::exists)
        return tl::make_unexpected(std::move(made).error());
    return open_dir_at(parent, name);
}

Result<> make_dir_at(const Dir& parent, const std::string& name, Permissions permissions) {
    const auto mode = static_cast<mode_t>(permissions);
    bool interrupted = false;
    const auto make = [&] { return ::mkdirat(fd_of(parent.handle), name.c_str(), mode); };
    if (retry(make, interrupted) == 0) return {};
    const int error = errno;
    if (interrupted && error == EEXIST && is_empty_dir(parent, name)) return {};
    return fail(error, "make directory", parent / name);
}

Result<bool> make_dir(const std::filesystem::path& path) {
    if (retry([&] { return ::mkdir(path.c_str(), 0700); }) == 0) return true;
    if (errno == EEXIST) return false;
    return fail(errno, "make directory", path);
}

Result<> remove_dir_at(const Dir& parent, const std::string& name) {
    bool interrupted = false;
    const auto remove = [&] {
        return ::unlinkat(fd_of(parent.handle), name.c_str(), AT_REMOVEDIR);
    };
    if (retry(remove, interrupted) == 0 || (interrupted && errno == ENOENT)) return {};
    return fail(errno, "remove directory", parent / name);
}

Result<bool> is_writable(const Dir& dir) {
    if (retry([&] {
            return ::faccessat(fd_of(dir.handle), ".", R_OK | W_OK | X_OK, AT_EACCESS);
        }) == 0)
        return true;
    if (errno == EACCES || errno == EPERM || errno == EROFS) return false;
    return fail(errno, "look at the rights to", dir.path);
}

}  // namespace larder::os
