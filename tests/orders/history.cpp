// SPDX-License-Identifier: MIT
#include "history.hpp"

#include <algorithm>

namespace larder::testing {

namespace {

bool needs_collectors_lock(Operation operation) {
    return operation == Operation::collect || operation == Operation::evict ||
           operation == Operation::verify;
}

bool came_before(const Event& one, const Event& other) { return one.ended < other.begun; }

bool was_concurrent(const Event& one, const Event& other) {
    return !came_before(one, other) && !came_before(other, one);
}

/// Does `event` to the key, if that gives the result it gave.
bool apply(const Event& event, std::string& key) {
    switch (event.operation) {
        case Operation::get:
            return event.result == (key.empty() ? "miss" : key);
        case Operation::put:
            key = event.value;
            return event.result == "ok";
        case Operation::remove: {
            const std::string result = key.empty() ? "miss" : "ok";
            key.clear();
            return event.result == result;
        }
        case Operation::refresh:
            key.clear();
            return event.result == "ok";
        case Operation::collect:
            return event.result == "ok" || event.result == "busy";
        case Operation::evict:  // or not: what is used is spared
            return event.result == "ok" || event.result == "busy";
        case Operation::adopt:
            return event.result == "ok";
        case Operation::verify:
            return event.result == "sound" || event.result == "busy";
    }
    return false;
}

bool has_order(const std::vector<Event>& left, const std::string& key, const std::string& last) {
    if (left.empty()) return key == last;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const auto may_be_next = [&](const Event& other) { return !came_before(other, left[i]); };
        if (!std::all_of(left.begin(), left.end(), may_be_next)) continue;
        std::string after = key;
        if (!apply(left[i], after)) continue;
        auto rest = left;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
        if (has_order(rest, after, last)) return true;
        if (left[i].operation == Operation::evict && left[i].result == "ok" &&
            has_order(rest, {}, last))
            return true;
    }
    return false;
}

}  // namespace

std::string name_of(Operation operation) {
    switch (operation) {
        case Operation::get:
            return "get";
        case Operation::put:
            return "put";
        case Operation::remove:
            return "remove";
        case Operation::refresh:
            return "refresh";
        case Operation::collect:
            return "collect";
        case Operation::evict:
            return "evict";
        case Operation::adopt:
            return "adopt";
        case Operation::verify:
            return "verify";
    }
    return "";
}

std::string judge(const std::vector<Event>& history, const std::string& first,
                  const std::string& last) {
    for (const Event& event : history) {
        const auto gave_way_to = [&](const Event& other) {
            return other.process != event.process && needs_collectors_lock(other.operation) &&
                   was_concurrent(event, other);
        };
        if (event.result == "busy" && std::none_of(history.begin(), history.end(), gave_way_to))
            return "busy, and nobody was at it";
    }
    if (has_order(history, first, last)) return {};
    return "not linearizable: no order of the operations has these results, and leaves " +
           (last.empty() ? "nothing" : last);
}

std::string describe(const std::vector<Event>& history) {
    std::string text;
    for (const Event& event : history) {
        text += "  " + std::string(event.process == 0 ? "A" : "B") + " " +
                name_of(event.operation) + " " + event.value + " [" + std::to_string(event.begun) +
                ", " + std::to_string(event.ended) + "]: " + event.result + "\n";
    }
    return text;
}

}  // namespace larder::testing
