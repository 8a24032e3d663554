// SPDX-License-Identifier: MIT
// One open cache root: the handles of its directories, its format, and the participant of this
// process.
//
// All Caches of a process on one root share one Root, and so one participant. A Root belongs to the
// process that opened it. A forked child opens its own at its first use.
#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <vector>

#include <larder/options.hpp>

#include "cache/boots.hpp"
#include "cache/bucket_keys.hpp"
#include "cache/handles.hpp"
#include "cache/participant.hpp"
#include "cache/parts.hpp"
#include "cache/recent.hpp"
#include "cache/retired_hints.hpp"
#include "format/format_file.hpp"
#include "format/id.hpp"
#include "os/file_info.hpp"

namespace larder::cache {

/// See the head of this file. All but the participant, the directories that open_garbage opens, the
/// recent keys, the hints, the earlier boots and can_exchange is constant after the construction.
/// Thread-safe.
class Root : public std::enable_shared_from_this<Root> {
public:
    /// `garbage` is null unless those directories are open already; otherwise `parts` opens them.
    /// `identity` is that of the root's directory, and `archive` that of `archive/`: see
    /// is_archive.
    Root(Handles handles, GarbageRef garbage, const PartOpener& parts,
         const os::FileIdentity& identity, const os::FileIdentity& archive, format::Format format,
         bool read_only);
    /// Settles the uses of this process, unless it is a forked child, whose uses are its parent's.
    ~Root();

    /// Returns the directories that every call needs.
    [[nodiscard]] const Handles& dirs() const noexcept { return dirs_; }
    /// Opens the directories of garbage, unless that was done. A get does not need them, and every
    /// other call begins with this. Never waits for another thread. Errors: Why::absent if one of
    /// them is missing, so that everything must be opened again, with Parts::all; those of
    /// PartOpener::open. Then the next call tries again.
    [[nodiscard]] Result<> open_garbage() const;
    /// Returns what open_garbage has opened. Requires: it has succeeded.
    [[nodiscard]] const GarbageHandles& garbage() const noexcept {
        return *garbage_.load(std::memory_order_acquire);
    }
    /// Tells where the keys of a bucket are.
    [[nodiscard]] const BucketKeys& keys() const noexcept { return keys_; }
    [[nodiscard]] LinkKind link_kind() const noexcept { return format_.links; }
    /// Returns whether a publish sets the link of a key again in its place, because no rename
    /// replaces a link of this kind. Then two links may name an entry: see docs/protocol.md.
    [[nodiscard]] bool sets_links_again() const noexcept {
        return format_.links == LinkKind::junction;
    }
    [[nodiscard]] BucketKind bucket_kind() const noexcept { return format_.buckets; }
    /// Returns whether its entries can have roots: see format/format_file.hpp.
    [[nodiscard]] bool has_roots() const noexcept { return format_.has_roots(); }
    /// Returns the length of the longest name of a key: see format/name.hpp.
    [[nodiscard]] std::size_t longest_name() const noexcept { return format_.longest_name; }
    [[nodiscard]] bool is_read_only() const noexcept { return read_only_; }
    /// Refuses a step that writes. Errors: `read_only`.
    [[nodiscard]] Result<> must_be_writable(const char* step) const;
    /// Returns true if this process opened it, and not a process from which this one was forked.
    [[nodiscard]] bool is_ours() const noexcept { return owner_ == os::process_token(); }
    /// Returns true if the directories were deleted or something else stands at the path of the
    /// root, or if that can't be told. Then everything must be opened again.
    [[nodiscard]] bool is_lost() const;
    /// Does the same, but checks only the directories `used`, for a call that works in no others.
    /// Once this process has joined, it checks its own lease tables in the place of
    /// `participants`: that directory can't be deleted as long as one of them is in it. If an
    /// earlier step could not move something to a directory, it checks all of them.
    [[nodiscard]] bool is_lost(std::initializer_list<WhichDir> used) const;

    /// Returns true if `info` is about `archive/`. A path that leaves an entry by ".." ends there
    /// only if neither the entry nor its tree is a symlink.
    [[nodiscard]] bool is_archive(const os::FileInfo& info) const noexcept {
        return info.identity == archive_;
    }

    /// Returns the participant of this process. Joins the cache at the first call; a join that
    /// failed is tried again at the next one. The pointer is valid as long as the Root. Errors:
    /// `read_only`, `no_space`; `invalid` in a forked child that goes on with its parent's call.
    [[nodiscard]] Result<Participant*> participant(const CallContext& context);
    /// Does the same, but returns null if this process cannot join. Calls that must work on a full
    /// disk use this.
    [[nodiscard]] Participant* participant_if_possible(const CallContext& context) noexcept;
    /// Returns the participant of this process; null if it has not joined. A forked child has not.
    [[nodiscard]] Participant* joined() const noexcept {
        return is_ours() ? joined_.load(std::memory_order_acquire) : nullptr;
    }

    /// Returns what cleans up after a dead participant of this cache. It refers to this object.
    [[nodiscard]] Reaper reaper() const;
    /// Moves what a dead participant left to where a collection finds it: `retired/links/`, and
    /// `retired/buckets/` for a pointer. First settles every link `o-`, or retires it if links are
    /// set again in their place; then retires the links `l-`, and then the pointers `g-`. What
    /// cannot be settled or moved stops nothing else, but the `l-` beside an `o-` that stays.
    /// Requires: the caller holds the lock of that participant, from before it was judged dead
    /// until this returns; nothing was listed by the handle `staging` before. Errors: the first
    /// one.
    [[nodiscard]] Result<> reap(const os::Dir& staging) const;

    /// Settles the link `o-<id>` of a publisher that gave up or died. If `l-<id>` stands beside it,
    /// the key still names the old entry, and `o-<id>` is unlinked. Otherwise the old entry was
    /// replaced, and its link is retired. It is no error if there is no such link. Requires: no
    /// publish of `id` is at work; and if links are set again in their place, this is that publish,
    /// and it has set none, because `l-<id>` stands beside `o-<id>` in any case.
    [[nodiscard]] Result<> settle_old_link(const os::Dir& staging, const format::Id& id) const;

    /// Renames a link to a fresh name in `retired/links/`, which bears the time `when`. Nothing
    /// ever comes back from there (invariant 3). The rename is atomic, so a kill leaves the link in
    /// one of the two places. Errors: `absent` if nothing stands at `name`, which means to most
    /// callers that another process has retired it; `unsupported` if the file system shows the
    /// link, and denies it to each rename; `no_space`.
    [[nodiscard]] Result<> retire_link(const os::Dir& dir, const std::string& name,
                                       format::RetiredAt when = format::retired_now()) const;
    /// Does the same for the link of a key, wherever it stands now; see BucketKeys for `key_path`.
    [[nodiscard]] Result<> retire_key(const std::string& key_path,
                                      format::RetiredAt when = format::retired_now()) const;
    /// Does the same for a pointer to a generation, which goes to `retired/buckets/`. Returns its
    /// name there.
    [[nodiscard]] Result<std::string> retire_pointer(
        const os::Dir& dir, const std::string& name,
        format::RetiredAt when = format::retired_now()) const;
    /// Renames a file or a directory to a fresh name in `deleting/`. A directory that its owner may
    /// not change is made writable first if it must be. Errors: `unsupported` for a directory that
    /// cannot be renamed (overlayfs).
    [[nodiscard]] Result<> move_to_deleting(const os::Dir& dir, const std::string& name) const;
    /// Moves what is not of the kind that larder makes there to `deleting/<unique>/tree`, whatever
    /// it is. It has a directory of its own there, by which it is known as something that larder
    /// was about to delete, also if nothing else of the cache is left: see husk.hpp. A directory
    /// that cannot be renamed (overlayfs) is deleted in place.
    [[nodiscard]] Result<> set_aside(const os::Dir& dir, const std::string& name) const;
    /// Does the same, or deletes it in place if it cannot be renamed, for whatever reason.
    /// Requires: it is garbage that no process uses. Errors: what cannot be deleted, when all else
    /// in it is gone; `absent` if nothing stands there.
    [[nodiscard]] Result<> discard(const os::Dir& dir, const std::string& name) const;

    [[nodiscard]] Recent& recent() noexcept { return recent_; }
    [[nodiscard]] RetiredHints& retired_hints() noexcept { return retired_hints_; }
    [[nodiscard]] EarlierBoots& earlier_boots() noexcept { return earlier_boots_; }

    /// False once a publish has found that the file system cannot exchange two names.
    std::atomic<bool> can_exchange{true};

private:
    /// Returns whether the root's directory is still what its path leads to; false if that can't
    /// be told.
    [[nodiscard]] bool is_at_its_path() const;
    /// Returns whether a directory was deleted: see is_lost.
    [[nodiscard]] bool has_lost(const WhichDir& which) const;
    /// Retires the link `l-<id>` of a dead participant. If that is refused, and `id` was never
    /// live, deletes the entry in place, and then the link.
    [[nodiscard]] Result<> reap_link(const os::Dir& staging, const format::Id& id) const;
    /// Does for the link `o-<id>` of a dead participant what reap says.
    [[nodiscard]] Result<> reap_old_link(const os::Dir& staging, const format::Id& id) const;
    /// Retires the link of a kept tree if its owner has moved the tree away.
    [[nodiscard]] Result<> reap_kept(const os::Dir& staging, const format::Id& id) const;
    /// Retires the pointer `g-<generation>` of a dead participant. If that is refused, removes the
    /// generation, which no bucket ever had, and then the pointer.
    [[nodiscard]] Result<> reap_pointer(const os::Dir& staging, const format::Id& generation) const;
    /// Does what retire_link and retire_pointer say: renames to a fresh name in `to`, and returns
    /// that name.
    [[nodiscard]] Result<std::string> retire_to(os::Dir GarbageHandles::*to, const os::Dir& dir,
                                                const std::string& name,
                                                format::RetiredAt when) const;

    PartOpener parts_;
    Handles dirs_;
    /// Null until open_garbage has succeeded, and constant from then on. This object owns it. There
    /// is no lock, because a forked child could inherit one that is held by a thread of its parent.
    mutable std::atomic<const GarbageHandles*> garbage_;
    format::Format format_;      // read from the cache's `format`, or written there
    BucketKeys keys_;            // of dirs_
    os::FileIdentity identity_;  // of the root's directory
    os::FileIdentity archive_;   // of `archive/`
    /// A rename to `retired/` or `deleting/` has failed since the last look at all directories, so
    /// one of them may have been deleted.
    mutable std::atomic<bool> doubted_{false};
    bool read_only_;
    std::uint64_t owner_;  // the token of the process that opened it
    Recent recent_;
    RetiredHints retired_hints_;
    EarlierBoots earlier_boots_;
    // So that one thread joins, and the others wait for it. A forked child never takes it: see
    // participant.
    std::mutex joining_;
    std::unique_ptr<Participant> participant_;   // null until a thread has joined; see joining_
    std::atomic<Participant*> joined_{nullptr};  // the same, for threads without the mutex
};

// Settling sets the time of the link of each entry whose use stands in a ring: see "Uses" in
// docs/protocol.md. A use that can't be written down is lost, and nothing else depends on it, so no
// error of settling is told.

/// Sets the times of the links of these entries to now. They come from the ring of any process, so
/// the record of each one tells its key. A link that names another entry by now is left alone.
void settle_uses(const Root& root, const std::vector<format::Id>& uses) noexcept;

/// Makes room in the ring of this process: settles the oldest uses. Returns false if there is no
/// memory for that.
[[nodiscard]] bool settle_oldest_uses(const Root& root, UseRing& ring) noexcept;

/// Settles all uses of this process, as far as no collection has done so. Does nothing if it has no
/// ring. Other processes see that they are settled.
void settle_own_uses(const Root& root) noexcept;

/// Which directories of a cache an open needs, and makes if they are missing.
enum class Parts {
    first,  ///< those without which no get works
    all,
};

/// Opens the cache at `path`, or creates it; see Cache::open. Returns the Root that this process
/// already has open, if it has one and that one is not lost. Any number of processes may create the
/// same cache at the same time. Errors: `refused` for a directory that is no cache or not a safe
/// one, with what to do about it; `unsupported`; those of the system. A kill leaves a root that the
/// next open completes.
[[nodiscard]] Result<std::shared_ptr<Root>> open_root(const std::filesystem::path& path,
                                                      const OpenOptions& options,
                                                      Parts needed = Parts::first);

/// Returns the Roots that this process has open for writing. A forked child has none until it opens
/// one itself.
[[nodiscard]] std::vector<std::shared_ptr<Root>> open_roots();

}  // namespace larder::cache
