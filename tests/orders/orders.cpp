// SPDX-License-Identifier: MIT
// Runs two processes in all orders of their steps. They are real processes on a real file system;
// between two steps each is at a point of the protocol.

#include <cstdio>
#include <cstdlib>
#include <regex>

#include "catch.hpp"
#include "explore.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

const OpProgram programs[] = {
    {"get", {Op::get}},
    {"put", {Op::put}},
    {"replace", {Op::put}, "", true},  // record, then replace
    {"remove", {Op::remove}},
    {"refresh", {Op::refresh}},
    {"collect", {Op::collect}},
    {"reap", {Op::collect}, "publish.leased"},
    {"reap a pair", {Op::collect}, "replace.written-down"},
    {"adopt", {Op::adopt}, "publish.leased"},
    {"adopt a pair", {Op::adopt}, "replace.written-down"},
    {"verify", {Op::verify}},
    {"evict", {Op::evict}},
    // What programs do: a purge, an eviction, an installer that replaces or removes the entry which
    // it uses.
    {"refresh and collect", {Op::refresh, Op::collect}},
    {"remove and collect", {Op::remove, Op::collect}},
    {"get and put", {Op::get, Op::put}},
    {"get and remove", {Op::get, Op::remove}},
    {"reap a generation", {Op::collect}, "generation.made"},  // if buckets are pointers
    {"claim", {Op::claim, Op::build}},
};

/// Returns whether $LARDER_TEST_ORDERS asks for few orders. It does if a test runs the programs in
/// one more way.
bool are_few_wanted() {
    const char* const wanted = std::getenv("LARDER_TEST_ORDERS");
    return wanted != nullptr && wanted == std::string("few");
}

/// How many orders of a pair are run.
struct OrderBound {
    /// If the pair has at most this many, all of them are, at one to three milliseconds each.
    std::uint64_t all_up_to;
    unsigned preemptions;  ///< the most in each order, if the pair has more orders
};

/// Returns the bound of a pair. The numbers of orders are arbitrary: all pairs together should take
/// a minute or two. If a process has two operations, two preemptions are what the known races of
/// the protocol need: away from the first process, and back from the other.
OrderBound bound_of(const ProgramPair& pairing) {
    if (are_few_wanted()) return {.all_up_to = 20, .preemptions = 1};
    // A put that makes the bucket does what it does for an absent key, and has some steps more.
    if (pairing.key == KeyState::unmade) return {.all_up_to = 100, .preemptions = 2};
    const bool is_short = pairing.a.operations.size() + pairing.b.operations.size() == 2;
    return {.all_up_to = 1000, .preemptions = is_short ? 3U : 2U};
}

const OpProgram& named(const std::string& name) {
    for (const OpProgram& program : programs) {
        if (program.name == name) return program;
    }
    throw std::runtime_error("there is no program " + name);
}

/// Returns the pair with each beginning that makes a difference to it.
std::vector<ProgramPair> pairings(const OpProgram& a, const OpProgram& b) {
    const bool puts = a.has(Op::put) || b.has(Op::put);
    if (b.has(Op::claim)) {
        // It is a get, and then perhaps a put. What is new is how it meets what changes the key.
        const bool is_new = a.has(Op::claim) || a.name == "put" || a.name == "remove" ||
                            a.name == "refresh" || a.name == "collect";
        if (!is_new) return {};
        return {{a, b, KeyState::absent}, {a, b, KeyState::present}};
    }
    if (b.name == "reap a generation") {
        if (!buckets_are_pointers() || a.finds_dead()) return {};
        return {{a, b, KeyState::unmade}};
    }
    std::vector<ProgramPair> found{{a, b, KeyState::present}};
    if (puts) found.push_back({a, b, KeyState::absent});
    // A pair that is to be cut off has an old entry.
    if (puts && a.died_at != "replace.written-down" && b.died_at != "replace.written-down")
        found.push_back({a, b, KeyState::unmade});
    const auto is = [&](const char* one, const char* other) {
        return a.name == one && b.name == other;
    };
    if (is("get", "get") || is("get", "put") || is("get", "refresh") ||
        is("get", "refresh and collect") || is("get", "get and put")) {
        found.push_back({a, b, KeyState::dangling});
    }
    return found;
}

/// Runs the orders, prints how many there were, and returns that.
std::uint64_t explore_and_tell(const ProgramPair& pairing) {
    const OrderBound limits = bound_of(pairing);
    const Explored explored = explore(pairing, limits.all_up_to, limits.preemptions);
    const std::string bound =
        explored.preemptions
            ? "with at most " + std::to_string(*explored.preemptions) + " preemptions"
            : "all";
    std::printf("%-50s %5llu orders of %u + %u steps, %s\n", pairing.name().c_str(),
                static_cast<unsigned long long>(explored.schedules), explored.steps[0],
                explored.steps[1], bound.c_str());
    std::fflush(stdout);
    return explored.schedules;
}

/// Runs a program beside itself, and beside all programs that follow it in the list.
void explore_with_all(const std::string& name) {
    const OpProgram& a = named(name);
    std::uint64_t total = 0;
    for (const OpProgram* b = &a; b != std::end(programs); ++b) {
        for (const ProgramPair& pairing : pairings(a, *b)) {
            try {
                const std::uint64_t orders = explore_and_tell(pairing);
                CHECK(orders > 1);
                total += orders;
            } catch (const std::exception& exception) {
                FAIL_CHECK(exception.what());
            }
        }
    }
    std::printf("%s: %llu orders\n", name.c_str(), static_cast<unsigned long long>(total));
}

/// Parses "PROGRAM x PROGRAM, KEY", which may be followed by ", WORD".
ProgramPair parse(const std::string& text, std::string& word) {
    std::smatch parts;
    if (!std::regex_match(
            text, parts,
            std::regex("(.*) x (.*), (absent|present|dangling|unmade)(?:, ([AB]+))?"))) {
        throw std::runtime_error("LARDER_TEST_ORDER needs what a failed test printed, not " + text);
    }
    word = parts[4];
    const KeyState key = parts[3] == "absent"    ? KeyState::absent
                         : parts[3] == "present" ? KeyState::present
                         : parts[3] == "unmade"  ? KeyState::unmade
                                                 : KeyState::dangling;
    return {named(parts[1]), named(parts[2]), key};
}

}  // namespace

TEST_CASE("orders: a pair, or one order of it, that $LARDER_TEST_ORDER names", "[.order]") {
    const char* const wanted = std::getenv("LARDER_TEST_ORDER");
    REQUIRE(wanted != nullptr);
    std::string word;
    const ProgramPair pairing = parse(wanted, word);
    if (word.empty()) {
        CHECK(explore_and_tell(pairing) > 1);
    } else {
        std::printf("%s", replay(pairing, word).c_str());
    }
}

TEST_CASE("orders: an order is run again by its word") {
    // The get reads the link, the refresh and the collection happen, and then the get goes on. A
    // pointer is one more step of the collection.
    const std::size_t steps = buckets_are_pointers() ? 21 : 20;
    std::string word;
    const ProgramPair pairing =
        parse("get x refresh and collect, present, A" + std::string(steps, 'B') + "AA", word);
    const std::string story = replay(pairing, word);
    CHECK(story == replay(pairing, word));
    CHECK(contains(story, "A get  [1, " + std::to_string(steps + 3) + "]: miss"));
    CHECK(contains(story, "B refresh  [2, 3]: ok"));
    CHECK(contains(story, "B collect  [4, " + std::to_string(steps + 1) + "]: ok"));
}

TEST_CASE("orders: get beside all") { explore_with_all("get"); }
TEST_CASE("orders: put beside put and all that follow") { explore_with_all("put"); }
TEST_CASE("orders: replace") { explore_with_all("replace"); }
TEST_CASE("orders: remove") { explore_with_all("remove"); }
TEST_CASE("orders: refresh") { explore_with_all("refresh"); }
TEST_CASE("orders: collect") { explore_with_all("collect"); }
TEST_CASE("orders: reap") { explore_with_all("reap"); }
TEST_CASE("orders: reap a pair") { explore_with_all("reap a pair"); }
TEST_CASE("orders: adopt a pair") { explore_with_all("adopt a pair"); }
TEST_CASE("orders: adopt") { explore_with_all("adopt"); }
TEST_CASE("orders: verify") { explore_with_all("verify"); }
TEST_CASE("orders: evict") { explore_with_all("evict"); }
TEST_CASE("orders: refresh and collect") { explore_with_all("refresh and collect"); }
TEST_CASE("orders: remove and collect") { explore_with_all("remove and collect"); }
TEST_CASE("orders: get and put") { explore_with_all("get and put"); }
TEST_CASE("orders: get and remove") { explore_with_all("get and remove"); }
TEST_CASE("orders: claim") { explore_with_all("claim"); }
