// SPDX-License-Identifier: MIT
#include "policy/background.hpp"

#include <algorithm>
#include <utility>

#include "base/century.hpp"
#include "base/saturate.hpp"
#include "format/layout.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"

namespace larder::policy {

namespace {

/// A process checks at most this often whether a collection is due. Arbitrary: rarely enough to
/// cost nothing.
constexpr std::chrono::minutes look_interval{1};

/// The Background whose collection this thread runs, or whose callback it makes; null if there is
/// none.
thread_local const Background* current = nullptr;

/// Sets `current` until the end of the scope.
class InCollectionOf {
public:
    explicit InCollectionOf(const Background* background)
        : before_(std::exchange(current, background)) {}
    ~InCollectionOf() { current = before_; }
    InCollectionOf(const InCollectionOf&) = delete;
    InCollectionOf& operator=(const InCollectionOf&) = delete;

private:
    const Background* before_;
};

/// Returns the options with times that can be added to a time point without an overflow.
BackgroundOptions bounded(BackgroundOptions options) {
    options.every = std::clamp(options.every, std::chrono::seconds(0), base::century);
    options.at_most = std::clamp(options.at_most, std::chrono::milliseconds(0),
                                 std::chrono::milliseconds(base::century));
    return options;
}

}  // namespace

Background::Background(BackgroundOptions options, Collect collect)
    : options_(bounded(std::move(options))),
      collect_(std::move(collect)),
      process_(os::process_token()) {}

Background::~Background() {
    // A forked child does not have this thread, and its handle may belong to another thread by now.
    // So the child must not join it.
    if (process_ != os::process_token()) {
        (void)thread_.release();
    } else if (thread_ && thread_->get_id() == std::this_thread::get_id()) {
        thread_->detach();  // a callback has closed the cache, and no thread can join itself
    }
}

void Background::finish() noexcept {
    stop();
    if (process_ != os::process_token()) {
        kept_alive_.reset();
        return;
    }
    if (!thread_) return;
    thread_->request_stop();
    if (current != this && thread_->joinable()) thread_->join();
}

bool Background::is_time_to_look() noexcept {
    const auto now = Clock::now().time_since_epoch().count();
    auto due = next_look_.load(std::memory_order_relaxed);
    const auto wait = std::chrono::duration_cast<Clock::duration>(
                          std::min<std::chrono::seconds>(options_.every, look_interval))
                          .count();
    // A forked child inherits the mutex in any state, so it takes no part.
    if (now < due || stopped_ || process_ != os::process_token()) return false;
    // Of several threads, only the first one to move the time looks.
    return next_look_.compare_exchange_strong(due, now + wait);
}

void Background::start_if_due(const protocol::RootRef& root, std::shared_ptr<const void> state) {
    const std::unique_lock starting(starting_, std::try_to_lock);
    if (!starting) return;  // another thread is about to start one
    if (!is_due(*root) || running_) return;
    // This joins the thread of the last collection. It has ended, or is about to: after `running_`
    // it only lets go of the state. So the join takes an instant.
    thread_.reset();
    const os::AllSignalsBlocked blocked;
    running_ = true;
    kept_alive_ = std::move(state);
    try {
        thread_ = std::make_unique<std::jthread>([this, root](const std::stop_token& stop) {
            run(stop, root);
            // If a callback has closed the cache, this is the last reference to its state, and
            // `this` ends with it.
            const auto last = std::move(kept_alive_);
            running_ = false;
        });
    } catch (...) {
        kept_alive_.reset();
        running_ = false;  // no thread or no memory: the next publish tries again
    }
}

void Background::run(const std::stop_token& stop, const protocol::RootRef& root) const noexcept {
    const InCollectionOf running(this);
    try {
        // First set the time of the lock's file. is_due of other processes reads it, and so sees
        // that a collection has begun.
        (void)os::touch_at(root->dirs().locks, format::collector_lock_name);
        std::stop_source enough;
        const auto end = Clock::now() + options_.at_most;
        CollectOptions how{.threads = options_.threads,
                           .on_evict = options_.on_evict,
                           .stop = enough.get_token(),
                           .count_freed = options_.count_freed,
                           .grace = options_.grace};
        const auto must_end = [&] {
            return stop.stop_requested() || stopped_ || options_.stop.stop_requested() ||
                   Clock::now() >= end;
        };
        how.on_progress = [&](const CollectProgress& progress) {
            if (must_end()) enough.request_stop();
            const InCollectionOf calling(this);  // this may be a thread that deletes files
            if (options_.on_progress) options_.on_progress(progress);
        };
        const auto report = collect_(root, how);
        if (options_.on_done) options_.on_done(report);
    } catch (...) {
        // Memory has run out, or a callback has thrown, and there is no caller to pass that on to.
        // Keep what was done. The next collection does the rest.
    }
}

bool Background::is_due(const cache::Root& root) const {
    if (root.is_read_only()) return false;
    const auto last = os::stat_at(root.dirs().locks, format::collector_lock_name);
    if (!last) return false;
    const auto now = os::wall_time();
    const auto then = last->modified.to_clock();
    // A time in the future comes from a wrong clock.
    return base::age(then, now) >= options_.every || base::age(now, then) >= options_.every;
}

}  // namespace larder::policy
