// SPDX-License-Identifier: MIT
#include "os/posix/like_windows.hpp"

#if defined(LARDER_POINTS) && defined(__linux__)

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/before_main.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/process.hpp"

namespace larder::os {

namespace {

std::atomic<bool>& like_windows_switch() noexcept {
    static std::atomic<bool> is_on{environment_variable("LARDER_TEST_LIKE_WINDOWS").has_value()};
    return is_on;
}

[[maybe_unused]] const bool switch_made =
    before_main([]() -> auto& { return like_windows_switch(); });

}  // namespace

bool is_like_windows() noexcept { return like_windows_switch().load(std::memory_order_relaxed); }

void act_like_windows(bool wanted) noexcept { like_windows_switch() = wanted; }

}  // namespace larder::os

namespace larder::os::like_windows {

namespace {

struct DirCloser {
    void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};
using Listing = std::unique_ptr<DIR, DirCloser>;

/// Returns the path of an open file, as the kernel knows it now; an empty text if it does not tell.
std::string path_of_descriptor(const std::string& descriptor) {
    std::array<char, 4096> path;
    const ssize_t size = ::readlink(descriptor.c_str(), path.data(), path.size());
    return size <= 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

/// Returns whether a process has a file or directory open whose path begins so. A file that was
/// deleted does not count: it has no name below the directory any more.
bool has_open_below(const std::string& process, const std::string& beginning) {
    constexpr std::string_view deleted = " (deleted)";
    const std::string folder = process + "/fd";
    const Listing descriptors(::opendir(folder.c_str()));
    if (!descriptors) return false;
    while (const dirent* const entry = ::readdir(descriptors.get())) {
        const std::string path = path_of_descriptor(folder + '/' + entry->d_name);
        if (path.starts_with(beginning) && !path.ends_with(deleted)) return true;
    }
    return false;
}

bool any_process_has_open_below(const std::string& beginning) {
    const Listing processes(::opendir("/proc"));
    if (!processes) return false;
    while (const dirent* const entry = ::readdir(processes.get())) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        if (has_open_below(std::string("/proc/") + entry->d_name, beginning)) return true;
    }
    return false;
}

/// Returns what the path of everything below a directory begins with; an empty text if no directory
/// stands at the name.
std::string beginning_below(int dir, std::string name) {
    while (name.size() > 1 && name.ends_with('/')) name.pop_back();
    constexpr int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const Fd renamed(retry([&] { return ::openat(dir, name.c_str(), flags); }));
    if (!renamed) return {};
    return path_of_descriptor("/proc/self/fd/" + std::to_string(renamed.get())) + '/';
}

struct flock lock_of(short type, const Range& range) noexcept {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(range.start);
    lock.l_len = static_cast<off_t>(range.length);
    return lock;
}

/// Returns the error of a call that touches bytes which another open file has locked.
int error_by_locks(int fd, short type, std::uint64_t offset, std::size_t size) noexcept {
    if (size == 0 || !is_like_windows()) return 0;
    auto lock = lock_of(type, {offset, size});
    const bool is_told = retry([&] { return ::fcntl(fd, F_OFD_GETLK, &lock); }) == 0;
    return is_told && lock.l_type != F_UNLCK ? ETXTBSY : 0;
}

int error_by_locks_here(int fd, short type, std::size_t size) noexcept {
    if (!is_like_windows()) return 0;
    const off_t here = ::lseek(fd, 0, SEEK_CUR);
    if (here < 0) return 0;  // a pipe has no locks
    return error_by_locks(fd, type, static_cast<std::uint64_t>(here), size);
}

/// A lock that an open file has.
struct OwnLock {
    Mode mode;
    std::uint64_t first;
    std::uint64_t last;

    [[nodiscard]] bool overlaps(const Range& range) const noexcept {
        return first <= range.start + range.length - 1 && range.start <= last;
    }
    [[nodiscard]] bool covers(const Range& range) const noexcept {
        return first <= range.start && range.start + range.length - 1 <= last;
    }
};

/// Returns the locks of an open file, which the kernel shows with its descriptor.
std::vector<OwnLock> locks_of(int fd) {
    std::vector<OwnLock> locks;
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
    for (std::string line; std::getline(info, line);) {
        std::string what, number, kind, sort, mode, pid, file, last;
        OwnLock lock{};
        std::istringstream words(line);
        words >> what >> number >> kind >> sort >> mode >> pid >> file >> lock.first >> last;
        if (what != "lock:" || kind != "OFDLCK") continue;
        lock.mode = mode == "READ" ? Mode::shared : Mode::exclusive;
        lock.last = last == "EOF" ? UINT64_MAX : std::stoull(last);
        locks.push_back(lock);
    }
    return locks;
}

/// Takes or releases a lock. Returns 0, or the error: EAGAIN if another open file has the lock.
int set_lock(int fd, short type, const Range& bytes) noexcept {
    auto lock = lock_of(type, bytes);
    return retry([&] { return ::fcntl(fd, F_OFD_SETLK, &lock); }) == 0 ? 0 : errno;
}

/// Takes a lock, and tries as often as windows/file_lock.cpp does.
CallResult<bool> take_lock(int fd, Mode mode, const Range& bytes) {
    constexpr int most_tries = 4;
    for (int tries = 1;; ++tries) {
        const int error = set_lock(fd, mode == Mode::shared ? F_RDLCK : F_WRLCK, bytes);
        if (error == 0) return true;
        if (error != EAGAIN) return tl::unexpected(std::error_code(error, std::system_category()));
        if (tries == most_tries) return false;
        std::this_thread::yield();
    }
}

}  // namespace

int error_of_open_below(int dir, const char* name, Waiting waiting) {
    using namespace std::chrono;
    if (!is_like_windows()) return 0;
    const std::string beginning = beginning_below(dir, name);
    if (beginning.empty()) return 0;
    const auto begun = steady_clock::now();
    // As windows::to_rename has it for a denial, which the rename of a directory meets.
    constexpr milliseconds longest(200);
    milliseconds pause(1);
    while (any_process_has_open_below(beginning)) {
        if (waiting == Waiting::no || steady_clock::now() - begun >= longest) return EACCES;
        std::this_thread::sleep_for(pause);
        pause = std::min(2 * pause, milliseconds(10));
    }
    return 0;
}

int error_of_open() { return is_like_windows() ? point("os.open-held") : 0; }
int error_of_rename() { return is_like_windows() ? point("os.rename-held") : 0; }
int error_of_delete() { return is_like_windows() ? point("os.delete-held") : 0; }

int error_of_read_at(int fd, std::uint64_t offset, std::size_t size) noexcept {
    return error_by_locks(fd, F_RDLCK, offset, size);
}
int error_of_write_at(int fd, std::uint64_t offset, std::size_t size) noexcept {
    return error_by_locks(fd, F_WRLCK, offset, size);
}
int error_of_read(int fd, std::size_t size) noexcept {
    return error_by_locks_here(fd, F_RDLCK, size);
}
int error_of_write(int fd, std::size_t size) noexcept {
    return error_by_locks_here(fd, F_WRLCK, size);
}

CallResult<bool> try_lock(const FileHandle& file, Mode mode, const Range& range) {
    const int fd = fd_of(file);
    const Range bytes = range.behind_data();
    for (const OwnLock& own : locks_of(fd)) {
        if (!own.overlaps(bytes)) continue;
        if (!own.covers(bytes)) {
            if (own.mode == Mode::exclusive || mode == Mode::exclusive) return false;
            continue;
        }
        if (own.mode == mode) return true;
        if (mode == Mode::shared) break;
        // Only here a lock may be lost: another process may take the bytes in between.
        if (const int error = set_lock(fd, F_UNLCK, bytes))
            return tl::unexpected(std::error_code(error, std::system_category()));
        const auto taken = take_lock(fd, Mode::exclusive, bytes);
        if (!taken || !*taken) (void)take_lock(fd, Mode::shared, bytes);
        return taken;
    }
    return take_lock(fd, mode, bytes);
}

CallResult<bool> is_locked(const FileHandle& file, const Range& range) {
    const int fd = fd_of(file);
    const Range bytes = range.behind_data();
    // By an open file of its own: the locks of `file` itself would be in the way.
    const std::string again = "/proc/self/fd/" + std::to_string(fd);
    const Fd looker(retry([&] { return ::open(again.c_str(), O_RDWR | O_CLOEXEC); }));
    if (!looker) {
        // Windows lets a reader lock, and Linux does not.
        auto lock = lock_of(F_WRLCK, bytes);
        if (retry([&] { return ::fcntl(fd, F_OFD_GETLK, &lock); }) != 0)
            return tl::unexpected(std::error_code(errno, std::system_category()));
        return lock.l_type != F_UNLCK;
    }
    const int error = set_lock(looker.get(), F_WRLCK, bytes);
    if (error == 0) {
        // A child that is forked just now shares the open file, so closing it is not enough.
        (void)set_lock(looker.get(), F_UNLCK, bytes);
        return false;
    }
    if (error != EAGAIN) return tl::unexpected(std::error_code(error, std::system_category()));
    const auto own = locks_of(fd);
    return std::none_of(own.begin(), own.end(),
                        [&](const OwnLock& lock) { return lock.overlaps(bytes); });
}

}  // namespace larder::os::like_windows

#elif defined(LARDER_POINTS)

namespace larder::os {

bool is_like_windows() noexcept { return false; }
void act_like_windows(bool) noexcept {}

}  // namespace larder::os

#endif
