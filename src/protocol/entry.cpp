// SPDX-License-Identifier: MIT
#include "protocol/entry.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "os/file.hpp"
#include "os/user.hpp"
#include "tree/remove.hpp"

namespace larder::protocol {

namespace {

/// Opens the entry and looks at its tree there, without following a symlink. Returns true if both
/// are directories. Returns false if one of them is missing, or is something else. It needs no
/// right to search the tree, but one system call more than a path that leads through the tree.
Result<bool> has_tree(const os::Dir& archive, const format::Id& id) {
    const auto entry = os::open_dir_at(archive, to_text(id));
    if (has_no_directory(entry)) return false;
    TRY(entry);
    const auto tree = os::stat_at(*entry, format::tree_name);
    if (is_absent(tree)) return false;
    TRY(tree);
    return tree->is_directory();
}

/// Returns "3 files of 12 bytes".
std::string size_in_words(std::uint64_t files, std::uint64_t bytes) {
    const auto counted = [](std::uint64_t count, const char* noun) {
        return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
    };
    return counted(files, "file") + " of " + counted(bytes, "byte");
}

}  // namespace

Result<bool> is_complete(const cache::Root& root, const format::Id& id) {
    const auto& archive = root.dirs().archive;
    if (!archive.is_open()) return false;  // a read-only root that has no entry yet
    // This path leads into the tree and back up to the archive. So one call checks that the entry
    // and its tree are directories. It also checks that neither is a symlink to another place: from
    // there, the way up would not lead to the archive.
    const std::string there_and_back = to_text(id) + "/" + format::tree_name + "/../..";
    const auto info = os::try_stat_at(archive, there_and_back.c_str());
    switch (os::why_of(info)) {
        case Why::none:
            return root.is_archive(*info);
        case Why::absent:
        case Why::not_directory:
        case Why::is_link:
            return false;
        default:
            // This way was refused: this process may not search the tree, for example. The second
            // way tells, or has an error of its own.
            return has_tree(archive, id);
    }
}

Result<format::Record> read_record(const cache::Root& root, const format::Id& id) {
    const auto path = root.dirs().archive / to_text(id) / format::record_name;
    const auto damaged = [&](std::string why) {
        return fail(Errc::damaged, "read record", path, std::move(why));
    };
    const auto entry = os::open_dir_at(root.dirs().archive, to_text(id));
    // Report damage only if it is certain. A caller may retire a damaged entry, and must not do so
    // because descriptors have run out.
    if (has_no_directory(entry)) return damaged("its entry is not there");
    TRY(entry);
    const auto text = os::read_file_at(*entry, format::record_name, format::max_record);
    switch (why_of(text)) {
        case Why::absent:
            return damaged("it is missing");
        case Why::is_link:
            return damaged("it is a symlink");
        default:
            break;
    }
    // No system call has failed if the file is too long or is not a regular file.
    if (!text && text.error().code == Errc::damaged) return damaged(text.error().detail);
    TRY(text);
    auto record = format::parse_record(*text);
    if (!record) return damaged("it is cut off, or changed");
    return std::move(*record);
}

void make_readable(const cache::Root& root, const format::Id& id) {
    const os::Dir& archive = root.dirs().archive;
    tree::allow_owner_at(archive, to_text(id));
    const auto entry = os::open_dir_at(archive, to_text(id));
    if (!entry) return;
    for (const char* const file : {format::record_name, format::manifest_name})
        tree::allow_owner_at(*entry, file);
}

std::optional<std::filesystem::path> shut_directory(const Error& error,
                                                    const std::filesystem::path& tree) {
    if (error.why != Why::denied) return std::nullopt;
    constexpr os::Permissions to_read = os::Permissions::owner_read | os::Permissions::owner_exec;
    // A directory that may be listed and not searched denies the names in it.
    for (const auto& path : {error.path, error.path.parent_path()}) {
        const bool is_in_tree =
            std::mismatch(tree.begin(), tree.end(), path.begin(), path.end()).first == tree.end();
        if (!is_in_tree) continue;
        const auto info = os::try_stat_path(path, os::Follow::no);
        if (info && info->is_directory() && info->owner == os::this_user() &&
            (info->permissions & to_read) != to_read)
            return path;
    }
    return std::nullopt;
}

std::optional<std::string> difference_from_record(const tree::Size& size,
                                                  const format::Record& record) {
    if (size.files == record.files && size.bytes == record.bytes) return std::nullopt;
    return "it holds " + size_in_words(size.files, size.bytes) + ", and its record says " +
           size_in_words(record.files, record.bytes) +
           ": something has changed it since it was published";
}

std::filesystem::path tree_path(const cache::Root& root, const format::Id& id) {
    return root.dirs().archive.path / to_text(id) / format::tree_name;
}

}  // namespace larder::protocol
