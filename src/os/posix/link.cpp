// SPDX-License-Identifier: MIT
#include "os/link.hpp"

#include <unistd.h>

#include "os/file_info.hpp"
#include "os/like_windows.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/like_windows.hpp"

namespace larder::os {

namespace {

/// Returns whether a symlink with exactly this text stands at a name.
bool has_text(const Dir& parent, const std::string& name, const std::string& text) {
    std::string found(text.size() + 1, '\0');  // one byte more shows that a text is longer
    const auto length = read_symlink_at(parent, name.c_str(), found.data(), found.size());
    return length && std::string_view(found.data(), *length) == text;
}

/// Returns whether two names belong to one file; false if the system does not tell.
bool is_one_file(const Dir& dir, const std::string& name, const Dir& other_dir,
                 const std::string& other_name) {
    const auto one = try_stat_at(dir, name.c_str());
    const auto other = try_stat_at(other_dir, other_name.c_str());
    return one && other && one->identity == other->identity;
}

}  // namespace

CallResult<std::size_t> read_symlink_at(const Dir& parent, const char* path, char* text,
                                        std::size_t size) noexcept {
    const ssize_t length =
        retry([&] { return ::readlinkat(fd_of(parent.handle), path, text, size); });
    if (length < 0) return tl::unexpected(std::error_code(errno, std::system_category()));
    return static_cast<std::size_t>(length);
}

bool all_users_make_symlinks() noexcept { return !is_like_windows(); }
bool replaces_symlinks_to_directories() noexcept { return !is_like_windows(); }

Result<> make_symlink_at(const Dir& parent, const std::string& name, const std::string& text,
                         LeadsTo /*either*/) {
    bool interrupted = false;
    if (retry([&] { return ::symlinkat(text.c_str(), fd_of(parent.handle), name.c_str()); },
              interrupted) == 0)
        return {};
    const int error = errno;
    // The call that was interrupted may have made the link: see the rules in fd.hpp.
    if (interrupted && error == EEXIST && has_text(parent, name, text)) return {};
    return fail(error, "make link", parent / name);
}

bool has_junctions() noexcept { return is_like_windows(); }

namespace {

/// Returns the error of a call for a junction, on a system that has none or acts as if it had.
tl::unexpected<Error> junction_failed(int error, const char* step, std::filesystem::path path) {
    if (!has_junctions()) {
        return larder::fail(Errc::unsupported, step, std::move(path),
                            "directory junctions exist on Windows only");
    }
    return fail(error, step, std::move(path));
}

}  // namespace

Result<std::string> junction_path_of(const Dir& dir) {
    constexpr const char* step = "make junction";
    if (!has_junctions()) return junction_failed(0, step, dir.path);
    std::error_code error;
    const auto path =
        std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd_of(dir.handle)), error);
    if (error) return fail(error, step, dir.path);
    return path.string();
}

CallResult<std::string> read_junction_at(const Dir& parent, const char* path) {
    return like_windows::read_junction(fd_of(parent.handle), path);
}

Result<> make_junction_at(const Dir& parent, const std::string& name, const std::string& target) {
    if (const int error = like_windows::make_junction(fd_of(parent.handle), name.c_str(), target))
        return junction_failed(error, "make junction", parent / name);
    return {};
}

bool is_unset_junction_at(const Dir& parent, const std::string& name) {
    return like_windows::is_unset_junction(fd_of(parent.handle), name.c_str());
}

Result<FileHandle> open_junction_at(const Dir& parent, const std::string& name) {
    FileHandle junction;
    const int error = like_windows::open_junction(fd_of(parent.handle), name.c_str(), junction);
    if (error != 0) return junction_failed(error, "open junction", parent / name);
    return junction;
}

Result<> set_junction(const FileHandle& junction, const std::string& target,
                      const std::filesystem::path& where) {
    int error = point("os.set-junction");
    if (error == 0) error = like_windows::set_junction(junction, target);
    if (error != 0) return junction_failed(error, "set junction", where);
    return {};
}

Result<> make_hard_link(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                        const std::string& to) {
    bool interrupted = false;
    const auto link = [&] {
        return ::linkat(fd_of(from_dir.handle), from.c_str(), fd_of(to_dir.handle), to.c_str(), 0);
    };
    if (retry(link, interrupted) == 0) return {};
    const int error = errno;
    // As above: the call that was interrupted may have made the link.
    if (interrupted && error == EEXIST && is_one_file(from_dir, from, to_dir, to)) return {};
    return refused(error, "link", to_dir / to);
}

}  // namespace larder::os
