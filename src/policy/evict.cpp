// SPDX-License-Identifier: MIT
#include "policy/evict.hpp"

#include <set>

#include "format/link.hpp"
#include "format/name.hpp"
#include "os/points.hpp"
#include "policy/pin.hpp"
#include "policy/plan.hpp"
#include "protocol/collect.hpp"
#include "protocol/entry.hpp"
#include "protocol/key_link.hpp"
#include "protocol/leases.hpp"
#include "protocol/use.hpp"

namespace larder::policy {

namespace {

/// How long an eviction waits for a bucket's lock. A process holds that lock for an instant, unless
/// it was stopped. Then the eviction leaves the bucket to the next collection.
constexpr std::chrono::milliseconds patience{100};

/// The slots are read again after this many victims, so that entries that were leased since the
/// plan was made are spared. Arbitrary, because reading the tables of some processes costs as much
/// as evicting a few entries.
constexpr std::size_t victims_a_look = 256;

/// Returns whether the link of a key that is not pinned names `id`, and its last use was before
/// `used_by`.
Result<bool> is_evictable(const cache::Root& root, const protocol::KeyRef& place,
                          const format::Id& id, WallTime used_by) {
    const auto& buckets = root.dirs().buckets;
    const auto status = os::stat_at(buckets, place.path);
    if (is_absent(status)) return false;
    TRY(status);
    TRY_ASSIGN(const format::LinkRead link,
               format::read_link(root.link_kind(), buckets, place.path));
    if (!link.names(id) || protocol::last_use(*status) >= used_by) return false;
    TRY_ASSIGN(const bool pinned, is_pinned(root, place));
    return !pinned;
}

/// Retires the link of a key if it is evictable. Returns whether it has retired the link. Waits for
/// the bucket's lock.
Result<bool> retire_unused(cache::Root& root, const protocol::KeyRef& place, const format::Id& id,
                           WallTime used_by, const cache::CallContext& context) {
    TRY_ASSIGN(const bool exists, protocol::bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    const auto lock = cache::BucketLock::exclusive(root, place.encoded_bucket, context);
    TRY(lock);
    // `pin` takes this lock too.
    TRY_ASSIGN(const bool evictable, is_evictable(root, place, id, used_by));
    if (!evictable) return false;
    return protocol::retire_if_locked(root, place.path, id, format::evicted);
}

class Evictor {
public:
    Evictor(cache::Root& root, const std::vector<std::string>& keep, const CollectOptions& options,
            cache::CallContext context, CollectReport& report)
        : root_(root),
          keep_(keep),
          options_(options),
          context_(std::move(context)),
          report_(report) {
        // A test may hold the bucket's lock for longer than that. At this point it asks for the
        // full time of the caller.
        if (os::point("evict.patient") == 0) {
            context_.lock_timeout = std::min(context_.lock_timeout, patience);
            context_.keep_waiting = nullptr;  // such a wait is too short to ask about
        }
    }

    Result<Evicted> evict(const Plan& plan) {
        report_.spared = plan.spared;
        keeps_age_ = plan.keeps_age;
        std::size_t number = 0;
        for (const EvictionCandidate& victim : plan.victims) {
            if (options_.stop.stop_requested()) {
                report_.stopped = true;
                return Evicted{.all_done = false, .keeps_age = keeps_age_};
            }
            if (number % victims_a_look == 0) {
                TRY_ASSIGN(leases_, protocol::read_leases(root_));
            }
            if (options_.on_progress)
                options_.on_progress({CollectProgress::Phase::evicting, number, plan.victims.size(),
                                      report_.evicted_bytes});
            auto evicted = evict_one(victim);
            if (!evicted && evicted.error().code == Errc::no_space)
                return Evicted{.had_room = false, .all_done = false, .keeps_age = keeps_age_};
            TRY(evicted);
            ++number;
        }
        return Evicted{.keeps_age = keeps_age_};
    }

private:
    Result<> evict_one(const EvictionCandidate& victim) {
        (void)os::point("evict.one");
        const auto record = protocol::read_record(root_, victim.id);
        if (!record && record.error().code != Errc::damaged)
            return tl::make_unexpected(record.error());
        if (!record) return stays(report_.used_since);  // gone meanwhile
        if (const auto holders = leases_.find(victim.id); holders != leases_.end()) {
            for (const auto& process : holders->second)
                report_.spared.push_back(
                    {process, to_text(victim.id), record->bucket, record->key});
            return stays_too_old(victim);
        }
        const auto bucket = format::encode_bucket(record->bucket);
        const auto path = bucket ? format::encode_key_path(*bucket, record->key)
                                 : tl::make_unexpected(bucket.error());
        if (!path) return stays(report_.used_since);
        if (is_kept(keep_, record->bucket, record->key)) return stays(report_.used_since);
        if (held_up_.contains(*bucket)) return skip_bucket(victim, *bucket);
        const protocol::KeyRef place{record->bucket, *bucket, record->key, *path};
        const auto used_by = WallTime(std::chrono::seconds(victim.used) + std::chrono::seconds(1));
        auto retired = options_.dry_run ? is_evictable(root_, place, victim.id, used_by)
                                        : retire_unused(root_, place, victim.id, used_by, context_);
        if (!retired && retired.error().code == Errc::busy) return skip_bucket(victim, *bucket);
        TRY(retired);
        if (!*retired) return stays(report_.used_since);
        (void)os::point("evict.retired");
        count(victim, *record);
        return {};
    }

    /// Counts a victim that stays.
    static Result<> stays(std::uint64_t& counter) {
        ++counter;
        return {};
    }

    /// Passes over a victim whose bucket's lock is held, and so over all later ones in that bucket.
    Result<> skip_bucket(const EvictionCandidate& victim, const std::string& bucket) {
        held_up_.insert(bucket);
        ++report_.held_up;
        return stays_too_old(victim);
    }

    /// Writes down that this victim stays although it may still be too old. (A victim that was
    /// used, replaced or pinned since is not too old any more.)
    Result<> stays_too_old(const EvictionCandidate& victim) {
        keeps_age_ = keeps_age_ && victim.reason != Eviction::Reason::max_age;
        return {};
    }

    void count(const EvictionCandidate& victim, const format::Record& record) {
        ++report_.evicted;
        report_.evicted_bytes += record.bytes;
        if (report_.live_entries) --*report_.live_entries;
        if (report_.live_bytes) *report_.live_bytes -= std::min(*report_.live_bytes, victim.bytes);
        if (options_.dry_run) {
            ++report_.entries;
            report_.bytes += record.bytes;
        }
        if (options_.on_evict) {
            const WallTime used{std::chrono::seconds(victim.used)};
            options_.on_evict(
                {record.bucket, record.key, to_text(victim.id), record.bytes, used, victim.reason});
        }
    }

    cache::Root& root_;
    const std::vector<std::string>& keep_;
    const CollectOptions& options_;
    cache::CallContext context_;
    CollectReport& report_;
    protocol::Leases leases_;
    std::set<std::string> held_up_;  // buckets
    bool keeps_age_ = true;
};

}  // namespace

Result<Evicted> evict(cache::Root& root, const Plan& plan, const std::vector<std::string>& keep,
                      const CollectOptions& options, const cache::CallContext& context,
                      CollectReport& report) {
    return Evictor(root, keep, options, context, report).evict(plan);
}

void add_report(CollectReport& sum, CollectReport more) {
    more.entries += sum.entries;
    more.bytes += sum.bytes;
    more.reaped += sum.reaped;
    more.buckets += sum.buckets;
    more.evicted += sum.evicted;
    more.evicted_bytes += sum.evicted_bytes;
    if (more.freed && sum.freed) *more.freed += *sum.freed;
    more.freed_at_least = more.freed_at_least || sum.freed_at_least;
    more.files_left += sum.files_left;
    sum = std::move(more);
}

Result<CollectReport> collect_evicting(
    const protocol::RootRef& root, const CollectOptions& options, const cache::CallContext& context,
    const std::function<Result<Evicted>(CollectReport& report)>& evict_some) {
    CollectReport sum;
    for (bool had_room = false; !had_room;) {
        TRY_ASSIGN(auto report,
                   protocol::collect(root, options, context, [&](CollectReport& begun) -> Result<> {
                       TRY_ASSIGN(const Evicted evicted, evict_some(begun));
                       had_room = evicted.had_room;
                       return {};
                   }));
        const bool gained = report.entries > 0;
        add_report(sum, std::move(report));
        if (!had_room && !gained) {
            return fail(
                Errc::no_space, "evict", root->dirs().root.path,
                "the disk has no space for even a rename; free a little of it by other means");
        }
    }
    return sum;
}

Result<CollectReport> collect_by_plan(const protocol::RootRef& root, const EvictionPlan& plan,
                                      const CollectOptions& options,
                                      const cache::CallContext& context) {
    TRY_ASSIGN(const Plan read, read_plan(plan.evictions));
    return collect_evicting(root, options, context, [&](CollectReport& report) {
        (void)os::point("evict.planned");
        return evict(*root, read, plan.keep, options, context, report);
    });
}

}  // namespace larder::policy
