// SPDX-License-Identifier: MIT
// Collecting: what goes, what stays, and what came of it.
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
#include <larder/report.hpp>

namespace larder {

/// A live entry that goes because of a limit.
struct Eviction {
    /// Which limit.
    enum class Reason { max_age, max_entries, max_size, min_free, plan };

    std::string bucket;
    std::string key;
    std::string id;
    std::uint64_t bytes = 0;
    WallTime last_used;
    Reason reason = Reason::plan;
};

[[nodiscard]] std::string_view name_of(Eviction::Reason reason) noexcept;

/// What a collection is at, for whoever shows it.
struct CollectProgress {
    enum class Phase { planning, evicting, collecting, deleting };
    Phase phase = Phase::planning;
    std::uint64_t done =
        0;  ///< planning: entries looked at; evicting, collecting: entries; deleting: files
    std::uint64_t total = 0;  ///< 0 where it is not known
    std::uint64_t bytes = 0;  ///< planning: looked at; evicting: evicted; then: of what is deleted
};

/// Without a limit a collection deletes garbage alone, and no live entry goes. With limits it first evicts: the entries that were least
/// recently used go until every limit is kept. What is leased or pinned, or fits a pattern of `keep`, is spared and counts, and so does what
/// was used after the collection had chosen, as far as that was written down (at most once an hour for each entry).
struct CollectOptions {
    bool dry_run = false;  ///< report what would go, and change nothing
    /// Threads that delete; 0 takes one for each processor, four at most (more gained nothing on the disks measured).
    unsigned threads = 0;

    /// Bytes, as the records of the live entries add them up.
    std::optional<std::uint64_t> max_size{};
    /// Entries that were not used (published or got; written down to the hour) for longer go, whatever the other limits.
    std::optional<std::chrono::seconds> max_age{};
    std::optional<std::uint64_t> max_entries{};
    /// Bytes that are to be free on the disk. Rests on the records' sizes, so that a disk whose space others take, or hold by hard links to
    /// evicted files, may stay short of it.
    std::optional<std::uint64_t> min_free{};
    /// Once a limit is passed, so many percent of it are kept (of min_free: that part of it is made up for), so that a cache at its limit
    /// does not evict one entry for each put. From 1 to 100; 90 is arbitrary.
    unsigned low_water = 90;
    /// Glob patterns (fnmatch(3)) for "BUCKET/KEY"; `*` matches a slash too.
    std::vector<std::string> keep{};
    /// In place of the limits: evict these, as far as each is still the entry of its key, was not used since, and is not spared as above.
    std::optional<std::vector<Eviction>> plan{};

    /// Called, under the collector's lock, for each entry that was evicted (with dry_run: would be). May not call the cache.
    std::function<void(const Eviction&)> on_evict{};
    /// Called now and then, at times from another thread, never from two at once.
    std::function<void(const CollectProgress&)> on_progress{};
    /// Ends early, without an error: what is left is the next collection's.
    std::stop_token stop{};
    /// Find out what the disk gets back (CollectReport::freed), which costs one more system call for each file, and three where files
    /// may share blocks.
    bool count_freed = false;
};

struct CollectReport {
    std::uint64_t entries =
        0;  ///< deleted, the evicted ones included (with dry_run: would be deleted)
    std::uint64_t bytes = 0;        ///< what their records say they held
    std::uint64_t reaped = 0;       ///< dead participants cleaned up after
    std::uint64_t buckets = 0;      ///< refreshed buckets taken apart
    std::vector<LeaseInfo> leased;  ///< retired entries that stay for now, and for whom
    /// Names that only a newer larder, or a foreign hand, can have put there: left alone.
    std::vector<std::filesystem::path> unknown;

    std::uint64_t evicted = 0;  ///< live entries that a limit took
    std::uint64_t evicted_bytes = 0;
    std::vector<LeaseInfo>
        spared;  ///< live entries whose turn it was and that stay because of a lease, and whose that is
    std::uint64_t used_since =
        0;  ///< such that stay because they were used, replaced or removed, or pinned, after they were chosen
    std::uint64_t held_up =
        0;  ///< such that stay because somebody holds their bucket's lock: the next collection tries again
    std::optional<std::uint64_t> live_entries;  ///< that stay, where a limit had them counted
    std::optional<std::uint64_t> live_bytes;
    bool within_limits = true;  ///< false where what is spared is more than a limit allows
    bool stopped = false;       ///< it was asked to stop, and something is left
    std::uint64_t files_left =
        0;  ///< of what was taken apart by then: files that are not deleted yet, as far as it is known

    /// Where it was asked for: the space of the deleted files that had no other hard link. Bytes.
    std::optional<std::uint64_t> freed;
    bool freed_at_least =
        false;  ///< some files may have shared blocks, and could not be looked at: it was so much, or more
};

/// When Cache::keep_within collects, and for how long.
struct BackgroundOptions {
    /// At most one in this time among all processes of the cache. An hour is arbitrary: as fine as uses are written down.
    std::chrono::seconds every{3600};
    /// It stops after that, whatever is left. Ten seconds are arbitrary: a short-lived process should not be kept for longer. To choose,
    /// it must look at every entry within that time: some ten microseconds each.
    std::chrono::milliseconds at_most{10'000};
    /// Called, by the collecting thread, with what came of it.
    std::function<void(const Result<CollectReport>&)> on_done{};
};

}  // namespace larder
