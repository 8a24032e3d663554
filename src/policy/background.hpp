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

/// Starts collections for one Cache, one at a time, in a thread of its own. Its life:
///   (is_time_to_look start_if_due)* stop* finish
///
/// Threads: is_time_to_look, start_if_due and stop may be called by several threads at once. finish
/// is called once, when no thread calls the others any more.
/// Fork: in a child it does nothing, because the thread belongs to the parent.
class Background {
public:
    /// Collects within the limits of keep_within. Must stay valid for as long as the Background.
    using Collect = std::function<Result<CollectReport>(const protocol::RootRef& root,
                                                        const CollectOptions& options)>;
    Background(BackgroundOptions options, Collect collect);
    /// Requires: finish() was called. May run in the thread of the collection, if that thread held
    /// the last reference to the Cache.
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    /// Returns true if it is time to call start_if_due again. Costs one look at the clock.
    [[nodiscard]] bool is_time_to_look() noexcept;
    /// Looks at the disk, and starts a collection if one is due. Never waits. While the collection
    /// runs it holds `state`, the state of the Cache, which contains this Background.
    void start_if_due(const protocol::RootRef& root, std::shared_ptr<const void> state);
    /// Starts no further collection, and asks one that runs to stop. Does not wait for it.
    void stop() noexcept { stopped_ = true; }
    /// Does the same, and waits for the end of the collection. If one of its callbacks makes this
    /// call, it cannot wait: the collection ends by itself, after the callback has returned.
    void finish() noexcept;

    /// The Background that this one has replaced in its Cache; null if there was none. Both live
    /// until the state of the Cache ends. set_before is called before another thread sees this.
    [[nodiscard]] Background* before() const noexcept { return before_; }
    void set_before(Background* before) noexcept { before_ = before; }

private:
    using Clock = std::chrono::steady_clock;

    /// Collects once, and tells the program's callbacks. It ends early if it has lasted `at_most`,
    /// or if it was asked to stop. An exception of a callback ends the collection and goes no
    /// further.
    void run(const std::stop_token& stop, const protocol::RootRef& root) const noexcept;
    /// Returns true if no process has begun a collection within the interval of the options.
    /// Returns false if that can't be told.
    [[nodiscard]] bool is_due(const cache::Root& root) const;

    const BackgroundOptions options_;
    const Collect collect_;
    const std::uint64_t process_;  // the token of the process that made it
    Background* before_ = nullptr;
    std::atomic<bool> stopped_{false};
    std::atomic<bool> running_{false};        // the thread has not ended its collection
    std::atomic<Clock::rep> next_look_{0};    // when is_time_to_look returns true again
    std::mutex starting_;                     // held by start_if_due; tried, never waited for
    std::unique_ptr<std::jthread> thread_;    // of the last collection; it may have ended
    std::shared_ptr<const void> kept_alive_;  // the state; empty unless a collection runs
};

}  // namespace larder::policy
