// SPDX-License-Identifier: MIT
#include "protocol/stage.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/manifest.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "tree/carry.hpp"
#include "tree/containment.hpp"
#include "tree/measure.hpp"
#include "tree/remove.hpp"
#include "tree/transfer.hpp"

namespace larder::protocol {

namespace {

namespace fs = std::filesystem;

constexpr const char* staged_already =
    "something has been staged here already; repeat the call with a new stage";

/// Opens the directory of the entry `id`.
Result<os::Dir> open_staged(const cache::Root& root, const format::Id& id) {
    return os::open_dir_at(root.dirs().archive, to_text(id));
}

/// Returns the absolute path of `source`, without symlinks.
Result<fs::path> canonical_path(const fs::path& source) {
    std::error_code error;
    fs::path path =
        os::retried(error, [&](std::error_code& each) { return fs::canonical(source, each); });
    if (error) return os::fail(error, "stage", source);
    return path;
}

/// Stages one file under the name that `source` ends with. If that is a symlink, the file that it
/// leads to is staged.
Result<MaterializeReport> stage_file(const fs::path& source, const os::Dir& tree,
                                     const MaterializeOptions& options) {
    TRY_ASSIGN(const fs::path file, canonical_path(source));
    TRY_ASSIGN(const os::Dir from, os::open_dir_for_names(file.parent_path()));
    const std::string name = file.filename().string(), wanted = source.filename().string();
    auto carried = tree::carry_file(from, name, {.dir = tree}, options);
    if (carried && name != wanted) TRY(os::rename_new(tree, name, tree, wanted));
    return carried;
}

/// Calls `rename`, which renames `directory` into another one. That changes the directory itself,
/// namely its name "..", so the system asks for the right to write to it. If it refuses the rename,
/// this gives the owner that right, calls `rename` once more, and takes the right away again.
/// Errors: the first refusal, if the right was there already or cannot be given; those of `rename`;
/// one of setting the old mode again, after which the directory may have moved.
template <class Rename>
Result<> rename_as_owner(const os::Dir& directory, Rename rename) {
    auto renamed = rename();
    if (why_of(renamed) != Why::denied) return renamed;
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(directory));
    constexpr auto right = os::Permissions::owner_write;
    const bool has_right = (info.permissions & right) != os::Permissions::none;
    if (has_right || os::try_set_permissions(directory.handle, info.permissions | right))
        return renamed;
    renamed = rename();
    if (const auto error = os::try_set_permissions(directory.handle, info.permissions))
        return os::fail(error, "set mode", directory.path);
    return renamed;
}

/// Calls `carry(options)`, which fills `tree` in the way that `mode` names. Without a mode it makes
/// clones. If clones do not work here, it is called once more and makes copies. (It makes no hard
/// links unless they are asked for, because the owner of the source may change the files.) Errors:
/// those of the last call.
template <class Carry>
Result<> fill(const os::Dir& tree, const std::optional<LinkMode>& mode, const std::stop_token& stop,
              Carry carry) {
    if (mode) {
        TRY(carry(MaterializeOptions{.mode = *mode, .stop = stop}));
        return {};
    }
    const auto cloned = carry(MaterializeOptions{.mode = LinkMode::clone, .stop = stop});
    if (cloned) return {};
    // No second way helps against an error of larder's own, or one that ends a step at once.
    const Why why = why_of(cloned);
    if (why == Why::none || ends_at_once(why)) return tl::make_unexpected(cloned.error());
    // Delete what was made by then. As a rule that is little, because the first file has failed.
    TRY(tree::empty_dir(tree, {.threads = 1}));
    TRY(carry(MaterializeOptions{.mode = LinkMode::copy, .stop = stop}));
    return {};
}

/// Refuses to move a source that is no directory, or that lies in another cache: there it may be an
/// entry that a process has leased.
Result<> check_can_be_moved(const fs::path& source) {
    TRY_ASSIGN(const auto other, tree::enclosing_cache(source));
    if (other) {
        return fail(Errc::invalid, "stage", source,
                    "it belongs to the cache " + other->string() + "; put a copy");
    }
    const auto info = os::try_stat_path(source, os::Follow::no);
    if (!info) return os::fail(info.error(), "stage", source);
    if (!info->is_directory())
        return fail(Errc::invalid, "stage", source,
                    "only a directory can be moved into the cache; put a copy");
    return {};
}

/// Returns whether a path leads to something below the directory from which it starts, and has no
/// shorter form. It is called for each file that is unpacked, so it makes no std::filesystem::path.
bool is_shortest_below(std::string_view path) {
    for (;;) {
        const auto part = path.substr(0, path.find('/'));
        if (part.empty() || part == "." || part == "..") return false;
        if (part.size() == path.size()) return true;
        path.remove_prefix(part.size() + 1);
    }
}

}  // namespace

Result<Stage> Stage::make(RootRef root, const cache::CallContext& context) {
    TRY_ASSIGN(cache::Participant* const participant, root->participant(context));
    const format::Id id = format::fresh_id();
    const os::Dir& archive = root->dirs().archive;
    // The link comes first, so that the entry is named as soon as it exists (invariant 2).
    TRY(format::make_link(root->link_kind(), root->dirs().root, participant->staging(),
                          format::staged_link_name(id), id));
    Stage stage(std::move(root), id);
    // From here on the destructor of `stage` cleans up after an error.
    (void)os::point("stage.linked");
    TRY(os::make_dir_at(archive, to_text(id)));
    // The mode is reduced by the umask, as for any directory that an installer makes.
    TRY(os::make_dir_at(archive, format::entry_tree_path(id), os::Permissions::all));
    (void)os::point("stage.made");
    return stage;
}

Stage::~Stage() {
    if (!id_ || !root_->is_ours()) return;
    // A destructor cannot return an error. What is left has its link in our staging area, or in
    // retired/links, and a collection deletes it.
    try {
        if (owes()) (void)give_back({});
        if (id_) drop();
    } catch (...) {
        // Memory has run out. A collection deletes the entry once this process has ended.
    }
}

void Stage::drop() const {
    const auto& staging = root_->joined()->staging();
    const std::string staged_link = format::staged_link_name(id_);
    // If the link names the entry no more, a key may, and nothing is deleted.
    if (!check_unpublished()) return;
    // While the link to an old entry stands, this one must stay beside it: see Root::reap.
    if (os::exists_at(staging, format::old_link_name(id_)).value_or(true) &&
        !root_->settle_old_link(staging, id_))
        return;
    const os::Dir& archive = root_->dirs().archive;
    const os::Dir& deleting = root_->garbage().deleting;
    const std::string entry = to_text(id_), in_deleting = to_text(format::fresh_id());
    const auto moved = os::rename_new(archive, entry, deleting, in_deleting);
    // Only if the entry is gone from the archive may its link go.
    if (!moved && os::exists_at(archive, entry).value_or(true)) {
        (void)root_->retire_link(staging, staged_link, format::evicted);
        return;
    }
    (void)os::point("stage.dropped");
    (void)os::remove_file_at(staging, staged_link);
    if (moved) (void)tree::remove_tree_at(deleting, in_deleting);
}

Error Stage::give_back(Error error) {
    if (!owes() || !root_->is_ours()) return error;
    // Memory may run out at any of these sentences. The tree is where it should be by then.
    const auto say = [&](const std::string& what) {
        error.detail += (error.detail.empty() ? "" : "; ") + what;
    };
    const std::string origin = moved_from_.string(), here = tree_path().string();
    const auto say_it_is_here = [&](const Result<>& done, const char* what_to_do) {
        disown();
        say(origin + " could not be put back (" + done.error().message() + ") and is " + here +
            what_to_do);
    };
    if (const auto unpublished = check_unpublished(); !unpublished) {
        say_it_is_here(unpublished, ": make a copy of it before the next collection");
        return error;
    }
    const auto done = move_back();
    if (done) {
        moved_from_.clear();
        say(origin + " was put back: try again when the cause is mended");
    } else if (keep()) {
        say_it_is_here(done, ", where no collection deletes it: move it away");
    } else {
        say_it_is_here(done, ": move it away before this process ends");
    }
    return error;
}

/// Fails if the link does not name the entry any more. While it does, no key names the entry, so no
/// other process uses it.
Result<> Stage::check_unpublished() const {
    const auto& staging = root_->joined()->staging();
    const std::string staged_link = format::staged_link_name(id_);
    TRY_ASSIGN(const format::LinkRead link,
               format::read_link(root_->link_kind(), staging, staged_link));
    if (link.names(id_)) return {};
    return fail(Errc::damaged, "take back", staging / staged_link,
                "this link names the new entry no more, so that another process may use it");
}

/// Renames the staged tree to the path that it came from.
Result<> Stage::move_back() const {
    TRY_ASSIGN(const os::Dir staged, open_staged(*root_, id_));
    TRY_ASSIGN(const os::Dir tree, os::open_dir_at(staged, format::tree_name));
    return rename_as_owner(
        tree, [&] { return os::rename_dir_out(staged, format::tree_name, moved_from_); });
}

/// Gives the link to the entry a name that no reap takes.
Result<> Stage::keep() const {
    const auto& staging = root_->joined()->staging();
    // While the link to an old entry stands, this one must stay beside it: see Root::reap.
    TRY(root_->settle_old_link(staging, id_));
    return os::rename_new(staging, format::staged_link_name(id_), staging,
                          format::kept_link_name(id_));
}

fs::path Stage::tree_path() const {
    return root_->dirs().archive.path / to_text(id_) / format::tree_name;
}

/// Refuses a source that lies in this cache, because it may belong to an entry, and a source that
/// contains the cache, because the copy would contain itself.
Result<> Stage::check_source(const fs::path& source) const {
    const auto& root = root_->dirs().root.path;
    TRY_ASSIGN(const bool is_inside, tree::lies_within(source, root));
    TRY_ASSIGN(const bool is_around, tree::lies_within(root, source));
    if (is_inside || is_around) {
        return fail(Errc::invalid, "stage", source,
                    "it lies in the cache " + root.string() + ", or contains it");
    }
    return {};
}

Result<> Stage::copy_from(const fs::path& source, const std::optional<LinkMode>& mode,
                          const std::stop_token& stop) {
    TRY(check_source(source));
    // A copy that fails is deleted, and must not take the moved tree with it.
    if (owes()) return fail(Errc::invalid, "stage", tree_path(), staged_already);
    TRY_ASSIGN(const os::Dir staged, open_staged(*root_, id_));
    TRY_ASSIGN(const os::Dir tree, os::open_dir_at(staged, format::tree_name));
    const auto info = os::try_stat_path(source, os::Follow::yes);
    if (!info) return os::fail(info.error(), "stage", source);
    if (!info->is_directory()) {
        return fill(tree, mode, stop, [&](const MaterializeOptions& options) {
            return stage_file(source, tree, options);
        });
    }
    TRY_ASSIGN(const os::Dir from, os::open_dir(source));
    TRY(fill(tree, mode, stop, [&](const MaterializeOptions& options) {
        return tree::carry(from, {.dir = tree, .visibility = tree::Visibility::hidden}, options);
    }));
    TRY(tree::finish_directory(from, *info, tree));
    return {};
}

Result<> Stage::note(const fs::path& path, std::uint64_t size, std::string_view digest) {
    // With slashes on every system. (path::generic_string makes one slash of two.)
    std::string text = path.string();
    std::replace(text.begin(), text.end(), static_cast<char>(fs::path::preferred_separator), '/');
    if (!is_shortest_below(text)) {
        return fail(Errc::invalid, "note a digest", path,
                    "give the path of a file below the staged tree, in its shortest form");
    }
    if (digest.empty() || digest.size() > format::max_manifest_digest) {
        return fail(Errc::invalid, "note a digest", path,
                    "a digest has 1 to " + std::to_string(format::max_manifest_digest) + " bytes");
    }
    noted_.files.insert_or_assign(
        std::move(text), NotedDigests::OfFile{.size = size, .digest = std::string(digest)});
    return {};
}

Result<> Stage::move_from(const fs::path& source) {
    TRY(check_source(source));
    TRY(check_can_be_moved(source));
    TRY_ASSIGN(const os::Dir staged, open_staged(*root_, id_));
    TRY_ASSIGN(const os::Dir opened, os::open_dir(source));
    // The publish would refuse a pipe, socket or device too, but then the tree would be lost.
    TRY(tree::measure_new(opened));
    if (owes()) return fail(Errc::invalid, "stage", tree_path(), staged_already);
    TRY_ASSIGN(fs::path origin, canonical_path(source));
    const auto moved = rename_as_owner(opened, [&]() -> Result<> {
        // This replaces the staged tree atomically if it is empty, and fails if it is not.
        auto renamed = os::rename_dir(source, staged, format::tree_name);
        if (renamed) moved_from_ = std::move(origin);  // from here on this Stage owes it back
        return renamed;
    });
    switch (why_of(moved)) {
        case Why::cross_device:
            return fail(Errc::unsupported, "stage", source,
                        "it is on another file system than the cache, and can't be moved; put a "
                        "copy");
        case Why::not_empty:
        case Why::exists:  // the same, on some systems
            return fail(Errc::invalid, "stage", tree_path(), staged_already);
        default:
            break;
    }
    // If only the old mode could not be set again, the tree has been moved, and is given back.
    if (!moved) return tl::make_unexpected(give_back(moved.error()));
    return {};
}

}  // namespace larder::protocol
