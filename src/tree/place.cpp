#include <tree/place.hpp>

#include <fcntl.h>

#include <os/file.hpp>
#include <system_error>

namespace larder::tree {

namespace {

namespace fs = std::filesystem;

/// Absolute, with the symlinks of the part that exists resolved.
fs::path resolved(const fs::path& path) {
    std::error_code error;
    fs::path result = fs::weakly_canonical(path, error);
    // Once more: "none/../link" came back as "link", which has not been looked at yet.
    if (!error) result = fs::weakly_canonical(result, error);
    // What can't be resolved (a loop of links, a directory that we may not search) is taken as it is written.
    if (error) result = fs::absolute(path, error).lexically_normal();
    return result.has_filename() ? result : result.parent_path();
}

/// What every format of a cache begins with: see layout/format.
constexpr std::string_view cache_format = "larder ";

bool is_cache(const fs::path& directory) {
    const auto dir = os::open_dir(directory);
    if (!dir) return false;
    // A FIFO of that name must not hold us up.
    const auto fd = os::open_at(*dir, "format", O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (!fd || ::fstat(fd->get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    char begin[cache_format.size()];
    const ssize_t got = os::retry([&] { return ::pread(fd->get(), begin, sizeof begin, 0); });
    return got == static_cast<ssize_t>(sizeof begin) && std::string_view(begin, sizeof begin) == cache_format;
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
        // By identity too: one directory may have two names, by a mount, or where names are equal that differ in case.
        std::error_code error;
        if (each == wanted || fs::equivalent(each, wanted, error)) return true;
        if (!each.has_relative_path()) return false;
    }
}

}  // namespace larder::tree
