#include <steps/entry.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <layout/layout.hpp>

namespace larder::steps {

Result<bool> is_complete(const root::Root& root, const layout::Id& id) {
    const auto& archive = root.dirs().archive;
    const std::string name = to_text(id) + "/" + layout::tree_name;
    struct stat status{};
    if (::fstatat(archive.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return S_ISDIR(status.st_mode);
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return os::fail(errno, "look at entry", archive / name);
}

Result<layout::Record> read_record(const root::Root& root, const layout::Id& id) {
    const auto& archive = root.dirs().archive;
    const std::string name = to_text(id) + "/" + layout::record_name;
    auto text = os::read_file_at(archive, name, layout::max_record);
    if (!text && text.error().sys_errno != ENOENT && text.error().code != Errc::damaged) return tl::make_unexpected(std::move(text).error());
    if (!text) return os::fail(Errc::damaged, "read record", archive / name, text.error().sys_errno == ENOENT ? "it is missing" : text.error().detail);
    auto record = layout::parse_record(*text);
    if (!record) return os::fail(Errc::damaged, "read record", archive / name, "it is cut off, or changed");
    return std::move(*record);
}

std::filesystem::path tree_path(const root::Root& root, const layout::Id& id) {
    return root.dirs().archive.path / to_text(id) / layout::tree_name;
}

}  // namespace larder::steps
