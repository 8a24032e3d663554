// SPDX-License-Identifier: MIT
#include "protocol/publish.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/record.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/bucket.hpp"
#include "protocol/entry_manifest.hpp"
#include "protocol/key_link.hpp"
#include "protocol/name_sync.hpp"
#include "protocol/settle.hpp"
#include "tree/measure.hpp"

namespace larder::protocol {

namespace {

using cache::KeyPath;
using format::LinkRead;
using os::Mode;

/// Returns a time that a caller has named, but no later one than now.
std::chrono::system_clock::time_point not_after_now(
    const std::optional<std::chrono::system_clock::time_point>& named) {
    const auto now = os::wall_time();
    return named ? std::min(*named, now) : now;
}

/// Sets the time of the staged link, which is that of the entry's last use. A rename keeps it.
Result<> set_last_use(const os::Dir& staging, const std::string& link,
                      std::chrono::system_clock::time_point used) {
    return os::set_modified_at(staging, link, os::FileTime::from_clock(used));
}

/// Makes the staged tree a complete entry: writes its manifest and then its record beside it, and
/// syncs all of it if the caller asked for durability `power`. Returns the time at which a sync of
/// the whole file system began; nullopt if there was none. Errors: `invalid` if the tree holds
/// what no entry may hold (a pipe, a socket, a device); `no_space`. The stage owns the tree in any
/// case.
Result<std::optional<os::BootTime>> complete(const Stage& stage, const KeyRef& place,
                                             const PublishOptions& options) {
    TRY_ASSIGN(const os::Dir staged,
               os::open_dir_at(stage.root()->dirs().archive, to_text(stage.id())));
    TRY_ASSIGN(const os::Dir tree, os::open_dir_at(staged, format::tree_name));
    TRY_ASSIGN(const tree::Size size, list_tree(staged, tree, options.digest, stage.noted()));
    (void)os::point("publish.listed");
    const format::Record record{.bucket = std::string(place.bucket),
                                .key = std::string(place.key),
                                .published = not_after_now(options.published),
                                .boot = os::to_text(os::boot_id()),
                                .durability = options.durability,
                                .bytes = size.bytes,
                                .files = size.files,
                                .producer = options.producer,
                                .metadata = options.metadata};
    TRY(os::write_new_file_at(staged, format::record_name, format::print_record(record)));
    if (options.durability == Durability::process) return std::nullopt;
    const os::BootTime begun = os::boot_time();
    // Two files more than the tree has: the manifest and the record.
    TRY_ASSIGN(const tree::SyncedPart synced,
               tree::sync(staged, {.bytes = size.bytes, .files = size.files + 2}));
    if (synced == tree::SyncedPart::tree) return std::nullopt;
    return begun;
}

/// The result of an attempt to move a staged link to its key.
enum class Placing {
    placed,     ///< the key names the new entry
    exchanged,  ///< the same, and the old link now stands at the name of the staged link
    replaced,   ///< the same, and the link `o-` in the staging area names the old entry
    outdated,   ///< the key has changed during the attempt: try again
};

/// The links of one publish in its staging area.
struct StagedLink {
    const os::Dir& staging;
    const format::Id& id;    ///< the new entry
    const std::string name;  ///< of the link to it
    const std::string old;   ///< of the link to the entry that it replaces, if there is one
    const bool power;        ///< that link must survive a power cut
};

/// Returns whether an exchange that has failed took place all the same: a signal may interrupt the
/// call after it has had its effect. Only this publish renames the staged link. So if something
/// stands there that does not name the new entry, the names were exchanged. It need be no link of
/// an entry: the old link may have been malformed. (The key tells less, because another publish may
/// have replaced the new entry by now.)
Result<bool> was_exchanged(const cache::Root& root, const StagedLink& link) {
    TRY_ASSIGN(const LinkRead staged, format::read_link(root.link_kind(), link.staging, link.name));
    return staged.kind != LinkRead::Kind::absent && !staged.names(link.id);
}

/// Reads the link of a key, which stands at `at`, before it is replaced. Errors: `damaged` if
/// something stands there that is no link of this cache; `exists` if the key has a link and
/// `replace` does not allow that.
Result<LinkRead> look_at_key(const cache::Root& root, const KeyPath& at, Replace replace) {
    TRY_ASSIGN(const LinkRead old, format::read_link(root.link_kind(), *at.dir, at.path));
    if (old.kind == LinkRead::Kind::foreign) {
        return fail(
            Errc::damaged, "publish", *at.dir / at.path,
            "something that is no link of this cache stands here; `cachetool verify --repair` "
            "takes it away");
    }
    const bool is_new = old.kind == LinkRead::Kind::absent;
    if (!is_new && replace == Replace::no) {
        return fail(Errc::exists, "publish", *at.dir / at.path,
                    "its key has an entry; remove that, or allow its replacement");
    }
    (void)os::point(is_new ? "publish.before-placing-new" : "publish.before-exchange");
    return old;
}

/// Returns what an attempt is whose rename has failed: `outdated` if the key or its bucket has
/// changed between the look and the rename. Otherwise returns the error.
Result<Placing> outdated_or_failed(const StagedLink& link, Result<> failed) {
    // `exists`: another process has added the key. `absent`: the key was removed, or its bucket is
    // gone; or our own staged link is gone, and only then is it an error.
    const bool changed = why_of(failed) == Why::exists || is_absent(failed);
    if (changed && os::stat_at(link.staging, link.name)) return Placing::outdated;
    return tl::make_unexpected(std::move(failed).error());
}

/// Makes one attempt to move the staged link to the key's name `at`. Looks at the key first, and
/// then makes the one rename that is right for what stands there: an exchange, or a rename that
/// never replaces. Neither needs protection from other publishes.
///
/// Requires: the caller holds the bucket's lock, shared.
///
/// Returns `outdated` if the key or its bucket has changed between the look and the rename; the
/// staged link is still in its place then. Errors: those of look_at_key; `unsupported` if the file
/// system can't do the rename, and the exclusive lock is needed.
Result<Placing> try_exchange(const cache::Root& root, const StagedLink& link, const KeyPath& at,
                             Replace replace) {
    TRY_ASSIGN(const LinkRead old, look_at_key(root, at, replace));
    if (old.kind == LinkRead::Kind::absent) {
        auto placed = os::rename_new_atomic(link.staging, link.name, *at.dir, at.path);
        if (placed) return Placing::placed;
        return outdated_or_failed(link, std::move(placed));
    }
    auto exchanged = os::exchange(link.staging, link.name, *at.dir, at.path);
    if (exchanged) return Placing::exchanged;
    TRY_ASSIGN(const bool done, was_exchanged(root, link));
    if (done) return Placing::exchanged;
    if (why_of(exchanged) == Why::interrupted) return Placing::outdated;
    return outdated_or_failed(link, std::move(exchanged));
}

/// Writes down which entry the key names before a new link is renamed over its link: makes a second
/// link to it in the staging area. So the old entry is named at every instant.
Result<> write_down_old(const cache::Root& root, const StagedLink& link, const format::Id& old) {
    TRY(format::make_link(root.link_kind(), root.dirs().root, link.staging, link.old, old));
    if (link.power) TRY(sync_link(root, link.staging, link.old));
    (void)os::point("replace.written-down");
    return {};
}

/// Returns whether the staged link has been renamed to the key although the system said that it was
/// not: a file system on a network may answer so if it had to repeat a request.
bool was_renamed(const cache::Root& root, const StagedLink& link, const KeyPath& at) {
    if (!is_absent(os::stat_at(link.staging, link.name))) return false;
    const auto now = format::read_link(root.link_kind(), *at.dir, at.path);
    return now && now->names(link.id);
}

/// Takes the staged link away after the key's junction was set again, because the key names the new
/// entry. If the junction was retired between the look at the key and the setting, a collection may
/// have listed it as a name of the old entry, and removes it. Then the staged link is the one name
/// of the new entry, and is retired. If either fails, the link is reaped when the process has
/// ended.
void remove_staged(const cache::Root& root, const StagedLink& link, const KeyPath& at) {
    const auto now = format::read_link(root.link_kind(), *at.dir, at.path);
    if (now && now->names(link.id)) {
        (void)os::remove_file_at(link.staging, link.name);
    } else {
        (void)root.retire_link(link.staging, link.name);
    }
}

/// Sets the junction of a key again in its place, so that it names the new entry. It is opened, and
/// then the bucket is asked whether its key is still the link that was written down: what is opened
/// is set, wherever it is by then. Returns `replaced`; or `outdated` if the key has changed.
Result<Placing> try_set_again(const cache::Root& root, const StagedLink& link, const KeyRef& place,
                              const KeyPath& at, const LinkRead& old) {
    const auto junction = format::OpenJunction::open(*at.dir, at.path);
    if (is_absent(junction)) return Placing::outdated;
    TRY(junction);
    TRY_ASSIGN(const LinkRead now, root.keys().read(place.path));
    if (now.kind != old.kind || now.id != old.id) return Placing::outdated;
    (void)os::point("junction.opened");
    if (auto set = junction->set_link(root.dirs().root, link.id); !set) {
        // It was retired and unlinked since.
        if (is_absent(set)) return Placing::outdated;
        // If it was set all the same, nothing else names the old entry. If it was not, a collection
        // finds that the key does.
        const auto is = format::read_link(root.link_kind(), *at.dir, at.path);
        if (!is || !is->names(link.id)) {
            (void)root.retire_link(link.staging, link.old);
            return tl::make_unexpected(std::move(set).error());
        }
    }
    (void)os::point("junction.set");
    remove_staged(root, link, at);
    (void)os::point("replace.placed");
    return Placing::replaced;
}

/// Makes one attempt to put the staged link in the place of the key's link without an exchange:
/// record, then replace. First a link `o-` names the old entry, and then the staged link is renamed
/// over the key, or the key's junction is set again. If the key has no link, the staged link is
/// renamed to a name that must be free.
///
/// Requires: the caller holds the bucket's lock, exclusively. Otherwise another publish could
/// replace the same entry, and one of two new ones would have no name.
///
/// Returns `replaced` if `o-` may name an old entry, which the caller retires. Otherwise as
/// try_exchange. After an error, or `outdated`, `o-` may stand: see Root::settle_old_link.
Result<Placing> try_replace(const cache::Root& root, const StagedLink& link, const KeyRef& place,
                            const KeyPath& at, Replace replace) {
    TRY_ASSIGN(const LinkRead old, look_at_key(root, at, replace));
    const bool names_entry = old.kind == LinkRead::Kind::entry;
    if (names_entry) TRY(write_down_old(root, link, old.id));
    if (root.sets_links_again() && old.kind != LinkRead::Kind::absent)
        return try_set_again(root, link, place, at, old);
    auto placed = old.kind == LinkRead::Kind::absent
                      ? os::rename_new(link.staging, link.name, *at.dir, at.path)
                      : os::rename_replacing(link.staging, link.name, *at.dir, at.path);
    if (!placed && !was_renamed(root, link, at)) return outdated_or_failed(link, std::move(placed));
    if (!names_entry) return Placing::placed;
    (void)os::point("replace.placed");
    return Placing::replaced;
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

/// Makes attempts until the staged link is placed. Requires: the caller holds the bucket's lock in
/// the mode `held`. If that is shared, the attempts are those of try_exchange; if it is exclusive,
/// those of try_replace. Returns `outdated` if the key does not come to rest under the shared lock,
/// or if the bucket can be made under the exclusive one alone.
/// Errors: those of the attempts; `unsupported` if the key does not come to rest under the
/// exclusive lock either. On a file system that answers so whatever stands there, no other process
/// would get the lock any more.
Result<Placing> place_until_settled(const cache::Root& root, const StagedLink& link,
                                    const KeyRef& place, Mode held, Replace replace) {
    // Arbitrary: a key that has changed so often, or an exchange that was interrupted so often, is
    // settled under the exclusive lock. Under that one only a refresh or a collection, which remove
    // the bucket's directory, can come between the look and the rename. That does not happen so
    // often in a row.
    constexpr int max_attempts = 1000;
    const PublishHold hold{.staging = link.staging, .mode = held, .power = link.power};
    for (int attempts = 1;; ++attempts) {
        TRY_ASSIGN(const auto at, ensure_bucket(root, place, hold));
        if (!at) return Placing::outdated;
        auto placed = held == Mode::shared ? try_exchange(root, link, *at, replace)
                                           : try_replace(root, link, place, *at, replace);
        if (!placed || *placed != Placing::outdated) return placed;
        if (held == Mode::exclusive) TRY(root.settle_old_link(link.staging, link.id));
        if (attempts < max_attempts) continue;
        if (held == Mode::shared) return placed;
        return never_settles(root, place.path, attempts);
    }
}

/// Moves the staged link to its key, under the bucket's lock (steps 3 and 4). Returns `placed`,
/// `exchanged` or `replaced`. Begins with the shared lock. If two names cannot be exchanged here,
/// or if the key does not come to rest, goes on with the exclusive one, and record, then replace.
/// Errors: `busy` and `interrupted` from the wait for the lock; those of the attempts. After an
/// error no key names the entry of the link that stands at the staged name.
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
    auto placed = place_until_settled(root, link, place, Mode::exclusive, replace);
    if (placed) return placed;
    // Give up. The name that may be false goes first: `o-`, then `l-`. If `o-` cannot be settled
    // now, the two stay together: see Stage::drop and Root::reap.
    (void)root.settle_old_link(link.staging, link.id);
    (void)os::point("replace.given-up");
    return placed;
}

/// Syncs the directories that steps 4 and 5 have changed, so that the link is there after a power
/// cut. The old link is on the disk in `retired/links/` before the new one is in the bucket. So a
/// cut in between leaves no entry without a link. The directory of the keys holds the link. Then
/// come `generations/`, which holds that directory if the bucket is a pointer, and `buckets/`,
/// which holds the bucket; both may be new. So a pointer on the disk leads somewhere. If it is a
/// file, it has bytes of its own, which another publish may have written, and not for power. The
/// staging area is not synced: a cut may bring the new link back there, and a collection recognizes
/// that.
Result<> sync_place(const cache::Root& root, const std::string& encoded_bucket, NameSync& names) {
    const auto& buckets = root.dirs().buckets;
    TRY(names.add(root.garbage().retired_links));
    (void)os::point("publish.retired-synced");
    const auto keys = root.keys().open_bucket(encoded_bucket);
    // If it was refreshed meanwhile, there is no link left to sync.
    if (!is_absent(keys)) {
        TRY(keys);
        TRY(names.add(*keys));
        if (root.keys().use_pointers()) {
            TRY(names.add(root.dirs().generations));
            const auto synced = sync_link(root, buckets, encoded_bucket);
            if (!is_absent(synced)) TRY(synced);  // refreshed meanwhile
        }
        TRY(names.add(buckets));
    }
    return names.end();
}

/// Raises the watermark if the whole file system was synced since a time: then all that others have
/// published is on the disk, too. If that can't be written down, their entries are compared with
/// their manifests after a power cut.
void note_synced(const cache::Root& root, const std::optional<os::BootTime>& since) {
    if (since) (void)raise_watermark(root, *since, false);
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

/// Returns the error of a publish that has failed because something was gone. If that is what this
/// process has staged, or the link to it, another program has deleted files of the cache, and the
/// error says so.
Error explain_absence(const cache::Root& root, const StagedLink& link, Error error) {
    if (error.why != Why::absent) return error;
    const auto& archive = root.dirs().archive;
    const bool has_tree = os::exists_at(archive, format::entry_tree_path(link.id)).value_or(true);
    const bool has_link = os::exists_at(link.staging, link.name).value_or(true);
    if (has_tree && has_link) return error;
    error.step = "publish";
    error.path = has_tree ? link.staging / link.name : archive / to_text(link.id);
    error.detail =
        has_tree
            ? "another program has deleted this link to the staged tree, which "
              "`cachetool verify --repair` lists for the next collection; make the entry again"
            : "another program has deleted the tree that was staged here; make the entry again";
    return error;
}

}  // namespace

Result<SlotLease> publish(Stage& stage, const KeyRef& place, const PublishOptions& options,
                          const cache::CallContext& context, Replace replace) {
    cache::Root& root = *stage.root();
    const format::Id id = stage.id();
    const bool power = options.durability == Durability::power;
    TRY_ASSIGN(cache::Participant* const participant, root.participant(context));
    const os::Dir& staging = participant->staging();
    // The link was made before the entry (Stage::make). From there on, at every crash point, the
    // link in staging (new or old) names an entry that no key names. So that entry is garbage, and
    // is listed: one link names it (invariant 2).
    const StagedLink link{.staging = staging,
                          .id = id,
                          .name = format::staged_link_name(id),
                          .old = format::old_link_name(id),
                          .power = power};
    if (options.last_used) TRY(set_last_use(staging, link.name, not_after_now(options.last_used)));

    // (1) Complete the entry by its manifest and its record. Sync both and the tree if they are to
    // survive a power cut.
    const auto synced_since = complete(stage, place, options);
    if (!synced_since)
        return tl::make_unexpected(explain_absence(root, link, synced_since.error()));
    note_synced(root, *synced_since);
    (void)os::point("publish.recorded");

    // (2) Lease the entry, before any other process can see it.
    TRY_ASSIGN(auto lease, SlotLease::take(stage.root(), id, context));
    (void)os::point("publish.leased");

    std::optional<NameSync> names;
    if (power) {
        TRY(sync_link(root, staging, link.name));
        names.emplace(root);
        TRY(names->add(root.dirs().archive));
        (void)os::point("publish.archive-synced");
    }

    // (3), (4) Under the bucket's lock, move the link to its key.
    const auto placed = place_link(root, link, place, replace, context);
    (void)os::point("publish.placed");
    // The caller still owns the stage, and drops it, or gives a moved tree back.
    if (!placed) return tl::make_unexpected(explain_absence(root, link, placed.error()));
    const bool was_moved = stage.owes();
    stage.disown();

    // (5) Retire the old link, which came back in exchange, or was written down. If that fails, it
    // stays in our staging area. There it names garbage as well, until this process has ended.
    if (*placed == Placing::exchanged) (void)root.retire_link(staging, link.name);
    if (*placed == Placing::replaced) (void)root.retire_link(staging, link.old);
    (void)os::point("publish.retired");

    if (!power) return lease;
    const os::BootTime begun = os::boot_time();
    auto synced = sync_place(root, place.encoded_bucket, *names);
    if (synced) {
        if (names->has_synced_all()) note_synced(root, begun);
        return lease;
    }
    if (was_moved)
        return tl::make_unexpected(keep_unsynced(root, place, std::move(synced).error()));
    // The durability cannot be kept, so nothing is published. If the link cannot be retired either,
    // the entry stays, and the caller has the error of the sync.
    (void)retire_if(root, place, id, context);
    return tl::make_unexpected(std::move(synced).error());
}

}  // namespace larder::protocol
