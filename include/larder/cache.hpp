// SPDX-License-Identifier: MIT
// An open cache: the first class that a program uses.
#pragma once

#include <filesystem>
#include <functional>
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

/// An open cache. What it returns may outlive it: its Buckets keep the cache open, and Leases and
/// Stagings need no open cache.
///
/// A callback may destroy the Cache. The call that makes the callback goes on to its end.
///
/// A callback may fork, but the child must not return from it, because the call belongs to the
/// parent. A get ends all the same, and its lease is the parent's. Any other call may fail in the
/// child, or wait for threads that the child lacks.
///
/// If the root is deleted or replaced while it is open, the next call that writes or lists opens,
/// or creates, the directory that the path leads to. A get does not check the root. Until such a
/// call it serves the directory that it has open, and the paths that it returns may lead nowhere.
///
/// Errors: beside those that each member lists, `system` if the system refuses something, and
/// `read_only` from each member that writes, if the cache can only be read.
/// Concurrency: any thread may call any member. Several Caches on one root in one process, also
/// through several copies of the library, work as if they were in separate processes. So does a
/// Cache that a forked child inherits.
class Cache {
public:
    /// Opens the cache at `root`. If nothing or an empty directory stands there, creates the cache,
    /// with mode 0700, and the directories above it. If the root cannot be written, opens it
    /// read-only.
    ///
    /// Errors: `refused` for a newer format, a directory that holds something else, a network file
    /// system, or another user's cache. The message says which, and nothing is changed. `system`,
    /// also if the log cannot be opened; `no_space`.
    /// Crash: the next open completes a root that was created in part.
    [[nodiscard]] static Result<Cache> open(const std::filesystem::path& root,
                                            const OpenOptions& options = {});

    /// Deletes the cache at `root`, with the directory itself. Deletes read-only directories too,
    /// on which `rm -rf` stops: their owner gets the right to change them first, also if the call
    /// ends with an error, but not in what is no cache. An interrupted call, or an `rm -rf` that
    /// has stopped, can be completed by another call; so an empty directory is deleted too.
    ///
    /// Errors: `busy` if a living process uses the cache, collects, or destroys it; the message
    /// names the first. No entry is touched then, unless that process destroys the cache. `refused`
    /// if `root` is no cache, belongs to another user (root may destroy any), or holds something
    /// that is not larder's, such as a tree that a failed publish could not move back
    /// (Staging::move_from), and if `root` is a symlink, which would lead nowhere then. `system` if
    /// something can't be deleted (a mount point), after all else is gone.
    /// Concurrency: if a process uses the cache, this changes nothing but such rights. If one
    /// begins to use it during the call, no process can open the cache for an instant, and then it
    /// is as before. Otherwise no process can open the cache any more. A process that has it open
    /// and leases nothing meets errors, or makes a new cache at the path, which stays.
    /// Crash: the cache is as before, or can't be opened. Then another call deletes the rest; or,
    /// if a process uses it, gives it back. A crash at the very end may leave an empty directory.
    [[nodiscard]] static Result<> destroy(const std::filesystem::path& root);
    /// Makes all the checks that destroy makes before it changes anything, and changes nothing: a
    /// dry run. It does not foresee what the system refuses to delete in the root.
    ///
    /// Errors: those of destroy, if destroy would end with `busy` or `refused` now, or with
    /// `system` because the root itself can't be removed.
    /// Concurrency: another destroy or collection that begins during the call finds the locks taken
    /// and ends with `busy`.
    /// Crash: the owner of the root may have gained the right to read what was closed to it.
    [[nodiscard]] static Result<> check_destroy(const std::filesystem::path& root);

    /// Moves the reference to the cache. A Cache that was moved from may only be destroyed, or be
    /// assigned to.
    Cache(Cache&&) noexcept;
    Cache& operator=(Cache&&) noexcept;
    /// Drops the reference to the cache. With the last one, of the Cache and of its Buckets, the
    /// cache is closed: a collection in the background is asked to stop and waited for.
    ~Cache();

    /// Returns the absolute path of the root, without symlinks.
    [[nodiscard]] const std::filesystem::path& root() const noexcept;
    /// Returns what stands for each key in a bucket of this cache.
    [[nodiscard]] LinkKind link_kind() const noexcept;
    /// Returns what a bucket of this cache is on the disk.
    [[nodiscard]] BucketKind bucket_kind() const noexcept;
    /// Returns true if OpenOptions::read_only was set, or if the root could not be written.
    [[nodiscard]] bool is_read_only() const noexcept;

    /// Returns a reference to the same open cache. The calls of it, and of the Buckets that it
    /// gives, have these options: so one call can be ended, and no other. It keeps the cache open,
    /// like a Bucket. It costs no system call, so a program may make one for each call.
    [[nodiscard]] Cache with(const CallOptions& options) const;

    /// Returns the bucket of this name. It need not exist, and nothing on the disk is touched.
    /// Errors: `invalid` if the name is empty, not UTF-8 or too long.
    [[nodiscard]] Result<Bucket> bucket(std::string_view name) const;

    /// Lists the names of the buckets that exist now, in no order.
    [[nodiscard]] Result<std::vector<std::string>> buckets() const;
    /// Calls `visit` for each entry of the buckets of these names, one bucket after the other, and
    /// keeps no list in memory. Ends early if `visit` returns false. `visit` may call larder.
    /// Passes over a bucket that does not exist, and over what Bucket::keys leaves out. For many
    /// entries this is faster than Bucket::info for each of them, because it reads once what
    /// processes have written about their uses. If a part of that can't be read,
    /// EntryInfo::last_used may lack the latest uses, and StatusReport::unreadable names that part.
    ///
    /// Errors: `invalid` if no bucket can have one of the names. Goes on after an error, such as
    /// that of a bucket which cannot be listed, and returns the first one at its end.
    [[nodiscard]] Result<> visit_entries(
        const std::vector<std::string>& buckets,
        const std::function<bool(const VisitedEntry& entry)>& visit) const;

    /// Cleans up after dead processes, evicts until `limits` are kept, then deletes what is retired
    /// and not leased. Without a limit this deletes garbage alone. It costs in proportion to the
    /// garbage; with a limit also to the entries. It needs at most some ten mebibytes of memory:
    /// with more than 262,144 entries to evict, it looks at all entries several times.
    ///
    /// If one thing cannot be read or deleted, the collection does all the rest. It then returns
    /// the first such error, and CollectOptions::on_partial gets the report.
    /// Errors: `busy` if another collect or verify runs: leave the work to that one. `damaged` if a
    /// lease table can't be read: then no entry is deleted, because its leases are unknown.
    /// `system` if something can't be deleted (an immutable file, a mount point below an entry).
    /// `invalid` if Limits::low_water is no percentage or a limit is negative.
    /// Concurrency: never waits, except that an eviction waits a tenth of a second for its bucket's
    /// lock. The collector's lock is held while entries are chosen and garbage is moved aside. It
    /// is not held while garbage is deleted, unless the disk is so full that nothing can be moved.
    /// Crash: the next collection carries on.
    [[nodiscard]] Result<CollectReport> collect(const Limits& limits = {},
                                                const CollectOptions& options = {}) const;

    /// Does the same as collect, but evicts the entries that `plan` names. An entry stays if it is
    /// no longer the entry of its key, if it was used after the plan was made, or if it is leased
    /// or pinned.
    /// Errors: as in collect; `invalid` if the plan has something that is no id of an entry.
    [[nodiscard]] Result<CollectReport> evict(const EvictionPlan& plan,
                                              const CollectOptions& options = {}) const;

    /// Lets publishes keep the cache within `limits`. From now on a publish through this Cache or
    /// its Buckets may start a collection with these limits, when it has published, in a thread of
    /// its own. Any other collect fails with `busy` meanwhile. If another collection runs already,
    /// the publish leaves the work to that one. A later call replaces the limits, and asks a
    /// collection by the earlier ones to stop. A call without any limit ends all this.
    /// Errors: `invalid` as in collect.
    /// Concurrency: publish does not wait for the collection. When the Cache and its last Bucket
    /// are destroyed, they ask the collection to stop and wait for its end. (If a callback of that
    /// collection destroys them, they do not wait.) It stops after some hundred files or links. A
    /// forked child collects nothing until it calls this itself.
    [[nodiscard]] Result<> keep_within(const Limits& limits,
                                       const BackgroundOptions& options = {}) const;

    /// Lists the keys that are pinned, in all buckets and in no order. A key that is too long for a
    /// file name is missing unless it has an entry, because only the record of an entry holds the
    /// whole key.
    [[nodiscard]] Result<std::vector<PinInfo>> pins() const;

    /// Makes `destination` a symlink to the tree of the entry of a key, and keeps the entry for as
    /// long as the path leads there: through removes, refreshes, limits, and starts of the machine.
    /// The cache writes the path down as a *root* of the entry. A symlink that stands there is
    /// replaced by one rename. A later publish of the key changes nothing: the path leads to the
    /// same entry until another link.
    ///
    /// A collection looks at the path. If it leads elsewhere, or nothing stands there, the entry is
    /// kept no more. If the path can't be looked at, because its disk is not mounted, the entry is
    /// kept. A path that is moved away or deleted must not be put back by hand: link it again.
    ///
    /// Errors: `miss` if the key has no entry; `exists` if something other than a symlink stands at
    /// the path; `invalid` for a path in a cache, or one without a name; `refused` if the path is
    /// on a network file system; `unsupported` on Windows, and in a cache that a larder without
    /// roots has made.
    /// Concurrency: takes no lock. Several links to one path: the last rename wins.
    /// Crash: the path is as before, or leads to the entry, which is kept. A root may stay of which
    /// the path does not lead to the entry, or a symlink `.larder-…` beside the path, which the
    /// next link there deletes.
    [[nodiscard]] Result<> link(std::string_view bucket, std::string_view key,
                                const std::filesystem::path& destination,
                                const LinkOptions& options = {}) const;
    /// Ends a link: removes the symlink, if it leads to its entry, and the roots of this path. What
    /// else stands there is left alone.
    ///
    /// Errors: `miss` if no root of the cache names the path; `refused` if the entry itself is
    /// mounted there; the system's if the path can't be looked at, and then its roots stay.
    /// Concurrency: takes no lock. If another call links the path meanwhile, its link may stay.
    /// Crash: the path is as before, or gone; roots of it may stay, and another call drops them.
    [[nodiscard]] Result<> unlink(const std::filesystem::path& destination) const;
    /// Lists all roots, in no order. Looks at each path.
    [[nodiscard]] Result<std::vector<RootInfo>> roots() const;
    /// Drops the roots whose paths do not lead to their entries any more, also those of live
    /// entries, which no collection asks. Goes on after an error, and returns the first one at its
    /// end.
    /// Errors: `damaged` if a lease table can't be read: then nothing is dropped.
    /// Concurrency: takes no lock. A root stays while a process leases its entry.
    /// Crash: changes nothing that another call depends on.
    [[nodiscard]] Result<PruneReport> prune_roots(const PruneOptions& options = {}) const;

    /// Lists the entries that were removed, replaced, refreshed or evicted and are not collected
    /// yet, in no order. `restore` brings one back. Any of them may be collected at any time.
    /// Fails if the record of one cannot be read; visit_trash visits the rest then.
    [[nodiscard]] Result<std::vector<EntryInfo>> trash() const;
    /// Calls `visit` for each entry that trash() lists, and keeps no list in memory. Ends early if
    /// `visit` returns false. `visit` may call larder. Goes on after what cannot be read, and
    /// returns the first such error at its end.
    [[nodiscard]] Result<> visit_trash(
        const std::function<bool(const EntryInfo& entry)>& visit) const;

    /// Publishes the files of an entry in the trash once more, under its bucket and key and a new
    /// id, and returns a lease on the new entry. The files are shared with the retired entry, by
    /// clones or hard links, if the file system has them.
    ///
    /// Errors: `miss` if no retired entry has this id, or if it has been collected; `exists` if its
    /// key names an entry again and RestoreOptions::replace is off; `damaged` if it is not as its
    /// manifest says, by the rules of verify, or has no manifest; `invalid` if `id` is no id;
    /// `busy` while another process collects or verifies.
    /// Concurrency: no collection runs during the call. Otherwise as Bucket::publish.
    /// Crash: the entry is back or it is not. It stays in the trash in both cases.
    [[nodiscard]] Result<Lease> restore(std::string_view id,
                                        const RestoreOptions& options = {}) const;

    /// Checks every invariant that can be checked while other processes work. Looks at every file
    /// of the live entries and compares names, kinds, modes and sizes with the entries' manifests.
    /// Reads only files that were modified after the entry was published, and compares them with
    /// their digests: see OpenOptions::digests. One that can't be compared so counts as changed,
    /// because materialize refuses it. Follows no link.
    /// Errors: `busy` as in collect. A finding is no error: see VerifyReport::sound.
    [[nodiscard]] Result<VerifyReport> verify(const VerifyOptions& options = {}) const;

    /// Brings all that has been published so far, by any process, to the disk, with one sync of the
    /// whole file system. So it survives a power cut as if it had been published with
    /// Durability::power. Notes in the cache that it is there (a watermark): after a power cut,
    /// none of it is compared with its manifest. It waits until the disk has what all programs have
    /// written, which may take seconds, and nothing ends that early. No get, publish or collection
    /// waits with it.
    /// Errors: `unsupported` if the file system has no such sync, as on macOS, or does not say when
    /// it is done (FUSE); `read_only`; `system` if the sync fails. Then data may be lost.
    /// Concurrency: takes no lock.
    /// Crash: nothing, or the sync alone, has happened.
    [[nodiscard]] Result<> settle() const;

    /// Reads the files of live entries and compares them with the digests in the entries'
    /// manifests, and names, kinds, modes and sizes as verify does. So it finds each byte that has
    /// changed in an entry that was published with PublishOptions::digest. Begins with the entries
    /// whose check is longest ago, or which were never checked, and notes the time of each check.
    /// To be looked at is no use of an entry.
    /// Errors: `interrupted` if OpenOptions::stop was requested. A finding is no error: see
    /// ContentReport::sound.
    /// Concurrency: takes no lock, except for a repair, which waits for the lock of a bucket as
    /// remove does. One entry at a time is leased, so collections leave it alone.
    /// Crash: changes nothing that a later call depends on.
    [[nodiscard]] Result<ContentReport> verify_content(const ContentOptions& options = {}) const;

    /// Lets equal files of live entries share their blocks on the disk, on file systems that can:
    /// btrfs, and xfs with reflinks. Takes files of 4,096 bytes and more whose entries were
    /// published with PublishOptions::digest. The kernel compares the bytes of two files, so no
    /// content changes, and neither do modes and times: each file stays a file of its own. Begins
    /// with the newest entries. A later call passes over what is shared already.
    /// Errors: `unsupported` on other file systems, if there is anything to share; `read_only`.
    /// What fails for one file is no error: see DedupeReport::failures.
    /// Concurrency: takes no lock. One entry at a time is leased, so collections leave it alone.
    /// Crash: some files share their blocks, and others do not yet.
    [[nodiscard]] Result<DedupeReport> dedupe(const DedupeOptions& options = {}) const;

    /// Returns which processes use the cache now. A lease table that can't be read is reported, and
    /// is no error.
    /// Concurrency: takes no lock and writes nothing. The tables are read one after the other, so
    /// the report is no picture of one instant.
    [[nodiscard]] Result<StatusReport> status() const;

    /// Returns how often each event has happened through this Cache and its Buckets. All counters
    /// are zero unless OpenOptions::count was set. A forked child continues from its parent's
    /// counters.
    /// Concurrency: takes no lock and never waits.
    [[nodiscard]] Counters counters() const noexcept;

private:
    Cache(std::shared_ptr<detail::CacheState> state,
          std::shared_ptr<const CallOptions> options) noexcept;
    std::shared_ptr<detail::CacheState> state_;
    std::shared_ptr<const CallOptions> options_;  ///< null without any
};

}  // namespace larder
