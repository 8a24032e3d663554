// SPDX-License-Identifier: MIT
// One cache root, open.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <larder/bucket.hpp>
#include <larder/collect.hpp>
#include <larder/error.hpp>
#include <larder/event.hpp>
#include <larder/options.hpp>
#include <larder/report.hpp>

namespace larder {

/// Concurrency: every member may be called from any thread. Several Caches on one root in one process, also through several
/// copies of the library, and a Cache inherited by a forked child, all work as if they were in processes of their own.
/// When the root is deleted or replaced while it is open, the next call that writes or lists opens, or creates, what the path leads
/// to; a get does not look, and until then serves the directory that it has open, whose paths may lead nowhere by then.
class Cache {
public:
    /// Opens the cache at `root`, and creates it (mode 0700, with the directories above it) where there is nothing or an
    /// empty directory. Where the root can't be written, opens it for reading.
    /// Errors: `refused` for a newer format, a directory that holds something else, a network file system, another user's
    /// cache; each says so and changes nothing. `system`, also for a log that can't be opened; `no_space`.
    /// Crash: a root created in part is completed by the next open.
    [[nodiscard]] static Result<Cache> open(const std::filesystem::path& root,
                                            const OpenOptions& options = {});

    Cache(Cache&&) noexcept;
    Cache& operator=(Cache&&) noexcept;
    ~Cache();

    /// The root's absolute path, with no symlinks in it.
    [[nodiscard]] const std::filesystem::path& root() const noexcept;
    [[nodiscard]] LinkKind link_kind() const noexcept;
    [[nodiscard]] bool is_read_only() const noexcept;

    /// Errors: `invalid` for a name that is empty, not UTF-8 or too long.
    [[nodiscard]] Result<Bucket> bucket(std::string_view name) const;

    /// The names of the buckets that exist now, in no order.
    [[nodiscard]] Result<std::vector<std::string>> buckets() const;

    /// Cleans up after the dead, evicts by the limits that `options` sets, then deletes what is retired and not leased. Costs in
    /// proportion to the garbage; with limits also to the entries, and then 32 bytes of memory for each.
    /// Errors: `busy` where another collect or verify is at work: leave it to that one. `damaged` where a lease table can't
    /// be read: nothing is then collected, since its leases are unknown. What can't be deleted (an immutable file, a mount point below an entry)
    /// is `system`, when all else is gone.
    /// Errors of a limit: `invalid` for a low_water that is no percentage, or a plan beside limits.
    /// Concurrency: waits for nobody (an eviction, for a tenth of a second, for who holds its bucket's lock). The collector's lock is held
    /// while entries are chosen and garbage is moved aside, and not while it is deleted (but where a full disk leaves no space to move it).
    /// Crash: the next collection carries on.
    [[nodiscard]] Result<CollectReport> collect(const CollectOptions& options = {}) const;

    /// From now on a publish through this Cache or its Buckets may start, at its end, a collection with these limits by a thread of its own,
    /// which also makes the limits' callbacks. Who collects meanwhile gets `busy`, and this one leaves it to whoever is at it already. The last call
    /// counts, and asks a collection by an earlier one's limits to stop; one without any limit is the last word.
    /// Errors: `invalid` as in collect, and for a dry run.
    /// Concurrency: publish does not wait for it. When the Cache and its last Bucket go, it is asked to stop and waited for: it looks for that after some hundred files or links. A forked
    /// child collects nothing until it calls this itself.
    [[nodiscard]] Result<> keep_within(const CollectOptions& limits,
                                       const BackgroundOptions& options = {}) const;

    /// Lists the entries that were removed, replaced, refreshed or evicted and are not collected yet, in no order. `restore`
    /// brings one back. Any of them may be collected at any time.
    [[nodiscard]] Result<std::vector<EntryInfo>> trash() const;

    /// Publishes the files of such an entry once more, under its bucket and key and a new id, and returns it leased. Files are shared
    /// with the retired entry where the file system can.
    /// Errors: `miss` where it was never retired, or has been collected; `exists` where its key has an entry again and `replace` is off; `invalid`
    /// for what is no id; `busy` while somebody collects or verifies.
    /// Concurrency: collections give way until it is done; else as Bucket::publish.
    /// Crash: it is back or it is not, and is still retired in any case.
    [[nodiscard]] Result<Lease> restore(std::string_view id, bool replace = false) const;

    /// Checks every invariant that can be checked while others work. Follows no link.
    /// Errors: `busy` as in collect. What it finds is no error: see VerifyReport::sound.
    [[nodiscard]] Result<VerifyReport> verify(const VerifyOptions& options = {}) const;

    /// Who uses the cache now. Takes no lock; writes nothing.
    [[nodiscard]] Result<StatusReport> status() const;

    /// What was done through this Cache and its Buckets by now; all zero unless OpenOptions::count was set. A forked child counts on from its parent's.
    /// Concurrency: takes no lock and waits for nobody.
    [[nodiscard]] Counters counters() const noexcept;

private:
    explicit Cache(std::shared_ptr<detail::CacheState> state) noexcept;
    std::shared_ptr<detail::CacheState> state_;
};

}  // namespace larder
