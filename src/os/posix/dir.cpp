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
#include "os/posix/like_windows.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

constexpr int open_dir_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/// False once the kernel, or a sandbox, has refused the call that opens a directory only if nothing
/// is mounted there.
std::atomic<bool> open_unmounted_works{true};

/// The longest path of a DirPath: the longest that a call accepts (PATH_MAX on Linux).
constexpr std::size_t longest_path = 4096;

/// Returns whether an error of platform::open_unmounted tells what stands at the name. Any other
/// error may be a refusal of the call itself; opening the directory without that call shows whether
/// it was.
bool tells_what_is_there(int error) {
    return error == EXDEV || error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/// Returns whether an empty directory stands at a name; false if the system does not tell.
bool is_empty_dir(const Dir& parent, const std::string& name) {
    const auto dir = open_dir_at(parent, name);
    return dir && is_empty(*dir).value_or(false);
}

/// Returns whether this process has these rights to a directory.
Result<bool> allows(const Dir& dir, int rights) {
    // By the effective user, as the calls that list and change the directory check it.
    const auto ask = [&] { return ::faccessat(fd_of(dir.handle), ".", rights, AT_EACCESS); };
    if (retry(ask) == 0) return true;
    if (errno == EACCES || errno == EPERM || errno == EROFS) return false;
    return fail(errno, "look at the rights to", dir.path);
}

}  // namespace

DirPath DirPath::below(std::string_view name) const {
    DirPath inner;
    inner.text_.reserve(text_.size() + 1 + name.size());
    inner.text_ = text_;
    if (!text_.empty() && !text_.ends_with('/')) inner.text_ += '/';
    inner.text_ += name;
    if (inner.text_.size() <= longest_path) return inner;
    // Keep both ends, and cut at slashes, so that no name is cut. A name has at most 255 bytes, so
    // both searches find a slash. The sizes are arbitrary: their sum is well below longest_path.
    constexpr std::string_view gap = "/...";
    constexpr std::size_t kept_at_start = 2048, kept_at_end = 1024;
    const auto gap_begin = inner.text_.rfind('/', kept_at_start);
    const auto gap_end = inner.text_.find('/', inner.text_.size() - kept_at_end);
    if (gap_begin != std::string::npos && gap_end != std::string::npos)
        inner.text_.replace(gap_begin, gap_end - gap_begin, gap);
    return inner;
}

Result<Dir> open_dir(const std::filesystem::path& path) {
    const int fd = retry([&] { return ::open(path.c_str(), open_dir_flags); });
    if (fd < 0) return fail(errno, "open directory", path);
    return Dir{Fd(fd), path};
}

Result<Dir> open_dir_at(const Dir& parent, const std::string& name) {
    if (!parent.is_open()) return fail(ENOENT, "open directory", parent / name);
    if (const int error = like_windows::error_of_open())
        return fail(error, "open directory", parent / name);
    const int fd = retry(
        [&] { return ::openat(fd_of(parent.handle), name.c_str(), open_dir_flags | O_NOFOLLOW); });
    if (fd < 0) return fail(errno, "open directory", parent / name);
    return Dir{Fd(fd), parent.path.below(name)};
}

Result<Dir> open_dir_for_names(const std::filesystem::path& path) {
    auto opened = open_dir(path);
    if (why_of(opened) != Why::denied) return opened;
    const int fd = retry([&] { return platform::open_for_names(AT_FDCWD, path.c_str(), 0); });
    return fd < 0 ? std::move(opened) : Dir{Fd(fd), path};
}

Result<Dir> open_dir_for_names_at(const Dir& parent, const std::string& name) {
    auto opened = open_dir_at(parent, name);
    if (why_of(opened) != Why::denied) return opened;
    const int fd = retry(
        [&] { return platform::open_for_names(fd_of(parent.handle), name.c_str(), O_NOFOLLOW); });
    return fd < 0 ? std::move(opened) : Dir{Fd(fd), parent.path.below(name)};
}

Result<Dir> open_dir_unmounted_at(const Dir& parent, const std::string& name) {
    if (const int error = like_windows::error_of_open())
        return fail(error, "open directory", parent / name);
    if (open_unmounted_works) {
        const int fd = retry([&] {
            if ((errno = point("os.openat2")) != 0) return -1;
            return platform::open_unmounted(fd_of(parent.handle), name.c_str());
        });
        if (fd >= 0) return Dir{Fd(fd), parent.path.below(name)};
        if (tells_what_is_there(errno)) return fail(errno, "open directory", parent / name);
    }
    TRY_ASSIGN(Dir dir, open_dir_at(parent, name));
    // The plain call opens the directory, so the other call was refused as such. Make it no more.
    open_unmounted_works = false;
    // What is mounted here has another device, unless it is of the same file system.
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
    // The call that was interrupted may have made the directory: see the rules in fd.hpp.
    if (interrupted && error == EEXIST && is_empty_dir(parent, name)) return {};
    return fail(error, "make directory", parent / name);
}

Result<> make_dir_if_missing(const std::filesystem::path& path) {
    if (retry([&] { return ::mkdir(path.c_str(), 0700); }) == 0 || errno == EEXIST) return {};
    return fail(errno, "make directory", path);
}

Result<> remove_dir_at(const Dir& parent, const std::string& name) {
    if (const int error = like_windows::error_of_delete())
        return fail(error, "remove directory", parent / name);
    bool interrupted = false;
    const auto remove = [&] {
        return ::unlinkat(fd_of(parent.handle), name.c_str(), AT_REMOVEDIR);
    };
    // The call that was interrupted may have removed the directory: see the rules in fd.hpp.
    if (retry(remove, interrupted) == 0 || (interrupted && errno == ENOENT)) return {};
    return fail(errno, "remove directory", parent / name);
}

Result<bool> is_writable(const Dir& dir) { return allows(dir, R_OK | W_OK | X_OK); }

Result<bool> may_remove_dir_at(const Dir& parent, const std::string& /*name*/) {
    return allows(parent, W_OK | X_OK);
}

}  // namespace larder::os
