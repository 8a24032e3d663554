// SPDX-License-Identifier: MIT
#include "stress/judge/timeline.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "stress/history/text.hpp"

namespace larder::stress {

namespace {

/// Returns what happened to the whole machine, or to a process of these operations, while they
/// lasted; and the end of each process that did not live to end its operation.
std::vector<ProcessIncident> incidents_of(const std::vector<Operation>& operations,
                                          const ProcessIncidents& incidents, Time from, Time to) {
    std::set<std::uint32_t> processes{0}, unfinished;
    for (const auto& operation : operations) {
        processes.insert(operation.process);
        if (!operation.finished) unfinished.insert(operation.process);
    }
    std::vector<ProcessIncident> found;
    for (const auto& incident : incidents.all()) {
        const bool ends = incident.kind == EventKind::killed || incident.kind == EventKind::ended;
        const bool meanwhile =
            incident.time >= from && incident.time <= to && incident.kind != EventKind::born;
        if ((meanwhile && processes.contains(incident.process)) ||
            (ends && unfinished.contains(incident.process)))
            found.push_back(incident);
    }
    return found;
}

std::string label(const Operation& operation) {
    auto end = begin_of(operation);
    end.phase = EventPhase::end;
    end.outcome = operation.outcome;
    end.version = operation.version;
    const auto text = text_of(end);  // "TIME WHO end KIND …"
    const auto who = text.find(' ') + 1, phase = text.find(' ', who);
    return text.substr(who, phase - who) + text.substr(phase + 4);
}

}  // namespace

std::string timeline(const std::vector<Operation>& operations, const ProcessIncidents& incidents) {
    if (operations.empty()) return {};
    Time from = never, to = 0;
    std::set<Time> times;
    for (const auto& operation : operations) {
        for (const auto& event : events_of(operation)) {
            times.insert(event.time);
            from = std::min(from, event.time);
            to = std::max(to, event.time);
        }
        if (operation.end != never) times.insert(operation.end);
    }
    const auto meanwhile = incidents_of(operations, incidents, from, to);
    const std::vector<Time> columns(times.begin(), times.end());
    constexpr std::size_t width = 4;  // of a column
    const auto column_of = [&](Time time) {
        return width *
               static_cast<std::size_t>(std::lower_bound(columns.begin(), columns.end(), time) -
                                        columns.begin());
    };
    std::size_t widest = 0;
    for (const auto& operation : operations) widest = std::max(widest, label(operation).size());
    std::string text;
    for (const auto& operation : operations) {
        const auto begin = column_of(operation.begin);
        const auto end = operation.end == never ? width * columns.size() : column_of(operation.end);
        std::string bar(end + 1, ' ');
        std::fill(bar.begin() + static_cast<std::ptrdiff_t>(begin), bar.end(),
                  operation.outcome == OpOutcome::unclear ? '.' : '-');
        bar[begin] = '|';
        if (operation.middle != 0) bar[column_of(operation.middle)] = '+';
        bar[end] = operation.finished ? '|' : '?';
        text += fmt::format("# {:<{}}  {}\n", label(operation), widest, bar);
    }
    return text + text_of(operations, meanwhile, from > 0 ? from - 1 : 0);
}

}  // namespace larder::stress
