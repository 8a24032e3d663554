// SPDX-License-Identifier: MIT
#include "tree/containment.hpp"

#include <system_error>

#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "os/file.hpp"

namespace larder::tree {

namespace {

namespace fs = std::filesystem;

/// Returns the absolute path, without a slash at its end. Symlinks in the part that exists are
/// resolved. A path that cannot be resolved (a loop of links, a directory that we may not search)
/// is taken as it is written.
fs::path resolved(const fs::path& path) {
    std::error_code error;
    // Make it absolute first: weakly_canonical leaves a path relative if its first name does not
    // exist.
    fs::path result = os::retried(error, [&](std::error_code& each) {
        return fs::weakly_canonical(fs::absolute(path, each), each);
    });
    // Resolve once more: "none/../link" became "link", which has not been resolved yet.
    if (!error) {
        result = os::retried(
            error, [&](std::error_code& each) { return fs::weakly_canonical(result, each); });
    }
    if (error) {
        const fs::path absolute =
            os::retried(error, [&](std::error_code& each) { return fs::absolute(path, each); });
        result = absolute.lexically_normal();
    }
    return result.has_filename() ? result : result.parent_path();
}

/// Returns whether the directory has a file `format` that larder wrote: in any version, and even if
/// the file was cut off. Returns false if that can't be read.
bool is_cache(const fs::path& directory) {
    const auto dir = os::open_dir(directory);
    if (!dir) return false;
    const auto format = os::read_file_at(*dir, format::format_name, format::max_format);
    return format && format->starts_with(format::format_begin);
}

/// Returns whether two paths lead to one directory. They may be spelled differently: one directory
/// has two names by a bind mount, or because the file system ignores case.
bool is_same_dir(const fs::path& one, const fs::path& other) {
    if (one == other) return true;
    std::error_code error;  // a path that does not exist is no directory, so it is not the same one
    return os::retried(error,
                       [&](std::error_code& each) { return fs::equivalent(one, other, each); });
}

}  // namespace

std::optional<fs::path> enclosing_cache(const fs::path& path) {
    for (fs::path each = resolved(path);; each = each.parent_path()) {
        if (is_cache(each)) return each;
        if (!each.has_relative_path()) return std::nullopt;  // this was the root of the file system
    }
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
    const fs::path wanted = resolved(outer);
    for (fs::path each = resolved(inner);; each = each.parent_path()) {
        if (is_same_dir(each, wanted)) return true;
        if (!each.has_relative_path()) return false;  // this was the root of the file system
    }
}

}  // namespace larder::tree
