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

/// How long for a bucket's lock: it is held for an instant, unless its holder was stopped, and then that bucket is the next collection's.
constexpr std::chrono::milliseconds patience{100};

/// The slots are read again after so many victims: what was leased since the plan was made is spared too. Arbitrary: reading the tables of
/// some processes costs as much as evicting a few entries.
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

/// Retires such a link, and no other. Returns whether it did. Waits for the bucket's lock.
Result<bool> retire_unused(cache::Root& root, const protocol::KeyRef& place, const format::Id& id,
                           WallTime used_by, const cache::CallContext& context) {
    TRY_ASSIGN(const bool exists, protocol::bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    const auto lock = cache::BucketLock::exclusive(root, place.encoded_bucket, context);
    TRY(lock);
    // `pin` takes this lock too.
    TRY_ASSIGN(const bool evictable, is_evictable(root, place, id, used_by));
    return evictable ? protocol::retire_if_locked(root, place.path, id) : Result<bool>(false);
}

class Evictor {
public:
    Evictor(cache::Root& root, const CollectOptions& options, cache::CallContext context,
            CollectReport& report)
        : root_(root), options_(options), context_(std::move(context)), report_(report) {
        // A test that holds the lock's holder for as long as it likes says so.
        if (os::point("evict.patient") == 0)
            context_.lock_timeout = std::min(context_.lock_timeout, patience);
    }

    /// False where the disk has no space for even a rename: what is retired by now is to be deleted, and then there is some.
    Result<bool> evict(const Plan& plan) {
        report_.spared = plan.spared;
        keeps_age_ = plan.keeps_age;
        if (!options_.plan) {
            report_.live_entries = plan.live_entries;
            report_.live_bytes = plan.live_bytes;
        }
        std::size_t number = 0;
        for (const Candidate& victim : plan.victims) {
            if (options_.stop.stop_requested()) {
                report_.stopped = true;
                return true;
            }
            if (number % victims_a_look == 0) {
                TRY_ASSIGN(leases_, protocol::read_leases(root_));
            }
            if (options_.on_progress)
                options_.on_progress({CollectProgress::Phase::evicting, number, plan.victims.size(),
                                      report_.evicted_bytes});
            auto evicted = evict_one(victim);
            if (!evicted && evicted.error().code == Errc::no_space) return false;
            TRY(evicted);
            ++number;
        }
        if (!options_.plan) report_.within_limits = keeps_limits(plan);
        return true;
    }

private:
    Result<> evict_one(const Candidate& victim) {
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
        if (options_.plan && is_kept(options_, record->bucket, record->key))
            return stays(report_.used_since);
        if (held_up_.contains(*bucket)) return is_held_up(victim, *bucket);
        const protocol::KeyRef place{record->bucket, *bucket, record->key, *path};
        const auto used_by = WallTime(std::chrono::seconds(victim.used) + std::chrono::seconds(1));
        auto retired = options_.dry_run ? is_evictable(root_, place, victim.id, used_by)
                                        : retire_unused(root_, place, victim.id, used_by, context_);
        if (!retired && retired.error().code == Errc::busy) return is_held_up(victim, *bucket);
        TRY(retired);
        if (!*retired) return stays(report_.used_since);
        (void)os::point("evict.retired");
        count(victim, *record);
        return {};
    }

    static Result<> stays(std::uint64_t& counter) {
        ++counter;
        return {};
    }

    Result<> is_held_up(const Candidate& victim, const std::string& bucket) {
        held_up_.insert(bucket);
        ++report_.held_up;
        return stays_too_old(victim);
    }

    /// What was used, changed or pinned since is not too old any more.
    Result<> stays_too_old(const Candidate& victim) {
        keeps_age_ = keeps_age_ && victim.reason != Eviction::Reason::max_age;
        return {};
    }

    /// Whether what stays is within all limits: more of what was chosen may stay than low water asks for.
    [[nodiscard]] bool keeps_limits(const Plan& plan) const {
        const auto entries = report_.live_entries.value_or(0),
                   bytes = report_.live_bytes.value_or(0);
        return keeps_age_ && entries <= options_.max_entries.value_or(entries) &&
               bytes <= options_.max_size.value_or(bytes) && report_.evicted_bytes >= plan.to_free;
    }

    void count(const Candidate& victim, const format::Record& record) {
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
    const CollectOptions& options_;
    cache::CallContext context_;
    CollectReport& report_;
    protocol::Leases leases_;
    std::set<std::string> held_up_;  // buckets
    bool keeps_age_ = true;
};

void add(CollectReport& sum, CollectReport more) {
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

}  // namespace

Result<CollectReport> collect_within_limits(const protocol::RootRef& root,
                                            const CollectOptions& options,
                                            const cache::CallContext& context) {
    TRY(check_limits(options));
    CollectReport sum;
    std::uint64_t garbage = 0;
    if (options.min_free) {
        // What is garbage already is the first to make room: no live entry goes in its place.
        TRY_ASSIGN(auto collected, protocol::collect(root, options, context));
        if (options.dry_run) {
            garbage = collected.bytes;
        } else {
            sum = std::move(collected);
        }
    }
    for (bool had_room = false; !had_room;) {
        TRY_ASSIGN(auto report,
                   protocol::collect(root, options, context, [&](CollectReport& begun) -> Result<> {
                       had_room = true;
                       const auto plan = make_plan(*root, options, garbage);
                       begun.stopped = !plan && plan.error().code == Errc::interrupted;
                       if (begun.stopped) return {};
                       TRY(plan);
                       (void)os::point("evict.planned");
                       TRY_ASSIGN(had_room, Evictor(*root, options, context, begun).evict(*plan));
                       return {};
                   }));
        const bool gained = report.entries > 0;
        add(sum, std::move(report));
        if (!had_room && !gained) {
            return fail(
                Errc::no_space, "evict", root->dirs().root.path,
                "the disk has no space for even a rename; free a little of it by other means");
        }
    }
    return sum;
}

}  // namespace larder::policy
