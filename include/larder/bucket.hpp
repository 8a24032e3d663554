// SPDX-License-Identifier: MIT
// A named, versioned namespace of keys: the unit of locking and of refresh.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <larder/error.hpp>
#include <larder/lease.hpp>
#include <larder/options.hpp>
#include <larder/report.hpp>
#include <larder/staging.hpp>

namespace larder {

class Cache;
namespace detail {
class CacheState;
}

/// A key is any UTF-8 string of at most 4096 bytes, the empty one included; it is encoded into a file name and never
/// interpreted as a path. Bucket names are the same, but not empty and at most 128 bytes once encoded.
///
/// A Bucket is a name and a way to its cache: making one touches nothing on the disk.
/// Concurrency: every member may be called from any thread; other threads and processes may do anything at the same time.
class Bucket {
public:
    Bucket(Bucket&&) noexcept;
    Bucket& operator=(Bucket&&) noexcept;
    ~Bucket();

    [[nodiscard]] const std::string& name() const noexcept;

    /// Leases the entry that `key` names now.
    /// Errors: `miss` where there is none (a key whose entry is not complete, as in a cache that was copied in part, is a miss too).
    /// Concurrency: waits for nobody, takes no lock, writes nothing to the disk (but the first of a process, which makes it a
    /// participant, and may fail with `no_space`; the time of use, at most once an hour for each entry; and one that meets a link to nowhere, which
    /// it retires). A get that starts after a remove or a refresh
    /// has returned never yields what was published before it began.
    [[nodiscard]] Result<Lease> get(std::string_view key) const;

    using Build = std::function<Result<>(Staging&)>;

    /// Leases the entry of `key`; where there is none, calls `build` to fill a Staging and publishes that. Among all threads
    /// and processes one builds while the others wait and then look again (single flight). `build` may call get_or_build for
    /// other keys.
    /// Errors: whatever `build` returns; the next one who waits then builds in its turn. `invalid` where build asks for its own key.
    /// Concurrency: waits for another's build, for at most OpenOptions::build_timeout, and never for a dead one; builds
    /// without the lock after that, and where builds wait for each other in a circle: publishing stays safe.
    /// Crash: the staged files are reaped, and the next one who waits builds.
    [[nodiscard]] Result<Lease> get_or_build(std::string_view key, const Build& build,
                                             const PublishOptions& options = {}) const;

    /// A private directory to fill. Deleted unless published.
    [[nodiscard]] Result<Staging> stage() const;

    /// Makes the staged tree the entry of `key`, atomically, in place of any other, and returns it leased.
    /// Errors: `busy` where another process holds the bucket's lock for longer than OpenOptions::lock_timeout; `no_space`.
    /// Nothing is then published, and the Staging is gone.
    /// Concurrency: waits only while a remove in the same bucket checks a link, or waits itself for a process that was stopped in the middle.
    /// Crash: the key names the old entry or the new one, complete; the other is garbage. On a file system that can't exchange two
    /// names the key may name none.
    [[nodiscard]] Result<Lease> publish(std::string_view key, Staging&& staging,
                                        const PublishOptions& options = {}) const;

    /// Takes `key` out of the bucket. Leases on its entry stay good.
    /// Errors: `miss` where there is none; `busy` as in publish.
    /// Crash: the key is there or it is not.
    [[nodiscard]] Result<> remove(std::string_view key) const;

    /// Takes every key out of the bucket at once: one rename, whatever their number. Deleting is left to Cache::collect.
    /// No error where the bucket does not exist.
    /// Concurrency: waits for nobody, not even for a process that was stopped inside a publish. Leases stay good.
    /// Crash: all keys are there, or none.
    [[nodiscard]] Result<> refresh() const;

    /// The same for some keys, one after the other; how many were taken is the result. A get that starts after this has returned never yields
    /// what fits and was published before it began.
    /// Concurrency: by pattern alone it waits for nobody. By age it looks at each entry under the bucket's lock, as remove does.
    /// Errors: `busy` as in remove; some keys may have been taken by then.
    /// Crash: each key is there or it is not.
    [[nodiscard]] Result<std::uint64_t> refresh(const RefreshOptions& options) const;

    /// The keys that can be listed, in no order. A key that comes or goes meanwhile may be missing or listed; one that is longer than its
    /// file name, and whose entry's record is damaged, can't be told.
    [[nodiscard]] Result<std::vector<std::string>> keys() const;

    /// From now on no limit of a collection takes the entry of `key`, this one or a later one. Removing, replacing and refreshing it work as
    /// ever. The entry need not exist. No error where the key is pinned already.
    /// Errors: `busy` as in publish.
    /// Crash: the key is pinned or not.
    [[nodiscard]] Result<> pin(std::string_view key) const;
    /// Errors: `miss` where the key is not pinned.
    [[nodiscard]] Result<> unpin(std::string_view key) const;
    [[nodiscard]] Result<bool> is_pinned(std::string_view key) const;

    /// What the record of `key` says. Errors: `miss`; `damaged` where the record can't be read.
    [[nodiscard]] Result<EntryInfo> info(std::string_view key) const;

private:
    friend class Cache;
    Bucket(std::shared_ptr<detail::CacheState> cache, std::string name,
           std::string encoded) noexcept;
    std::shared_ptr<detail::CacheState> cache_;
    std::string name_;
    std::string encoded_;
};

}  // namespace larder
