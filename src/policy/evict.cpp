// SPDX-License-Identifier: MIT
#include "policy/evict.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/saturate.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/clock.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "policy/pin.hpp"
#include "policy/plan.hpp"
#include "protocol/collect.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_roots.hpp"
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

/// An eviction puts off at most so many victims whose records are lost, before it searches for
/// their keys: 6 MiB. Each search reads all links, so a smaller number would make them many.
constexpr std::size_t most_without_record = std::size_t{1} << 16;

/// When a victim was used last, as the plan knows it.
struct KnownUse {
    WallTime before;            ///< the time of its link was earlier than this
    const cache::Rings& rings;  ///< as the plan has read them
};

/// Returns whether the link of a key that is not pinned names `id`, and it was not used since the
/// plan was made. Returns false if the link is gone. An eviction asks under the bucket's lock,
/// exclusive, because otherwise the answer could be out of date; a dry run asks without it.
/// Requires: the slots were read before, since a use travels from a slot to a ring, and then to the
/// time of the link.
Result<bool> is_evictable(const cache::Root& root, const protocol::KeyRef& place,
                          const format::Id& id, const KnownUse& known) {
    TRY_ASSIGN(const bool used_since, known.rings.used_since(root.dirs().participants, id));
    if (used_since) return false;
    (void)os::point("evict.looked");
    const auto at = root.keys().path_for_look(place.path);
    if (is_absent(at)) return false;
    TRY(at);
    const auto status = os::stat_at(*at->dir, at->path);
    if (is_absent(status)) return false;
    TRY(status);
    TRY_ASSIGN(const format::LinkRead link,
               format::read_link(root.link_kind(), *at->dir, at->path));
    // A time in the future is no use since then: see Planner::last_use_of.
    const WallTime used = protocol::last_use(*status);
    if (!link.names(id) || (used >= known.before && used <= os::wall_time())) return false;
    TRY_ASSIGN(const bool pinned, is_pinned(root, place));
    return !pinned;
}

/// Retires the link of a key if it is evictable. Returns whether it has retired the link. Waits for
/// the bucket's lock. It retires the link with the time `evicted`, which is never within a grace.
/// Errors: `busy`, `interrupted`.
Result<bool> retire_unused(cache::Root& root, const protocol::KeyRef& place, const format::Id& id,
                           const KnownUse& known, const cache::CallContext& context) {
    TRY_ASSIGN(const bool exists, protocol::bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    const auto lock = cache::BucketLock::exclusive(root, place.encoded_bucket, context);
    TRY(lock);
    // Ask under the lock. Publish and pin share it, so neither comes between this answer and the
    // rename. A get takes no lock: a use that comes between is lost, and its lease keeps the files.
    TRY_ASSIGN(const bool evictable, is_evictable(root, place, id, known));
    if (!evictable) return false;
    return protocol::retire_if_locked(root, place.path, id, format::evicted);
}

/// One pass over a plan. Gathers what it did in the report of the collection. Requires: the caller
/// holds the collector's lock, and everything that is passed outlives the Evictor.
class Evictor {
public:
    Evictor(const std::vector<std::string>& keep, const EvictionWork& work)
        : root_(work.root),
          keep_(keep),
          options_(work.options),
          context_(work.context),
          report_(work.report),
          errors_(work.errors) {
        // A test may hold the bucket's lock for longer than that. At this point it asks for the
        // full time of the caller.
        if (os::point("evict.patient") == 0) {
            context_.lock_timeout = std::min(context_.lock_timeout, patience);
            context_.keep_waiting = nullptr;  // such a wait is too short to ask about
        }
        if (const int asked = os::point("evict.part-size"))
            most_without_record_ = static_cast<std::size_t>(asked);
    }

    /// Tries each victim once. Those whose records are lost come last, many at a time, because
    /// their keys must be searched for. Ends early if the caller asked to stop, if a part of the
    /// plan cannot be made, if the leases cannot be read, or if the disk has no space.
    Evicted evict(const NextPart& next_part) {
        for (;;) {
            const auto part = next_part();
            if (!part) {
                report_.stopped = part.error().code == Errc::interrupted;
                if (!report_.stopped) errors_.add(part.error());
                return unfinished();
            }
            (void)os::point("evict.planned");
            // Later parts of the plan leave out what was used since the first one.
            if (part->rings) rings_ = *part->rings;
            report_.spared.insert(report_.spared.end(), part->spared.begin(), part->spared.end());
            report_.rooted.insert(report_.rooted.end(), part->rooted.begin(), part->rooted.end());
            if (const auto ended = evict_part(*part)) return *ended;
            if (part->is_last) break;
        }
        if (const auto ended = evict_without_record()) return *ended;
        return Evicted{.keeps_age = keeps_age_, .bytes = bytes_};
    }

private:
    /// Evicts the victims of one part. Returns nullopt if the next part may follow. If the eviction
    /// must end now, returns how far it has come.
    std::optional<Evicted> evict_part(const PlanPart& part) {
        // How many victims there are is known in the last part only.
        const std::uint64_t total = part.is_last ? looked_at_ + part.victims.size() : 0;
        std::size_t number = 0;
        for (const EvictionCandidate& victim : part.victims) {
            if (options_.stop.stop_requested()) {
                report_.stopped = true;
                return unfinished();
            }
            const bool leases_are_old = number % victims_a_look == 0;
            if (leases_are_old && !read_leases()) return unfinished();
            report_progress(total);
            const auto evicted = evict_one(victim);
            if (!note_error(evicted)) return without_room();
            if (!evicted) note_stays(victim);
            if (without_record_.size() >= most_without_record_) {
                if (const auto ended = evict_without_record()) return *ended;
            }
            ++looked_at_;
            ++number;
        }
        return std::nullopt;
    }

    /// Reads the leases again. Returns false, and notes the error, if they cannot be read.
    bool read_leases() {
        auto leases = protocol::read_leases(root_, options_);
        if (!leases) {
            errors_.add(leases.error());
            return false;
        }
        leases_ = std::move(*leases);
        return true;
    }

    /// Tells the callback how many victims were looked at. `total` is 0 if it is not known.
    void report_progress(std::uint64_t total) const {
        if (!options_.on_progress) return;
        options_.on_progress({.phase = CollectProgress::Phase::evicting,
                              .done = looked_at_,
                              .total = total,
                              .bytes = report_.evicted_bytes});
    }

    /// Notes the error of a step, if it has failed. Returns false if the disk has no space for the
    /// step: then no other victim can be retired either, until the caller has made room.
    bool note_error(const Result<>& done) {
        if (done) return true;
        if (done.error().code == Errc::no_space) return false;
        errors_.add(done.error());
        return true;
    }

    /// Returns the result for an eviction that ends early.
    [[nodiscard]] Evicted unfinished() const {
        return {.all_done = false, .keeps_age = keeps_age_, .bytes = bytes_};
    }
    /// Returns the result for a disk without space, even for a rename.
    [[nodiscard]] Evicted without_room() const {
        return {.had_room = false, .all_done = false, .keeps_age = keeps_age_, .bytes = bytes_};
    }

    /// Finds the key of a victim by its record, and evicts it. A victim without a record is put off
    /// to evict_without_record.
    Result<> evict_one(const EvictionCandidate& victim) {
        (void)os::point("evict.one");
        const auto record = protocol::read_record(root_, victim.id);
        if (!record && record.error().code != Errc::damaged)
            return tl::make_unexpected(record.error());
        if (!record) {
            // The entry is gone meanwhile, or its record is lost. In that case the name of its link
            // still tells its key.
            without_record_.emplace(victim.id, victim);
            return {};
        }
        const auto bucket = format::encode_bucket(record->bucket);
        if (!bucket) return count_used_since();
        const auto path = format::encode_key_path(*bucket, record->key, root_.longest_name());
        if (!path) return count_used_since();
        return evict_key(victim,
                         {.bucket = record->bucket,
                          .encoded_bucket = *bucket,
                          .key = record->key,
                          .path = *path},
                         record->bytes);
    }

    /// Evicts the victim if nothing speaks against it any more, and counts it. A victim that stays
    /// is counted under its reason: leased, used or kept, or held up by a bucket's lock. The leases
    /// are looked at before the lock is taken, so an entry may be leased by now. Then it is evicted
    /// and kept on the disk (invariant 4).
    Result<> evict_key(const EvictionCandidate& victim, const protocol::KeyRef& place,
                       std::uint64_t bytes) {
        const std::string bucket(place.bucket), key(place.key);
        if (const auto holders = leases_.find(victim.id); holders != leases_.end()) {
            for (const auto& process : holders->second)
                report_.spared.push_back(
                    {.process = process, .id = to_text(victim.id), .bucket = bucket, .key = key});
            note_stays(victim);
            return {};
        }
        if (is_kept(keep_, bucket, key)) return count_used_since();
        // It may have been linked since the plan was made, and a caller's plan has asked no root.
        TRY_ASSIGN(auto keeper, protocol::root_that_keeps(root_, victim.id));
        if (keeper) {
            report_.rooted.push_back(std::move(*keeper));
            note_stays(victim);
            return {};
        }
        if (held_up_.contains(place.encoded_bucket)) return leave_to_next_collection(victim, place);
        // The plan knows the last use to the second. A use within that second is the one that the
        // plan knew.
        const KnownUse known{
            .before = WallTime(std::chrono::seconds(victim.used) + std::chrono::seconds(1)),
            .rings = rings_};
        auto retired = options_.dry_run ? is_evictable(root_, place, victim.id, known)
                                        : retire_unused(root_, place, victim.id, known, context_);
        if (!retired && retired.error().code == Errc::busy)
            return leave_to_next_collection(victim, place);
        TRY(retired);
        if (!*retired) return count_used_since();
        (void)os::point("evict.retired");
        count(victim, {.bucket = bucket, .key = key, .bytes = bytes});
        return {};
    }

    /// Evicts the victims that were put off because their records are lost. Only the names in the
    /// buckets tell their keys, so this looks at every link, once. What no link names is gone, and
    /// counts as used since. An error about one link or bucket is noted, and stops no other.
    /// Returns how far the eviction has come if it must end now: on request, or because the disk
    /// has no space. Otherwise returns nullopt, and no victim is put off any more.
    std::optional<Evicted> evict_without_record() {
        if (without_record_.empty()) return std::nullopt;
        const auto searched =
            os::for_every_name(root_.dirs().buckets, [&](const std::string& bucket, os::FileKind) {
                return evict_without_record_in(bucket);
            });
        if (options_.stop.stop_requested()) {
            report_.stopped = true;
            return unfinished();
        }
        if (searched) report_.used_since += without_record_.size();
        without_record_.clear();
        if (!note_error(searched)) return without_room();
        return std::nullopt;
    }

    /// Does what evict_without_record says for one bucket. Passes over what is no bucket.
    Result<> evict_without_record_in(const std::string& encoded_bucket) {
        const auto bucket = format::decode_name(encoded_bucket);
        if (!bucket || bucket->empty()) return {};
        const auto dir = root_.keys().open_bucket(encoded_bucket);
        if (has_no_directory(dir)) return {};
        TRY(dir);
        return os::for_every_name(*dir, [&](const std::string& key, os::FileKind kind) -> Result<> {
            // This error ends the search at once; no caller sees it.
            if (options_.stop.stop_requested()) return fail(Errc::interrupted, "evict", {}, {});
            if (!format::is_key_name(key) || kind == os::FileKind::directory) return {};
            return evict_if_put_off(*dir, *bucket, encoded_bucket, key);
        });
    }

    /// Evicts the entry that a key's link names, if it is one of the victims that were put off.
    /// Each of them is tried once, whether its eviction succeeds or not.
    Result<> evict_if_put_off(const os::Dir& dir, const std::string& bucket,
                              const std::string& encoded_bucket, const std::string& encoded_key) {
        TRY_ASSIGN(const auto link, format::read_link(root_.link_kind(), dir, encoded_key));
        if (link.kind != format::LinkRead::Kind::entry) return {};
        const auto put_off = without_record_.find(link.id);
        if (put_off == without_record_.end()) return {};
        const EvictionCandidate victim = put_off->second;
        without_record_.erase(put_off);
        // If the name ends with a hash, the key was longer. Only the record had all of it, so the
        // report names the key as it is on the disk.
        const std::string key = format::decode_name(encoded_key).value_or(encoded_key);
        return evict_key(victim,
                         {.bucket = bucket,
                          .encoded_bucket = encoded_bucket,
                          .key = key,
                          .path = format::key_path(encoded_bucket, encoded_key)},
                         victim.bytes);
    }

    /// Counts a victim that stays because it was used, replaced, removed or pinned since. It is no
    /// error.
    Result<> count_used_since() {
        ++report_.used_since;
        return {};
    }

    /// Passes over a victim whose bucket's lock another process holds too long. All later victims
    /// in that bucket are passed over as well, because each of them would cost the same wait.
    Result<> leave_to_next_collection(const EvictionCandidate& victim,
                                      const protocol::KeyRef& place) {
        held_up_.insert(place.encoded_bucket);
        ++report_.held_up;
        note_stays(victim);
        return {};
    }

    /// Writes down that this victim stays although it may still be too old. (A victim that was
    /// used, replaced or pinned since is not too old any more.)
    void note_stays(const EvictionCandidate& victim) {
        if (victim.reason == Eviction::Reason::max_age) keeps_age_ = false;
    }

    /// What an evicted entry is called, and its size.
    struct EvictedEntry {
        const std::string& bucket;
        const std::string& key;
        std::uint64_t bytes;
    };
    /// Adds an evicted entry to the report, and tells the callback. The live entries are those of
    /// the plan less what was evicted; Evicted::bytes tells what to take off the live bytes. In a
    /// dry run it also counts as collected, because
    /// no collection follows that could count it.
    void count(const EvictionCandidate& victim, const EvictedEntry& record) {
        ++report_.evicted;
        base::add(report_.evicted_bytes, record.bytes);
        if (report_.live_entries) --*report_.live_entries;
        bytes_.add(victim.bytes);
        if (options_.dry_run) {
            ++report_.entries;
            base::add(report_.bytes, record.bytes);
        }
        if (options_.on_evict) {
            options_.on_evict({.bucket = record.bucket,
                               .key = record.key,
                               .id = to_text(victim.id),
                               .bytes = record.bytes,
                               .last_used = WallTime(std::chrono::seconds(victim.used)),
                               .reason = victim.reason});
        }
    }

    cache::Root& root_;
    const std::vector<std::string>& keep_;
    const CollectOptions& options_;
    cache::CallContext context_;
    CollectReport& report_;
    NotedErrors& errors_;
    std::size_t most_without_record_ = most_without_record;
    protocol::Leases leases_;  // as they were read last
    cache::Rings rings_;       // as they were when the plan began
    // Victims whose keys are still to be found, because they have no record.
    std::map<format::Id, EvictionCandidate> without_record_;
    std::set<std::string> held_up_;  // encoded; buckets whose lock a process holds too long
    std::uint64_t looked_at_ = 0;    // victims, for the report of progress
    base::WideSum bytes_;            // see Evicted
    bool keeps_age_ = true;          // false once a victim that is too old stays
};

}  // namespace

Evicted evict(const NextPart& next_part, const std::vector<std::string>& keep,
              const EvictionWork& work) {
    return Evictor(keep, work).evict(next_part);
}

void add_report(CollectReport& sum, CollectReport later) {
    // Begin with the later report, because all that is not added up comes from it.
    const CollectReport earlier = std::exchange(sum, std::move(later));
    sum.entries += earlier.entries;
    base::add(sum.bytes, earlier.bytes);
    sum.reaped += earlier.reaped;
    sum.buckets += earlier.buckets;
    sum.evicted += earlier.evicted;
    base::add(sum.evicted_bytes, earlier.evicted_bytes);
    if (sum.freed) base::add(*sum.freed, earlier.freed.value_or(0));
    sum.freed_at_least = sum.freed_at_least || earlier.freed_at_least;
    sum.files_left += earlier.files_left;
}

namespace {

/// Returns the error of an eviction for which the disk has no space, although nothing is left that
/// a collection could delete.
Error no_room_in(const cache::Root& root) {
    auto failure = fail(Errc::no_space, "evict", root.dirs().root.path,
                        "the disk has no space for even a rename; free a little of it by other "
                        "means");
    return std::move(failure).value();
}

}  // namespace

Result<CollectReport> collect_evicting(const protocol::RootRef& root, const CollectOptions& options,
                                       const cache::CallContext& context,
                                       const EvictSome& evict_some) {
    CollectReport sum;
    for (;;) {
        Evicted evicted;
        const auto evict_first = [&](CollectReport& report, NotedErrors& errors) {
            evicted = evict_some({*root, options, context, report, errors});
        };
        TRY_ASSIGN(CollectReport report, protocol::collect(root, options, context, evict_first));
        const bool has_deleted = report.entries > 0;
        add_report(sum, std::move(report));
        if (evicted.had_room) return sum;
        if (!has_deleted) {  // then another round would find no space either
            sum.failures.insert(sum.failures.begin(), no_room_in(*root));
            return sum;
        }
    }
}

namespace {

/// Returns a caller's plan without the victims that a ring says to be used, and counts them. A ring
/// does not tell when that was, so it may have been after the plan was made. Errors: those of
/// read_rings.
Result<PlanPart> without_uses(PlanPart plan, const EvictionWork& work) {
    TRY_ASSIGN(plan.rings, read_rings(work.root, work.options));
    work.report.used_since += std::erase_if(
        plan.victims, [&](const EvictionCandidate& victim) { return plan.rings->has(victim.id); });
    return plan;
}

}  // namespace

Result<CollectReport> collect_by_plan(const protocol::RootRef& root, const EvictionPlan& plan,
                                      const CollectOptions& options,
                                      const cache::CallContext& context) {
    TRY_ASSIGN(const PlanPart read, read_plan(plan.evictions));
    const auto evict_planned = [&](const EvictionWork& work) {
        const NextPart only_part = [&] { return without_uses(read, work); };
        return evict(only_part, plan.keep, work);
    };
    return collect_evicting(root, options, context, evict_planned);
}

}  // namespace larder::policy
