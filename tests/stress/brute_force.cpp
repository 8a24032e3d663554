// SPDX-License-Identifier: MIT
// The judge's answer, beside that of trying all orders: thousands of small histories of one key, from a fixed seed.

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

/// What takes effect at one instant, in the words of the register itself: versions, and 0 for nothing.
struct Atom {
    Time from, to;
    Kind
        kind;  // put: writes; get: reads; remove: takes something; refresh: takes whatever is there
    Version version;  // of a get: 0 for a miss
    bool may_be_left_out;
};

std::vector<Atom> atoms_of(const Operation& operation) {
    const auto& [begin, middle, end, version, intended] = std::tie(
        operation.begin, operation.middle, operation.end, operation.version, operation.intended);
    const bool ok = operation.outcome == Outcome::ok,
               unclear = operation.outcome == Outcome::unclear;
    switch (operation.kind) {
        case Kind::put:
            if (ok || unclear) return {{begin, end, Kind::put, intended, unclear}};
            return {};
        case Kind::get:
            if (ok) return {{begin, end, Kind::get, version, false}};
            if (operation.outcome == Outcome::miss) return {{begin, end, Kind::get, 0, false}};
            return {};
        case Kind::build:
            if (middle == 0) {
                if (ok) return {{begin, end, Kind::get, version, false}};
                return {};
            }
            if (ok || unclear)
                return {{begin, middle, Kind::get, 0, false},
                        {middle + 1, end, Kind::put, intended, unclear}};
            return {{begin, middle, Kind::get, 0, false}};
        case Kind::remove:
            if (ok || unclear) return {{begin, end, Kind::remove, 0, unclear}};
            if (operation.outcome == Outcome::miss) return {{begin, end, Kind::get, 0, false}};
            return {};
        default:
            if (ok || unclear) return {{begin, end, Kind::refresh, 0, unclear}};
            return {};
    }
}

/// All orders, with and without what may be left out.
bool has_order(std::vector<Atom>& left, Version state, Time latest_begin) {
    if (std::all_of(left.begin(), left.end(),
                    [](const Atom& atom) { return atom.may_be_left_out; }))
        return true;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const Atom atom = left[i];
        if (atom.to < latest_begin)
            continue;  // something that began after its end has had its turn
        if (atom.kind == Kind::get && atom.version != state) continue;
        if (atom.kind == Kind::remove && state == 0) continue;
        const Version next = atom.kind == Kind::get   ? state
                             : atom.kind == Kind::put ? atom.version
                                                      : 0;
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
        const bool found = has_order(left, next, std::max(latest_begin, atom.from));
        left.insert(left.begin() + static_cast<std::ptrdiff_t>(i), atom);
        if (found) return true;
    }
    return false;
}

bool has_order(const History& history) {
    std::vector<Atom> atoms;
    for (const auto& operation : history.operations) {
        for (const auto& atom : atoms_of(operation)) atoms.push_back(atom);
    }
    return has_order(atoms, 0, 0);
}

bool is_found_in_order(const Verdict& verdict) {
    using Kind = Violation::Kind;
    const auto found = [&](Kind kind) { return verdict.found[static_cast<std::size_t>(kind)]; };
    return found(Kind::foreign) + found(Kind::lost) + found(Kind::stale) + found(Kind::disorder) ==
           0;
}

class Random {
public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool once_in(std::uint64_t times) { return below(times) == 0; }

private:
    std::mt19937 engine_;
};

Kind random_kind(Random& random) {
    constexpr Kind kinds[] = {Kind::put,    Kind::put,    Kind::put,     Kind::get,  Kind::get,
                              Kind::remove, Kind::remove, Kind::refresh, Kind::build};
    return kinds[random.below(std::size(kinds))];
}

Operation operation_at(Random& random, std::size_t number, Time instant) {
    Operation operation;
    operation.kind = random_kind(random);
    operation.process = static_cast<std::uint32_t>(number);
    operation.operation = 1;
    operation.finished = true;
    operation.begin = instant - 1 - random.below(30);
    operation.end = instant + 2 + random.below(30);
    if (operation.kind == Kind::put || operation.kind == Kind::build)
        operation.intended = operation.version = number;
    return operation;
}

/// Does the operation to the register at `instant`, and writes down how it went.
void perform(Random& random, Operation& operation, Version& state, Time instant) {
    const bool unclear = random.once_in(5);
    const bool happens = !unclear || random.once_in(2);
    operation.outcome = unclear ? Outcome::unclear : Outcome::ok;
    switch (operation.kind) {
        case Kind::put:
            if (happens) state = operation.intended;
            break;
        case Kind::get:
            operation.version = state;
            operation.outcome = state == 0 ? Outcome::miss : Outcome::ok;
            break;
        case Kind::build:
            if (state != 0) {
                operation.version = state;
                operation.outcome = Outcome::ok;
            } else {
                operation.middle = instant;
                if (happens) state = operation.intended;
            }
            break;
        case Kind::remove:
            if (!unclear && state == 0) operation.outcome = Outcome::miss;
            if (happens) state = 0;
            break;
        default:
            if (happens) state = 0;
            break;
    }
}

/// One that has an order: it was made in it.
History simulated(Random& random) {
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

/// One thing is not what it was.
void spoil(Random& random, History& history) {
    auto& operation = history.operations[random.below(history.operations.size())];
    switch (random.below(4)) {
        case 0:  // another outcome
            if (operation.kind == Kind::get || operation.kind == Kind::remove) {
                operation.outcome =
                    operation.outcome == Outcome::miss ? Outcome::ok : Outcome::miss;
                if (operation.kind == Kind::get)
                    operation.version = operation.outcome == Outcome::ok ? 1 + random.below(7) : 0;
            } else {
                operation.outcome =
                    operation.outcome == Outcome::unclear ? Outcome::ok : Outcome::failed;
            }
            break;
        case 1:  // another version
            if (operation.kind == Kind::get && operation.outcome == Outcome::ok)
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

/// Anything at all.
History arbitrary(Random& random) {
    History history;
    const std::size_t count = 2 + random.below(6);
    for (std::size_t number = 1; number <= count; ++number) {
        auto operation = operation_at(random, number, 100 + 2 * random.below(50));
        const bool unclear = random.once_in(6);
        operation.outcome = unclear ? Outcome::unclear : Outcome::ok;
        if (operation.kind == Kind::build && random.once_in(2))
            operation.middle = operation.begin + 1;
        if (operation.kind == Kind::get ||
            (operation.kind == Kind::build && operation.middle == 0)) {
            operation.version = 1 + random.below(count);
            if (operation.kind == Kind::get && random.once_in(3)) operation.outcome = Outcome::miss;
        }
        if (operation.kind == Kind::remove && random.once_in(3)) operation.outcome = Outcome::miss;
        history.operations.push_back(operation);
    }
    history.last = 1000;
    return history;
}

struct Tally {
    std::size_t with = 0, without = 0;

    void compare(const History& history) {
        const bool order = has_order(history);
        ++(order ? with : without);
        const auto verdict = judge(history);
        if (is_found_in_order(verdict) != order) {
            UNSCOPED_INFO(text_of(history.operations, {}));
            FAIL("all orders say " << (order ? "sound" : "unsound") << ", the judge the opposite");
        }
        if (!order) check_explanation(verdict);
    }

    /// What is shown to explain a violation is one, by itself.
    static void check_explanation(const Verdict& verdict) {
        for (const auto& violation : verdict.violations) {
            const auto again = parse_text(violation.timeline, "timeline");
            if (!again) FAIL(again.error().message() << '\n' << violation.timeline);
            if (judge(*again).sound())
                FAIL("the explanation explains nothing:\n"
                     << violation.explanation << '\n'
                     << violation.timeline);
        }
    }
};

}  // namespace

TEST_CASE("what was made in an order has one") {
    Random random(1);
    for (int i = 0; i < 100'000; ++i) {
        const auto history = simulated(random);
        INFO(text_of(history.operations, {}));
        REQUIRE(has_order(history));
        REQUIRE(is_found_in_order(judge(history)));
    }
}

TEST_CASE("the judge agrees with trying all orders: histories with something changed") {
    Random random(2);
    Tally tally;
    for (int i = 0; i < 100'000; ++i) {
        auto history = simulated(random);
        spoil(random, history);
        if (random.once_in(2)) spoil(random, history);
        tally.compare(history);
    }
    CHECK(tally.with > 20'000);
    CHECK(tally.without > 10'000);
}

TEST_CASE("the judge agrees with trying all orders: any histories") {
    Random random(3);
    Tally tally;
    for (int i = 0; i < 100'000; ++i) tally.compare(arbitrary(random));
    CHECK(tally.with > 20'000);
    CHECK(tally.without > 10'000);
}
