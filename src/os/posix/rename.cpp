// SPDX-License-Identifier: MIT
#include "os/rename.hpp"

#include <fcntl.h>

#include <cstdio>

#include "os/file_info.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/like_windows.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

using like_windows::Waiting;
using platform::RenameFlag;

/// One of the two names of a rename: a name in an open directory, or a path that a caller gave.
/// Refers to what the caller owns.
class RenamedName {
public:
    RenamedName(const Dir& dir, const std::string& name) : dir_(&dir), text_(name.c_str()) {}
    explicit RenamedName(const std::filesystem::path& path) : text_(path.c_str()) {}

    /// The two arguments of the system's calls.
    [[nodiscard]] int dir_fd() const { return dir_ == nullptr ? AT_FDCWD : fd_of(dir_->handle); }
    [[nodiscard]] const char* text() const { return text_; }

    /// Returns the whole path, for messages.
    [[nodiscard]] std::filesystem::path path() const {
        return dir_ == nullptr ? std::filesystem::path(text_) : *dir_ / text_;
    }

    /// Returns what stands there. Follows no symlink.
    [[nodiscard]] CallResult<FileInfo> info() const {
        return dir_ == nullptr ? try_stat_path(text_, Follow::no) : try_stat_at(*dir_, text_);
    }

private:
    const Dir* dir_ = nullptr;  // null for a path of its own
    const char* text_;
};

/// Returns whether a rename has happened although it was refused with `error` when it was made
/// again after a signal: the source is gone, and the target is there. Returns false if the system
/// does not tell.
bool has_happened(int error, const RenamedName& from, const RenamedName& to) {
    if (error != ENOENT && error != EEXIST) return false;
    return why_of(from.info()) == Why::absent && to.info().has_value();
}

/// Calls `rename`, which returns -1 and sets errno if it fails, as long as a signal interrupts it.
/// Returns 0 or the error number.
template <class Rename>
int renamed_or_error(const RenamedName& from, const RenamedName& to, Rename rename) {
    bool interrupted = false;
    if (retry(rename, interrupted) == 0) return 0;
    const int error = errno;
    return interrupted && has_happened(error, from, to) ? 0 : error;
}

/// Renames to a name that must be free, atomically. Returns 0 or the error number. If the system
/// refuses such a rename, its number says nothing about the names.
int rename_without_replacing(const RenamedName& from, const RenamedName& to) {
    return renamed_or_error(from, to, [&] {
        if ((errno = point("os.noreplace")) != 0) return -1;
        return platform::rename_with_flag(from.dir_fd(), from.text(), to.dir_fd(), to.text(),
                                          RenameFlag::no_replace);
    });
}

/// Renames, and replaces what stands at `to` if rename(2) allows that. Returns 0 or the error
/// number.
int rename_plainly(const RenamedName& from, const RenamedName& to) {
    return renamed_or_error(
        from, to, [&] { return ::renameat(from.dir_fd(), from.text(), to.dir_fd(), to.text()); });
}

/// Returns 0 if nothing stands at the name, else why a plain rename would be wrong: EEXIST, or the
/// number of the error if the system does not tell whether something stands there.
int why_not_free(const RenamedName& name) {
    const auto info = name.info();
    if (info) return EEXIST;
    return why_of(info) == Why::absent ? 0 : info.error().value();
}

/// Returns the error with which Windows would refuse a rename; 0 if it would not.
int error_on_windows(const RenamedName& from, Waiting waiting) {
    if (const int error = like_windows::error_of_rename()) return error;
    return like_windows::error_of_open_below(from.dir_fd(), from.text(), waiting);
}

/// Returns the error of a rename that was refused.
tl::unexpected<Error> not_renamed(int error, const RenamedName& from, const RenamedName& to) {
    std::string detail = "to " + to.path().string();
    if (error == EXDEV) {
        detail += "; something is mounted at one of the two places: unmount it";
        const auto renamed = from.info();
        if (renamed && renamed->is_directory())
            detail += " (and overlayfs renames no directory of a lower layer)";
    }
    return fail(error, "rename", from.path(), std::move(detail));
}

/// Renames to a name that must be free: atomically if the system can, else by checking the name
/// first. Errors: Why::exists if the name is taken.
Result<> rename_to_free_name(const RenamedName& from, const RenamedName& to) {
    int error = rename_without_replacing(from, to);
    if (error == 0) return {};
    if (!ends_at_once(why_of(error))) {
        // The atomic rename itself may have been refused. Go the second way.
        error = why_not_free(to);
        if (error == 0) error = point("os.rename");
        if (error == 0) error = rename_plainly(from, to);
        if (error == 0) return {};
    }
    return not_renamed(error, from, to);
}

/// Renames a directory to the name of an empty one as Windows does, which replaces no directory:
/// the empty one is removed first. Returns 0 or the error number.
int rename_in_two_steps(const RenamedName& from, const RenamedName& to, const Dir& to_dir,
                        const std::string& to_name) {
    int error = error_on_windows(from, Waiting::yes);
    if (error == 0) error = rename_without_replacing(from, to);
    if (error != EEXIST) return error;
    if (const auto removed = remove_dir_at(to_dir, to_name); !removed)
        return removed.error().sys_errno;
    return rename_without_replacing(from, to);
}

}  // namespace

Result<> rename_new_atomic(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                           const std::string& to) {
    const RenamedName source(from_dir, from), target(to_dir, to);
    if (const int error = error_on_windows(source, Waiting::yes))
        return not_renamed(error, source, target);
    const int error = rename_without_replacing(source, target);
    if (error == 0) return {};
    return refused(error, "rename without replacing", source.path(),
                   "to " + target.path().string());
}

Result<> rename_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                    const std::string& to) {
    const RenamedName source(from_dir, from), target(to_dir, to);
    if (const int error = error_on_windows(source, Waiting::yes))
        return not_renamed(error, source, target);
    return rename_to_free_name(source, target);
}

Result<> rename_new_at_once(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                            const std::string& to) {
    const RenamedName source(from_dir, from), target(to_dir, to);
    if (const int error = error_on_windows(source, Waiting::no))
        return not_renamed(error, source, target);
    return rename_to_free_name(source, target);
}

Result<> rename_dir_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                        const std::string& to) {
    // With a slash behind the name, the system itself refuses what is no directory. So no call must
    // look first, and nothing can come between that look and the rename.
    if (platform::slash_asks_for_directory) return rename_new(from_dir, from + '/', to_dir, to);
    TRY_ASSIGN(const bool stands, is_dir_at(from_dir, from));
    if (!stands) return fail(ENOENT, "rename", from_dir / from);
    return rename_new(from_dir, from, to_dir, to);
}

Result<> rename_dir_out(const Dir& from_dir, const std::string& from,
                        const std::filesystem::path& to) {
    const RenamedName source(from_dir, from), target(to);
    if (const int error = error_on_windows(source, Waiting::yes))
        return not_renamed(error, source, target);
    return rename_to_free_name(source, target);
}

Result<> rename_replacing(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                          const std::string& to) {
    const RenamedName source(from_dir, from), target(to_dir, to);
    int error = point("os.rename-over");
    if (error == 0) error = error_on_windows(source, Waiting::yes);
    if (error == 0) error = like_windows::error_of_replacing(target.dir_fd(), target.text());
    if (error == 0) error = rename_plainly(source, target);
    if (error == EXDEV) return not_renamed(error, source, target);
    if (error != 0) return fail(error, "replace", to_dir / to);
    return {};
}

Result<> rename_dir(const std::filesystem::path& from, const Dir& to_dir, const std::string& to) {
    const RenamedName source(from), target(to_dir, to);
    const int error = is_like_windows() ? rename_in_two_steps(source, target, to_dir, to)
                                        : rename_plainly(source, target);
    if (error != 0) return not_renamed(error, source, target);
    return {};
}

bool renames_directories_in_use() noexcept { return !is_like_windows(); }

Result<> exchange(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                  const std::string& to) {
    errno = point("os.exchange");
    if (errno == 0 && is_like_windows()) errno = ENOTSUP;
    if (errno == 0 &&
        platform::rename_with_flag(fd_of(from_dir.handle), from.c_str(), fd_of(to_dir.handle),
                                   to.c_str(), RenameFlag::exchange) == 0)
        return {};
    const int error = errno;
    const std::string detail = "with " + (to_dir / to).string();
    // Not refused: the names may have been exchanged before the signal came.
    if (error == EINTR) return fail(error, "exchange", from_dir / from, detail);
    return refused(error, "exchange", from_dir / from, detail);
}

}  // namespace larder::os
