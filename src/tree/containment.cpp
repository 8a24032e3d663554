// SPDX-License-Identifier: MIT
#include "tree/containment.hpp"

#include <system_error>

#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "os/file.hpp"

namespace larder::tree {

namespace {

namespace fs = std::filesystem;

/// Returns whether an error says that nothing stands at a path, or nothing that could hold more: a
/// file, or links in a circle. Any other error tells nothing about the path.
bool says_nothing_is_there(const std::error_code& error) {
    const Why why = os::why_of(error);
    return why == Why::absent || why == Why::not_directory || why == Why::is_link;
}

/// Returns an error about a path of which it can't be told where it leads, or what it lies in.
tl::unexpected<Error> cannot_tell(const std::error_code& error, const fs::path& path) {
    return os::fail(
        error, "look for a cache at", path,
        "so it can't be told whether a cache is there, whose files must stay; give this "
        "process the right to look there, or name another path");
}

/// Returns the absolute path. Symlinks in the part that exists are resolved. A path with a circle
/// of links, which leads nowhere, is taken as it is written. Errors: the system's, if it does not
/// tell where the path leads.
Result<fs::path> resolved(const fs::path& path) {
    std::error_code error;
    // weakly_canonical leaves a path relative if its first name does not exist.
    fs::path result = os::retried(error, [&](std::error_code& each) {
        return fs::weakly_canonical(fs::absolute(path, each), each);
    });
    // Resolve once more: "none/../link" became "link", which has not been resolved yet.
    if (!error)
        result = os::retried(
            error, [&](std::error_code& each) { return fs::weakly_canonical(result, each); });
    if (error) {
        if (!says_nothing_is_there(error)) return cannot_tell(error, path);
        result = os::retried(error, [&](std::error_code& each) {
                     return fs::absolute(path, each);
                 }).lexically_normal();
        if (error) return cannot_tell(error, path);
    }
    return result.has_filename() ? result : result.parent_path();
}

/// Returns whether the directory has a `format` of larder's, whatever its version. Returns false if
/// there is no such directory. Errors: the system's, if it does not tell what stands there.
Result<bool> is_cache(const fs::path& directory) {
    // Ask for the file by its path. A directory above the caller's may be one that this process may
    // search and not read, and almost none of them has such a file.
    const auto info = os::try_stat_path(directory / format::format_name, os::Follow::no);
    if (!info && says_nothing_is_there(info.error())) return false;
    if (!info) return cannot_tell(info.error(), directory);
    if (!info->is_regular()) return false;
    const auto unread = [&](const Error& error) {
        return cannot_tell({error.sys_errno, std::system_category()}, directory);
    };
    const auto dir = os::open_dir(directory);
    if (has_no_directory(dir)) return false;
    if (!dir) return unread(dir.error());
    const auto format = os::read_file_at(*dir, format::format_name, format::max_format);
    // A file that is too long, or is a regular file no more, is no `format` of larder's.
    const bool is_other = !format && (format.error().code == Errc::damaged || is_absent(format) ||
                                      why_of(format) == Why::is_link);
    if (is_other) return false;
    if (!format) return unread(format.error());
    return format->starts_with(format::format_begin);  // of any version, and even if it is cut off
}

}  // namespace

Result<std::optional<fs::path>> enclosing_cache(const fs::path& path) {
    TRY_ASSIGN(fs::path each, resolved(path));
    for (;; each = each.parent_path()) {
        TRY_ASSIGN(const bool is_root, is_cache(each));
        if (is_root) return each;
        if (!each.has_relative_path()) return std::nullopt;
    }
}

Result<bool> lies_within(const fs::path& inner, const fs::path& outer) {
    TRY_ASSIGN(const fs::path wanted, resolved(outer));
    TRY_ASSIGN(fs::path each, resolved(inner));
    for (;; each = each.parent_path()) {
        if (each == wanted) return true;
        // Compare the identity too: one directory may have two names, by a mount or because the
        // file system ignores case.
        std::error_code error;
        if (os::retried(error, [&](std::error_code& reason) {
                return fs::equivalent(each, wanted, reason);
            }))
            return true;
        if (error && !says_nothing_is_there(error)) return cannot_tell(error, each);
        if (!each.has_relative_path()) return false;
    }
}

}  // namespace larder::tree
