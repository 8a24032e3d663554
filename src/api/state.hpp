// SPDX-License-Identifier: MIT
// The state behind the public classes.
#pragma once

#include <atomic>

#include <larder/cache.hpp>

#include "cache/call_context.hpp"
#include "observe/event_counters.hpp"
#include "policy/background.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::detail {

/// The listeners that the options of a Cache ask for.
struct CacheListeners {
    observe::Listeners all;
    observe::EventCounters* counters = nullptr;  ///< one of `all`; null if nothing is counted
};

/// A cache as its caller opened it: a path, options, and the Root, which is the open directories
/// that the path leads to now.
///
/// The Root changes if the directory was deleted or replaced, and in a forked child, which opens
/// its own. No lock guards this change: a forked child could inherit a lock that is held by a
/// thread which the child does not have. Instead, an atomic pointer leads to the current
/// *generation*, which has the Root. Generations are small, and are kept until the state ends, so
/// that a thread may read one at any time. The Root of an older generation is released by its last
/// user.
///
/// Threads: any thread may call any member.
class CacheState : public std::enable_shared_from_this<CacheState> {
public:
    /// Opens a cache, and returns a reference for a Cache and its Buckets. When its last copy goes,
    /// the cache is closed: a collection in the background is asked to stop and waited for.
    ///
    /// A callback may destroy the Cache while a call of it still runs. So each call of a Cache
    /// holds a second reference, from keep(), until it has ended.
    /// Errors: those of cache::open_root; `system` if the log can't be opened.
    [[nodiscard]] static Result<std::shared_ptr<CacheState>> open(const std::filesystem::path& path,
                                                                  const OpenOptions& options);
    ~CacheState();
    CacheState(const CacheState&) = delete;
    CacheState& operator=(const CacheState&) = delete;

    /// Returns a reference that keeps this object alive, but does not keep the cache open.
    [[nodiscard]] std::shared_ptr<CacheState> keep() { return shared_from_this(); }

    /// Returns the Root that this process has open, for a get, which must be fast. Asks the system
    /// nothing, unless the process is a forked child, which opens a Root of its own. Errors: those
    /// of opening a cache.
    [[nodiscard]] Result<protocol::RootRef> root();
    /// Returns a Root whose directories still stand at their paths, for calls that write or list.
    /// Looks at each directory, and opens the cache anew if one was deleted or replaced. Errors:
    /// those of opening a cache.
    [[nodiscard]] Result<protocol::RootRef> current_root();
    /// Does the same, but looks only at the root and the directories in `used`. A call that touches
    /// no others need not pay for them.
    [[nodiscard]] Result<protocol::RootRef> current_root(
        std::initializer_list<cache::WhichDir> used);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const cache::CallContext& context() const noexcept { return context_; }
    [[nodiscard]] const observe::Listeners& listeners() const noexcept { return listeners_.all; }
    /// Counts a get as a hit or a miss. A get that failed in another way is neither.
    void count_get(const Result<protocol::SlotLease>& got) const noexcept;
    /// Returns the counters; all are zero if nothing is counted.
    [[nodiscard]] Counters counters() const noexcept;
    /// Lets publishes use another collector from now on, or none if `background` is null. The one
    /// before is asked to stop. It is kept until this object ends, because another thread may be
    /// using it.
    void set_background(std::unique_ptr<policy::BackgroundCollector> background);
    /// Starts a collection in the background, if there is a collector and a collection is due by
    /// its options. Never waits. Every publish calls this after its entry is visible.
    void published(const protocol::RootRef& root) const noexcept;
    [[nodiscard]] LinkKind link_kind() const noexcept { return current().root->link_kind(); }
    [[nodiscard]] BucketKind bucket_kind() const noexcept { return current().root->bucket_kind(); }
    [[nodiscard]] bool is_read_only() const noexcept { return current().root->is_read_only(); }

private:
    CacheState(std::filesystem::path path, OpenOptions options, CacheListeners listeners,
               protocol::RootRef root);
    /// Asks every collection in the background to stop, and waits for its end. Called once, when
    /// the last reference of a Cache or Bucket goes.
    void close() noexcept;

    /// A Root, from when it was opened until the next one takes its place.
    struct Generation {
        explicit Generation(protocol::RootRef opened) : root(opened), kept(std::move(opened)) {}
        /// What all threads read. Empty as soon as the Root is released.
        const std::weak_ptr<cache::Root> root;
        /// Keeps the Root open while this generation is the current one. The thread that puts
        /// another generation in its place resets this; no other thread touches it.
        protocol::RootRef kept;
        Generation* before = nullptr;  ///< the one that this one has replaced; null for the first
    };
    /// A generation, and its Root, which this reference keeps open.
    struct LiveRoot {
        Generation* generation;
        protocol::RootRef root;
    };
    /// Returns the current generation and its Root. Never waits.
    [[nodiscard]] LiveRoot current() const noexcept;
    /// Opens the Root anew, unless another thread has done so since `seen` was read. Returns the
    /// Root that is current then. Errors: those of opening a cache; then the old generation stays.
    [[nodiscard]] Result<protocol::RootRef> reopen(const LiveRoot& seen);
    /// Opens what a get does not need of it: see cache::Root::open_garbage. Opens the cache anew if
    /// that is missing.
    [[nodiscard]] Result<protocol::RootRef> with_garbage(Result<protocol::RootRef> root);

    std::filesystem::path path_;  ///< absolute, without symlinks; the Root is opened again by it
    OpenOptions options_;
    CacheListeners listeners_;
    cache::CallContext context_;  ///< of a call without listeners; points into options_
    /// The current generation; never null. It owns a list: each one owns the one before it.
    std::atomic<Generation*> generation_;
    /// The collector that publishes use; null if there is none. One of the list `backgrounds_`.
    std::atomic<policy::BackgroundCollector*> background_{nullptr};
    /// The newest collector that was ever set. It owns a list: each one leads to the one before
    /// it, and the destructor deletes them all. There is no lock, for the same reason as above.
    std::atomic<policy::BackgroundCollector*> backgrounds_{nullptr};
};

}  // namespace larder::detail
