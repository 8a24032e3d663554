// SPDX-License-Identifier: MIT
#include "policy/plan.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "base/century.hpp"
#include "base/saturate.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/clock.hpp"
#include "os/dir_reader.hpp"
#include "os/file_system.hpp"
#include "os/glob.hpp"
#include "os/points.hpp"
#include "policy/pin.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_roots.hpp"
#include "protocol/leases.hpp"
#include "protocol/use.hpp"
#include "tree/measure.hpp"

namespace larder::policy {

namespace {

using format::LinkRead;
using Reason = Eviction::Reason;

/// Progress is reported after this many entries. Arbitrary, because it takes some milliseconds to
/// look at them.
constexpr std::uint64_t progress_step = 256;

/// A part of a plan has at most so many candidates: 8 MiB. A smaller part would save little memory
/// beside what the process has anyway, and each part costs a look at all entries: some ten
/// microseconds for each of them.
constexpr std::size_t most_candidates = std::size_t{1} << 18;

/// Returns how many files an evicted entry frees: its own, its link, its record and two
/// directories. Returns max_counted_files if it frees more. The record does not count the
/// directories of its tree, so it may be more than this.
std::uint32_t counted_files(std::uint64_t files) {
    constexpr std::uint64_t beside = 4;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(files, max_counted_files - beside) +
                                      beside);
}

/// Returns true if `a` is evicted before `b`: the least recently used entry goes first. Of two that
/// were used in the same second, the one with the lower id does, so that equal caches give equal
/// plans.
bool goes_before(const EvictionCandidate& a, const EvictionCandidate& b) {
    return a.used != b.used ? a.used < b.used : a.id < b.id;
}

/// Makes the parts of one plan: lists the live entries, reads the leases, and chooses by the
/// limits. The leases are read after the list, so that an entry that was leased in between is
/// spared. The plan is an intention: the eviction checks each victim again, under a lock.
class Planner {
public:
    Planner(const cache::Root& root, const Limits& limits, const CollectOptions& options,
            const Garbage& garbage, PlanTotals& totals, NotedErrors& errors)
        : root_(root),
          limits_(limits),
          options_(options),
          garbage_(garbage),
          totals_(totals),
          errors_(errors) {
        // The size and the full key of an entry are in its record. Reading all records takes time,
        // so do it only if a limit needs them.
        needs_records_ = limits.max_size || limits.min_free || !limits.keep.empty();
        if (const int asked = os::point("plan.part-size"))
            part_size_ = static_cast<std::size_t>(asked);
    }

    /// Makes the next part: lists what may be evicted, reads the leases, and chooses. Errors:
    /// `damaged` if a lease table cannot be read; `interrupted`; those of reading the directory of
    /// buckets.
    Result<PlanPart> next() {
        has_more_ = false;
        looked_at_ = looked_at_bytes_ = 0;
        // A use travels from a ring to the time of a link, so read them in this order.
        TRY_ASSIGN(rings_, read_rings(root_, options_));
        (void)os::point("plan.rings-read");
        if (is_first_) {
            first_rings_ = rings_;
            begun_ = os::wall_time();
        }
        TRY(list());
        TRY_ASSIGN(leases_, protocol::read_leases(root_, options_));
        if (is_first_) TRY(set_goals());
        std::sort(candidates_.begin(), candidates_.end(), goes_before);
        PlanPart part = choose();
        if (is_first_) part.rings = first_rings_;
        is_first_ = false;
        return part;
    }

private:
    /// Lists what may be evicted in all buckets, into `candidates_`.
    Result<> list() {
        const auto visit = [this](const std::string& name, os::FileKind) -> Result<> {
            const auto bucket = format::decode_name(name);
            if (!bucket || bucket->empty()) return {};  // no bucket of larder's
            return errors_.note(list_bucket(*bucket, name));
        };
        return os::for_each_name(root_.dirs().buckets, visit);
    }

    /// Lists one bucket. A bucket or a key that cannot be read is noted, and stays out of the plan.
    /// Errors: `interrupted` if the caller asked to stop; whatever keeps the bucket from being
    /// read.
    Result<> list_bucket(const std::string& bucket, const std::string& name) {
        auto dir = root_.keys().open_bucket(name);
        if (has_no_directory(dir)) return {};  // refreshed meanwhile, or never a bucket
        TRY(dir);
        TRY_ASSIGN(const auto pins, pins_of(root_, name));
        return os::for_each_name(*dir, [&](const std::string& key, os::FileKind kind) -> Result<> {
            if (options_.stop.stop_requested()) {
                return fail(Errc::interrupted, "plan", root_.dirs().root.path,
                            "asked to stop; nothing has changed");
            }
            if (!format::is_key_name(key) || kind == os::FileKind::directory) return {};
            return errors_.note(list_key(*dir, bucket, key, pins.contains(key)));
        });
    }

    /// Counts the entry of one key, and makes it a candidate unless it is pinned or kept. A key
    /// without an entry counts for nothing: it is garbage, or a repair's business. In later parts
    /// than the first, passes over what was used since the plan began. Errors: those of reading the
    /// link or the record, which leave the entry out of the plan.
    Result<> list_key(const os::Dir& dir, const std::string& bucket, const std::string& name,
                      bool pinned) {
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, name));
        if (link.kind != LinkRead::Kind::entry) return {};
        const auto status = os::stat_at(dir, name);
        if (is_absent(status)) return {};  // gone meanwhile
        TRY(status);
        const WallTime used = last_use(link.id, *status);
        EvictionCandidate candidate;
        candidate.id = link.id;
        candidate.used = seconds_of_use(dir, name, used);
        // Only the first look at all entries counts them, so it alone looks at each in full. (What
        // the system's clock stamps may be some milliseconds late. That does not matter here.)
        if (!is_first_ && (pinned || used > begun_ || !may_be_next(candidate))) return {};
        EntryFacts facts;  // without needs_records_, sizes count as 0 and no limit asks for them
        if (needs_records_) {
            auto known = facts_of(link.id, name);
            if (has_no_directory(known)) return {};  // gone meanwhile, or verify's business
            TRY_ASSIGN(facts, std::move(known));
        }
        candidate.bytes = facts.bytes;
        candidate.files = facts.files_freed & max_counted_files;  // all its bits: the field has 24
        count(facts.bytes);
        if (pinned || is_kept(limits_.keep, bucket, facts.key)) return {};
        if (may_be_next(candidate)) add_candidate(candidate);
        return {};
    }

    /// Counts an entry that was looked at, and tells the callback now and then.
    void count(std::uint64_t bytes) {
        if (is_first_) {
            ++totals_.live_entries;
            totals_.live_bytes.add(bytes);
        }
        ++looked_at_;
        base::add(looked_at_bytes_, bytes);
        if (!options_.on_progress || looked_at_ % progress_step != 0) return;
        options_.on_progress({.phase = CollectProgress::Phase::planning,
                              .done = looked_at_,
                              .bytes = looked_at_bytes_});
    }

    /// What limits and patterns need to know of an entry, beside its last use.
    struct EntryFacts {
        std::string key;  ///< the full key if the record has it, else what its name tells
        std::uint64_t bytes = 0;
        std::uint32_t files_freed = 0;  ///< see counted_files; 0 if it is not known
    };

    /// Returns the facts of the entry `id`, whose link has the name `link_name`, from its record.
    /// If the record is lost, measures the files, which take space like any others. Errors: one for
    /// which has_no_directory is true, if it has neither; any other says nothing about the entry.
    [[nodiscard]] Result<EntryFacts> facts_of(const format::Id& id,
                                              const std::string& link_name) const {
        auto record = protocol::read_record(root_, id);
        if (record) {
            return EntryFacts{.key = std::move(record->key),
                              .bytes = record->bytes,
                              .files_freed = counted_files(record->files)};
        }
        if (record.error().code != Errc::damaged) return tl::make_unexpected(record.error());
        TRY_ASSIGN(const std::uint64_t bytes, measured(id));
        return EntryFacts{.key = format::decode_name(link_name).value_or(link_name),
                          .bytes = bytes};
    }

    /// Returns true if the candidate comes after those of earlier parts, and there is room for it
    /// in this one. If there is no room, writes down that another part must follow.
    bool may_be_next(const EvictionCandidate& candidate) {
        if (last_seen_ && !goes_before(*last_seen_, candidate)) return false;
        if (candidates_.size() < part_size_ || goes_before(candidate, candidates_.front()))
            return true;
        has_more_ = true;
        return false;
    }

    /// Adds a candidate. If there is no room, it takes the place of the one that would go last,
    /// which is left to a later part.
    void add_candidate(const EvictionCandidate& candidate) {
        if (candidates_.size() == part_size_) {
            has_more_ = true;
            std::pop_heap(candidates_.begin(), candidates_.end(), goes_before);
            candidates_.pop_back();
        }
        candidates_.push_back(candidate);
        std::push_heap(candidates_.begin(), candidates_.end(), goes_before);
    }

    /// Returns the size of an entry by its files, in bytes. Errors: those of reading the tree; one
    /// for which has_no_directory is true if there is none.
    Result<std::uint64_t> measured(const format::Id& id) const {
        TRY_ASSIGN(const os::Dir entry, os::open_dir_at(root_.dirs().archive, to_text(id)));
        TRY_ASSIGN(const os::Dir tree, os::open_dir_at(entry, format::tree_name));
        TRY_ASSIGN(const tree::Size size, tree::measure(tree));
        return size.bytes;
    }

    /// Returns the last use of an entry. A use that stood in a ring counts as one of the time at
    /// which the ring was read first.
    [[nodiscard]] WallTime last_use(const format::Id& id, const os::FileInfo& link) const {
        const WallTime used = protocol::last_use(link);
        if (first_rings_.has(id)) return std::max(used, begun_);
        return rings_.has(id) ? os::wall_time() : used;
    }

    /// Returns the last use of an entry in seconds. One in the future, which comes from a wrong
    /// clock, counts as now, and is set to now: otherwise the entry would never be the least
    /// recently used.
    [[nodiscard]] std::uint32_t seconds_of_use(const os::Dir& dir, const std::string& name,
                                               WallTime used) const {
        if (used <= os::wall_time()) return seconds_of(used);
        if (!options_.dry_run) (void)os::touch_at(dir, name);
        return seconds_of(os::wall_time());
    }

    /// Sets down to what entries are evicted. A limit that is exceeded now is kept down to its low
    /// water, so that the next publish does not exceed it again at once; one that is kept now takes
    /// nothing. Requires: all entries were counted.
    Result<> set_goals() {
        entries_ = totals_.live_entries;
        bytes_ = totals_.live_bytes;
        wanted_entries_ = low_water(limits_.max_entries, entries_);
        wanted_bytes_ = low_water(limits_.max_size, bytes_.value());
        if (limits_.min_free) {
            TRY_ASSIGN(os::DiskSpace expected, os::space_of(root_.dirs().root));
            base::add(expected.free, garbage_.bytes);
            base::add(expected.free_files, garbage_.files);
            if (expected.free < *limits_.min_free)
                totals_.to_free = missing_space(*limits_.min_free, expected);
            files_to_free_ = missing_files(*limits_.min_free, expected);
        }
        if (limits_.max_age)
            oldest_ = seconds_of(os::wall_time() - std::min(*limits_.max_age, base::century));
        return {};
    }

    /// Returns which limit takes an entry that was used last then; nullopt if none does.
    [[nodiscard]] std::optional<Reason> reason_for(std::uint32_t used) const {
        if (used < oldest_) return Reason::max_age;
        if (entries_ > wanted_entries_) return Reason::max_entries;
        if (bytes_.value() > wanted_bytes_) return Reason::max_size;
        if (freed_bytes_ < totals_.to_free || freed_files_ < files_to_free_)
            return Reason::min_free;
        return std::nullopt;
    }

    /// Chooses candidates, the least recently used first, until every limit is kept. A leased
    /// candidate is passed over, and the next one is chosen in its place. Counts what the victims
    /// free as freed, although the eviction may find that one of them must stay. Requires: the
    /// candidates are sorted.
    PlanPart choose() {
        PlanPart part;
        part.is_last = !has_more_;
        // Remove each candidate from the list once it was examined. So the candidates and the
        // victims together need the memory of one list.
        for (; !candidates_.empty(); candidates_.pop_front()) {
            EvictionCandidate candidate = candidates_.front();
            const auto reason = reason_for(candidate.used);
            if (!reason) {  // what comes later was used later
                part.is_last = true;
                break;
            }
            last_seen_ = candidate;
            if (const auto holders = leases_.find(candidate.id); holders != leases_.end()) {
                report_spared(candidate, holders->second, *reason, part);
                continue;
            }
            if (is_rooted(candidate, *reason, part)) continue;
            candidate.reason = *reason;
            part.victims.push_back(candidate);
            // A later part may meet what the first look has not counted.
            entries_ -= std::min<std::uint64_t>(entries_, 1);
            bytes_.subtract(candidate.bytes);
            base::add(freed_bytes_, candidate.bytes);
            base::add(freed_files_, candidate.files);
        }
        // The next candidate was used at that time or later. If no limit would take it, spare the
        // look at all entries.
        if (last_seen_ && !reason_for(last_seen_->used)) part.is_last = true;
        candidates_.clear();
        totals_.frees_files = freed_files_ >= files_to_free_;
        return part;
    }

    /// Returns the value down to which entries are evicted. If the limit is kept now, returns a
    /// value that is never exceeded.
    [[nodiscard]] std::uint64_t low_water(const std::optional<std::uint64_t>& limit,
                                          std::uint64_t now) const {
        if (!limit || now <= *limit) return std::numeric_limits<std::uint64_t>::max();
        // The limit times low_water / 100, rounded up, and without an overflow.
        return *limit / 100 * limits_.low_water + (*limit % 100 * limits_.low_water + 99) / 100;
    }

    /// Returns how many bytes evictions must free. Afterwards so much is free that the limit is
    /// Limits::low_water percent of it, but never more than the size of the disk. Requires: less
    /// than the limit is free now.
    [[nodiscard]] std::uint64_t missing_space(std::uint64_t limit,
                                              const os::DiskSpace& space) const {
        // The limit times 100 / low_water, rounded down. If that overflows, the limit is larger
        // than any disk, and so counts alone.
        const std::uint64_t wanted =
            limit / limits_.low_water * 100 + limit % limits_.low_water * 100 / limits_.low_water;
        return std::max(limit, std::min(wanted, space.size)) - space.free;
    }

    /// Returns how many files evictions must free: a disk can hold no more, too, if it has bytes
    /// and no inodes. The same share of its files must be free as min_free is of its bytes.
    [[nodiscard]] std::uint64_t missing_files(std::uint64_t limit,
                                              const os::DiskSpace& space) const {
        if (space.files == 0 || space.size == 0) return 0;
        const double share =
            std::min(static_cast<double>(limit) / static_cast<double>(space.size), 1.0);
        const double files = static_cast<double>(space.files);
        if (static_cast<double>(space.free_files) >= share * files) return 0;
        const double wanted = std::min(share * 100 / limits_.low_water, 1.0) * files;
        return static_cast<std::uint64_t>(wanted) - space.free_files;
    }

    /// Returns whether a root keeps a candidate, and writes that down. Returns true as well if its
    /// roots can't be read, which is noted: it may have one.
    bool is_rooted(const EvictionCandidate& candidate, Reason reason, PlanPart& part) {
        auto keeper = protocol::root_that_keeps(root_, candidate.id);
        if (keeper && !*keeper) return false;
        if (reason == Reason::max_age) totals_.keeps_age = false;
        if (keeper) {
            part.rooted.push_back(std::move(**keeper));
        } else {
            errors_.add(keeper.error());
        }
        return true;
    }

    /// Writes down that a candidate stays because it is leased, and by which processes.
    void report_spared(const EvictionCandidate& candidate, const std::vector<ProcessInfo>& holders,
                       Reason reason, PlanPart& part) {
        if (reason == Reason::max_age) totals_.keeps_age = false;
        const auto record = protocol::read_record(root_, candidate.id);
        for (const auto& process : holders) {
            part.spared.push_back({.process = process,
                                   .id = to_text(candidate.id),
                                   .bucket = record ? record->bucket : "",
                                   .key = record ? record->key : ""});
        }
    }

    const cache::Root& root_;
    const Limits& limits_;
    const CollectOptions& options_;
    const Garbage garbage_;
    PlanTotals& totals_;
    NotedErrors& errors_;
    bool needs_records_;        // for sizes, or for the full keys that patterns need
    cache::Rings first_rings_;  // as they were when the plan began
    WallTime begun_;            // after those uses were settled
    std::size_t part_size_ = most_candidates;

    // Of one part:
    bool is_first_ = true;
    cache::Rings rings_;
    std::uint64_t looked_at_ = 0, looked_at_bytes_ = 0;
    // While they are listed, a heap: the one that would go last is its front. Then sorted.
    std::deque<EvictionCandidate> candidates_;
    bool has_more_ = false;  // more candidates than these are left
    protocol::Leases leases_;

    // Of all parts so far:
    std::optional<EvictionCandidate> last_seen_;  // the last candidate that was chosen or spared
    std::uint64_t entries_ = 0;                   // what stays, if every victim goes
    base::WideSum bytes_;                         // of that
    std::uint64_t freed_bytes_ = 0, freed_files_ = 0;  // by the victims
    // The goals, which set_goals sets: down to how many entries and bytes, how many files at least.
    std::uint64_t wanted_entries_ = 0, wanted_bytes_ = 0, files_to_free_ = 0;
    std::uint32_t oldest_ = 0;  // what was used before that is too old; in seconds since 1970
};

}  // namespace

std::uint32_t seconds_of(WallTime time) noexcept {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
}

bool is_kept(const std::vector<std::string>& keep, const std::string& bucket,
             const std::string& key) {
    if (keep.empty()) return false;
    const std::string name = bucket + "/" + key;
    return std::any_of(keep.begin(), keep.end(),
                       [&](const std::string& pattern) { return os::matches_glob(pattern, name); });
}

Result<cache::Rings> read_rings(const cache::Root& root, const CollectOptions& options) {
    const os::Dir& participants = root.dirs().participants;
    cache::Rings rings = cache::Rings::read(participants);
    TRY(rings.unopened().first());
    if (options.dry_run || rings.uses().empty()) return rings;
    cache::settle_uses(root, rings.uses());
    (void)os::point("plan.settled");
    rings.mark_settled(participants);
    return rings;
}

NextPart begin_plan(const cache::Root& root, const Limits& limits, const CollectOptions& options,
                    const Garbage& garbage, PlanTotals& totals, NotedErrors& errors) {
    const auto planner = std::make_shared<Planner>(root, limits, options, garbage, totals, errors);
    return [planner] { return planner->next(); };
}

Result<PlanPart> read_plan(const std::vector<Eviction>& evictions) {
    PlanPart plan;
    for (const auto& eviction : evictions) {
        const auto id = format::parse_id(eviction.id);
        if (!id)
            return fail(Errc::invalid, "read the plan", {},
                        "\"" + eviction.id + "\" is no id of an entry");
        EvictionCandidate victim;
        victim.id = *id;
        victim.bytes = eviction.bytes;
        victim.used = seconds_of(eviction.last_used);
        victim.reason = Reason::plan;
        plan.victims.push_back(victim);
    }
    return plan;
}

}  // namespace larder::policy
