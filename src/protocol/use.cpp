// SPDX-License-Identifier: MIT
#include "protocol/use.hpp"

#include "base/saturate.hpp"
#include "os/points.hpp"

namespace larder::protocol {

namespace {

/// Sets the time of the link to now if it is an hour old. Where there is no ring, each use is
/// written down in this way. An error ends it, and is not told: the hit does not depend on the use,
/// and the next get tries again unless this call has settled the entry (see cache/recent.hpp). If
/// another process has replaced the link since, the new entry counts as used now. That does no
/// harm, because its publish is a use too.
void set_time_if_due(cache::Root& root, const KeyRef& place, const format::Id& id) {
    const auto at = root.keys().path_for_look(place.path);
    if (!at) return;
    const auto link = os::stat_at(*at->dir, at->path);
    if (!link) return;
    // Only this decision rests on the clock of this process, which may be wrong and costs no system
    // call. The time that is recorded is the kernel's.
    const auto now = std::chrono::system_clock::now();
    const auto used = last_use(*link);
    const auto age = std::chrono::floor<std::chrono::minutes>(base::age(used, now));
    const bool is_recent = used <= now && age < cache::use_interval;
    if (is_recent) return root.recent().settle(place.path, id, cache::use_interval - age);
    // The recorded use is over an hour old, or lies in the future because a clock was wrong. So
    // record a new one. Check first that a bucket of this cache stands at `buckets/<b>`, because
    // what is below another symlink does not belong to the cache.
    const auto is_bucket = root.keys().bucket_exists(place.encoded_bucket);
    if (!is_bucket || !*is_bucket) return;
    (void)os::point("use.note");
    // Ignore an error, and settle the entry all the same: the next get would meet the same error.
    (void)os::touch_at(*at->dir, at->path);
    root.recent().settle(place.path, id, cache::use_interval);
}

/// Writes the use into the ring, and remembers its number. If the ring is full, settles the oldest
/// uses first. If there is no memory for that, the use is lost.
void write_to_ring(cache::Root& root, cache::UseRing& ring, const KeyRef& place,
                   const format::Id& id) {
    for (;;) {
        if (const std::uint64_t use = ring.write(id, place.path)) {
            (void)os::point("use.written");
            return root.recent().settle(place.path, id, cache::use_interval, use);
        }
        // Other threads may take the room that this one makes. Then it makes more.
        if (!settle_oldest_uses(root, ring)) return;
    }
}

}  // namespace

void note_use(cache::Root& root, const KeyRef& place, const format::Id& id,
              const cache::RecentEntry& known) noexcept {
    cache::Participant* const participant = root.joined();
    // A forked child goes on with a get of its parent, and the use is the parent's.
    if (participant == nullptr) return;
    cache::UseRing* const ring = participant->table().ring();
    const bool is_settled = known.settled && known.id == id;
    if (is_settled && (ring == nullptr || ring->counts(known.use, id))) return;
    try {
        if (ring != nullptr) {
            write_to_ring(root, *ring, place, id);
        } else {
            set_time_if_due(root, place, id);
        }
    } catch (...) {
        // There was no memory for the path of an error. The get has succeeded all the same.
    }
}

}  // namespace larder::protocol
