// SPDX-License-Identifier: MIT
#include "os/rename.hpp"

#include <fcntl.h>

#include <cstdio>

#include "os/file_info.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

using platform::RenameFlag;

/// Returns whether a rename has happened although it was refused with `error` when it was made
/// again after a signal: the source is gone, and the target is there.
bool has_happened(int error, const Dir& from_dir, const std::string& from, const Dir& to_dir,
                  const std::string& to) {
    return (error == ENOENT || error == EEXIST) && !exists_at(from_dir, from).value_or(true) &&
           exists_at(to_dir, to).value_or(false);
}

/// Renames to a name that must be free, atomically. Returns 0 or the error number. The number of a
/// refusal says nothing about the names.
int rename_to_free_name(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                        const std::string& to) {
    bool interrupted = false;
    const int renamed = retry(
        [&] {
            if ((errno = point("os.noreplace")) != 0) return -1;
            return platform::rename_with_flag(fd_of(from_dir.handle), from.c_str(),
                                              fd_of(to_dir.handle), to.c_str(),
                                              RenameFlag::no_replace);
        },
        interrupted);
    if (renamed == 0) return 0;
    const int error = errno;
    return interrupted && has_happened(error, from_dir, from, to_dir, to) ? 0 : error;
}

/// Returns 0 if nothing stands at the name, else why a plain rename would be wrong: EEXIST, or why
/// the system does not tell.
int why_not_free(const Dir& dir, const std::string& name) {
    const auto there = try_stat_at(dir, name.c_str());
    if (there) return EEXIST;
    return why_of(there) == Why::absent ? 0 : there.error().value();
}

/// Returns the error of a plain rename, with both names.
tl::unexpected<Error> rename_failed(int error, const Dir& from_dir, const std::string& from,
                                    const Dir& to_dir, const std::string& to) {
    return fail(error, "rename", from_dir / from, "to " + (to_dir / to).string());
}

}  // namespace

Result<> rename_new_atomic(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                           const std::string& to) {
    const int error = rename_to_free_name(from_dir, from, to_dir, to);
    if (error == 0) return {};
    return refused(error, "rename without replacing", from_dir / from,
                   "to " + (to_dir / to).string());
}

Result<> rename_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                    const std::string& to) {
    const int error = rename_to_free_name(from_dir, from, to_dir, to);
    if (error == 0) return {};
    if (ends_at_once(why_of(error))) return rename_failed(error, from_dir, from, to_dir, to);
    if (const int taken = why_not_free(to_dir, to))
        return rename_failed(taken, from_dir, from, to_dir, to);
    bool interrupted = false;
    const auto rename = [&] {
        if ((errno = point("os.rename")) != 0) return -1;
        return ::renameat(fd_of(from_dir.handle), from.c_str(), fd_of(to_dir.handle), to.c_str());
    };
    if (retry(rename, interrupted) == 0) return {};
    const int reason = errno;
    if (interrupted && has_happened(reason, from_dir, from, to_dir, to)) return {};
    return rename_failed(reason, from_dir, from, to_dir, to);
}

Result<> rename_replacing(const Dir& dir, const std::string& from, const std::string& to) {
    bool interrupted = false;
    const auto rename = [&] {
        return ::renameat(fd_of(dir.handle), from.c_str(), fd_of(dir.handle), to.c_str());
    };
    if (retry(rename, interrupted) == 0) return {};
    const int error = errno;
    if (interrupted && has_happened(error, dir, from, dir, to)) return {};
    return fail(error, "replace", dir / to);
}

Result<> rename_dir(const std::filesystem::path& from, const Dir& to_dir, const std::string& to) {
    bool interrupted = false;
    const auto rename = [&] {
        return ::renameat(AT_FDCWD, from.c_str(), fd_of(to_dir.handle), to.c_str());
    };
    if (retry(rename, interrupted) == 0) return {};
    const int error = errno;
    if (interrupted && error == ENOENT && exists_at(to_dir, to).value_or(false)) return {};
    return fail(error, "rename", from, "to " + (to_dir / to).string());
}

Result<> rename_dir_out(const Dir& from_dir, const std::string& from,
                        const std::filesystem::path& to) {
    const auto failed = [&](int error) {
        return fail(error, "rename", from_dir / from, "to " + to.string());
    };
    const auto has_moved = [&](bool interrupted, int error) {
        return interrupted && (error == ENOENT || error == EEXIST) &&
               !exists_at(from_dir, from).value_or(true) && try_stat_path(to, Follow::no);
    };
    bool interrupted = false;
    const auto rename_to_free = [&] {
        if ((errno = point("os.noreplace")) != 0) return -1;
        return platform::rename_with_flag(fd_of(from_dir.handle), from.c_str(), AT_FDCWD,
                                          to.c_str(), RenameFlag::no_replace);
    };
    if (retry(rename_to_free, interrupted) == 0) return {};
    int error = errno;
    if (has_moved(interrupted, error)) return {};
    if (ends_at_once(why_of(error))) return failed(error);
    const auto there = try_stat_path(to, Follow::no);
    if (there) return failed(EEXIST);
    if (why_of(there) != Why::absent) return failed(there.error().value());
    const auto rename = [&] {
        return ::renameat(fd_of(from_dir.handle), from.c_str(), AT_FDCWD, to.c_str());
    };
    if (retry(rename, interrupted) == 0) return {};
    error = errno;
    return has_moved(interrupted, error) ? Result<>() : failed(error);
}

Result<> exchange(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                  const std::string& to) {
    errno = point("os.exchange");
    if (errno == 0 &&
        platform::rename_with_flag(fd_of(from_dir.handle), from.c_str(), fd_of(to_dir.handle),
                                   to.c_str(), RenameFlag::exchange) == 0)
        return {};
    const int error = errno;
    if (error == EINTR)
        return fail(error, "exchange", from_dir / from, "with " + (to_dir / to).string());
    return refused(error, "exchange", from_dir / from, "with " + (to_dir / to).string());
}

}  // namespace larder::os
