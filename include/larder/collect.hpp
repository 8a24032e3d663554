// SPDX-License-Identifier: MIT
// The options and the results of a collection. Limits have their own header, limits.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <larder/error.hpp>
#include <larder/limits.hpp>
#include <larder/report.hpp>

namespace larder {

/// A live entry that goes because of a limit or of a plan.
struct Eviction {
    /// What takes the entry: the member of Limits that has this name, or an EvictionPlan.
    enum class Reason { max_age, max_entries, max_size, min_free, plan };

    std::string bucket;
    std::string key;
    std::string id;
    std::uint64_t bytes = 0;  ///< the sizes of its files, by its record
    WallTime last_used;       ///< when it was last published or got, to the hour
    Reason reason = Reason::plan;
};

/// Returns the name of a reason, as `cachetool --json` prints it: "max-age" and so on.
[[nodiscard]] std::string_view name_of(Eviction::Reason reason) noexcept;

/// Evictions that a dry run with limits has listed (see CollectOptions::on_evict), to be carried
/// out by Cache::evict.
struct EvictionPlan {
    std::vector<Eviction> evictions{};
    /// Glob patterns (fnmatch(3)) for "BUCKET/KEY": what fits one of them is not evicted after all.
    std::vector<std::string> keep{};
};

/// How far a collection is, for a progress bar.
struct CollectProgress {
    /// In their order. A collection may go through them more than once.
    enum class Phase {
        planning,    ///< looks at all live entries, and chooses which ones to evict
        evicting,    ///< takes the links of the chosen entries out of their buckets
        collecting,  ///< moves the retired entries aside that no process leases
        deleting,    ///< deletes the files that were moved aside
    };
    Phase phase = Phase::planning;
    /// How much of the phase is done: files while it deletes, otherwise entries.
    std::uint64_t done = 0;
    std::uint64_t total = 0;  ///< how much the phase has to do, in the same unit; 0 if not known
    /// Of the entries that were looked at (planning), evicted (evicting), or collected.
    std::uint64_t bytes = 0;
};

struct CollectReport;

/// How a collection works, whatever it evicts.
struct CollectOptions {
    bool dry_run = false;  ///< reports what would go, and changes nothing
    /// How many threads delete. 0 takes one for each processor, and four at most, because more
    /// gained nothing on the disks that were measured.
    unsigned threads = 0;
    /// Called, under the collector's lock, for each entry that was evicted, or in a dry run would
    /// be. It may not call larder.
    std::function<void(const Eviction&)> on_evict{};
    /// Called now and then, at times from another thread, but never from two at once.
    std::function<void(const CollectProgress&)> on_progress{};
    /// Ends the collection early, without an error. The next collection carries on.
    std::stop_token stop{};
    /// Finds out how much space the disk gets back (CollectReport::freed). This costs one more
    /// system call for each file, and three if files may share blocks.
    bool count_freed = false;
    /// Keeps what was removed, replaced or refreshed less than this time ago, so that it can still
    /// be restored. The kernel's clock told when that was. What a limit or
    /// a plan evicts is deleted at once. What the grace keeps takes space, so a limit on free space
    /// may evict more. Any collection without a grace deletes it.
    std::chrono::seconds grace{0};
    /// Called at the end of a collection that returns the first of its failures, with all that it
    /// has done in spite of them.
    std::function<void(const CollectReport&)> on_partial{};
    /// Also cleans up after a process of which it can't be told whether it lives, as if it had
    /// ended. If it lives, it loses the files that it uses. (Such a process belongs to another pid
    /// namespace, has called Lease::keep_across_exec, and has closed the descriptor of its lease.)
    bool presume_dead = false;
    /// Settles the cache at the end, as Cache::settle does, if the file system can. A dry run does
    /// not, nor does a collection that was asked to stop, or one on a disk that is so full that it
    /// has no room for the file that says so.
    bool settle = false;
};

/// What a collection has done; in a dry run, what it would do.
struct CollectReport {
    /// Entries that were deleted: also the evicted ones, and those that a killed process has left
    /// before it published them.
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;   ///< of these entries, by their records
    std::uint64_t reaped = 0;  ///< dead processes after which this collection cleaned up
    /// Processes of which it can't be told whether they live. What they use stays.
    std::uint64_t untold = 0;
    std::uint64_t buckets = 0;      ///< refreshed buckets that were taken apart
    std::vector<LeaseInfo> leased;  ///< retired entries that stay for now, and who leases them
    /// Entries that stay because a root keeps them, each with one of its roots: retired entries,
    /// and live ones that a limit or a plan would have taken.
    std::vector<RootInfo> rooted;
    std::uint64_t in_grace = 0;  ///< retired entries that stay because of CollectOptions::grace
    /// Names that only a newer larder, or another program, can have put there. They are left alone.
    std::vector<std::filesystem::path> unknown;
    /// What could not be done: a file that can't be deleted, a record or a lease table that can't
    /// be read. All else was done. The first hundred, without repetition; the call returns the
    /// first one as its error.
    std::vector<Error> failures;

    std::uint64_t evicted = 0;        ///< live entries that a limit or a plan took
    std::uint64_t evicted_bytes = 0;  ///< of these entries, by their records
    /// Live entries that were chosen, but stay because they are leased; and who leases them.
    std::vector<LeaseInfo> spared;
    /// Live entries that stay because they were used, replaced, removed or pinned after they were
    /// chosen.
    std::uint64_t used_since = 0;
    /// Live entries that stay because another process holds their bucket's lock. The next
    /// collection tries again.
    std::uint64_t held_up = 0;
    /// The live entries that stay. Nullopt if no limit was given.
    std::optional<std::uint64_t> live_entries;
    std::optional<std::uint64_t> live_bytes;
    bool within_limits = true;  ///< false if the entries that stay are more than a limit allows
    bool stopped = false;       ///< true if it was asked to stop, and something is left
    /// If the collection was stopped: how many files lie in `deleting/`, as far as that is known.
    std::uint64_t files_left = 0;

    /// The space, in bytes, of the deleted files that had no other hard link. Nullopt unless
    /// CollectOptions::count_freed was set.
    std::optional<std::uint64_t> freed;
    /// True if `freed` is a lower bound: the file system does not tell which blocks some files
    /// share, or it is not known what was deleted, because the disk was full or there was an error.
    bool freed_at_least = false;
};

/// When Cache::keep_within collects, for how long, and how.
struct BackgroundOptions {
    /// All processes of the cache together collect at most once in this time. An hour is arbitrary:
    /// it is how finely uses are written down.
    std::chrono::seconds every{3600};
    /// A collection stops after this time, whatever is left. Ten seconds are arbitrary, because a
    /// short-lived process should not be kept for longer. A collection must look at every entry
    /// within that time, which takes some ten microseconds for each.
    std::chrono::milliseconds at_most{10'000};
    /// Called with the result of a collection. The collecting thread makes this call and those
    /// below. If one of them throws, the collection ends there, and the exception is dropped.
    std::function<void(const Result<CollectReport>&)> on_done{};

    // As in CollectOptions:
    unsigned threads = 0;
    std::function<void(const Eviction&)> on_evict{};
    std::function<void(const CollectProgress&)> on_progress{};
    std::stop_token stop{};
    bool count_freed = false;
    std::chrono::seconds grace{0};
    /// Settles the cache after a collection, if it was not settled for ten minutes. Nothing ends
    /// that early, so a program that closes the cache meanwhile waits for it.
    bool settle = true;
};

}  // namespace larder
