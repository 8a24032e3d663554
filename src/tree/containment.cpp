// SPDX-License-Identifier: MIT
#include "tree/containment.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "os/file.hpp"
#include "os/path_text.hpp"

namespace larder::tree {

namespace {

namespace fs = std::filesystem;

constexpr int max_links = 40;  // as many as Linux follows in one path

/// Returns whether an error says that nothing stands at a path, or nothing that could hold more: a
/// file, or links in a circle. Any other error tells nothing about the path.
bool says_nothing_is_there(const std::error_code& error) {
    const Why why = os::why_of(error);
    return why == Why::absent || why == Why::not_directory || why == Why::is_link;
}

/// Returns an error about a path of which it can't be told where it leads, or what it lies in.
tl::unexpected<Error> cannot_tell(const std::error_code& error, const fs::path& path) {
    constexpr std::string_view reason = "a cache may be there, whose files must stay";
    auto failure = os::fail(error, "look for a cache at", path, std::string(reason));
    // Who denies the right is said already, if that is known, and what to do about it.
    std::string& detail = failure.value().detail;
    if (detail == reason)
        detail += "; give this process the right to look there, or name another path";
    return failure;
}

/// The names of a path that are not resolved yet, the next one last.
std::vector<fs::path> names_backwards(const fs::path& path) {
    std::vector<fs::path> names(path.begin(), path.end());
    std::reverse(names.begin(), names.end());
    return names;
}

/// Returns the absolute path. Symlinks in the part that exists are resolved. A path with a circle
/// of links, which leads nowhere, is taken as it is written. Errors: the system's, if it does not
/// tell where the path leads.
///
/// weakly_canonical does the same, but asks for all names at once. If a file system interrupts each
/// few of its calls, it begins again for ever.
Result<fs::path> resolved(const fs::path& path) {
    std::error_code error;
    const fs::path absolute =
        os::retried(error, [&](std::error_code& each) { return fs::absolute(path, each); });
    if (error) return cannot_tell(error, path);
    int links = 0;
    fs::path found;
    for (auto names = names_backwards(absolute); !names.empty();) {
        const fs::path name = std::move(names.back());
        names.pop_back();
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            found = found.parent_path();  // of a path without links
            continue;
        }
        const fs::path next = found / name;
        const auto status = os::retried(
            error, [&](std::error_code& each) { return fs::symlink_status(next, each); });
        if (error && !says_nothing_is_there(error)) return cannot_tell(error, path);
        if (error || !fs::is_symlink(status)) {
            found = next;
            continue;
        }
        if (++links > max_links) return absolute.lexically_normal();
        const fs::path target =
            os::retried(error, [&](std::error_code& each) { return fs::read_symlink(next, each); });
        if (error) return cannot_tell(error, path);
        const auto more = names_backwards(target);  // the first of an absolute path is its root
        names.insert(names.end(), more.begin(), more.end());
    }
    return found;
}

/// Returns whether the directory has a `format` of larder's, whatever its version. Returns false if
/// there is no such directory. Errors: the system's, if it does not tell what stands there.
Result<bool> is_cache(const fs::path& directory) {
    // Ask for the file by its path. A directory above the caller's may be one that this process may
    // search and not read, and almost none of them has such a file.
    const auto info = os::try_stat_path(directory / format::format_name, os::Follow::no);
    if (!info && says_nothing_is_there(info.error())) return false;
    if (info && !info->is_regular()) return false;
    // Some sandboxes refuse stat and allow open. So even if the look was refused, try to read.
    const auto unread = [&](const Error& error) {
        return cannot_tell({error.sys_errno, std::system_category()}, directory);
    };
    const auto dir = os::open_dir_for_names(directory);
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

Result<bool> is_entry_tree(const fs::path& path) {
    TRY_ASSIGN(const fs::path tree, resolved(path));
    const fs::path entry = tree.parent_path(), archive = entry.parent_path();
    const bool has_its_names = tree.filename() == format::tree_name &&
                               format::parse_id(os::text_of(entry.filename())) &&
                               archive.filename() == format::archive_name;
    if (!has_its_names) return false;
    return is_cache(archive.parent_path());
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
