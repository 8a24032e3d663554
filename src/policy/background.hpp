// SPDX-License-Identifier: MIT
// Collections that begin by themselves at the end of a publish: see Cache::keep_within.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include <larder/collect.hpp>

#include "protocol/slot_lease.hpp"

namespace larder::policy {

/// Starts collections for one Cache, one at a time, each in a thread of its own.
///
/// Lifetime: the state of the Cache owns this object. While a collection runs, its thread owns a
/// reference to that state, so neither goes away beneath the thread. The life of this object is
///   (is_time_to_look start_if_due)* stop* finish, then the destructor.
///
/// Threads: is_time_to_look, start_if_due and stop may be called by several threads at once. finish
/// is called once, when no thread calls the others any more.
/// Fork: in a child it starts nothing and waits for nothing, because the thread belongs to the
/// parent.
class BackgroundCollector {
public:
    /// Collects within the limits of keep_within.
    using Collect = std::function<Result<CollectReport>(const protocol::RootRef& root,
                                                        const CollectOptions& options)>;
    BackgroundCollector(BackgroundOptions options, Collect collect);
    /// Requires: finish() was called. The destructor may run in the thread of the collection, if a
    /// callback has closed the Cache. Then it detaches that thread, since no thread can join
    /// itself.
    ~BackgroundCollector();
    BackgroundCollector(const BackgroundCollector&) = delete;
    BackgroundCollector& operator=(const BackgroundCollector&) = delete;

    /// Returns true if it is time to call start_if_due again. Of several threads that ask at once,
    /// one is told so. Costs one look at the clock.
    [[nodiscard]] bool is_time_to_look() noexcept;
    /// Looks at the disk, and starts a collection of `root` if one is due. Does not wait for it.
    /// `state` is the state of the Cache, which owns this object; the collection keeps it alive. If
    /// there is no thread or no memory, nothing is started, and the next call tries again.
    void start_if_due(const protocol::RootRef& root, std::shared_ptr<const void> state);
    /// Starts no further collection, and asks one that runs to stop. Does not wait for it.
    void stop() noexcept { stopped_ = true; }
    /// Does what stop does, and then waits for the end of the collection. If one of the
    /// collection's own callbacks makes this call, it returns at once, because the collection can
    /// end only after the callback has returned.
    void finish() noexcept;

    /// Returns the collector that was set for this Cache before this one; null if there was none. A
    /// publish may still be inside start_if_due of a replaced collector. So the state of the Cache
    /// keeps all of them until its own end, and finds them by this chain.
    [[nodiscard]] BackgroundCollector* replaced() const noexcept { return replaced_; }
    /// Requires: no other thread knows this object yet.
    void set_replaced(BackgroundCollector* replaced) noexcept { replaced_ = replaced; }

private:
    using Clock = std::chrono::steady_clock;

    /// Runs in the thread of the collection: collects, and then lets go of the state of the Cache.
    /// If that was the last reference, this object no longer exists when the function returns.
    void collect_and_release_state(const std::stop_token& stop,
                                   const protocol::RootRef& root) noexcept;
    /// Collects once, and tells the program's callbacks. An exception of a callback ends the
    /// collection and goes no further.
    void collect_once(const std::stop_token& stop, const protocol::RootRef& root) const noexcept;
    /// Returns true if a collection must end now: stop() or the program has asked for that, or the
    /// time BackgroundOptions::at_most is over. `end` is when that time is over.
    [[nodiscard]] bool must_end(const std::stop_token& stop, Clock::time_point end) const;
    /// Returns true if no process has begun a collection for BackgroundOptions::every. Returns
    /// false if that can't be told.
    [[nodiscard]] bool is_due(const cache::Root& root) const;

    const BackgroundOptions options_;
    const Collect collect_;
    const std::uint64_t process_;              // the token of the process that made this object
    BackgroundCollector* replaced_ = nullptr;  // owned by the state of the Cache, as this one is
    std::atomic<bool> stopped_{false};         // set by stop, and never cleared
    std::atomic<bool> running_{false};         // a thread collects, or is being started
    std::atomic<Clock::rep> next_look_{0};     // when is_time_to_look returns true again
    std::mutex starting_;                      // held by start_if_due; tried, never waited for
    std::unique_ptr<std::jthread> thread_;     // of the last collection, which may have ended
    // The state of the Cache; empty unless a collection runs. start_if_due sets it before it starts
    // the thread, and only that thread touches it from then on.
    std::shared_ptr<const void> kept_alive_;
};

}  // namespace larder::policy
