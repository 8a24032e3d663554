// SPDX-License-Identifier: MIT
#include "tree/transfer.hpp"

#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#elif defined(__APPLE__)
#include <sys/clonefile.h>
#endif

#include <array>
#include <cerrno>
#include <memory>

#include "os/points.hpp"
#include "tree/walk.hpp"

namespace larder::tree {

namespace {

// Set-user-id, set-group-id and sticky bits do not travel: a copy belongs to whoever made it.
constexpr mode_t kept_mode = 0777;

std::array<timespec, 2> times_of(const struct stat& status) {
#ifdef __APPLE__
    const timespec modified = status.st_mtimespec;
#else
    const timespec modified = status.st_mtim;
#endif
    return {timespec{0, UTIME_OMIT}, modified};
}

/// An open file being made; removed again unless it is completed.
class NewFile {
public:
    static Result<NewFile> create(const os::Dir& dir, const std::string& name) {
        TRY_ASSIGN(os::Fd fd, os::open_at(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
        return NewFile(dir, name, std::move(fd));
    }
    NewFile(NewFile&& other) noexcept
        : dir_(other.dir_), name_(other.name_), fd_(std::move(other.fd_)) {}
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile() {
        if (fd_) (void)os::remove_file_at(dir_, name_);
    }

    [[nodiscard]] int get() const { return fd_.get(); }

    /// The mode by itself, so that no umask alters it; the time last, since writing changes it.
    Result<> complete(const struct stat& source) {
        if (os::retry([&] { return ::fchmod(get(), source.st_mode & kept_mode); }) != 0)
            return os::fail(errno, "set mode", dir_ / name_);
        if (::futimens(get(), times_of(source).data()) != 0)
            return os::fail(errno, "set time", dir_ / name_);
        // Some file systems (NFS, those with quotas) say only now that there was no space.
        if (::close(fd_.release()) != 0 && errno != EINTR) {
            const int error = errno;
            (void)os::remove_file_at(dir_, name_);
            return os::fail(error, "close", dir_ / name_);
        }
        return {};
    }

private:
    NewFile(const os::Dir& dir, const std::string& name, os::Fd fd)
        : dir_(dir), name_(name), fd_(std::move(fd)) {}

    const os::Dir& dir_;
    const std::string& name_;
    os::Fd fd_;
};

/// Whether the error says that this way does not exist here, rather than that something went wrong.
bool incapable(int error) {
    switch (error) {
        case EXDEV:  // two file systems, or two mounts of one
        case EPERM:  // no hard links here (FAT), or not for this file (immutable, or somebody else's)
        case EOPNOTSUPP:  // no clones here
        case EINVAL:  // the same, from older kernels; or files of two kinds (btrfs without copy-on-write)
        case ENOTTY:
        case ENOSYS:
        case EMLINK:  // this file has all the links it can have
            return true;
        default:
            return false;
    }
}

/// Whether it says so of one file only. Trying again for the next file costs a tenth of the copy that follows where it fails.
bool for_this_file_only(int error) { return error == EPERM || error == EMLINK; }

/// 0, or the reason why there are no clones here.
Result<int> clone_file(const Move& move, const std::string& as) {
    TRY_ASSIGN(const os::Fd source, os::open_at(move.from, move.name, O_RDONLY));
#ifdef __APPLE__
    if (::fclonefileat(source.get(), move.to.get(), as.c_str(),
                       CLONE_NOFOLLOW | CLONE_NOOWNERCOPY) != 0) {
        if (incapable(errno)) return errno;
        return os::fail(errno, "clone", move.to / as);
    }
    if ((move.status.st_mode & ~kept_mode & 07777) == 0) return 0;
    if (::fchmodat(move.to.get(), as.c_str(), move.status.st_mode & kept_mode,
                   AT_SYMLINK_NOFOLLOW) != 0) {
        return os::fail(errno, "set mode", move.to / as);
    }
    return 0;
#elif defined(__linux__)
    TRY_ASSIGN(auto made, NewFile::create(move.to, as));
    if (os::retry([&] { return ::ioctl(made.get(), FICLONE, source.get()); }) != 0) {
        if (incapable(errno)) return errno;
        return os::fail(errno, "clone", move.to / as);
    }
    TRY(made.complete(move.status));
    return 0;
#else
    (void)as;
    return EOPNOTSUPP;
#endif
}

/// 0, or the reason why there are no hard links here.
Result<int> link_file(const Move& move, const std::string& as) {
    int error = os::point("tree.link");
    if (error == 0 &&
        ::linkat(move.from.get(), move.name.c_str(), move.to.get(), as.c_str(), 0) != 0)
        error = errno;
    if (error == 0 || incapable(error)) return error;
    return os::fail(error, "link", move.to / as);
}

#ifdef __linux__
/// Inside the kernel, where that works. False: nothing was copied, and reading and writing has to do it.
Result<bool> copy_in_kernel(int from, int to, const std::filesystem::path& path) {
    constexpr std::size_t most =
        1U << 30;  // what the kernel takes at once at most is a little under 2 GiB
    for (bool any = false;; any = true) {
        errno = os::point("tree.copy_file_range");
        const ssize_t copied = errno != 0 ? -1 : os::retry([&] {
            return ::copy_file_range(from, nullptr, to, nullptr, most, 0);
        });
        if (copied > 0) continue;
        if (copied == 0)
            return any;  // a file that seems empty may be one of a kind that this call can't read
        if (!any && (incapable(errno) || errno == EBADF || errno == EIO)) return false;
        return os::fail(errno, "copy", path);
    }
}
#endif

Result<> copy_by_hand(int from, int to, const std::filesystem::path& source,
                      const std::filesystem::path& path) {
    constexpr std::size_t chunk =
        128 * 1024;  // what coreutils found to be the best on most machines
    const auto buffer = std::make_unique<char[]>(chunk);
    for (;;) {
        const ssize_t got = os::retry([&] { return ::read(from, buffer.get(), chunk); });
        if (got < 0) return os::fail(errno, "read", source);
        if (got == 0) return {};
        TRY(os::write_all(to, {buffer.get(), static_cast<std::size_t>(got)}, path));
    }
}

Result<> copy_file(const Move& move, const std::string& as) {
    TRY_ASSIGN(const os::Fd source, os::open_at(move.from, move.name, O_RDONLY));
    TRY_ASSIGN(auto made, NewFile::create(move.to, as));
    bool copied = false;
#ifdef __linux__
    TRY_ASSIGN(copied, copy_in_kernel(source.get(), made.get(), move.to / as));
#endif
    if (!copied) TRY(copy_by_hand(source.get(), made.get(), move.from / move.name, move.to / as));
    return made.complete(move.status);
}

tl::unexpected<Error> unsupported(int error, const char* step, const Move& move) {
    return tl::make_unexpected(Error{Errc::unsupported, error, step, move.to / move.name,
                                     "not possible from " + move.from.path.string()});
}

/// Makes the file under a name that is free.
Result<Way> make_file(const Move& move, const std::string& as, LinkMode mode, Ability& ability) {
    const bool automatic = mode == LinkMode::automatic;
    if (mode == LinkMode::clone || (automatic && ability.clone)) {
        TRY_ASSIGN(const int reason, clone_file(move, as));
        if (reason == 0) return Way::cloned;
        if (!automatic) return unsupported(reason, "clone", move);
        ability.clone = false;
    }
    // A hard link can't drop the set-user-id bit, and whoever asked for "the best" did not ask for that.
    const bool links_well = (move.status.st_mode & (S_ISUID | S_ISGID)) == 0;
    if (mode == LinkMode::hardlink || (automatic && ability.hardlink && links_well)) {
        TRY_ASSIGN(const int reason, link_file(move, as));
        if (reason == 0) return Way::hardlinked;
        if (!automatic) return unsupported(reason, "link", move);
        if (!for_this_file_only(reason)) ability.hardlink = false;
    }
    TRY(copy_file(move, as));
    return Way::copied;
}

Result<> make_symlink(const Move& move, const std::string& as) {
    std::array<char, 4097> text{};  // no system takes a longer text than 4,096 bytes
    const ssize_t length =
        ::readlinkat(move.from.get(), move.name.c_str(), text.data(), text.size() - 1);
    if (length < 0) return os::fail(errno, "read link", move.from / move.name);
    if (::symlinkat(text.data(), move.to.get(), as.c_str()) != 0)
        return os::fail(errno, "make link", move.to / as);
    // Not every file system keeps a time for a symlink, and nobody misses it.
    (void)::utimensat(move.to.get(), as.c_str(), times_of(move.status).data(), AT_SYMLINK_NOFOLLOW);
    return {};
}

/// Calls make(name), which makes something at a free name of `move.to`: the final one or, where that is taken and may be
/// replaced, a fresh one, which is then renamed over it.
template <class Make>
auto make_or_replace(const Move& move, bool replace, Make make) -> decltype(make(move.name)) {
    auto made = make(move.name);
    if (made || made.error().sys_errno != EEXIST) return made;
    const auto standing = os::stat_at(move.to, move.name);
    if (standing && S_ISDIR(standing->st_mode)) {
        return fail(Errc::exists, "make", move.to / move.name,
                    "a directory stands where a file should go");
    }
    if (!replace)
        return fail(Errc::exists, "make", move.to / move.name, "something stands there already");
    const std::string fresh = fresh_name();
    made = make(fresh);
    if (!made) return made;
    const int renamed = ::renameat(move.to.get(), fresh.c_str(), move.to.get(), move.name.c_str());
    const int error = errno;
    // Also after a success: a rename between two names of one file does nothing at all.
    (void)os::remove_file_at(move.to, fresh);
    if (renamed != 0) return os::fail(error, "replace", move.to / move.name);
    return made;
}

}  // namespace

Result<Way> transfer_file(const Move& move, const MaterializeOptions& options, Ability& ability) {
    return make_or_replace(move, options.replace, [&](const std::string& as) {
        return make_file(move, as, options.mode, ability);
    });
}

Result<> transfer_symlink(const Move& move, const MaterializeOptions& options) {
    return make_or_replace(move, options.replace,
                           [&](const std::string& as) { return make_symlink(move, as); });
}

Result<> finish_directory(const struct stat& source, const os::Dir& made) {
    // What a directory inherits from a shared one around it stays.
    TRY_ASSIGN(const struct stat now, os::stat_of(made));
    const mode_t mode = (now.st_mode & S_ISGID) | (source.st_mode & kept_mode);
    if (os::retry([&] { return ::fchmod(made.get(), mode); }) != 0)
        return os::fail(errno, "set mode", made.path);
    if (::futimens(made.get(), times_of(source).data()) != 0)
        return os::fail(errno, "set time", made.path);
    return {};
}

}  // namespace larder::tree
