// SPDX-License-Identifier: MIT
#include "protocol/get.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/key_link.hpp"
#include "protocol/use.hpp"

namespace larder::protocol {

namespace {

/// A miss allocates no memory, because it is the one error that callers meet all the time.
tl::unexpected<Error> miss() {
    return tl::make_unexpected(Error{Errc::miss, 0, "no such entry", {}, {}});
}

/// Returns true if the entry belongs to the key. In theory two long keys can share one hashed name.
Result<bool> is_keys_own(const cache::Root& root, const KeyRef& place, const format::Id& id) {
    if (!format::is_hashed(place.encoded_key())) return true;
    const auto record = read_record(root, id);
    if (!record && record.error().code != Errc::damaged) return tl::make_unexpected(record.error());
    return record && record->key == place.key;
}

/// Gets an entry without a lease, in a cache that was opened read-only. `id` is what the link
/// named. Without a lease, the entry may be replaced and collected during this call. Then its key
/// names another entry or none, because a link never comes back. So if the entry is not complete,
/// this reads the link again.
Result<SlotLease> get_unleased(const RootRef& root, const KeyRef& place, format::Id id) {
    for (;;) {
        (void)os::point("get.unleased");
        TRY_ASSIGN(const bool complete, is_complete(*root, id));
        if (complete) {
            TRY_ASSIGN(const bool good, is_keys_own(*root, place, id));
            if (good) return SlotLease(root, {}, id);
        }
        TRY_ASSIGN(const auto link,
                   format::read_link(root->link_kind(), root->dirs().buckets, place.path));
        if (link.kind != format::LinkRead::Kind::entry || link.id == id) return miss();
        id = link.id;
    }
}

}  // namespace

Result<SlotLease> get(const RootRef& root, const KeyRef& place, const cache::CallContext& context) {
    const std::string& path = place.path;
    const auto& dirs = root->dirs();
    const auto known = root->is_read_only() ? cache::RecentEntry{} : root->recent().lookup(path);
    // (1) Read the link. Or guess what it says, since (3) is what counts: the guess is the id under
    // which this process got the key last.
    format::Id id = known.id;
    if (!id) {
        TRY_ASSIGN(const auto link, format::read_link(root->link_kind(), dirs.buckets, path));
        if (link.kind != format::LinkRead::Kind::entry) return miss();
        id = link.id;
    }
    if (root->is_read_only()) return get_unleased(root, place, id);
    (void)os::point("get.read");
    // (2) Store the id in a slot, with a full fence.
    TRY_ASSIGN(SlotLease lease, SlotLease::take(root, id, context));
    for (;;) {
        (void)os::point("get.stored");
        // (3) Read the link again. If it still says the id, then no collector had listed it as
        // retired before it could see the slot, and the lease holds. If it says another id, that
        // reading was the next (1).
        if (format::link_names_complete_entry(root->link_kind(), dirs.archive, path, lease.id()))
            break;
        TRY_ASSIGN(const auto link, format::read_link(root->link_kind(), dirs.buckets, path));
        if (link.kind != format::LinkRead::Kind::entry) {
            root->recent().forget(path);
            return miss();
        }
        if (link.id != lease.id()) {
            TRY(lease.point_at(link.id));
            continue;
        }
        TRY_ASSIGN(const bool complete, is_complete(*root, lease.id()));
        if (complete) break;
        // A link that leads nowhere is a miss. It is retired if that needs no waiting. The next
        // publish replaces it in any case.
        const auto retired = retire_if_unlocked(*root, place, lease.id());
        if (retired && *retired && context.journal != nullptr)
            context.journal->note({.kind = Event::Kind::repaired,
                                   .bucket = std::string(place.bucket),
                                   .key = std::string(place.key),
                                   .what = "a link to nowhere"});
        return miss();
    }
    (void)os::point("get.confirmed");
    TRY_ASSIGN(const bool good, is_keys_own(*root, place, lease.id()));
    if (!good) return miss();
    if (!known.settled || known.id != lease.id()) note_use(*root, place, lease.id());
    return lease;
}

}  // namespace larder::protocol
