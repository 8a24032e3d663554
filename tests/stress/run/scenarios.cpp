// SPDX-License-Identifier: MIT
// Scenarios: how one is read, and what is refused with a sentence that says where it is wrong.

#include "catch.hpp"
#include "stress/scenario/scenario.hpp"
#include "stress/scenario/shipped.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::stress;
using namespace larder::testing;

TEST_CASE("a scenario sets numbers, work and faults") {
    const Scenario scenario =
        value(parse_scenario("# a comment, and an empty line\n\n"
                             "processes 3\n"
                             "  threads\t4   # another\n"
                             "seconds 5\r\n"
                             "buckets 6\nkeys 7\nfill 7\ntree mixed\nlife 0\nheld 9\n"
                             "lock-timeout-ms 10\nbuild-timeout-ms 11\nheld-up-ms 13\ndisk-mib 12\n"
                             "disk xfs\npower-percent 14\n"
                             "work put 1.5\nwork get 0\nfault kill 2",  // no newline at the end
                             "mine"));
    CHECK(scenario.name == "mine");
    CHECK(scenario.processes == 3);
    CHECK(scenario.threads == 4);
    CHECK(scenario.seconds == 5);
    CHECK(scenario.buckets == 6);
    CHECK(scenario.keys == 7);
    CHECK(scenario.fill == 7);
    CHECK(scenario.tree == TreeSize::mixed);
    CHECK(scenario.life == 0);
    CHECK(scenario.held == 9);
    CHECK(scenario.lock_timeout_ms == 10);
    CHECK(scenario.build_timeout_ms == 11);
    CHECK(scenario.held_up_ms == 13);
    CHECK(scenario.disk_mib == 12);
    CHECK(scenario.disk == "xfs");
    CHECK(scenario.power_percent == 14);
    CHECK(scenario.work == std::map<std::string, double>{{"put", 1.5}, {"get", 0}});
    CHECK(scenario.faults == std::map<std::string, double>{{"kill", 2}});
}

TEST_CASE("a wrong scenario is refused, with the line and the word") {
    const std::pair<std::string, std::string> rows[] = {
        {"", "no \"work\""},
        {"work get 0\n", "no \"work\""},
        {"work get 1\nprocess 3\n", "line 2: \"process\" is no setting"},
        {"work get 1\n\nprocesses\n", "line 3: \"processes\" needs one value"},
        {"processes 1 2\n", "line 1: \"processes\" needs one value"},
        {"processes 0\n", "line 1: \"0\" is no number from 1 to 256"},
        {"processes 257\n", "from 1 to 256"},
        {"processes -1\n", "\"-1\" is no number"},
        {"processes 3x\n", "\"3x\" is no number"},
        {"processes 99999999999999999999\n", "is no number"},
        {"processes 3\nprocesses 3\n", "line 2: \"processes\" is set twice"},
        {"disk zfs\n", "\"zfs\" is no disk"},
        {"power-percent 101\n", "from 0 to 100"},
        {"tree huge\n", "\"huge\" is no size of a tree"},
        {"work\n", "\"work\" needs a name and a number"},
        {"work get\n", "\"work\" needs a name and a number"},
        {"work gets 1\n", "there is no work \"gets\""},
        {"work get one\n", "\"one\" is no number"},
        {"work get nan\n", "\"nan\" is no number"},
        {"work get -1\n", "\"-1\" is no number"},
        {"work get 1\nwork get 1\n", "line 2: work \"get\" is set twice"},
        {"fault murder 1\n", "there is no fault \"murder\""},
        {"work get 1\nkeys 4\nfill 5\n", "\"fill\" is larger"},
    };
    for (const auto& [text, why] : rows) {
        const auto parsed = parse_scenario(text, "bad");
        INFO(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == Errc::invalid);
        INFO(parsed.error().detail);
        CHECK(contains(parsed.error().detail, why));
    }
}

TEST_CASE("faults are chosen by name, with a measure or without") {
    Scenario scenario = value(parse_scenario("work get 1\nfault kill 2\nfault stop 3\n", "any"));
    value(choose_faults(scenario, "kill,pause=0.5,clock"));
    CHECK(scenario.faults.size() == 3);
    CHECK(scenario.faults["kill"] == 2);
    CHECK(scenario.faults["pause"] == 0.5);
    CHECK(scenario.faults["clock"] > 0);
    value(choose_faults(scenario, "none"));
    CHECK(scenario.faults.empty());
    for (const char* bad : {"", "murder", "kill=", "kill=x", "none,kill"}) {
        INFO(bad);
        CHECK_FALSE(choose_faults(scenario, bad));
    }
}

TEST_CASE("every scenario that comes with stress can be read, and says what it is for") {
    std::vector<std::string_view> names;
    for (const auto& shipped : shipped_scenarios()) {
        INFO(shipped.name);
        CHECK_FALSE(shipped.about().empty());
        const auto scenario = parse_scenario(shipped.text, std::string(shipped.name));
        INFO((scenario ? std::string() : scenario.error().detail));
        REQUIRE(scenario);
        CHECK_FALSE(scenario->faults.empty());
        names.push_back(shipped.name);
    }
    CHECK(names == std::vector<std::string_view>{
                       "containers", "everything", "full-disk", "huge-bucket", "installers",
                       "lease-hoarders", "power-cut", "refresh-storm", "same-key", "smoke"});
}
