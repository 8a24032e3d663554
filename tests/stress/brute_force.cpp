// SPDX-License-Identifier: MIT
// Compares the judge with a search of all orders, on thousands of small random histories of one
// key. The seeds are fixed.

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "stress/history/text.hpp"
#include "stress/judge/judge.hpp"

using namespace larder::stress;

namespace {

/// Something that takes effect at one instant, in terms of the register itself: it holds a version,
/// or 0 if it is empty.
struct RegisterAtom {
    Time from, to;
    EventKind kind;   // put writes, get reads, remove finds something and empties, refresh empties
    Version version;  // 0 for a get that misses
    bool may_be_left_out;
};

std::vector<RegisterAtom> atoms_of(const Operation& operation) {
    const auto& [begin, middle, end, version, intended] = std::tie(
        operation.begin, operation.middle, operation.end, operation.version, operation.intended);
    const bool ok = operation.outcome == OpOutcome::ok,
               unclear = operation.outcome == OpOutcome::unclear;
    switch (operation.kind) {
        case EventKind::put:
            if (ok || unclear) return {{begin, end, EventKind::put, intended, unclear}};
            return {};
        case EventKind::get:
            if (ok) return {{begin, end, EventKind::get, version, false}};
            if (operation.outcome == OpOutcome::miss)
                return {{begin, end, EventKind::get, 0, false}};
            return {};
        case EventKind::build:
            if (middle == 0) {
                if (ok) return {{begin, end, EventKind::get, version, false}};
                return {};
            }
            if (ok || unclear)
                return {{begin, middle, EventKind::get, 0, false},
                        {middle + 1, end, EventKind::put, intended, unclear}};
            return {{begin, middle, EventKind::get, 0, false}};
        case EventKind::remove:
            if (ok || unclear) return {{begin, end, EventKind::remove, 0, unclear}};
            if (operation.outcome == OpOutcome::miss)
                return {{begin, end, EventKind::get, 0, false}};
            return {};
        default:
            if (ok || unclear) return {{begin, end, EventKind::refresh, 0, unclear}};
            return {};
    }
}

/// Tries all orders, with and without what may be left out.
bool has_order(std::vector<RegisterAtom>& left, Version state, Time latest_begin) {
    if (std::all_of(left.begin(), left.end(),
                    [](const RegisterAtom& atom) { return atom.may_be_left_out; }))
        return true;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const RegisterAtom atom = left[i];
        if (atom.to < latest_begin) continue;  // an atom that began after its end comes before it
        if (atom.kind == EventKind::get && atom.version != state) continue;
        if (atom.kind == EventKind::remove && state == 0) continue;
        const Version next = atom.kind == EventKind::get   ? state
                             : atom.kind == EventKind::put ? atom.version
                                                           : 0;
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
        const bool found = has_order(left, next, std::max(latest_begin, atom.from));
        left.insert(left.begin() + static_cast<std::ptrdiff_t>(i), atom);
        if (found) return true;
    }
    return false;
}

bool has_order(const History& history) {
    std::vector<RegisterAtom> atoms;
    for (const auto& operation : history.operations) {
        for (const auto& atom : atoms_of(operation)) atoms.push_back(atom);
    }
    return has_order(atoms, 0, 0);
}

bool is_found_in_order(const JudgeVerdict& verdict) {
    using FoundKind = Violation::Kind;
    const auto found = [&](FoundKind kind) {
        return verdict.found[static_cast<std::size_t>(kind)];
    };
    return found(FoundKind::foreign) + found(FoundKind::lost) + found(FoundKind::stale) +
               found(FoundKind::disorder) ==
           0;
}

class RandomDraws {
public:
    explicit RandomDraws(std::uint32_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool once_in(std::uint64_t times) { return below(times) == 0; }

private:
    std::mt19937 engine_;
};

EventKind random_kind(RandomDraws& random) {
    constexpr EventKind kinds[] = {EventKind::put,    EventKind::put,     EventKind::put,
                                   EventKind::get,    EventKind::get,     EventKind::remove,
                                   EventKind::remove, EventKind::refresh, EventKind::build};
    return kinds[random.below(std::size(kinds))];
}

Operation operation_at(RandomDraws& random, std::size_t number, Time instant) {
    Operation operation;
    operation.kind = random_kind(random);
    operation.process = static_cast<std::uint32_t>(number);
    operation.operation = 1;
    operation.finished = true;
    operation.begin = instant - 1 - random.below(30);
    operation.end = instant + 2 + random.below(30);
    if (operation.kind == EventKind::put || operation.kind == EventKind::build)
        operation.intended = operation.version = number;
    return operation;
}

/// Does the operation to the register at `instant`, and sets its outcome.
void perform(RandomDraws& random, Operation& operation, Version& state, Time instant) {
    const bool unclear = random.once_in(5);
    const bool happens = !unclear || random.once_in(2);
    operation.outcome = unclear ? OpOutcome::unclear : OpOutcome::ok;
    switch (operation.kind) {
        case EventKind::put:
            if (happens) state = operation.intended;
            break;
        case EventKind::get:
            operation.version = state;
            operation.outcome = state == 0 ? OpOutcome::miss : OpOutcome::ok;
            break;
        case EventKind::build:
            if (state != 0) {
                operation.version = state;
                operation.outcome = OpOutcome::ok;
            } else {
                operation.middle = instant;
                if (happens) state = operation.intended;
            }
            break;
        case EventKind::remove:
            if (!unclear && state == 0) operation.outcome = OpOutcome::miss;
            if (happens) state = 0;
            break;
        default:
            if (happens) state = 0;
            break;
    }
}

/// Returns a history that has an order, because it is made by doing one operation after the other.
History simulated(RandomDraws& random) {
    History history;
    Version state = 0;
    const std::size_t count = 1 + random.below(7);
    Time instant = 100;
    for (std::size_t number = 1; number <= count; ++number) {
        instant += 2 * random.below(12);
        history.operations.push_back(operation_at(random, number, instant));
        perform(random, history.operations.back(), state, instant);
    }
    history.last = 1000;
    return history;
}

/// Changes one thing in a history.
void spoil(RandomDraws& random, History& history) {
    auto& operation = history.operations[random.below(history.operations.size())];
    switch (random.below(4)) {
        case 0:  // another outcome
            if (operation.kind == EventKind::get || operation.kind == EventKind::remove) {
                operation.outcome =
                    operation.outcome == OpOutcome::miss ? OpOutcome::ok : OpOutcome::miss;
                if (operation.kind == EventKind::get)
                    operation.version =
                        operation.outcome == OpOutcome::ok ? 1 + random.below(7) : 0;
            } else {
                operation.outcome =
                    operation.outcome == OpOutcome::unclear ? OpOutcome::ok : OpOutcome::failed;
            }
            break;
        case 1:  // another version
            if (operation.kind == EventKind::get && operation.outcome == OpOutcome::ok)
                operation.version = 1 + random.below(7);
            break;
        case 2:  // later
        {
            const Time later = 2 * random.below(40);
            operation.begin += later;
            operation.end += later;
            if (operation.middle != 0) operation.middle += later;
            break;
        }
        default:  // shorter
            operation.begin += (operation.end - operation.begin) / 2;
            if (operation.middle != 0)
                operation.begin = std::min(operation.begin, operation.middle);
            break;
    }
}

/// Returns a history of arbitrary operations, outcomes and times.
History arbitrary(RandomDraws& random) {
    History history;
    const std::size_t count = 2 + random.below(6);
    for (std::size_t number = 1; number <= count; ++number) {
        auto operation = operation_at(random, number, 100 + 2 * random.below(50));
        const bool unclear = random.once_in(6);
        operation.outcome = unclear ? OpOutcome::unclear : OpOutcome::ok;
        if (operation.kind == EventKind::build && random.once_in(2))
            operation.middle = operation.begin + 1;
        if (operation.kind == EventKind::get ||
            (operation.kind == EventKind::build && operation.middle == 0)) {
            operation.version = 1 + random.below(count);
            if (operation.kind == EventKind::get && random.once_in(3))
                operation.outcome = OpOutcome::miss;
        }
        if (operation.kind == EventKind::remove && random.once_in(3))
            operation.outcome = OpOutcome::miss;
        history.operations.push_back(operation);
    }
    history.last = 1000;
    return history;
}

struct OrderTally {
    std::size_t with = 0, without = 0;

    void compare(const History& history) {
        const bool order = has_order(history);
        ++(order ? with : without);
        const auto verdict = judge(history);
        if (is_found_in_order(verdict) != order) {
            UNSCOPED_INFO(text_of(history.operations, {}));
            FAIL("the search says " << (order ? "sound" : "unsound") << ", the judge the opposite");
        }
        if (!order) check_explanation(verdict);
    }

    /// Checks that each explanation, judged by itself, is a violation.
    static void check_explanation(const JudgeVerdict& verdict) {
        for (const auto& violation : verdict.violations) {
            const auto again = parse_text(violation.timeline, "timeline");
            if (!again) FAIL(again.error().message() << '\n' << violation.timeline);
            if (judge(*again).sound())
                FAIL("the judge accepts its own explanation:\n"
                     << violation.explanation << '\n'
                     << violation.timeline);
        }
    }
};

}  // namespace

TEST_CASE("a history that was made in an order has one") {
    RandomDraws random(1);
    for (int i = 0; i < 100'000; ++i) {
        const auto history = simulated(random);
        INFO(text_of(history.operations, {}));
        REQUIRE(has_order(history));
        REQUIRE(is_found_in_order(judge(history)));
    }
}

TEST_CASE("the judge agrees with a search of all orders: histories with something changed") {
    RandomDraws random(2);
    OrderTally tally;
    for (int i = 0; i < 100'000; ++i) {
        auto history = simulated(random);
        spoil(random, history);
        if (random.once_in(2)) spoil(random, history);
        tally.compare(history);
    }
    CHECK(tally.with > 20'000);
    CHECK(tally.without > 10'000);
}

TEST_CASE("the judge agrees with a search of all orders: arbitrary histories") {
    RandomDraws random(3);
    OrderTally tally;
    for (int i = 0; i < 100'000; ++i) tally.compare(arbitrary(random));
    CHECK(tally.with > 20'000);
    CHECK(tally.without > 10'000);
}
