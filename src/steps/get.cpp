#include <steps/get.hpp>

#include <sys/stat.h>

#include <layout/link.hpp>
#include <layout/name.hpp>
#include <os/points.hpp>
#include <steps/entry.hpp>
#include <steps/retire.hpp>

namespace larder::steps {

namespace {

/// Without memory of its own: a miss is the one error that callers meet all the time.
tl::unexpected<Error> miss() { return tl::make_unexpected(Error{Errc::miss, 0, "no such entry", {}, {}}); }

/// The link's entry exists (a cache that was copied in part has links that lead nowhere) and is the key's (two long keys
/// might, in theory, share one hashed name).
Result<bool> is_good(const root::Root& root, const Place& place, const layout::Id& id) {
    TRY_ASSIGN(const bool complete, is_complete(root, id));
    if (!complete || !layout::is_hashed(place.encoded_key)) return complete;
    const auto record = read_record(root, id);
    if (!record && record.error().code != Errc::damaged) return tl::make_unexpected(record.error());
    return record && record->key == place.key;
}

/// Where no lease can be written down. A link never comes back: an entry that is not good, and is not named any more either, was replaced and
/// collected while we looked, and the key has another one, or none.
Result<HeldLease> get_unleased(const RootRef& root, const Place& place, layout::Id id) {
    for (;;) {
        (void)os::point("get.unleased");
        TRY_ASSIGN(const bool good, is_good(*root, place, id));
        if (good) return HeldLease(root, {}, id);
        TRY_ASSIGN(const auto link, layout::read_link(root->link_kind(), root->dirs().buckets, place.path()));
        if (link.kind != layout::LinkRead::Kind::entry || link.id == id) return miss();
        id = link.id;
    }
}

}  // namespace

Result<HeldLease> get(const RootRef& root, const Place& place) {
    const auto& buckets = root->dirs().buckets;
    const std::string path = place.path();
    // (1) Read the link.
    TRY_ASSIGN(auto link, layout::read_link(root->link_kind(), buckets, path));
    if (link.kind != layout::LinkRead::Kind::entry) return miss();
    if (root->is_read_only()) return get_unleased(root, place, link.id);
    (void)os::point("get.read");
    // (2) Store the id in a slot, with a full fence.
    TRY_ASSIGN(HeldLease lease, HeldLease::take(root, link.id));
    for (;;) {
        (void)os::point("get.stored");
        // (3) Read the link again: if it still says the id, then no collector had listed it as retired before it could see
        // the slot, and the lease holds. If not, this was the next (1).
        TRY_ASSIGN(link, layout::read_link(root->link_kind(), buckets, path));
        if (link.kind != layout::LinkRead::Kind::entry) return miss();
        if (link.id == lease.id()) break;
        TRY(lease.point_at(link.id));
    }
    (void)os::point("get.confirmed");
    TRY_ASSIGN(const bool good, is_good(*root, place, lease.id()));
    if (good) return lease;
    // A link to nowhere is a miss, and is retired if that needs no waiting; the next publish replaces it in any case.
    TRY_ASSIGN(const bool complete, is_complete(*root, lease.id()));
    if (!complete) (void)retire_if_unlocked(*root, place, lease.id());
    return miss();
}

}  // namespace larder::steps
