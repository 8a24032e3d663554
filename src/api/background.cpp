#include <api/background.hpp>

#include <signal.h>

#include <algorithm>
#include <layout/layout.hpp>
#include <os/process.hpp>
#include <steps/evict.hpp>
#include <system_error>

namespace larder::detail {

namespace {

/// A process looks whether a collection is due so often at most. Arbitrary: rarely enough to cost nothing.
constexpr std::chrono::minutes look_interval{1};

}  // namespace

Background::Background(CollectOptions limits, BackgroundOptions options)
    : limits_(std::move(limits)), options_(std::move(options)), owner_(os::process_token()) {}

Background::~Background() {
    // The parent's thread does not run in a forked child, and nobody may wait for it there.
    if (owner_ != os::process_token() && thread_.joinable()) thread_.detach();
}

void Background::after_publish(const steps::RootRef& root, const root::WaitLimits& waits) noexcept {
    const auto now = Clock::now().time_since_epoch().count();
    auto due = next_look_.load(std::memory_order_relaxed);
    const auto wait = std::chrono::duration_cast<Clock::duration>(std::min<std::chrono::seconds>(options_.every, look_interval)).count();
    // A forked child inherits the mutex in whatever state: it takes no part.
    if (now < due || owner_ != os::process_token() || !next_look_.compare_exchange_strong(due, now + wait)) return;
    const std::unique_lock looking(mutex_, std::try_to_lock);
    if (!looking || !is_due(*root)) return;
    try {
        start(root, waits);
    } catch (const std::exception&) {
        // No memory to be had: the next one that is due.
    }
}

void Background::start(const steps::RootRef& root, const root::WaitLimits& waits) {
    if (running_.exchange(true)) return;
    if (thread_.joinable()) thread_.join();  // it has ended
    // Signals are for the program's own threads: a new one inherits the mask.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    struct Restore {
        const sigset_t& mask;
        ~Restore() { ::pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
    } const restore{before};
    try {
        thread_ = std::jthread([this, root, waits](const std::stop_token& stop) {
            run(stop, root, waits);
            running_ = false;
        });
    } catch (const std::system_error&) {
        running_ = false;
    }
}

void Background::run(const std::stop_token& stop, const steps::RootRef& root, const root::WaitLimits& waits) const {
    // Others are to see that somebody is at it: so the time is set first. Nobody opens a lock's file for that.
    (void)os::touch_at(root->dirs().locks, layout::collector_lock_name);
    CollectOptions limits = limits_;
    std::stop_source enough;
    limits.stop = enough.get_token();
    const auto end = Clock::now() + options_.at_most;
    limits.on_progress = [&](const CollectProgress&) {
        if (stop.stop_requested() || Clock::now() >= end) enough.request_stop();
    };
    try {
        const auto report = steps::collect_within_limits(root, limits, waits);
        if (options_.on_done) options_.on_done(report);
    } catch (const std::exception&) {
        // Memory has run out: what was done is done, and the rest is the next collection's.
    }
}

bool Background::is_due(const root::Root& root) const {
    if (root.is_read_only()) return false;
    const auto last = os::stat_at(root.dirs().locks, layout::collector_lock_name);
    if (!last) return false;
    const auto age = std::chrono::system_clock::now() - os::modified(*last);
    return age >= options_.every || age <= -options_.every;  // a time of the future is a clock's that was wrong
}

}  // namespace larder::detail
