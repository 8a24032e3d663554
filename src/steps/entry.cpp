#include <steps/entry.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <layout/layout.hpp>

namespace larder::steps {

namespace {

/// Whether a directory, and no symlink to one, stands at the name. Its last component alone is not followed.
Result<bool> is_dir(const os::Dir& dir, const std::string& name) {
    struct stat status{};
    if (::fstatat(dir.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return S_ISDIR(status.st_mode);
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return os::fail(errno, "look at entry", dir / name);
}

}  // namespace

Result<bool> is_complete(const root::Root& root, const layout::Id& id) {
    const auto& archive = root.dirs().archive;
    if (!archive.fd) return false;
    const std::string entry = to_text(id);
    TRY_ASSIGN(const bool exists, is_dir(archive, entry));
    if (!exists) return false;
    return is_dir(archive, entry + "/" + layout::tree_name);
}

Result<layout::Record> read_record(const root::Root& root, const layout::Id& id) {
    const auto path = root.dirs().archive / to_text(id) / layout::record_name;
    const auto damaged = [&](std::string why) { return os::fail(Errc::damaged, "read record", path, std::move(why)); };
    const auto entry = os::open_dir_at(root.dirs().archive, to_text(id));
    // Only what is certainly so is damage: who meets it may retire the entry, and must not for want of a descriptor.
    const int reason = entry ? 0 : entry.error().sys_errno;
    if (reason == ENOENT || reason == ENOTDIR || reason == ELOOP) return damaged("its entry is not there");
    TRY(entry);
    const auto text = os::read_file_at(*entry, layout::record_name, layout::max_record);
    if (!text && text.error().sys_errno == ENOENT) return damaged("it is missing");
    if (!text && text.error().sys_errno == ELOOP) return damaged("it is a symlink");
    if (!text && text.error().code == Errc::damaged) return damaged(text.error().detail);
    TRY(text);
    auto record = layout::parse_record(*text);
    if (!record) return damaged("it is cut off, or changed");
    return std::move(*record);
}

std::filesystem::path tree_path(const root::Root& root, const layout::Id& id) {
    return root.dirs().archive.path / to_text(id) / layout::tree_name;
}

}  // namespace larder::steps
