// SPDX-License-Identifier: MIT
#include "os/dir.hpp"

#include "os/file_info.hpp"
#include "os/points.hpp"
#include "os/windows/nt.hpp"
#include "os/windows/remove.hpp"

namespace larder::os {

namespace {

using windows::How;
using windows::Name;

/// How a directory is opened. Not for DELETE: as long as such a handle is open, some systems refuse
/// to rename anything into the directory.
constexpr How listed{.access = FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES,
                     .options = FILE_DIRECTORY_FILE};

/// How a directory is opened of which only names are used.
constexpr How searched{.access = FILE_TRAVERSE | FILE_READ_ATTRIBUTES,
                       .options = FILE_DIRECTORY_FILE};

/// How a directory is made. By open_itself, because a link that stands there and leads to nothing
/// is in the way, and must not have a directory made where it leads.
constexpr How made_new{
    .access = FILE_READ_ATTRIBUTES, .disposition = FILE_CREATE, .options = FILE_DIRECTORY_FILE};

/// The longest path of a DirPath. Arbitrary: it is only for messages.
constexpr std::size_t longest_path = 4096;

Result<Dir> open_dir_as(const std::filesystem::path& path, const How& how) {
    windows::Path whole(path);
    NTSTATUS status = whole.status();
    FileHandle handle;
    if (status >= 0) status = windows::open(handle, {nullptr, whole.string()}, how);
    if (status < 0) return fail(windows::error_of(status), "open directory", path);
    return Dir{std::move(handle), path};
}

Result<Dir> open_dir_at_as(const Dir& parent, const std::string& name, const How& how) {
    if (!parent.is_open()) return fail(Why::absent, "open directory", parent / name);
    FileHandle handle;
    const NTSTATUS status =
        windows::open_path(handle, windows::handle_of(parent.handle), name, how);
    if (status < 0) return fail(windows::error_of(status), "open directory", parent / name);
    return Dir{std::move(handle), parent.path.below(name)};
}

}  // namespace

DirPath DirPath::below(std::string_view name) const {
    DirPath inner;
    inner.text_.reserve(text_.size() + 1 + name.size());
    inner.text_ = text_;
    if (!text_.empty() && !text_.ends_with('\\') && !text_.ends_with('/')) inner.text_ += '\\';
    inner.text_ += name;
    if (inner.text_.size() <= longest_path) return inner;
    // Keep both ends, and cut between two names.
    constexpr std::string_view gap = "\\...";
    constexpr std::size_t kept_at_start = 2048, kept_at_end = 1024;
    const auto gap_begin = inner.text_.find_last_of("\\/", kept_at_start);
    const auto gap_end = inner.text_.find_first_of("\\/", inner.text_.size() - kept_at_end);
    if (gap_begin != std::string::npos && gap_end != std::string::npos)
        inner.text_.replace(gap_begin, gap_end - gap_begin, gap);
    return inner;
}

Result<Dir> open_dir(const std::filesystem::path& path) { return open_dir_as(path, listed); }

Result<Dir> open_dir_at(const Dir& parent, const std::string& name) {
    return open_dir_at_as(parent, name, listed);
}

Result<Dir> open_dir_for_names(const std::filesystem::path& path) {
    auto opened = open_dir(path);
    return why_of(opened) == Why::denied ? open_dir_as(path, searched) : std::move(opened);
}

Result<Dir> open_dir_for_names_at(const Dir& parent, const std::string& name) {
    auto opened = open_dir_at(parent, name);
    return why_of(opened) == Why::denied ? open_dir_at_as(parent, name, searched)
                                         : std::move(opened);
}

// On Windows a volume is mounted on a directory by a junction, and open_dir_at opens none.
Result<Dir> open_dir_unmounted_at(const Dir& parent, const std::string& name) {
    return open_dir_at(parent, name);
}

bool sees_bind_mounts() noexcept { return true; }

Result<Dir> make_and_open_dir_at(const Dir& parent, const std::string& name) {
    if (auto opened = open_dir_at(parent, name); !is_absent(opened)) return opened;
    if (auto made = make_dir_at(parent, name); !made && why_of(made) != Why::exists)
        return tl::make_unexpected(std::move(made).error());
    return open_dir_at(parent, name);
}

Result<> make_dir_at(const Dir& parent, const std::string& name, Permissions /*inherited*/) {
    Name text(name);
    NTSTATUS status = text.status();
    FileHandle made;
    if (status >= 0) {
        status = windows::open_itself(made, {windows::handle_of(parent.handle), text.string()},
                                      made_new);
    }
    if (status < 0) return fail(windows::error_of(status), "make directory", parent / name);
    return {};
}

Result<> make_dir_if_missing(const std::filesystem::path& path) {
    windows::Path whole(path);
    NTSTATUS status = whole.status();
    FileHandle made;
    if (status >= 0) status = windows::open_itself(made, {nullptr, whole.string()}, made_new);
    if (status >= 0 || status == windows::name_collision) return {};
    return fail(windows::error_of(status), "make directory", path);
}

Result<> remove_dir_at(const Dir& parent, const std::string& name) {
    const int error = windows::remove_at(parent, name, windows::DeletedKind::directory);
    if (error != 0) return fail(error, "remove directory", parent / name);
    return {};
}

Result<bool> may_remove_dir_at(const Dir& parent, const std::string& name) {
    Name text(name);
    NTSTATUS status = text.status();
    FileHandle removable;
    if (status >= 0) {
        status = windows::open_itself(removable, {windows::handle_of(parent.handle), text.string()},
                                      {.access = DELETE, .options = FILE_DIRECTORY_FILE});
    }
    if (status >= 0) return true;
    const int error = windows::error_of(status);
    if (why_of(error) == Why::denied || why_of(error) == Why::read_only) return false;
    return fail(error, "look at the rights to", parent / name);
}

Result<bool> is_writable(const Dir& dir) {
    // Windows has no call that asks, so this opens the directory with all these rights.
    FileHandle writable;
    const NTSTATUS status = windows::reopen(
        writable, windows::handle_of(dir.handle),
        {.access = FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY,
         .options = FILE_DIRECTORY_FILE});
    if (status >= 0) return true;
    const int error = windows::error_of(status);
    if (why_of(error) == Why::denied || why_of(error) == Why::read_only) return false;
    return fail(error, "look at the rights to", dir.path);
}

}  // namespace larder::os
