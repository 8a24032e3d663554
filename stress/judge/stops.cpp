// SPDX-License-Identifier: MIT
#include "stress/judge/stops.hpp"

#include <algorithm>

namespace larder::stress {

namespace {

constexpr std::uint32_t all_processes = 0;

void collect(const ProcessLife& life, const Interval& within, std::vector<Interval>& parts) {
    for (const auto& stop : life.stopped) {
        if (stop.from < within.to && stop.to > within.from)
            parts.push_back({std::max(stop.from, within.from), std::min(stop.to, within.to)});
    }
}

Time length_of_union(std::vector<Interval> parts) {
    std::sort(parts.begin(), parts.end(),
              [](const Interval& a, const Interval& b) { return a.from < b.from; });
    Time length = 0, reached = 0;
    for (const auto& part : parts) {
        const Time from = std::max(part.from, reached);
        if (part.to <= from) continue;
        length += part.to - from;
        reached = part.to;
    }
    return length;
}

}  // namespace

Time stopped_within(const ProcessIncidents& incidents, const std::vector<std::uint32_t>& processes,
                    const Interval& within) {
    std::vector<Interval> parts;
    collect(incidents.of(all_processes), within, parts);
    for (const auto process : processes) collect(incidents.of(process), within, parts);
    return length_of_union(std::move(parts));
}

Time others_stopped_within(const ProcessIncidents& incidents, std::uint32_t process,
                           const Interval& within) {
    std::vector<Interval> parts;
    for (const auto& [number, life] : incidents.lives()) {
        if (number != process) collect(life, within, parts);
    }
    return length_of_union(std::move(parts));
}

}  // namespace larder::stress
