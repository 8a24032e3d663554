// SPDX-License-Identifier: MIT
// A bucket: a named, versioned set of keys. It has one lock, and is purged as a whole.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
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

/// A key is any UTF-8 string of at most 4096 bytes. The empty string is a key too. A key is encoded
/// into a file name and is never interpreted as a path. A bucket's name follows the same rules,
/// except that it must not be empty and must have at most 128 bytes after the encoding.
///
/// A Bucket is a name and a reference to its cache, which it keeps open. To make one touches
/// nothing on the disk: the first publish makes the bucket. What a Bucket returns may outlive it.
///
/// Errors: beside those that each member lists, `system` if the system refuses something, and
/// `read_only` from each member that writes, if the cache can only be read.
/// Concurrency: any thread may call any member, and other threads and processes may call anything
/// at the same time.
class Bucket {
public:
    /// Moves the name and the reference. A Bucket that was moved from may only be destroyed, or be
    /// assigned to.
    Bucket(Bucket&&) noexcept;
    Bucket& operator=(Bucket&&) noexcept;
    /// Drops the reference to the cache: see Cache::~Cache. Changes nothing on the disk.
    ~Bucket();

    /// Returns the name that Cache::bucket was given.
    [[nodiscard]] const std::string& name() const noexcept;

    /// Returns the same bucket, whose calls have these options, and not those that this one may
    /// have. It costs no system call, so a program may make one for each call. A Staging from it
    /// has the options, too.
    [[nodiscard]] Bucket with(const CallOptions& options) const;

    /// Returns a lease on the entry that `key` names now. A get that starts after a remove or a
    /// refresh has returned never yields an entry that was published before that call began.
    ///
    /// Errors: `miss` if the key names no entry; or an entry that is not complete, for example in a
    /// cache that was copied in part; or an entry of an earlier boot of the machine that has lost
    /// its record, as after a power cut.
    /// Concurrency: never waits and takes no lock. It writes to the disk in three cases only:
    ///   - the first call of a process joins the cache, which may fail with `no_space`;
    ///   - the entry's time of use is updated, at most once an hour;
    ///   - the link of an entry that is not complete, or has lost its record, is retired.
    [[nodiscard]] Result<Lease> get(std::string_view key) const;

    /// Fills a Staging with the files of the entry, or returns the error that prevented it. The
    /// Staging is lent: it is valid until the function returns, and must not be moved from.
    using Build = std::function<Result<>(Staging&)>;

    /// Returns a lease on the entry of `key`. If there is none, calls `build` in this thread, to
    /// fill a Staging, and publishes the result. Among all threads and processes, one builds while
    /// the others wait and then get the result (single flight). `build` may call get_or_build for
    /// other keys.
    ///
    /// Errors: any error that `build` returns; then the next waiting process builds. `invalid` if
    /// `build` requests its own key, or moves its Staging away.
    /// Concurrency: waits while another process builds, but never for a process that has died. In
    /// two cases the call builds without waiting any longer. Then two processes may do the same
    /// work, and the last publish wins:
    ///   - after OpenOptions::build_timeout;
    ///   - if builds wait for each other in a circle. A circle may lead through several caches that
    ///     this process has open, and through programs that builds run: see Staging::inside. The
    ///     Event `gave_up` names it.
    ///
    /// The publish of the result waits for its bucket for OpenOptions::build_timeout, if that is
    /// longer than lock_timeout.
    /// Crash: the staged files are deleted by a later collection, and the next waiting process
    /// builds.
    [[nodiscard]] Result<Lease> get_or_build(std::string_view key, const Build& build,
                                             const PublishOptions& options = {}) const;

    /// What claim returns: a lease on the entry; or a Staging, in which the caller builds it.
    using Claim = std::variant<Lease, Staging>;

    /// Does what get_or_build does, without a wait and without a callback, for programs that build
    /// many entries in one thread. Returns a lease on the entry of `key` if there is one. Otherwise
    /// the caller becomes its only builder: it gets a Staging, fills it, and publishes it under the
    /// same key, or destroys it to let another caller build. Until then each other claim of the key
    /// is `busy`, and each get_or_build of it waits. A program may have any number of claims.
    ///
    /// After `busy`, call it again later, for example every 10 to 100 ms. A program that holds a
    /// claim and tries to get another key must not do so for ever: the builder of that key may be
    /// waiting for the claim, and no process sees such a circle.
    ///
    /// Errors: `busy` if another builds the entry, in any thread or process; the message says which
    /// process and for how long. `invalid` if this thread runs a build of the same key. `no_space`;
    /// those of get, except `miss`.
    /// Concurrency: never waits. The Staging may be given to another thread.
    /// Crash: the key can be claimed again as soon as the process has ended. What it had staged is
    /// deleted by a later collection.
    [[nodiscard]] Result<Claim> claim(std::string_view key) const;

    /// Returns an empty private directory to fill. It is deleted unless it is published.
    /// Errors: `no_space`.
    [[nodiscard]] Result<Staging> stage() const;

    /// Makes the staged tree the entry of `key` and returns a lease on it. An entry that the key
    /// named before is replaced atomically.
    ///
    /// Errors: `busy` if another process holds the bucket's lock for longer than
    /// OpenOptions::lock_timeout; `no_space`; `invalid` if the Staging belongs to another cache,
    /// was published before, or was made by the parent of this process. After an error nothing is
    /// published, and the Staging is gone. (If the key or the metadata are `invalid`, the Staging
    /// stays.)
    /// Concurrency: waits only for a remove or an eviction in the same bucket. They hold the
    /// bucket's lock while they check a link, and they may themselves wait for a process that was
    /// stopped in the middle of a publish. If the Staging is from claim, the wait may last for
    /// OpenOptions::build_timeout, if that is longer than lock_timeout.
    /// Crash: the key names the old entry or the new one, and that entry is complete. The other one
    /// is garbage.
    [[nodiscard]] Result<Lease> publish(std::string_view key, Staging&& staging,
                                        const PublishOptions& options = {}) const;

    /// Takes `key` out of the bucket. Its entry can be restored until it is collected, and leases
    /// on it stay valid. With Durability::power the entry does not come back after a power cut; nor
    /// does one that was gone already, and for which the result is `miss`.
    ///
    /// Errors: `miss` if the key names no entry; `busy` as in publish. If the disk fails to sync,
    /// the key is taken out, and a power cut may bring it back.
    /// Crash: the key is there or it is not.
    [[nodiscard]] Result<> remove(std::string_view key,
                                  Durability durability = Durability::process) const;

    /// Purges the bucket: takes all its keys out at once, by one rename, however many there are.
    /// Leases on their entries stay valid. Cache::collect deletes the entries later. A bucket that
    /// does not exist is no error. With Durability::power the purge is not undone by a power cut.
    ///
    /// Errors: as in remove if the disk fails to sync.
    /// Concurrency: never waits, not even for a process that was stopped inside a publish. It waits
    /// for the disk if it is to survive a power cut.
    /// Crash: all keys are there, or none.
    [[nodiscard]] Result<> refresh(Durability durability = Durability::process) const;

    /// Takes the keys that match `options` out of the bucket, one after the other, and returns how
    /// many it took. A get that starts after this call has returned never yields an entry that
    /// matches and was published before the call began.
    ///
    /// Errors: `busy` as in remove. Some keys may have been taken out by then.
    /// Concurrency: if only a pattern is given, the call never waits. If an age is given, it looks
    /// at each entry under the bucket's lock, as remove does.
    /// Crash: each key is there or it is not.
    [[nodiscard]] Result<std::uint64_t> refresh(const RefreshOptions& options) const;

    /// Lists the keys that name an entry, in no order. A key that is added or removed during the
    /// call may be listed or not. A key that is too long for a file name is missing if the record
    /// of its entry is damaged, because the record alone holds the whole key.
    [[nodiscard]] Result<std::vector<std::string>> keys() const;
    /// Calls `visit` for each key that keys() lists, and keeps no list in memory. Ends early if
    /// `visit` returns false. `visit` may call larder.
    [[nodiscard]] Result<> visit_keys(
        const std::function<bool(const std::string& key)>& visit) const;

    /// Pins `key`: no limit of a collection evicts its entry, neither the present one nor a later
    /// one. Remove, publish and refresh treat a pinned key like any other. The key need not name an
    /// entry, and may be pinned already. With Durability::power the pin survives a power cut.
    ///
    /// Errors: `busy` as in publish.
    /// Crash: the key is pinned or it is not.
    [[nodiscard]] Result<> pin(std::string_view key,
                               Durability durability = Durability::process) const;
    /// Ends the pin of `key`. With Durability::power it does not come back after a power cut.
    /// Errors: `miss` if the key is not pinned.
    [[nodiscard]] Result<> unpin(std::string_view key,
                                 Durability durability = Durability::process) const;
    /// Returns true if the key is pinned, whether it names an entry or not.
    [[nodiscard]] Result<bool> is_pinned(std::string_view key) const;

    /// Returns what is known of the entry of `key`. Takes no lease and is no use of the entry.
    /// Errors: `miss` if the key names no entry; `damaged` if its record cannot be read.
    [[nodiscard]] Result<EntryInfo> info(std::string_view key) const;

private:
    friend class Cache;
    Bucket(std::shared_ptr<detail::CacheState> cache, std::shared_ptr<const CallOptions> options,
           std::string name, std::string encoded) noexcept;
    std::shared_ptr<detail::CacheState> cache_;
    std::shared_ptr<const CallOptions> options_;  ///< null without any
    std::string name_;
    std::string encoded_;  ///< the name as a file name
};

}  // namespace larder
