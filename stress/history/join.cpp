// SPDX-License-Identifier: MIT
#include "stress/history/join.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "stress/history/text.hpp"

namespace larder::stress {

namespace {

tl::unexpected<std::string> wrong(const LogEvent& event, const char* what) {
    return tl::make_unexpected(fmt::format("{}: \"{}\"", what, text_of(event)));
}

bool has_version(EventKind kind) {
    return kind == EventKind::put || kind == EventKind::get || kind == EventKind::build ||
           kind == EventKind::use;
}
/// The key of a refresh has no meaning.
std::uint32_t key_of(const LogEvent& event) { return names_a_key(event.kind) ? event.key : 0; }
bool writes(EventKind kind) { return kind == EventKind::put || kind == EventKind::build; }

bool is_known(const LogEvent& event) {
    if (name_of(event.kind).empty() || name_of(event.phase).empty() ||
        name_of(event.outcome).empty())
        return false;
    return is_instant(event.kind) == (event.phase == EventPhase::instant) &&
           (event.phase == EventPhase::end) == (event.outcome != OpOutcome::none);
}

}  // namespace

void ProcessIncidents::complete() {
    std::stable_sort(all_.begin(), all_.end(),
                     [](const auto& a, const auto& b) { return a.time < b.time; });
    const auto resume = [](ProcessLife& life, Time time) {
        if (!life.stopped.empty() && life.stopped.back().to == never) life.stopped.back().to = time;
    };
    for (const auto& incident : all_) {
        ProcessLife& life = lives_[incident.process];
        switch (incident.kind) {
            case EventKind::born:
                life.born = incident.time;
                break;
            case EventKind::stopped:
                if (life.stopped.empty() || life.stopped.back().to != never)
                    life.stopped.push_back({incident.time, never});
                break;
            case EventKind::killed:
                life.killed = std::min(life.killed, incident.time);
                resume(life, incident.time);
                break;
            case EventKind::ended:
                life.ended = std::min(life.ended, incident.time);
                resume(life, incident.time);
                break;
            default:
                resume(life, incident.time);
                break;
        }
    }
}

const ProcessLife& ProcessIncidents::of(std::uint32_t process) const noexcept {
    static const ProcessLife endless;
    const auto found = lives_.find(process);
    return found == lives_.end() ? endless : found->second;
}

std::size_t EventJoiner::Hash::operator()(const OpId& who) const noexcept {
    const std::uint64_t packed =
        (std::uint64_t{who.process} << 32 | who.operation) ^ std::uint64_t{who.thread} << 48;
    return static_cast<std::size_t>(packed * 0x9e37'79b9'7f4a'7c15U >> 7);
}

tl::expected<void, std::string> EventJoiner::add(const LogEvent& event) {
    if (!is_known(event)) return wrong(event, "no harness writes such an event");
    history_.last = std::max(history_.last, event.time);
    if (event.phase == EventPhase::begin) return begin(event);
    if (event.phase != EventPhase::instant) return go_on(event);
    if (event.detail > std::numeric_limits<std::uint32_t>::max())
        return wrong(event, "no process has this number");
    history_.incidents.add({event.time, event.kind, static_cast<std::uint32_t>(event.detail)});
    return {};
}

tl::expected<void, std::string> EventJoiner::begin(const LogEvent& event) {
    if (writes(event.kind) && event.version == 0)
        return wrong(event, "it is to write a version but does not say which");
    const auto place = history_.operations.size();
    if (place >= std::numeric_limits<std::uint32_t>::max())
        return tl::make_unexpected("a history may have at most four billion operations");
    if (event.kind == EventKind::restart &&
        !history_.restarted.emplace(event.process, event.bucket).second)
        return wrong(event, "this process has been restarted already");
    if (!open_
             .emplace(OpId{event.process, event.operation, event.thread},
                      static_cast<std::uint32_t>(place))
             .second) {
        return wrong(event, "this operation has begun already");
    }
    Operation operation;
    operation.begin = event.time;
    operation.version = operation.intended = event.version;
    operation.process = event.process;
    operation.operation = event.operation;
    operation.bucket = event.bucket;
    operation.key = key_of(event);
    operation.thread = event.thread;
    operation.kind = event.kind;
    operation.for_power = event.for_power;
    history_.operations.push_back(operation);
    return {};
}

tl::expected<void, std::string> EventJoiner::go_on(const LogEvent& event) {
    const auto found = open_.find(OpId{event.process, event.operation, event.thread});
    if (found == open_.end())
        return wrong(event, "this operation has no begin, or has ended already");
    Operation& operation = history_.operations[found->second];
    if (operation.kind != event.kind || operation.bucket != event.bucket ||
        operation.key != key_of(event)) {
        return wrong(event, "its kind, bucket or key differs from that of its begin");
    }
    if (event.time < std::max(operation.begin, operation.middle))
        return wrong(event, "its time is before its begin");
    if (event.phase == EventPhase::middle) {
        if (operation.middle != 0) return wrong(event, "this operation has a middle already");
        operation.middle = event.time;
        return {};
    }
    operation.end = event.time;
    operation.finished = true;
    operation.outcome = event.outcome;
    operation.detail = static_cast<std::uint16_t>(
        std::min<std::uint64_t>(event.detail, std::numeric_limits<std::uint16_t>::max()));
    if (event.version != 0) operation.version = event.version;
    if (event.outcome == OpOutcome::ok && has_version(event.kind) && operation.version == 0) {
        return wrong(event, "it was read or written, but the version is missing");
    }
    open_.erase(found);
    return {};
}

tl::expected<History, std::string> EventJoiner::finish() {
    history_.incidents.complete();
    for (auto& operation : history_.operations) {
        const Time ended = history_.incidents.of(operation.process).ended;
        if (!operation.finished) operation.end = ended;
        if (operation.begin > ended || (operation.finished && operation.end > ended)) {
            return tl::make_unexpected(
                fmt::format("process {} ended at {}, but goes on after that: \"{}\"",
                            operation.process, ended, text_of(begin_of(operation))));
        }
    }
    return std::move(history_);
}

}  // namespace larder::stress
