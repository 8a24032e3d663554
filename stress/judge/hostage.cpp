// SPDX-License-Identifier: MIT
// Nobody is held up by the dead, and readers, refreshes and collections by nobody at all.

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "stress/history/text.hpp"
#include "stress/judge/checks.hpp"
#include "stress/judge/stops.hpp"

namespace larder::stress {

namespace {

class HostageCheck {
public:
    explicit HostageCheck(const Scene& scene) : scene_(scene) {}

    void run() {
        for (const auto& operation : scene_.history.operations) {
            if (const auto limit = limit_of(operation.kind)) check_time(operation, *limit);
            if (operation.outcome == Outcome::busy) check_busy(operation);
        }
    }

private:
    static constexpr auto kind = Violation::Kind::hostage;

    /// Those that wait for nobody, and those whose wait has a limit. A build waits for others' builds; a verify and a list look
    /// at everything.
    [[nodiscard]] std::optional<Time> limit_of(Kind operation) const {
        const auto& options = scene_.options;
        switch (operation) {
            case Kind::get:
            case Kind::refresh:
            case Kind::collect:
                return static_cast<Time>(options.hostage_limit.count());
            case Kind::put:
            case Kind::remove:
                return static_cast<Time>((options.lock_timeout + options.hostage_limit).count());
            default:
                return std::nullopt;
        }
    }

    void check_time(const Operation& operation, Time limit) {
        ++scene_.verdict.waits;
        const auto& incidents = scene_.history.incidents;
        // One that never ended was held up for as long as its process could have gone on.
        const Time end = std::min(operation.end, scene_.history.last);
        if (end - operation.begin <= limit) return;
        const Time alive =
            std::min(end, std::max(operation.begin, incidents.of(operation.process).last()));
        const Time running =
            alive - operation.begin -
            stopped_within(incidents, {operation.process}, {operation.begin, alive});
        if (running <= limit) return;
        scene_.findings.add(
            kind,
            fmt::format("{} took {} ms in which its process ran; {} ms is the limit",
                        describe(operation), running / 1'000'000, limit / 1'000'000),
            {operation});
    }

    void check_busy(const Operation& operation) {
        switch (operation.kind) {
            case Kind::get:
            case Kind::refresh:
            case Kind::list:
                scene_.findings.add(
                    kind,
                    fmt::format("{} ended busy, and it waits for nobody", describe(operation)),
                    {operation});
                return;
            case Kind::put:
            case Kind::build:
            case Kind::remove:
                break;
            default:
                return;  // a collector was at work already
        }
        // A holder is there for an instant, unless it is stopped. Half of the time-out, where that is short: the instants of a
        // stop are known to within the noise only.
        const auto& options = scene_.options;
        const auto wanted =
            options.lock_timeout - std::min(options.noise, options.lock_timeout / 2);
        const Time stopped = others_stopped_within(scene_.history.incidents, operation.process,
                                                   {operation.begin, operation.end});
        if (stopped >= static_cast<Time>(wanted.count())) return;
        scene_.findings.add(kind,
                            fmt::format("{} ended busy, though no other process was stopped for as "
                                        "long as it waits ({} ms of {} ms)",
                                        describe(operation), stopped / 1'000'000,
                                        options.lock_timeout.count() / 1'000'000),
                            {operation});
    }

    const Scene& scene_;
};

}  // namespace

void check_hostages(const Scene& scene) { HostageCheck(scene).run(); }

}  // namespace larder::stress
