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
#include "protocol/settle.hpp"

namespace larder::policy {

namespace {

/// A process checks at most this often whether a collection is due. Arbitrary: rarely enough to
/// cost nothing.
constexpr std::chrono::minutes look_interval{1};

/// A collection in the background settles the cache at most this often. Arbitrary: what was
/// published in ten minutes is compared with its manifests in no time after a power cut.
constexpr std::chrono::minutes settle_interval{10};

/// The collector whose collection this thread runs, or whose callback it calls; null if there is
/// none. By it, finish knows that a callback of the collection has called it.
thread_local const BackgroundCollector* current = nullptr;

/// Sets `current` until the end of the scope, and then back to what it was. Scopes may lie inside
/// each other: the thread of a collection is in one, and calls each callback in one more.
class InCollectionOf {
public:
    explicit InCollectionOf(const BackgroundCollector* collector)
        : outer_(std::exchange(current, collector)) {}
    ~InCollectionOf() { current = outer_; }
    InCollectionOf(const InCollectionOf&) = delete;
    InCollectionOf& operator=(const InCollectionOf&) = delete;

private:
    const BackgroundCollector* outer_;
};

/// Returns the options with times that can be added to a time point without an overflow.
BackgroundOptions bounded(BackgroundOptions options) {
    options.every = std::clamp(options.every, std::chrono::seconds(0), base::century);
    options.at_most = std::clamp(options.at_most, std::chrono::milliseconds(0),
                                 std::chrono::milliseconds(base::century));
    return options;
}

}  // namespace

BackgroundCollector::BackgroundCollector(BackgroundOptions options, Collect collect)
    : options_(bounded(std::move(options))),
      collect_(std::move(collect)),
      process_(os::process_token()) {}

BackgroundCollector::~BackgroundCollector() {
    // A forked child does not have this thread, and its handle may belong to another thread by now.
    // So the child must not join it, and leaks the handle.
    if (process_ != os::process_token()) {
        (void)thread_.release();
        return;
    }
    // This is the thread of the collection itself, and it holds the last reference to the state of
    // the Cache. The destructor of a jthread would join it, which no thread can do with itself. To
    // detach it is safe: after this destructor the thread only returns, and touches nothing here.
    if (thread_ && thread_->get_id() == std::this_thread::get_id()) thread_->detach();
}

void BackgroundCollector::finish() noexcept {
    stop();
    if (process_ != os::process_token()) {
        kept_alive_.reset();  // a copy of the parent's reference, whose thread is not here
        return;
    }
    if (!thread_) return;
    thread_->request_stop();
    const bool called_by_own_callback = current == this;
    if (!called_by_own_callback && thread_->joinable()) thread_->join();
}

bool BackgroundCollector::is_time_to_look() noexcept {
    const Clock::rep now = Clock::now().time_since_epoch().count();
    // The order of memory does not matter: no other data is read because of this time.
    Clock::rep due = next_look_.load(std::memory_order_relaxed);
    if (now < due || stopped_) return false;
    // A forked child inherits the mutex `starting_` in any state, so it takes no part.
    if (process_ != os::process_token()) return false;
    const auto until_next = std::chrono::duration_cast<Clock::duration>(
        std::min<std::chrono::seconds>(options_.every, look_interval));
    // Of several threads, only the first one to move the time looks.
    return next_look_.compare_exchange_strong(due, now + until_next.count());
}

void BackgroundCollector::start_if_due(const protocol::RootRef& root,
                                       std::shared_ptr<const void> state) {
    const std::unique_lock starting(starting_, std::try_to_lock);
    if (!starting) return;  // another thread is about to start one
    if (!is_due(*root) || running_) return;
    // This joins the thread of the last collection. It has ended, or is about to: once `running_`
    // is false, it only lets go of the state. So the join takes an instant.
    thread_.reset();
    // A thread inherits the mask of signals. The program's handlers must not run in a thread of
    // which it knows nothing.
    const os::AllSignalsBlocked blocked;
    running_ = true;
    kept_alive_ = std::move(state);
    try {
        thread_ = std::make_unique<std::jthread>(
            [this, root](const std::stop_token& stop) { collect_and_release_state(stop, root); });
    } catch (...) {
        kept_alive_.reset();
        running_ = false;  // no thread or no memory: the next publish tries again
    }
}

void BackgroundCollector::collect_and_release_state(const std::stop_token& stop,
                                                    const protocol::RootRef& root) noexcept {
    collect_once(stop, root);
    // If a callback has closed the cache, this is the last reference to its state, which owns this
    // object. So take it out of the object first, and touch no member after `running_`: `last` goes
    // at the end of this scope, and `this` with it.
    const auto last = std::move(kept_alive_);
    running_ = false;
}

void BackgroundCollector::collect_once(const std::stop_token& stop,
                                       const protocol::RootRef& root) const noexcept {
    const InCollectionOf running(this);
    try {
        // First set the time of the locks' file. is_due of other processes reads it, and so they
        // begin no collection of their own.
        (void)os::touch_at(root->dirs().root, format::locks_name);
        std::stop_source enough;
        const auto end = Clock::now() + options_.at_most;
        CollectOptions how{.threads = options_.threads,
                           .on_evict = options_.on_evict,
                           .stop = enough.get_token(),
                           .count_freed = options_.count_freed,
                           .grace = options_.grace};
        how.settle =
            options_.settle && protocol::is_settle_due(*root, settle_interval).value_or(false);
        // A collection reports its progress again and again, so this is where it is stopped.
        how.on_progress = [&](const CollectProgress& progress) {
            if (must_end(stop, end)) enough.request_stop();
            // The threads that delete files report progress, too.
            const InCollectionOf calling(this);
            if (options_.on_progress) options_.on_progress(progress);
        };
        const auto report = collect_(root, how);
        if (options_.on_done) options_.on_done(report);
    } catch (...) {
        // Memory has run out, or a callback has thrown, and there is no caller to pass that on to.
        // Keep what was done. The next collection does the rest.
    }
}

bool BackgroundCollector::must_end(const std::stop_token& stop, Clock::time_point end) const {
    return stop.stop_requested() || stopped_ || options_.stop.stop_requested() ||
           Clock::now() >= end;
}

bool BackgroundCollector::is_due(const cache::Root& root) const {
    if (root.is_read_only()) return false;
    // A collection sets the time of this file when it begins: see collect_once.
    const auto lock_file = os::stat_at(root.dirs().root, format::locks_name);
    if (!lock_file) return false;
    const auto now = os::wall_time();
    const auto last = lock_file->modified.to_clock();
    // A time that lies further than that in the future comes from a wrong clock, and must not hold
    // off collections until then.
    return base::age(last, now) >= options_.every || base::age(now, last) >= options_.every;
}

}  // namespace larder::policy
