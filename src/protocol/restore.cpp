// SPDX-License-Identifier: MIT
#include "protocol/restore.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_manifest.hpp"
#include "protocol/publish.hpp"
#include "protocol/trash.hpp"
#include "tree/carry.hpp"
#include "tree/transfer.hpp"

namespace larder::protocol {

namespace {

using format::LinkRead;

/// Returns whether a retired link names `id`. Looks at every link, because only its text says what
/// it names. Errors: the first that the walk has met, if the link was not found: it may be the one
/// that could not be read.
Result<bool> is_in_trash(cache::Root& root, const format::Id& id) {
    const bool brings_hints = root.retired_hints().begin_search();
    std::vector<cache::RetiredHints::Hint> hints;
    bool found = false;
    const VisitLink look = [&](const os::Dir& dir, const std::string& name) -> Result<> {
        TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), dir, name));
        found = found || link.names(id);
        if (!brings_hints || link.kind != LinkRead::Kind::entry) return {};
        // In a refreshed bucket a link has the name of its key, which needs no hint.
        if (const auto retired = format::parse_id(name)) hints.emplace_back(link.id, *retired);
        return {};
    };
    const auto walked = for_each_link_in_trash(root, look);
    if (!found) TRY(walked);
    if (brings_hints) root.retired_hints().replace(std::move(hints));
    return found;
}

/// Returns whether a retired link names `id`, by a look at the places where it probably stands: the
/// name where it was seen last, and the key in each refreshed bucket. False proves nothing.
bool is_where_expected(cache::Root& root, const format::Id& id, const KeyRef& place) {
    bool found = false;
    const auto look = [&](const os::Dir& dir, const std::string& name) {
        const auto link = format::read_link(root.link_kind(), dir, name);
        found = found || (link && link->names(id));
    };
    if (const auto name = root.retired_hints().name_of(id))
        look(root.garbage().retired_links, to_text(*name));
    if (found) return true;
    const std::string key(place.encoded_key());
    const VisitBucket look_in = [&](const os::Dir& bucket, const std::string&) -> Result<> {
        look(bucket, key);
        return {};
    };
    const VisitUnknown pass_over = [](const std::filesystem::path&) { return Result<>(); };
    (void)for_each_refreshed_bucket(root, look_in, pass_over);
    return found;
}

/// Fills the stage with the files of an entry: by clones, hard links or copies. A hard link does no
/// harm here, because the files of both entries never change. Ends before the next file if `stop`
/// was requested.
Result<> fill(const Stage& stage, const os::Dir& entry, const std::stop_token& stop) {
    TRY_ASSIGN(const os::Dir from, os::open_dir_at(entry, format::tree_name));
    TRY_ASSIGN(const os::Dir to, os::open_dir(stage.tree_path()));
    TRY(tree::carry(from, {.dir = to, .visibility = tree::Visibility::hidden}, {.stop = stop}));
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(from));
    TRY(tree::finish_directory(from, info, to));
    return {};
}

/// Returns the error of an entry that is not restored because it is not whole.
tl::unexpected<Error> damaged(const os::Dir& entry, const std::string& why) {
    return fail(Errc::damaged, "restore", entry.path / format::tree_name,
                why + "; it was not restored");
}

/// Fails if the tree of an entry is not as its manifest and its record say, so that a restore never
/// publishes a damaged tree under records that call it whole. Returns the digests of its manifest,
/// which are those of the restored files. Errors: `damaged`; `interrupted`.
Result<NotedDigests> check_files(const os::Dir& entry, const format::Record& record,
                                 const DigestCheck& check) {
    const auto tree = os::open_dir_at(entry, format::tree_name);
    if (has_no_directory(tree)) return damaged(entry, "its tree is not there");
    TRY(tree);
    tree::Inventory inventory;
    TRY_ASSIGN(const tree::Size size, tree::measure(*tree, &inventory));
    if (const auto difference = difference_from_record(size, record))
        return damaged(entry, *difference);
    NotedDigests digests;
    TRY_ASSIGN(const EntryChanges changes,
               compare_with_manifest(entry, inventory, &check, &digests));
    if (!changes.no_manifest.empty())
        return damaged(entry, "it has no manifest: " + changes.no_manifest);
    if (changes.none()) return digests;
    // A file that was modified and has no digest counts, because a new manifest would say that it
    // is as it was published.
    const EntryChange& first = changes.listed.empty() ? *changes.unproven : changes.listed.front();
    return damaged(
        entry, "of " + (first.path.empty() ? "the tree itself" : first.path) + ": " + first.how);
}

/// Fails if the copied files are not those that the record of `entry` counts. A file system may
/// only pretend to lock, so that the source may be deleted while it is copied. Errors: `damaged`.
Result<> check_copy(const Stage& stage, const os::Dir& entry, const format::Record& record) {
    TRY_ASSIGN(const os::Dir tree, os::open_dir(stage.tree_path()));
    TRY_ASSIGN(const tree::Size size, tree::measure(tree));
    if (const auto difference = difference_from_record(size, record))
        return damaged(entry, *difference);
    (void)os::point("restore.compared");
    return {};
}

/// Returns whether a retired link names `id`. Looks first where it probably stands, because a look
/// at all links takes long in a large trash. Errors: those of is_in_trash.
Result<bool> is_retired(cache::Root& root, const format::Id& id, const KeyRef& place) {
    if (is_where_expected(root, id, place)) return true;
    return is_in_trash(root, id);
}

/// Returns the error of an id that no retired link names.
tl::unexpected<Error> not_in_trash(const format::Id& id) {
    return fail(
        Errc::miss, "restore", {},
        "nothing that is retired has the id " + to_text(id) + "; it may have been collected");
}

}  // namespace

Result<SlotLease> restore(const RootRef& root, const format::Id& id, const RestoreOptions& options,
                          const cache::CallContext& context) {
    // While this lock is held no process collects, so the files stay. A lease would not do: the
    // entry is garbage, and no link confirms a lease on it.
    auto lock = cache::CollectorLock::try_lock(*root);
    TRY(lock);
    lock->announce(root->participant_if_possible(context));
    const auto entry = os::open_dir_at(root->dirs().archive, to_text(id));
    if (is_absent(entry)) return not_in_trash(id);
    TRY(entry);
    const auto read = read_record(*root, id);
    if (!read) {
        // Without the record its key is unknown, so it can't be published. But that matters only if
        // the entry is retired.
        TRY_ASSIGN(const bool retired, is_in_trash(*root, id));
        if (!retired) return not_in_trash(id);
        return tl::make_unexpected(read.error());
    }
    const format::Record& record = *read;
    TRY_ASSIGN(const std::string bucket, format::encode_bucket(record.bucket));
    TRY_ASSIGN(std::string path, format::encode_key_path(bucket, record.key, root->longest_name()));
    const KeyRef place{record.bucket, bucket, record.key, std::move(path)};
    TRY_ASSIGN(const bool retired, is_retired(*root, id, place));
    if (!retired) return not_in_trash(id);
    // A power cut may have left other bytes of the same number, so what bears the tag of an earlier
    // boot is read as well. The restored entry bears that of this boot.
    const DigestCheck check{.algorithms = context.digests,
                            .stop = context.stop,
                            .reads = format::is_of_this_boot(id) ? DigestCheck::Reads::modified
                                                                 : DigestCheck::Reads::all};
    TRY_ASSIGN(NotedDigests digests, check_files(*entry, record, check));
    // This check only avoids a useless copy. The publish checks again.
    TRY_ASSIGN(const LinkRead now, root->keys().read(place.path));
    if (now.kind != LinkRead::Kind::absent && !options.replace) {
        return fail(Errc::exists, "restore", root->dirs().buckets / place.path,
                    "its key has an entry again; remove that, or allow its replacement");
    }
    TRY_ASSIGN(Stage stage, Stage::make(root, context));
    TRY(fill(stage, *entry, context.stop));
    stage.note(std::move(digests));
    (void)os::point("restore.filled");
    TRY(check_copy(stage, *entry, record));
    const bool power =
        record.durability == Durability::power || options.durability == Durability::power;
    return publish(
        stage, place,
        {power ? Durability::power : Durability::process, record.producer, record.metadata},
        context, options.replace ? Replace::yes : Replace::no);
}

}  // namespace larder::protocol
