// SPDX-License-Identifier: MIT
#include "history.hpp"

#include <algorithm>

namespace larder::testing {

namespace {

bool needs_collectors_lock(Op operation) {
    return operation == Op::collect || operation == Op::evict || operation == Op::verify;
}

bool came_before(const TimedOp& one, const TimedOp& other) { return one.ended < other.begun; }

bool was_concurrent(const TimedOp& one, const TimedOp& other) {
    return !came_before(one, other) && !came_before(other, one);
}

/// Does the operation to the key. Returns whether that gives the result which it gave.
bool apply(const TimedOp& event, std::string& key) {
    switch (event.operation) {
        case Op::get:
            return event.result == (key.empty() ? "miss" : key);
        case Op::put:
            key = event.value;
            return event.result == "ok";
        case Op::remove: {
            const std::string result = key.empty() ? "miss" : "ok";
            key.clear();
            return event.result == result;
        }
        case Op::refresh:
            key.clear();
            return event.result == "ok";
        case Op::collect:
            return event.result == "ok" || event.result == "busy";
        case Op::evict:  // has_order also tries that it empties the key
            return event.result == "ok" || event.result == "busy";
        case Op::adopt:
            return event.result == "ok";
        case Op::verify:
            return event.result == "sound" || event.result == "busy";
        case Op::claim:
            return event.result == "busy" || event.result == (key.empty() ? "claimed" : key);
        case Op::build:
            if (event.result == "ok") key = event.value;
            return event.result == "ok" || event.result == "none";
    }
    return false;
}

bool has_order(const std::vector<TimedOp>& left, const std::string& key, const std::string& last) {
    if (left.empty()) return key == last;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const auto may_be_next = [&](const TimedOp& other) { return !came_before(other, left[i]); };
        if (!std::all_of(left.begin(), left.end(), may_be_next)) continue;
        std::string after = key;
        if (!apply(left[i], after)) continue;
        auto rest = left;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
        if (has_order(rest, after, last)) return true;
        if (left[i].operation == Op::evict && left[i].result == "ok" && has_order(rest, {}, last))
            return true;
    }
    return false;
}

/// From the beginning of a claim to the end of its build.
struct Claiming {
    int process;
    unsigned begun, ended;  // while it may have the lock
    unsigned certain_from;  // it surely has the lock from here to certain_to: from the end of the
    unsigned certain_to;    // claim to the beginning of the build; nothing if it claimed nothing
};

std::vector<Claiming> claims_of(const std::vector<TimedOp>& history) {
    std::vector<Claiming> claims;
    for (const TimedOp& claim : history) {
        if (claim.operation != Op::claim) continue;
        Claiming claiming{claim.process, claim.begun, claim.ended, 0, 0};
        if (claim.result == "claimed") {
            for (const TimedOp& build : history) {
                const bool is_of_it = build.process == claim.process &&
                                      build.operation == Op::build && build.begun > claim.ended;
                if (is_of_it)
                    claiming = {claim.process, claim.begun, build.ended, claim.ended, build.begun};
            }
        }
        claims.push_back(claiming);
    }
    return claims;
}

/// Returns what is wrong with the claims, apart from what they have got; an empty string if nothing
/// is.
std::string judge_claims(const std::vector<TimedOp>& history) {
    const auto claims = claims_of(history);
    for (const Claiming& one : claims) {
        for (const Claiming& other : claims) {
            if (one.process != other.process && one.certain_from < other.certain_to &&
                other.certain_from < one.certain_to)
                return "both processes have claimed the key at one time";
        }
    }
    for (const TimedOp& event : history) {
        const auto gave_way_to = [&](const Claiming& other) {
            return other.process != event.process && other.begun <= event.ended &&
                   event.begun <= other.ended;
        };
        if (event.operation == Op::claim && event.result == "busy" &&
            std::none_of(claims.begin(), claims.end(), gave_way_to))
            return "busy, although no other process claimed the key";
    }
    return {};
}

}  // namespace

std::string name_of(Op operation) {
    switch (operation) {
        case Op::get:
            return "get";
        case Op::put:
            return "put";
        case Op::remove:
            return "remove";
        case Op::refresh:
            return "refresh";
        case Op::collect:
            return "collect";
        case Op::evict:
            return "evict";
        case Op::adopt:
            return "adopt";
        case Op::verify:
            return "verify";
        case Op::claim:
            return "claim";
        case Op::build:
            return "build";
    }
    return "";
}

std::string judge(const std::vector<TimedOp>& history, const std::string& first,
                  const std::string& last) {
    for (const TimedOp& event : history) {
        const auto gave_way_to = [&](const TimedOp& other) {
            return other.process != event.process && needs_collectors_lock(other.operation) &&
                   was_concurrent(event, other);
        };
        if (event.operation != Op::claim && event.result == "busy" &&
            std::none_of(history.begin(), history.end(), gave_way_to))
            return "busy, although no other process was collecting or verifying";
    }
    if (auto wrong = judge_claims(history); !wrong.empty()) return wrong;
    if (has_order(history, first, last)) return {};
    return "not linearizable: no order of the operations has these results, and leaves " +
           (last.empty() ? "nothing" : last);
}

std::string describe(const std::vector<TimedOp>& history) {
    std::string text;
    for (const TimedOp& event : history) {
        text += "  " + std::string(event.process == 0 ? "A" : "B") + " " +
                name_of(event.operation) + " " + event.value + " [" + std::to_string(event.begun) +
                ", " + std::to_string(event.ended) + "]: " + event.result + "\n";
    }
    return text;
}

}  // namespace larder::testing
