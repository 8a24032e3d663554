// SPDX-License-Identifier: MIT
#include "protocol/link.hpp"

#include "format/layout.hpp"
#include "format/root_file.hpp"
#include "os/file.hpp"
#include "os/file_system.hpp"
#include "os/link.hpp"
#include "os/path_text.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "os/standing.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_roots.hpp"
#include "protocol/get.hpp"
#include "protocol/name_sync.hpp"
#include "tree/containment.hpp"
#include "tree/measure.hpp"
#include "tree/unfinished.hpp"

namespace larder::protocol {

namespace {

namespace fs = std::filesystem;

/// Arbitrary: other processes do not come between so often in a row. A file system that answers so
/// each time must not keep this process for ever.
constexpr int most_link_attempts = 1000;

/// Where the symlink of a link stands.
struct LinkSite {
    os::Dir dir;                ///< the directory of the path
    std::string name;           ///< in that directory
    fs::path path;              ///< absolute; only its last part may be a symlink
    os::FileIdentity identity;  ///< of the directory
};

/// Returns the absolute path that a caller means, without symlinks above its last part. If its
/// directory does not exist, the path is only made absolute. Errors: `invalid` for a path that
/// names no file in a directory.
Result<fs::path> absolute_of(const fs::path& destination, const char* step) {
    std::error_code error;
    fs::path path =
        os::retried(error, [&](std::error_code& each) { return fs::absolute(destination, each); });
    if (error || destination.empty())
        return fail(Errc::invalid, step, destination, "this is no path; name one");
    if (!path.has_filename()) path = path.parent_path();  // "venv/" is "venv"
    if (!path.has_filename() || path.filename() == "." || path.filename() == "..")
        return fail(Errc::invalid, step, destination,
                    "this path names no file in a directory; name the symlink itself");
    const fs::path parent = os::retried(
        error, [&](std::error_code& each) { return fs::canonical(path.parent_path(), each); });
    return error ? path.lexically_normal() : parent / path.filename();
}

/// Opens the directory in which the symlink is to stand. Errors: `invalid` for a path that can't be
/// linked or lies in a cache; `refused` on a network file system; those of opening the directory.
Result<LinkSite> open_site(const fs::path& destination) {
    TRY_ASSIGN(fs::path path, absolute_of(destination, "link"));
    auto dir = os::open_dir_for_names(path.parent_path());
    if (is_absent(dir))
        dir.error().detail = "there is no such directory; make it, or name another path";
    TRY(dir);
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(*dir));
    if (os::point("link.network") != 0 || os::traits_of(dir->handle).network != nullptr) {
        return fail(Errc::refused, "link", path,
                    "it is on a network file system, where another machine may change the link, "
                    "and no collection could tell; name a path on a local disk");
    }
    TRY_ASSIGN(const auto around, tree::enclosing_cache(path.parent_path()));
    if (around) {
        return fail(Errc::invalid, "link", path,
                    "it lies in the cache " + around->string() + "; name a path outside of it");
    }
    std::string name = os::text_of(path.filename());
    return LinkSite{std::move(*dir), std::move(name), std::move(path), info.identity};
}

/// Refuses where the path can't become a symlink. Errors: `unsupported`.
Result<> check_can_link(const cache::Root& root) {
    TRY(root.must_be_writable("link"));
    if (!os::replaces_symlinks_to_directories()) {
        return fail(Errc::unsupported, "link", root.dirs().root.path,
                    "this system has no symlinks to directories that every user may make, and that "
                    "one rename replaces; get and materialize the entry");
    }
    if (root.has_roots()) return {};
    return fail(Errc::unsupported, "link", root.dirs().root.path,
                "an older larder made this cache, and its collections would delete what is linked; "
                "make a new cache: `cachetool destroy` this one, or name another directory");
}

/// Returns the error of what stands in the way of a symlink.
tl::unexpected<Error> in_the_way(const LinkSite& site) {
    return fail(Errc::exists, "link", site.path,
                "something that is no symlink stands there; move it away, or name another path");
}

/// Looks whether something stands at the path that a link does not replace. Errors: `exists`.
Result<> check_free(const LinkSite& site) {
    const auto info = os::stat_at(site.dir, site.name);
    if (is_absent(info)) return {};
    TRY(info);
    return info->is_symlink() ? Result<>() : Result<>(in_the_way(site));
}

/// Writes a new file, and brings it to the disk if `sync` is true.
Result<> write_scratch(const os::Dir& dir, const std::string& name, std::string_view text,
                       bool sync) {
    TRY(os::write_new_file_at(dir, name, text));
    if (!sync) return {};
    TRY_ASSIGN(const os::FileHandle file, os::open_at(dir, name, os::OpenMode::read));
    return os::sync(file, dir / name);
}

/// Writes the root of a path for the entry `id`, and replaces an earlier one. Makes it in
/// `deleting/`, so that it comes to its place whole, by one rename. If `sync` is true, it is on the
/// disk then. Requires: the caller leases the entry, so no collection removes its roots.
Result<> write_root(const cache::Root& root, const format::Id& id, const format::RootFile& file,
                    bool sync) {
    TRY(root.open_garbage());
    const os::Dir& top = root.dirs().root;
    const os::Dir& deleting = root.garbage().deleting;
    const std::string text = format::print_root_file(file);
    for (int attempts = 1;; ++attempts) {
        TRY_ASSIGN(const os::Dir roots, os::make_and_open_dir_at(top, format::roots_name));
        auto of_entry = os::make_and_open_dir_at(roots, to_text(id));
        const std::string scratch = to_text(format::fresh_id());
        auto placed = of_entry ? write_scratch(deleting, scratch, text, sync)
                               : Result<>(tl::make_unexpected(of_entry.error()));
        if (placed)
            placed =
                os::rename_replacing(deleting, scratch, *of_entry, format::root_file_name(file));
        if (placed && sync) {
            NameSync names(root);
            for (const os::Dir* const dir : {&std::as_const(*of_entry), &roots, &top})
                TRY(names.add(*dir));
            return names.end();
        }
        if (placed) return {};
        (void)os::remove_file_at(deleting, scratch);
        // A prune has removed the empty directory, or a collection the file: make them again.
        if (!is_absent(placed) || attempts == most_link_attempts) return placed;
    }
}

/// Makes the symlink, or replaces the one that stands there by one rename. Errors: `exists` if
/// something else stands there.
Result<> place_symlink(const LinkSite& site, const std::string& text,
                       const cache::CallContext& context) {
    for (int attempts = 1;; ++attempts) {
        TRY(check_free(site));
        auto made = os::make_symlink_at(site.dir, site.name, text, os::LeadsTo::directory);
        if (made || why_of(made) != Why::exists) return made;
        // What a killed process has left beside the path goes first.
        tree::remove_unfinished(site.dir, context.stop);
        const std::string beside = tree::unfinished_name();
        TRY(os::make_symlink_at(site.dir, beside, text, os::LeadsTo::directory));
        (void)os::point("link.beside");
        auto replaced = check_free(site);
        if (replaced) replaced = os::rename_replacing(site.dir, beside, site.dir, site.name);
        if (replaced) return {};
        (void)os::remove_file_at(site.dir, beside);
        if (!is_absent(replaced) || attempts == most_link_attempts) return replaced;
    }
}

/// Fails if the directory of the path was moved since it was opened: its symlink is then not where
/// the root says, so it is taken away again. If that can't be told, the path stays, with its root.
Result<> check_still_there(const LinkSite& site) {
    const fs::path parent = site.path.parent_path();
    const auto now = os::try_stat_path(parent, os::Follow::yes);
    if (now && now->identity == site.identity) return {};
    const Why why = now ? Why::none : os::why_of(now.error());
    if (!now && why != Why::absent && why != Why::not_directory) {
        auto failed = os::fail(now.error(), "look at", parent);
        failed.value().detail =
            "the path is linked, unless its directory was moved meanwhile; make the link again";
        return failed;
    }
    (void)os::remove_file_at(site.dir, site.name);
    return fail(Errc::refused, "link", site.path,
                "its directory was moved meanwhile, so nothing was linked; try again");
}

/// Brings the entry to the disk, unless it was published so. Requires: the caller leases it.
Result<> sync_entry(const cache::Root& root, const format::Id& id) {
    TRY_ASSIGN(const auto record, read_record(root, id));
    if (record.durability == Durability::power) return {};
    const os::Dir& archive = root.dirs().archive;
    TRY_ASSIGN(const os::Dir entry, os::open_dir_at(archive, to_text(id)));
    TRY(tree::sync(entry, {.bytes = record.bytes, .files = record.files + 2}));
    NameSync names(root);
    TRY(names.add(archive));
    return names.end();
}

/// Removes the symlink at a path. It is no error if nothing stands there. Errors: `refused` for
/// anything else there.
Result<> remove_symlink(const fs::path& path) {
    TRY_ASSIGN(const os::Dir dir, os::open_dir_for_names(path.parent_path()));
    const std::string name = os::text_of(path.filename());
    const auto info = os::stat_at(dir, name);
    if (is_absent(info)) return {};
    TRY(info);
    if (!info->is_symlink()) {
        return fail(Errc::refused, "unlink", path,
                    "what leads to the entry is no symlink, but a mount; unmount it first");
    }
    const auto removed = os::change_standing(dir, name, "remove", "remove the symlink yourself",
                                             [&] { return os::remove_file_at(dir, name); });
    return is_absent(removed) ? Result<>() : removed;
}

/// Drops the root of a path that could not be linked, unless the path leads to the entry all the
/// same. Best effort: a root that stays is dropped by a prune.
void drop_root(const cache::Root& root, const format::Id& id, const format::RootFile& file) {
    std::vector<FoundRoot> roots;
    roots.push_back(
        {.id = id, .name = format::root_file_name(file), .file = file, .error = std::nullopt});
    const auto may_drop = [](RootInfo::State state) { return state == RootInfo::State::gone; };
    (void)drop_roots(root, std::move(roots), may_drop, {});
}

/// Makes the root and the symlink of a path. Requires: the caller leases the entry.
Result<> link_leased(const cache::Root& root, const format::Id& id, const LinkSite& site,
                     const format::RootFile& file, bool power, const cache::CallContext& context) {
    if (power) TRY(sync_entry(root, id));
    // (2) The root comes before the path, so that no path leads to an entry without a root.
    TRY(write_root(root, id, file, power));
    (void)os::point("link.rooted");
    // (3)
    TRY(place_symlink(site, os::text_of(tree_path(root, id)), context));
    (void)os::point("link.made");
    TRY(check_still_there(site));
    return power ? after_change(os::sync(site.dir)) : Result<>();
}

}  // namespace

Result<> link_path(const RootRef& root, const KeyRef& place, const fs::path& destination,
                   const LinkOptions& options, const cache::CallContext& context) {
    TRY(check_can_link(*root));
    TRY_ASSIGN(const LinkSite site, open_site(destination));
    TRY(check_free(site));
    const format::RootFile file{.destination = os::text_of(site.path),
                                .device = site.identity.device};
    if (format::print_root_file(file).size() > format::max_root_file)
        return fail(Errc::invalid, "link", site.path, "the path is too long; name a shorter one");
    const bool power = options.durability == Durability::power;
    // (1) The lease keeps the entry until its path does.
    TRY_ASSIGN(auto lease, get(root, place, context));
    const format::Id id = lease.id();
    auto linked = link_leased(*root, id, site, file, power, context);
    // (4)
    { const SlotLease released = std::move(lease); }
    if (!linked) drop_root(*root, id, file);
    return linked;
}

Result<> unlink_path(const cache::Root& root, const fs::path& destination) {
    TRY(root.must_be_writable("unlink"));
    TRY_ASSIGN(const fs::path path, absolute_of(destination, "unlink"));
    const std::string text = os::text_of(path);
    std::vector<FoundRoot> roots;
    bool leads = false;
    std::optional<Error> unread;
    TRY(for_each_root(root, [&](const FoundRoot& found) -> Result<> {
        if (found.error) unread = found.error;
        if (!found.file || found.file->destination != text) return {};
        TRY_ASSIGN(const bool leads_there, leads_to_tree(root, found.id, path));
        leads = leads || leads_there;
        roots.push_back(found);
        return {};
    }));
    // A root that can't be read may be that of the path.
    if (roots.empty() && unread) return tl::make_unexpected(std::move(*unread));
    if (roots.empty()) {
        return fail(Errc::miss, "unlink", path,
                    "no entry of this cache is linked to it; `cachetool roots ls` lists the paths");
    }
    if (leads) TRY(remove_symlink(path));
    (void)os::point("unlink.removed");
    // The caller says that the path is not used any more, also if its disk is not there.
    const auto may_drop = [](RootInfo::State state) { return state != RootInfo::State::leads; };
    return drop_roots(root, std::move(roots), may_drop, {});
}

}  // namespace larder::protocol
