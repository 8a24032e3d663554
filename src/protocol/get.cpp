// SPDX-License-Identifier: MIT
#include "protocol/get.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/key_link.hpp"
#include "protocol/suspect.hpp"
#include "protocol/use.hpp"

namespace larder::protocol {

namespace {

/// Returns the error of a key that names no entry. It allocates no memory, because it is the one
/// error that callers meet all the time.
tl::unexpected<Error> miss() {
    return tl::make_unexpected(Error{Errc::miss, 0, "no such entry", {}, {}});
}

/// Returns true if the entry belongs to the key. The name of a long key ends with a hash, so in
/// theory two long keys can have one name and one link. Then the record tells them apart; if it is
/// damaged, the entry belongs to no key. Errors: those of reading the record.
Result<bool> is_keys_own(const cache::Root& root, const KeyRef& place, const format::Id& id) {
    if (!format::is_hashed(place.encoded_key())) return true;
    const auto record = read_record(root, id);
    if (!record && record.error().code != Errc::damaged) return tl::make_unexpected(record.error());
    return record && record->key == place.key;
}

/// Returns false if a power cut has torn the entry. An entry of this boot is not looked at. Nor is
/// one that this process got under this key before, so `known` is the id that it remembers. Errors:
/// those of has_survived_cuts.
Result<bool> is_whole(cache::Root& root, const format::Id& id, const format::Id& known,
                      const cache::CallContext& context) {
    if (format::is_of_this_boot(id) || id == known) return true;
    return has_survived_cuts(root, id, context);
}

/// Retires the link of a key if that needs no waiting, and tells why. Otherwise, and after an
/// error, leaves it: the key is a miss in any case, and the next publish replaces the link.
void retire_useless(cache::Root& root, const KeyRef& place, const format::Id& id, const char* what,
                    const cache::CallContext& context) {
    const auto retired = retire_if_unlocked(root, place, id);
    if (!retired || !*retired || context.journal == nullptr) return;
    context.journal->note({.kind = Event::Kind::repaired,
                           .bucket = std::string(place.bucket),
                           .key = std::string(place.key),
                           .what = what});
}

/// Gets an entry without a lease, in a cache that was opened read-only. `id` is what the link
/// named. Without a lease, the entry may be replaced and collected during this call. Then its key
/// names another entry or none, because a link never comes back. So if the entry is not complete,
/// this reads the link again.
Result<SlotLease> get_unleased(const RootRef& root, const KeyRef& place, format::Id id,
                               const cache::CallContext& context) {
    for (;;) {
        (void)os::point("get.unleased");
        TRY_ASSIGN(const bool complete, is_complete(*root, id));
        if (complete) {
            const format::Id known = root->recent().lookup(place.path).id;
            TRY_ASSIGN(const bool whole, is_whole(*root, id, known, context));
            // No use is written down here, so only what was looked at is remembered.
            if (whole && !format::is_of_this_boot(id) && id != known)
                root->recent().settle(place.path, id, cache::use_interval);
            TRY_ASSIGN(const bool good, whole ? is_keys_own(*root, place, id) : false);
            if (good) return SlotLease(root, {}, id);
        }
        TRY_ASSIGN(const auto link, root->keys().read(place.path));
        if (link.kind != format::LinkRead::Kind::entry || link.id == id) return miss();
        id = link.id;
    }
}

/// Makes a lease hold (step 3). The id in its slot is only a guess until the key's link is read
/// after it was stored: if the link names that id, no collection can delete the entry any more. If
/// the link names another id, stores that one and tries again. Errors: `miss` if the key names no
/// complete entry; then the slot protects nothing that the caller may use.
Result<> confirm(SlotLease& lease, cache::Root& root, const KeyRef& place,
                 const cache::CallContext& context) {
    const std::string& path = place.path;
    for (;;) {
        (void)os::point("get.stored");
        // If the link still says the id, then no collector had listed it as retired before it could
        // see the slot, and the lease holds.
        if (root.keys().name_complete_entry(path, lease.id())) return {};
        TRY_ASSIGN(const auto link, root.keys().read(path));
        if (link.kind != format::LinkRead::Kind::entry) {
            root.recent().forget(path);
            return miss();
        }
        if (link.id != lease.id()) {
            TRY(lease.point_at(link.id));
            continue;
        }
        // The link names the id, but its entry has no tree, or the tree can't be searched.
        TRY_ASSIGN(const bool complete, is_complete(root, lease.id()));
        if (complete) return {};
        retire_useless(root, place, lease.id(), "a link to nowhere", context);
        return miss();
    }
}

}  // namespace

Result<SlotLease> get(const RootRef& root, const KeyRef& place, const cache::CallContext& context) {
    const std::string& path = place.path;
    const auto known = root->is_read_only() ? cache::RecentEntry{} : root->recent().lookup(path);
    // (1) Read the link. Or guess what it says, since (3) is what counts: the guess is the id under
    // which this process got the key last.
    format::Id id = known.id;
    if (!id) {
        TRY_ASSIGN(const auto link, root->keys().read(path));
        if (link.kind != format::LinkRead::Kind::entry) return miss();
        id = link.id;
    }
    if (root->is_read_only()) return get_unleased(root, place, id, context);
    (void)os::point("get.read");
    // (2) Store the id in a slot, with a full fence.
    TRY_ASSIGN(SlotLease lease, SlotLease::take(root, id, context));
    // (3) Read the link again.
    TRY(confirm(lease, *root, place, context));
    (void)os::point("get.confirmed");
    // The lease keeps the entry while it is looked at, so what is missing is missing.
    TRY_ASSIGN(const bool whole, is_whole(*root, lease.id(), known.id, context));
    if (!whole) {
        retire_useless(*root, place, lease.id(), "a torn entry", context);
        return miss();
    }
    TRY_ASSIGN(const bool good, is_keys_own(*root, place, lease.id()));
    if (!good) return miss();
    note_use(*root, place, lease.id(), known);
    return lease;
}

}  // namespace larder::protocol
