// Tells a person why nothing happens.
#pragma once

#include <chrono>
#include <larder/cache.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "output.hpp"

namespace cachetool {

/// While it lives it watches this process from a thread of its own. When the process has waited for others for about a
/// second, it says on stderr for whom; when it has waited for `limit`, it asks `give_up` to stop.
/// Requires: the cache outlives it; one at a time.
class WaitNotice {
public:
    struct Limit {
        std::optional<std::chrono::milliseconds> limit;
        std::stop_source give_up{std::nostopstate};
    };

    WaitNotice(const larder::Cache& cache, const Output& output, std::string waiting_for, Limit limit);
    WaitNotice(const larder::Cache& cache, const Output& output, std::string waiting_for)
        : WaitNotice(cache, output, std::move(waiting_for), Limit{}) {}

    /// The wait is over. Returns when the thread has ended.
    void end();

    /// Whom this process was waiting for when the limit passed; call after end().
    [[nodiscard]] const std::optional<std::string>& gave_up_on() const { return gave_up_on_; }

private:
    void watch(const std::stop_token& over, const larder::Cache& cache, const Output& output, const std::string& waiting_for,
               const Limit& limit);

    std::optional<std::string> gave_up_on_;
    std::jthread thread_;  // last: it uses what is above
};

}  // namespace cachetool
