// SPDX-License-Identifier: MIT
#include "base/saturate.hpp"
#include "cache/root.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/lock_bytes.hpp"
#include "format/name.hpp"
#include "format/record.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

/// How many uses are settled when the ring is full. Arbitrary: the look at the collector's lock,
/// which costs as much as settling three of them, is shared by so many.
constexpr std::size_t uses_at_once = 32;

/// For so few uses that look costs more than it can save.
constexpr std::size_t too_few_to_ask = 3;

/// What to do with a link whose time is less than an hour old.
enum class IfRecent { set, leave };

/// Sets the times of links, one after the other.
class LinkTimes {
public:
    explicit LinkTimes(const Root& root, IfRecent if_recent) : root_(root), if_recent_(if_recent) {}

    /// Sets the time of a link to now if it names `id`.
    void set(const std::string& bucket, const std::string& key_path, const format::Id& id) {
        const auto at = root_.keys().path_for_look(key_path);
        if (!at) return;
        if (if_recent_ == IfRecent::leave && is_recent(*at)) return;
        // What is below another symlink does not belong to the cache.
        if (bucket != checked_bucket_) {
            const auto is_bucket = root_.keys().bucket_exists(bucket);
            if (!is_bucket || !*is_bucket) return;
            checked_bucket_ = bucket;
        }
        const auto link = format::read_link(root_.link_kind(), *at->dir, at->path);
        if (!link || !link->names(id)) return;
        // If the link is replaced just now, the new one counts as used now. It is new, so that does
        // no harm.
        (void)os::touch_at(*at->dir, at->path);
    }

private:
    [[nodiscard]] static bool is_recent(const KeyPath& at) {
        const auto link = os::stat_at(*at.dir, at.path);
        if (!link) return false;
        const auto used = link->modified.to_clock();
        const auto now = os::wall_time();
        return used <= now && base::age(used, now) < use_interval;
    }

    const Root& root_;
    const IfRecent if_recent_;
    std::string checked_bucket_;
};

/// Settles uses of this process. Returns the number of the last one; 0 if there is none.
std::uint64_t settle_pending(const Root& root, const std::vector<PendingUse>& uses) {
    if (uses.empty()) return 0;
    // A time that is less than an hour old is exact enough, unless a plan has been made since then
    // that knows the old time. No plan is at work while no process has the collector's lock. One
    // that begins after this look finds the uses in the ring, or it is made after they are settled.
    const auto collector = uses.size() <= too_few_to_ask
                               ? os::State::taken
                               : os::look_at(root.dirs().root, format::locks_name,
                                             os::Range::byte(format::collector_byte))
                                     .value_or(os::State::taken);
    LinkTimes times(root, collector == os::State::taken ? IfRecent::set : IfRecent::leave);
    for (const PendingUse& use : uses) {
        times.set(use.key_path.substr(0, use.key_path.find('/')), use.key_path, use.id);
        (void)os::point("use.settled");
    }
    return uses.back().number;
}

/// Finds the key of an entry by its record, and sets the time of its link.
void settle_by_record(const Root& root, const format::Id& id, LinkTimes& times) {
    const auto entry = os::open_dir_at(root.dirs().archive, to_text(id));
    if (!entry) return;
    const auto text = os::read_file_at(*entry, format::record_name, format::max_record);
    if (!text) return;
    const auto record = format::parse_record(*text);
    if (!record) return;
    const auto bucket = format::encode_bucket(record->bucket);
    if (!bucket) return;
    const auto path = format::encode_key_path(*bucket, record->key, root.longest_name());
    if (path) times.set(*bucket, *path, id);
}

}  // namespace

void settle_uses(const Root& root, const std::vector<format::Id>& uses) noexcept {
    try {
        LinkTimes times(root, IfRecent::set);
        for (const format::Id& id : uses) settle_by_record(root, id, times);
    } catch (...) {
        // There was no memory. What is not settled now is lost.
    }
}

bool settle_oldest_uses(const Root& root, UseRing& ring) noexcept {
    try {
        ring.mark_settled(settle_pending(root, ring.pending_oldest(uses_at_once)));
        return true;
    } catch (...) {
        return false;  // the next get tries again
    }
}

void settle_own_uses(const Root& root) noexcept {
    Participant* const participant = root.joined();
    UseRing* const ring = participant == nullptr ? nullptr : participant->table().ring();
    if (ring == nullptr) return;
    try {
        ring->show_settled(settle_pending(root, ring->pending_oldest(format::uses_per_table)));
    } catch (...) {
        // There was no memory. The next process that has the table settles the uses.
    }
}

}  // namespace larder::cache
