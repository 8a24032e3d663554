// SPDX-License-Identifier: MIT
#include "protocol/destroyable.hpp"

#include "cache/husk.hpp"
#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "format/root_file.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/path_text.hpp"
#include "os/user.hpp"

namespace larder::protocol {

namespace {

/// Returns the text of a small file; nullopt if nothing stands there; an empty text if what stands
/// there is no such file, but a link or a directory, for example.
Result<std::optional<std::string>> read_if_there(const os::Dir& dir, const std::string& name,
                                                 std::size_t limit) {
    auto text = os::read_file_at(dir, name, limit);
    if (is_absent(text)) return std::nullopt;
    const bool is_other =
        why_of(text) == Why::is_link || (!text && text.error().code == Errc::damaged);
    if (is_other) return std::string();
    TRY(text);
    return std::move(*text);
}

/// Returns whether this is a cache, or what is left of one. Any sign will do: the format, a tag
/// that names larder, or larder's directories with nothing of others in them. Errors: `refused`
/// if a newer larder made it.
Result<bool> is_cache(const os::Dir& root) {
    TRY_ASSIGN(const auto text, read_format_text(root));
    if (text) {
        const auto read = format::parse_format(*text);
        if (read.kind == format::FormatRead::Kind::newer)
            return refuse_destroy(root.path, "a newer larder made this cache; use that one");
        if (read.kind != format::FormatRead::Kind::unknown) return true;
    }
    TRY_ASSIGN(const auto tag, read_if_there(root, format::cachedir_tag_name, format::max_format));
    if (tag && format::is_own_tag(*tag)) return true;
    return cache::is_remains(root);
}

/// Returns whether a name of the root is larder's, and what stands there is of the kind that
/// larder makes. Succeeds too if it is gone meanwhile.
Result<bool> is_part_of_cache(const os::Dir& root, const std::string& name) {
    if (!format::is_root_name(name)) return false;
    const auto info = os::stat_at(root, name);
    if (is_absent(info)) return true;
    TRY(info);
    const bool is_file = name == format::format_name || name == format::cachedir_tag_name ||
                         name == format::gitignore_name || name == format::locks_name;
    return is_file ? info->is_regular() : info->is_directory();
}

/// Refuses if the name in a staging area is that of a tree that is still there.
Result<> check_not_kept(const os::Dir& root, const std::string& name) {
    const auto staged = format::parse_staged_name(name);
    if (!staged || staged->kind != format::StagedName::Kind::kept) return {};
    const auto archive = os::open_dir_at(root, format::archive_name);
    if (is_absent(archive)) return {};
    TRY(archive);
    const std::string tree = format::entry_tree_path(staged->id);
    const auto stands = os::stat_at(*archive, tree);
    if (is_absent(stands)) return {};
    TRY(stands);
    return refuse_destroy(
        *archive / tree,
        "a user has moved this tree here, and the publish that failed could not put "
        "it back; move it away first, or delete it");
}

}  // namespace

tl::unexpected<Error> refuse_destroy(const std::filesystem::path& path, std::string why) {
    return fail(Errc::refused, "destroy cache", path, std::move(why));
}

Result<std::optional<std::string>> read_format_text(const os::Dir& root) {
    return read_if_there(root, format::format_name, format::max_format);
}

LentRights::~LentRights() {
    // The last one first, because what lies in a directory is reached through it.
    for (auto lent = lent_.rbegin(); lent != lent_.rend(); ++lent) {
        if (lent->name.empty()) {
            (void)os::try_set_permissions(root_.handle, lent->before);
        } else if (lent->part.empty()) {
            (void)os::set_permissions_at(root_, lent->name, lent->before);
        } else if (const auto part = os::open_dir_at(root_, lent->part)) {
            (void)os::set_permissions_at(*part, lent->name, lent->before);
        }
    }
}

Result<os::Dir> LentRights::open_root(const std::filesystem::path& root) {
    constexpr auto to_look = os::Permissions::owner_read | os::Permissions::owner_exec;
    auto opened = os::open_dir(root);
    std::optional<os::Permissions> before;
    if (why_of(opened) == Why::denied) {
        const auto parent = os::open_dir_for_names(root.parent_path());
        const std::string name = root.filename().string();
        const auto info = parent ? os::stat_at(*parent, name) : Result<os::FileInfo>();
        if (parent && info && info->is_directory()) {
            before = info->permissions;
            (void)os::set_permissions_at(*parent, name, info->permissions | to_look);
            opened = os::open_dir(root);
        }
    }
    TRY(opened);
    // A second handle, by which the permissions are set when the caller's one is closed.
    TRY_ASSIGN(root_, os::open_dir(root));
    if (before) lent_.push_back({.part = {}, .name = {}, .before = *before});
    lend_root(to_look);
    return std::move(*opened);
}

void LentRights::lend_root(os::Permissions wanted) {
    const auto info = os::stat_of(root_);
    if (!info || (info->permissions & wanted) == wanted) return;
    const os::Permissions more = (info->permissions & os::Permissions::all) | wanted;
    if (!os::try_set_permissions(root_.handle, more))
        lent_.push_back({.part = {}, .name = {}, .before = info->permissions});
}

void LentRights::lend(const os::Dir& dir, const std::string& part, const std::string& name,
                      os::Permissions of_file, os::Permissions of_directory) {
    const auto info = os::stat_at(dir, name);
    if (!info || (!info->is_directory() && !info->is_regular())) return;
    const os::Permissions wanted = info->is_directory() ? of_directory : of_file;
    if ((info->permissions & wanted) == wanted) return;
    if (os::set_permissions_at(dir, name, info->permissions | wanted))
        lent_.push_back({.part = part, .name = name, .before = info->permissions});
}

void LentRights::lend_reading(const char* file) {
    lend(root_, {}, file, os::Permissions::owner_read, os::Permissions::none);
}

void LentRights::lend_each(const os::Dir& dir, const std::string& part) {
    (void)os::for_each_name(dir, [&](const std::string& name, os::FileKind) -> Result<> {
        lend(dir, part, name, os::private_file, os::Permissions::owner_all);
        return {};
    });
}

void LentRights::lend_all() {
    lend_root(os::Permissions::owner_all);
    lend_each(root_, {});
    for (const char* const part : {format::participants_name, format::staging_name}) {
        if (const auto dir = os::open_dir_at(root_, part)) lend_each(*dir, part);
    }
}

Result<> check_owner(const std::filesystem::path& root) {
    const auto info = os::try_stat_path(root, os::Follow::no);
    if (!info) return os::fail(info.error(), "destroy cache", root);
    if (info->owner == os::this_user() || os::has_all_rights()) return {};
    return refuse_destroy(root, "it belongs to user " + os::user_name(info->owner) +
                                    ", and this process runs as " + os::user_name(os::this_user()));
}

namespace {

tl::unexpected<Error> refuse_owner(const std::filesystem::path& path, std::uint64_t owner) {
    return refuse_destroy(path, "it belongs to user " + os::user_name(owner) +
                                    ", so this user can't delete what is in it; ask that user, or "
                                    "an administrator, to give it away (`chown`) or to delete it");
}

/// Refuses a directory of another user in which only the owner of a name may remove that, if it
/// holds names of others.
Result<> check_sticky(const os::Dir& dir, const os::FileInfo& info) {
    const bool is_sticky =
        (info.permissions & os::Permissions::sticky_bit) != os::Permissions::none;
    if (!is_sticky || os::has_all_rights()) return {};
    return os::for_each_name(dir, [&](const std::string& name, os::FileKind) -> Result<> {
        const auto below = os::stat_at(dir, name);
        if (is_absent(below)) return {};
        TRY(below);
        return below->owner == os::this_user() ? Result<>() : refuse_owner(dir.path, info.owner);
    });
}

/// Opens a directory in which a destroy deletes. Returns nullopt if there is none, and for one of
/// this user that is closed, because its owner can open it. Errors: `refused` for one of another
/// user in which this one can't delete.
Result<std::optional<os::Dir>> open_deletable(const os::Dir& parent, const std::string& name) {
    const auto info = os::stat_at(parent, name);
    if (is_absent(info)) return std::nullopt;
    TRY(info);
    if (!info->is_directory()) return std::nullopt;
    const bool is_own = info->owner == os::this_user();
    auto dir = os::open_dir_at(parent, name);
    if (is_absent(dir) || (is_own && why_of(dir) == Why::denied)) return std::nullopt;
    if (is_own) {
        TRY(dir);
        return std::move(*dir);
    }
    if (!dir || !os::is_writable(*dir).value_or(false))
        return refuse_owner(parent / name, info->owner);
    TRY(check_sticky(*dir, *info));
    return std::move(*dir);
}

/// Checks the directories below `dir`, down to so many levels.
Result<> check_owners_below(const os::Dir& dir, int levels) {
    return os::for_each_name(dir, [&](const std::string& name, os::FileKind kind) -> Result<> {
        if (kind != os::FileKind::directory && kind != os::FileKind::unknown) return {};
        TRY_ASSIGN(const auto below, open_deletable(dir, name));
        if (!below || levels == 1) return {};
        return check_owners_below(*below, levels - 1);
    });
}

}  // namespace

Result<> check_owners(const os::Dir& root) {
    // As deep as the trees of entries, and the buckets in `retired/buckets`.
    constexpr int levels = 3;
    return check_owners_below(root, levels);
}

Result<> check_destroyable(const os::Dir& root, LentRights& rights) {
    bool is_empty = true;
    std::string strange;
    TRY(os::for_each_name(root, [&](const std::string& name, os::FileKind) -> Result<> {
        is_empty = false;
        TRY_ASSIGN(const bool is_part, is_part_of_cache(root, name));
        if (!is_part) strange = name;
        return {};
    }));
    if (is_empty) return {};
    for (const char* const sign : {format::format_name, format::cachedir_tag_name})
        rights.lend_reading(sign);
    TRY_ASSIGN(const bool ours, is_cache(root));
    if (!ours && strange.empty()) {
        return refuse_destroy(
            root.path,
            "this is no cache of larder's: what it holds is not "
            "larder's, or can't be read; `chmod -R u+rwX` lets its owner read it");
    }
    if (!ours) {
        return refuse_destroy(root.path, "this is no cache of larder's: it holds \"" + strange +
                                             "\"; if it is one, move that away first");
    }
    if (strange.empty()) return {};
    return refuse_destroy(
        root.path, "it holds \"" + strange + "\", which is not larder's; move that away first");
}

Result<> check_kept(const os::Dir& root) {
    const auto staging = os::open_dir_at(root, format::staging_name);
    if (is_absent(staging)) return {};
    TRY(staging);
    return os::for_every_name(*staging, [&](const std::string& number, os::FileKind) -> Result<> {
        const auto area = os::open_dir_at(*staging, number);
        if (is_no_directory(area) || is_absent(area)) return {};
        TRY(area);
        return os::for_every_name(*area, [&](const std::string& name, os::FileKind) {
            return check_not_kept(root, name);
        });
    });
}

namespace {

/// Refuses if the path of a root leads to its entry.
Result<> check_root_is_stale(const os::Dir& root, const os::Dir& roots, const std::string& id,
                             const std::string& name) {
    const auto of_entry = os::open_dir_at(roots, id);
    if (has_no_directory(of_entry)) return {};
    TRY(of_entry);
    TRY_ASSIGN(const auto text, read_if_there(*of_entry, name, format::max_root_file));
    const auto file = text ? format::parse_root_file(*text) : std::nullopt;
    if (!file) return {};
    const std::filesystem::path path = os::path_of(file->destination);
    const auto end = os::try_stat_path(path, os::Follow::yes);
    if (!end) return {};
    const auto archive = os::open_dir_at(root, format::archive_name);
    if (has_no_directory(archive)) return {};
    TRY(archive);
    const auto tree = os::stat_at(*archive, id + "/" + format::tree_name);
    if (has_no_directory(tree)) return {};
    TRY(tree);
    if (tree->identity != end->identity) return {};
    return refuse_destroy(root.path, path.string() +
                                         " leads to an entry of it; `cachetool unlink` that path "
                                         "first (`cachetool roots ls` lists all)");
}

}  // namespace

Result<> check_unlinked(const os::Dir& root) {
    const auto roots = os::open_dir_at(root, format::roots_name);
    if (has_no_directory(roots)) return {};
    TRY(roots);
    return os::for_each_name(*roots, [&](const std::string& id, os::FileKind) -> Result<> {
        const auto of_entry = os::open_dir_at(*roots, id);
        if (has_no_directory(of_entry)) return {};
        TRY(of_entry);
        return os::for_each_name(*of_entry, [&](const std::string& name, os::FileKind) {
            return check_root_is_stale(root, *roots, id, name);
        });
    });
}

}  // namespace larder::protocol
