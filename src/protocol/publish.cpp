// SPDX-License-Identifier: MIT
#include "protocol/publish.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/record.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/entry_manifest.hpp"
#include "protocol/key_link.hpp"
#include "protocol/name_sync.hpp"
#include "tree/measure.hpp"

namespace larder::protocol {

namespace {

using format::LinkRead;
using os::Mode;

/// Makes the staged tree a complete entry: writes its manifest and then its record beside it, and
/// syncs all of it if the caller asked for durability `power`. Errors: `invalid` if the tree holds
/// what no entry may hold (a pipe, a socket, a device); `no_space`. The stage owns the tree in any
/// case.
Result<> complete(const os::Dir& staging, const std::string& staged_tree, const KeyRef& place,
                  const PublishOptions& options, const NotedDigests& noted) {
    TRY_ASSIGN(const os::Dir staged, os::open_dir_at(staging, staged_tree));
    TRY_ASSIGN(const os::Dir tree, os::open_dir_at(staged, format::tree_name));
    TRY_ASSIGN(const tree::Size size, list_tree(staged, tree, options.digest, noted));
    (void)os::point("publish.listed");
    const format::Record record{.bucket = std::string(place.bucket),
                                .key = std::string(place.key),
                                .published = os::wall_time(),
                                .boot = os::to_text(os::boot_id()),
                                .durability = options.durability,
                                .bytes = size.bytes,
                                .files = size.files,
                                .producer = options.producer};
    TRY(os::write_new_file_at(staged, format::record_name, format::print_record(record)));
    if (options.durability == Durability::process) return {};
    // Two files more than the tree has: the manifest and the record.
    return tree::sync(staged, {.bytes = size.bytes, .files = size.files + 2});
}

/// The result of an attempt to move a staged link to its key.
enum class Placing {
    placed,     ///< the key names the new entry
    exchanged,  ///< the same, and the old link now stands at the name of the staged link
    outdated,   ///< the key has changed during the attempt: try again
};

/// The link that a publish has made in its staging area.
struct StagedLink {
    const os::Dir& staging;
    const std::string& name;
    const format::Id& id;  ///< the new entry, which the link names
};

/// Retires the link at `path` before a new one takes its place. So a crash in between leaves a
/// miss, and no orphan. It is no error if the link is gone.
Result<> retire_old(cache::Root& root, const std::string& path) {
    auto retired = root.retire_link(root.dirs().buckets, path);
    if (!retired && !is_absent(retired)) return retired;
    (void)os::point("publish.old-retired");
    return {};
}

/// Returns whether an exchange that has failed took place all the same: a signal may interrupt the
/// call after it has had its effect. Only this publish renames the staged link. So if something
/// stands there that does not name the new entry, the names were exchanged. It need be no link of
/// an entry: the old link may have been malformed. (The key tells less, because another publish may
/// have replaced the new entry by now.)
Result<bool> was_exchanged(const cache::Root& root, const StagedLink& link) {
    TRY_ASSIGN(const LinkRead staged, format::read_link(root.link_kind(), link.staging, link.name));
    return staged.kind != LinkRead::Kind::absent && !staged.names(link.id);
}

/// Makes one attempt to move the staged link to the key at `path`. Looks at the key first, and then
/// makes the one rename that is right for what stands there.
///
/// Requires: the caller holds the bucket's lock in the mode `held`. If that is exclusive, the old
/// link is retired before the new one is renamed into its place. Otherwise the two are exchanged,
/// which needs no protection from other publishes.
///
/// Returns `outdated` if the key or its bucket has changed between the look and the rename; the
/// staged link is still in its place then. Errors: `damaged` if something stands at the key that is
/// no link of this cache; `exists` if the key has a link and `replace` does not allow that;
/// `unsupported` if the file system can't do the rename, and the exclusive lock is needed.
Result<Placing> try_place(cache::Root& root, const StagedLink& link, const std::string& path,
                          Mode held, Replace replace) {
    const auto& buckets = root.dirs().buckets;
    TRY_ASSIGN(const LinkRead old, format::read_link(root.link_kind(), buckets, path));
    if (old.kind == LinkRead::Kind::foreign) {
        return fail(
            Errc::damaged, "publish", buckets / path,
            "something that is no link of this cache stands here; `cachetool verify --repair` "
            "moves it away");
    }
    const bool is_new = old.kind == LinkRead::Kind::absent;
    if (!is_new && replace == Replace::no) {
        return fail(Errc::exists, "publish", buckets / path,
                    "its key has an entry; remove that, or allow its replacement");
    }
    (void)os::point(is_new ? "publish.before-placing-new" : "publish.before-exchange");
    const bool exchanges = !is_new && held == Mode::shared;
    Result<> placed;
    if (held == Mode::exclusive) {
        if (!is_new) TRY(retire_old(root, path));
        placed = os::rename_new(link.staging, link.name, buckets, path);
    } else if (is_new) {
        placed = os::rename_new_atomic(link.staging, link.name, buckets, path);
    } else {
        placed = os::exchange(link.staging, link.name, buckets, path);
    }
    if (placed) return exchanges ? Placing::exchanged : Placing::placed;
    if (exchanges) {
        TRY_ASSIGN(const bool done, was_exchanged(root, link));
        if (done) return Placing::exchanged;
        if (why_of(placed) == Why::interrupted) return Placing::outdated;
    }
    // `exists`: another process has added the key. `absent`: the key was removed, or its bucket is
    // gone; or our own staged link is gone, and only then is it an error.
    const bool changed = why_of(placed) == Why::exists || is_absent(placed);
    if (changed && os::stat_at(link.staging, link.name)) return Placing::outdated;
    return tl::make_unexpected(std::move(placed).error());
}

/// Makes the bucket's directory if it is missing. It may be gone again when this returns, because a
/// refresh and a collection take no lock of the bucket. Errors: `damaged` if a symlink stands
/// there, because it would lead our rename out of the cache.
Result<> ensure_bucket(const cache::Root& root, const std::string& encoded_bucket) {
    const auto& buckets = root.dirs().buckets;
    TRY_ASSIGN(const bool exists, os::is_dir_at(buckets, encoded_bucket));
    if (exists) return {};
    auto made = os::make_dir_at(buckets, encoded_bucket);
    if (!made && why_of(made) != Why::exists) return made;
    return {};
}

/// Returns the error of a publish whose every attempt found that the key had come or gone, although
/// no other publish and no remove changes it meanwhile.
tl::unexpected<Error> never_settles(const cache::Root& root, const std::string& path,
                                    int attempts) {
    return fail(Errc::unsupported, "publish", root.dirs().buckets / path,
                "the file system has refused " + std::to_string(attempts) +
                    " renames to this name, each time as if the name had come or gone since the "
                    "last look; publish again, and if that fails too, name a directory on another "
                    "file system (`cachetool doctor` tests one)");
}

/// Calls try_place until the staged link is placed. Requires: the caller holds the bucket's lock in
/// the mode `held`. Returns `outdated` if the key does not come to rest under the shared lock.
/// Errors: those of try_place; `unsupported` if the key does not come to rest under the exclusive
/// lock either. On a file system that answers so whatever stands there, no other process would get
/// the lock any more.
Result<Placing> place_until_settled(cache::Root& root, const StagedLink& link, const KeyRef& place,
                                    Mode held, Replace replace) {
    // Arbitrary: a key that has changed so often, or an exchange that was interrupted so often, is
    // settled under the exclusive lock. Under that one only a refresh or a collection, which remove
    // the bucket's directory, can come between the look and the rename. That does not happen so
    // often in a row.
    constexpr int max_attempts = 1000;
    for (int attempts = 1;; ++attempts) {
        TRY(ensure_bucket(root, place.encoded_bucket));
        auto placed = try_place(root, link, place.path, held, replace);
        if (!placed || *placed != Placing::outdated) return placed;
        if (attempts < max_attempts) continue;
        if (held == Mode::shared) return placed;
        return never_settles(root, place.path, attempts);
    }
}

/// Moves the staged link to its key, under the bucket's lock (step 5). Returns `placed` or
/// `exchanged`. Begins with the shared lock, and goes on with the exclusive one if two names cannot
/// be exchanged here, or if the key does not come to rest. Errors: `busy` and `interrupted` from
/// the wait for the lock; those of try_place. After an error no key names the entry of the link
/// that stands at the staged name, so the caller may retire that link.
Result<Placing> place_link(cache::Root& root, const StagedLink& link, const KeyRef& place,
                           Replace replace, const cache::CallContext& context) {
    if (root.can_exchange.load(std::memory_order_relaxed)) {
        const auto lock = cache::BucketLock::shared(root, place.encoded_bucket, context);
        TRY(lock);
        (void)os::point("publish.locked");
        auto placed = place_until_settled(root, link, place, Mode::shared, replace);
        if (placed && *placed != Placing::outdated) return placed;
        if (!placed) {
            if (placed.error().code != Errc::unsupported) return placed;
            // Later publishes need not try: this file system exchanges no names.
            root.can_exchange.store(false, std::memory_order_relaxed);
        }
    }
    const auto lock = cache::BucketLock::exclusive(root, place.encoded_bucket, context);
    TRY(lock);
    (void)os::point("publish.locked");
    return place_until_settled(root, link, place, Mode::exclusive, replace);
}

/// Syncs the directories that steps 5 and 6 have changed, so that the link is there after a power
/// cut. The old link is on the disk in `retired/links/` before the new one is in the bucket. So a
/// cut in between leaves no entry without a link. The bucket's directory holds the link, and
/// `buckets/` holds the bucket, which may be new. The staging area is not synced: a cut may bring
/// the new link back there, and a collection recognizes that.
Result<> sync_place(const cache::Root& root, const std::string& encoded_bucket, NameSync names) {
    const auto& buckets = root.dirs().buckets;
    TRY(names.add(root.dirs().retired_links));
    (void)os::point("publish.retired-synced");
    auto bucket = os::open_dir_at(buckets, encoded_bucket);
    // If it was refreshed meanwhile, there is no link left to sync.
    if (!is_absent(bucket)) {
        TRY(bucket);
        TRY(names.add(*bucket));
        TRY(names.add(buckets));
    }
    return names.end();
}

/// Syncs the staged link before it is renamed to its key. Otherwise a power cut could leave an
/// empty file at the key, where a complete entry stood before.
Result<> sync_link(const cache::Root& root, const os::Dir& staging,
                   const std::string& staged_link) {
    if (root.link_kind() != LinkKind::file) return {};  // a symlink has no data of its own to sync
    TRY_ASSIGN(const os::FileHandle file, os::open_at(staging, staged_link, os::OpenMode::read));
    return os::sync(file, staging / staged_link);
}

/// Renames the staged tree to `archive/<id>` (step 4). After an error the stage owns the tree as
/// before, and no link names it.
Result<> move_to_archive(Stage& stage, const StagedLink& link, const std::string& staged_tree) {
    const os::Dir& archive = stage.root()->dirs().archive;
    auto archived = os::rename_new(link.staging, staged_tree, archive, to_text(link.id));
    if (!archived) {
        // The link leads nowhere. If it cannot be removed, it is reaped after this process has
        // ended.
        (void)os::remove_file_at(link.staging, link.name);
        return archived;
    }
    stage.set_in_archive();
    return {};
}

/// Returns the error of a publish that could not sync its link. The tree was moved here, so the
/// entry stays published: another process may use it by now, so it cannot be given back; and it
/// must not be lost, because there is no other copy.
Error keep_unsynced(const cache::Root& root, const KeyRef& place, Error error) {
    error.detail += (error.detail.empty() ? "" : "; ") +
                    std::string("the tree was moved here, and so it stays published as ") +
                    (root.dirs().buckets / place.path).string() +
                    ", which may be missing after a power cut";
    return error;
}

}  // namespace

Result<SlotLease> publish(Stage& stage, const KeyRef& place, const PublishOptions& options,
                          const cache::CallContext& context, Replace replace) {
    cache::Root& root = *stage.root();
    const format::Id id = stage.id();
    const bool power = options.durability == Durability::power;
    const std::string staged_tree = format::staged_tree_name(id),
                      staged_link = format::staged_link_name(id);
    TRY_ASSIGN(cache::Participant* const participant, root.participant(context));
    const os::Dir& staging = participant->staging();

    // (1) Take the lease that publish returns. It comes first, so that the entry is leased at the
    // instant at which other processes can see it.
    TRY_ASSIGN(SlotLease lease, SlotLease::take(stage.root(), id, context));
    (void)os::point("publish.leased");

    // (2) Complete the entry by its manifest and its record. Sync both and the tree if they are to
    // survive a power cut.
    TRY(complete(staging, staged_tree, place, options, stage.noted()));
    (void)os::point("publish.completed");

    // (3) In staging, create a link that names the id. From here on, at every crash point, the link
    // in staging (new or old) names an entry that no key names. So that entry is garbage, and is
    // listed: one link names it (invariant 2).
    TRY(format::make_link(root.link_kind(), staging, staged_link, id));
    if (power) TRY(sync_link(root, staging, staged_link));
    (void)os::point("publish.linked");

    // (4) Rename the staged tree to archive/<id>.
    const StagedLink link{.staging = staging, .name = staged_link, .id = id};
    TRY(move_to_archive(stage, link, staged_tree));
    (void)os::point("publish.archived");
    // Ends a publish whose entry is in the archive. Its link is retired and not removed: a removed
    // link would leave an orphan. If there is no space even for that, the link names garbage where
    // it is. A tree that was moved here is left in flight, because the caller gives it back.
    const auto give_up = [&](const Error& error) {
        if (!stage.owes()) (void)root.retire_link(staging, staged_link);
        return tl::make_unexpected(error);
    };
    std::optional<NameSync> names;
    if (power) {
        names.emplace(root);
        if (auto synced = names->add(root.dirs().archive); !synced) return give_up(synced.error());
        (void)os::point("publish.archive-synced");
    }

    // (5) Under the bucket's lock, move the link to its key.
    const auto placed = place_link(root, link, place, replace, context);
    (void)os::point("publish.placed");
    if (!placed) return give_up(placed.error());
    const bool was_moved = stage.owes();
    stage.disown();

    // (6) Retire the old link, which came back in exchange. If that fails, it stays in our staging
    // area. There it names garbage as well, until this process has ended.
    if (*placed == Placing::exchanged) (void)root.retire_link(staging, staged_link);
    (void)os::point("publish.retired");

    if (!power) return lease;
    auto synced = sync_place(root, place.encoded_bucket, std::move(*names));
    if (synced) return lease;
    if (was_moved)
        return tl::make_unexpected(keep_unsynced(root, place, std::move(synced).error()));
    // The durability cannot be kept, so nothing is published. If the link cannot be retired either,
    // the entry stays, and the caller has the error of the sync.
    (void)retire_if(root, place, id, context);
    return tl::make_unexpected(std::move(synced).error());
}

}  // namespace larder::protocol
