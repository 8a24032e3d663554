#include "wait_notice.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

#include "text.hpp"

namespace cachetool {
namespace {

/// The holder of the lock that this process waits for, by what the participants' headers tell.
std::optional<std::string> holder_of_wanted_lock(const larder::Cache& cache) {
    const auto status = cache.status();
    if (!status) return std::nullopt;
    for (const auto& wanted : status->locks) {
        if (!wanted.waiting || !wanted.process.here || wanted.process.pid != ::getpid()) continue;
        for (const auto& held : status->locks) {
            if (held.waiting || held.what != wanted.what) continue;
            return fmt::format("process {} ({}), which has been at it for {}", held.process.pid, held.process.command,
                               shown_age(held.since));
        }
    }
    return std::nullopt;
}

std::string holder(const larder::Cache& cache) { return holder_of_wanted_lock(cache).value_or("another process"); }

/// Signals are for the main thread: it waits for the child, and a handler of its own may run.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace

WaitNotice::WaitNotice(const larder::Cache& cache, const Output& output, std::string waiting_for, Limit limit) {
    const SignalsBlocked blocked;  // a thread inherits the mask
    thread_ = std::jthread([this, &cache, &output, what = std::move(waiting_for), limit](const std::stop_token& over) {
        watch(over, cache, output, what, limit);
    });
}

void WaitNotice::end() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void WaitNotice::watch(const std::stop_token& over, const larder::Cache& cache, const Output& output,
                       const std::string& waiting_for, const Limit& limit) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    std::mutex mutex;
    std::condition_variable_any condition;
    const auto over_before = [&](Clock::time_point time) {
        std::unique_lock lock(mutex);
        return condition.wait_until(lock, over, time, [] { return false; }) || over.stop_requested();
    };

    constexpr auto patience = std::chrono::seconds(1);  // arbitrary: when a person begins to wonder
    if (!limit.limit || *limit.limit > patience) {
        if (over_before(begin + patience)) return;
        output.say(fmt::format("{}: waiting for {}", waiting_for, holder(cache)));
    }
    if (!limit.limit || over_before(begin + *limit.limit)) return;
    gave_up_on_ = holder(cache);
    std::stop_source(limit.give_up).request_stop();
}

}  // namespace cachetool
