// Collections that begin by themselves at the end of a publish: see Cache::keep_within.
#pragma once

#include <atomic>
#include <chrono>
#include <larder/collect.hpp>
#include <mutex>
#include <root/locks.hpp>
#include <steps/held.hpp>
#include <thread>

namespace larder::detail {

/// Fork: in a child it starts afresh; the thread of the parent is the parent's.
class Background {
public:
    Background(CollectOptions limits, BackgroundOptions options);
    /// Asks a collection that is at work to stop, and waits for it: some milliseconds.
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    /// Starts a collection where one is due. Costs a look at the clock where none is; never fails, and waits for nobody.
    void after_publish(const steps::RootRef& root, const root::WaitLimits& waits) noexcept;

private:
    using Clock = std::chrono::steady_clock;

    void start(const steps::RootRef& root, const root::WaitLimits& waits);
    void run(const std::stop_token& stop, const steps::RootRef& root, const root::WaitLimits& waits) const;
    [[nodiscard]] bool is_due(const root::Root& root) const;

    const CollectOptions limits_;
    const BackgroundOptions options_;
    std::atomic<Clock::rep> next_look_{0};
    std::mutex mutex_;  // taken by the few calls that look, and only tried
    std::atomic<bool> running_{false};
    std::uint64_t owner_ = 0;
    std::jthread thread_;
};

}  // namespace larder::detail
