// SPDX-License-Identifier: MIT
#include "stress/judge/stops.hpp"

#include <algorithm>

namespace larder::stress {

namespace {

constexpr std::uint32_t all_processes = 0;

void add_part(const Interval& part, const Interval& within, std::vector<Interval>& parts) {
    if (part.from < within.to && part.to > within.from)
        parts.push_back({std::max(part.from, within.from), std::min(part.to, within.to)});
}

void collect(const ProcessLife& life, const Interval& within, std::vector<Interval>& parts) {
    for (const auto& stop : life.stopped) add_part(stop, within, parts);
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

Time others_held_within(const ProcessIncidents& incidents, std::uint32_t process,
                        const Interval& within) {
    std::vector<Interval> parts;
    for (const auto& [number, life] : incidents.lives()) {
        if (number == process) continue;
        collect(life, within, parts);
        // A signal kills at once, but the kernel may take seconds to end the process on a machine
        // with too much to do. Only then are its locks free.
        add_part({life.killed, life.ended}, within, parts);
    }
    return length_of_union(std::move(parts));
}

}  // namespace larder::stress
