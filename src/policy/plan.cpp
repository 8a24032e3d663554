// SPDX-License-Identifier: MIT
#include "policy/plan.hpp"

#include <algorithm>
#include <limits>

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

/// Returns how many files an evicted entry frees: its own, its link, its record and two
/// directories. The record does not count the directories of its tree, so it may be more.
std::uint32_t counted_files(std::uint64_t files) {
    constexpr std::uint64_t beside = 4;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(files, max_counted_files - beside) +
                                      beside) &
           max_counted_files;
}

/// Makes one plan: lists the live entries, reads the leases, and chooses by the limits. The leases
/// are read after the list, so that an entry that was leased in between is spared. The plan is an
/// intention: the eviction checks each victim again, under a lock.
class Planner {
public:
    Planner(const cache::Root& root, const Limits& limits, const CollectOptions& options,
            std::uint64_t garbage, NotedErrors& errors)
        : root_(root), limits_(limits), options_(options), garbage_(garbage), errors_(errors) {
        // The size and the full key of an entry are in its record. Reading all records takes time,
        // so do it only if a limit needs them.
        needs_records_ = limits.max_size || limits.min_free || !limits.keep.empty();
    }

    /// Makes the plan. Of two entries that were used in the same second, the one with the lower id
    /// goes first, so that equal caches give equal plans.
    Result<Plan> plan() {
        TRY(list());
        TRY_ASSIGN(leases_, protocol::read_leases(root_, protocol::untold_of(options_)));
        std::sort(candidates_.begin(), candidates_.end(),
                  [](const EvictionCandidate& a, const EvictionCandidate& b) {
                      return a.used != b.used ? a.used < b.used : a.id < b.id;
                  });
        TRY(choose());
        return std::move(plan_);
    }

private:
    /// Lists what may be evicted in all buckets, into `candidates_`.
    Result<> list() {
        return os::for_each_name(root_.dirs().buckets,
                                 [&](const std::string& name, os::FileKind) -> Result<> {
                                     const auto bucket = format::decode_name(name);
                                     if (!bucket || bucket->empty()) return {};
                                     return errors_.note(list_bucket(*bucket, name));
                                 });
    }

    /// Lists one bucket. A bucket or a key that cannot be read is noted, and stays out of the plan.
    /// Errors: `interrupted` if the caller asked to stop; whatever keeps the bucket from being
    /// read.
    Result<> list_bucket(const std::string& bucket, const std::string& name) {
        auto dir = os::open_dir_at(root_.dirs().buckets, name);
        if (has_no_directory(dir)) return {};  // refreshed meanwhile, or never a bucket
        TRY(dir);
        TRY_ASSIGN(const auto pins, pins_of(root_, name));
        return os::for_each_name(*dir, [&](const std::string& key, os::FileKind kind) -> Result<> {
            if (options_.stop.stop_requested())
                return fail(Errc::interrupted, "plan", root_.dirs().root.path,
                            "asked to stop; nothing has changed");
            if (!format::is_key_name(key) || kind == os::FileKind::directory) return {};
            return errors_.note(list_key(*dir, bucket, key, pins.contains(key)));
        });
    }

    /// Counts the entry of one key, and makes it a candidate unless it is pinned or kept. A key
    /// without an entry counts for nothing: it is garbage, or a repair's business.
    Result<> list_key(const os::Dir& dir, const std::string& bucket, const std::string& name,
                      bool pinned) {
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, name));
        if (link.kind != LinkRead::Kind::entry) return {};
        const auto status = os::stat_at(dir, name);
        if (is_absent(status)) return {};  // gone meanwhile
        TRY(status);
        EvictionCandidate candidate{link.id, 0, last_use_of(dir, name, *status)};
        bool kept = pinned;
        if (needs_records_) {
            const auto record = protocol::read_record(root_, link.id);
            if (!record && record.error().code != Errc::damaged)
                return tl::make_unexpected(record.error());
            if (record) {
                candidate.bytes = record->bytes;
                candidate.files = counted_files(record->files) & max_counted_files;
            } else {
                // Its record is lost, but its files take space like any others. If it has no tree,
                // it is gone meanwhile, or verify's business.
                const auto size = measured(link.id);
                if (has_no_directory(size)) return {};
                TRY(size);
                candidate.bytes = *size;
            }
            const std::string key = record ? record->key : format::decode_name(name).value_or(name);
            kept = kept || is_kept(limits_.keep, bucket, key);
        }
        ++plan_.live_entries;
        base::add(plan_.live_bytes, candidate.bytes);
        if (!kept) candidates_.push_back(candidate);
        if (options_.on_progress && plan_.live_entries % progress_step == 0)
            options_.on_progress(
                {CollectProgress::Phase::planning, plan_.live_entries, 0, plan_.live_bytes});
        return {};
    }

    /// Returns the size of an entry by its files.
    Result<std::uint64_t> measured(const format::Id& id) const {
        TRY_ASSIGN(const os::Dir entry, os::open_dir_at(root_.dirs().archive, to_text(id)));
        TRY_ASSIGN(const os::Dir tree, os::open_dir_at(entry, format::tree_name));
        TRY_ASSIGN(const tree::Size size, tree::measure(tree));
        return size.bytes;
    }

    /// Returns the last use of an entry. One in the future, which comes from a wrong clock, counts
    /// as now, and is set to now: otherwise the entry would never be the least recently used.
    [[nodiscard]] std::uint32_t last_use_of(const os::Dir& dir, const std::string& name,
                                            const os::FileInfo& status) const {
        const WallTime used = protocol::last_use(status);
        if (used <= os::wall_time()) return seconds_of(used);
        if (!options_.dry_run) (void)os::touch_at(dir, name);
        return seconds_of(os::wall_time());
    }

    /// Chooses candidates, the least recently used first, until every limit is kept. A limit that
    /// is exceeded now is kept down to its low water, so that the next publish does not exceed it
    /// again at once; one that is kept now takes nothing. A leased candidate is passed over, and
    /// the next one is chosen in its place. Requires: the candidates are sorted by their last use.
    /// Errors: those of asking for the free space.
    Result<> choose() {
        std::uint64_t entries = plan_.live_entries, bytes = plan_.live_bytes;
        const auto wanted_entries = low_water(limits_.max_entries, entries);
        const auto wanted_bytes = low_water(limits_.max_size, bytes);
        std::uint64_t& to_free = plan_.to_free;
        std::uint64_t files_to_free = 0, freed_files = 0;
        if (limits_.min_free) {
            TRY_ASSIGN(const auto space, os::space_of(root_.dirs().root));
            const os::DiskSpace expected{space.free + garbage_, space.size};
            if (expected.free < *limits_.min_free)
                to_free = missing_space(*limits_.min_free, expected);
            files_to_free = missing_files(*limits_.min_free, space);
        }
        const auto oldest =
            limits_.max_age
                ? seconds_of(os::wall_time() - std::min(*limits_.max_age, base::century))
                : 0;
        const std::uint64_t all_bytes = bytes;
        const auto reason_for = [&](const EvictionCandidate& candidate) -> std::optional<Reason> {
            if (candidate.used < oldest) return Reason::max_age;
            if (entries > wanted_entries) return Reason::max_entries;
            if (bytes > wanted_bytes) return Reason::max_size;
            if (all_bytes - bytes < to_free || freed_files < files_to_free) return Reason::min_free;
            return std::nullopt;
        };
        // Remove each candidate from the list once it was examined. So the candidates and the
        // victims together need the memory of one list.
        for (; !candidates_.empty(); candidates_.pop_front()) {
            EvictionCandidate candidate = candidates_.front();
            const auto reason = reason_for(candidate);
            if (!reason) break;  // what comes later was used later
            if (const auto holders = leases_.find(candidate.id); holders != leases_.end()) {
                spare(candidate, holders->second, *reason);
                continue;
            }
            candidate.reason = *reason;
            plan_.victims.push_back(candidate);
            --entries;
            bytes -= candidate.bytes;
            base::add(freed_files, candidate.files);
        }
        plan_.frees_files = freed_files >= files_to_free;
        return {};
    }

    /// Returns the value down to which entries are evicted. If the limit is kept now, returns a
    /// value that is never exceeded.
    [[nodiscard]] std::uint64_t low_water(const std::optional<std::uint64_t>& limit,
                                          std::uint64_t now) const {
        if (!limit || now <= *limit) return std::numeric_limits<std::uint64_t>::max();
        return *limit / 100 * limits_.low_water + (*limit % 100 * limits_.low_water + 99) / 100;
    }

    /// Returns how many bytes evictions must free. Afterwards so much is free that the limit is
    /// Limits::low_water percent of it, but never more than the size of the disk. Requires: less
    /// than the limit is free now.
    [[nodiscard]] std::uint64_t missing_space(std::uint64_t limit,
                                              const os::DiskSpace& space) const {
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

    /// Writes down that a candidate stays because it is leased, and by which processes.
    void spare(const EvictionCandidate& candidate, const std::vector<ProcessInfo>& holders,
               Reason reason) {
        if (reason == Reason::max_age) plan_.keeps_age = false;
        const auto record = protocol::read_record(root_, candidate.id);
        for (const auto& process : holders) {
            plan_.spared.push_back({process, to_text(candidate.id), record ? record->bucket : "",
                                    record ? record->key : ""});
        }
    }

    const cache::Root& root_;
    const Limits& limits_;
    const CollectOptions& options_;
    std::uint64_t garbage_;  // bytes that are freed without any eviction
    NotedErrors& errors_;
    bool needs_records_;  // for sizes, or for the full keys that patterns need
    std::deque<EvictionCandidate> candidates_;  // entries that may be evicted
    protocol::Leases leases_;
    Plan plan_;
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
    const std::string name = bucket + "/" + key;
    return std::any_of(keep.begin(), keep.end(),
                       [&](const std::string& pattern) { return os::matches_glob(pattern, name); });
}

Result<Plan> make_plan(const cache::Root& root, const Limits& limits, const CollectOptions& options,
                       std::uint64_t garbage, NotedErrors& errors) {
    return Planner(root, limits, options, garbage, errors).plan();
}

Result<Plan> read_plan(const std::vector<Eviction>& evictions) {
    Plan plan;
    for (const auto& eviction : evictions) {
        const auto id = format::parse_id(eviction.id);
        if (!id)
            return fail(Errc::invalid, "read the plan", {},
                        "\"" + eviction.id + "\" is no id of an entry");
        EvictionCandidate victim{*id, eviction.bytes, seconds_of(eviction.last_used)};
        victim.reason = Reason::plan;
        plan.victims.push_back(victim);
    }
    return plan;
}

}  // namespace larder::policy
