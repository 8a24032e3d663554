// SPDX-License-Identifier: MIT
#include "tree/containment.hpp"

#include <system_error>

#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "os/file.hpp"

namespace larder::tree {

namespace {

namespace fs = std::filesystem;

/// Returns the absolute path. Symlinks in the part that exists are resolved.
fs::path resolved(const fs::path& path) {
    std::error_code error;
    // weakly_canonical leaves a path relative if its first name does not exist.
    fs::path result = os::retried(error, [&](std::error_code& each) {
        return fs::weakly_canonical(fs::absolute(path, each), each);
    });
    // Resolve once more: "none/../link" became "link", which has not been resolved yet.
    if (!error)
        result = os::retried(
            error, [&](std::error_code& each) { return fs::weakly_canonical(result, each); });
    // A path that cannot be resolved (a loop of links, a directory that we may not search) is taken
    // as it is written.
    if (error) {
        result = os::retried(error, [&](std::error_code& each) {
                     return fs::absolute(path, each);
                 }).lexically_normal();
    }
    return result.has_filename() ? result : result.parent_path();
}

/// Returns whether the directory has a `format` of larder's, whatever its version.
bool is_cache(const fs::path& directory) {
    const auto dir = os::open_dir(directory);
    if (!dir) return false;
    const auto format = os::read_file_at(*dir, format::format_name, format::max_format);
    return format &&
           format->starts_with(format::format_begin);  // of any version, and even if it is cut off
}

}  // namespace

std::optional<fs::path> enclosing_cache(const fs::path& path) {
    for (fs::path each = resolved(path);; each = each.parent_path()) {
        if (is_cache(each)) return each;
        if (!each.has_relative_path()) return std::nullopt;
    }
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
    const fs::path wanted = resolved(outer);
    for (fs::path each = resolved(inner);; each = each.parent_path()) {
        // Compare the identity too: one directory may have two names, by a mount or because the
        // file system ignores case.
        std::error_code error;
        if (each == wanted || os::retried(error, [&](std::error_code& reason) {
                return fs::equivalent(each, wanted, reason);
            }))
            return true;
        if (!each.has_relative_path()) return false;
    }
}

}  // namespace larder::tree
