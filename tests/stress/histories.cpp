// SPDX-License-Identifier: MIT
// Judges histories that are kept as files. The first line of each says what the judge must find:
// nothing, although it looks wrong, or violations of the kinds named there.

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "stress/history/text.hpp"
#include "stress/judge/judge.hpp"
#include "support/cache.hpp"

using namespace larder::stress;
using larder::testing::contains;
using larder::testing::value;
namespace fs = std::filesystem;

namespace {

using Kinds = std::set<std::string>;

std::vector<fs::path> files_in(const char* directory) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(fs::path(HISTORIES) / directory))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// Returns the kinds in a line such as "# lost, built_twice: what it is".
Kinds kinds_in_first_line(const fs::path& file) {
    std::istringstream text(larder::testing::read_file(file));
    std::string line;
    std::getline(text, line);
    REQUIRE(line.starts_with("# "));
    std::istringstream words(line.substr(2, line.find(':') - 2));
    Kinds kinds;
    for (std::string kind; std::getline(words >> std::ws, kind, ',');) kinds.insert(kind);
    return kinds;
}

Kinds kinds_in(const JudgeVerdict& verdict) {
    Kinds kinds;
    for (std::size_t kind = 0; kind < Violation::kinds; ++kind) {
        if (verdict.found[kind] > 0) kinds.emplace(name_of(static_cast<Violation::Kind>(kind)));
    }
    return kinds;
}

std::string explained(const JudgeVerdict& verdict) {
    std::string text;
    for (const auto& violation : verdict.violations)
        text += violation.explanation + '\n' + violation.timeline;
    return text;
}

}  // namespace

TEST_CASE("sound histories that look wrong are sound") {
    const auto files = files_in("good");
    REQUIRE(files.size() >= 8);
    for (const auto& file : files) {
        const auto verdict = judge(value(read_text(file)));
        INFO(file << '\n' << explained(verdict));
        CHECK(kinds_in_first_line(file) == Kinds{"Sound"});
        CHECK(verdict.sound());
        CHECK(verdict.violations.empty());
        CHECK(verdict.registers == 1);
    }
}

TEST_CASE("each kind of violation is found, named, and explained by a history of its own") {
    const auto files = files_in("bad");
    REQUIRE(files.size() >= 12);
    Kinds met;
    for (const auto& file : files) {
        const auto kinds = kinds_in_first_line(file);
        met.insert(kinds.begin(), kinds.end());
        const auto verdict = judge(value(read_text(file)));
        INFO(file << '\n' << explained(verdict));
        CHECK(kinds_in(verdict) == kinds);
        CHECK_FALSE(verdict.sound());
        CHECK(verdict.violations.size() >= kinds.size());
        for (const auto& violation : verdict.violations) {
            const auto again = judge(value(parse_text(violation.timeline, "timeline")));
            CHECK(kinds_in(again).contains(std::string(name_of(violation.kind))));
        }
    }
    CHECK(met.size() == Violation::kinds);
}

TEST_CASE("one violation among thousands of operations is found, and shown with few of them") {
    std::string text;
    Time time = 1000;
    const auto say = [&](const std::string& line) {
        text += std::to_string(++time) + ' ' + line + '\n';
    };
    const auto whole = [&](std::size_t number, const std::string& begin, const std::string& end) {
        say("1.0." + std::to_string(number) + " begin " + begin);
        say("1.0." + std::to_string(number) + " end " + end);
    };
    constexpr std::size_t rounds = 2000, wrong = 1234;
    std::size_t number = 0;
    for (std::size_t round = 1; round <= rounds; ++round) {
        const auto version = " v" + std::to_string(round);
        whole(++number, "put 0/1" + version, "put 0/1" + version + " ok");
        whole(++number, "get 0/1", round == wrong ? "get 0/1 miss" : "get 0/1" + version + " ok");
        whole(++number, "remove 0/1", "remove 0/1 ok");
    }
    const auto verdict = judge(value(parse_text(text, "long")));
    REQUIRE(verdict.violations.size() == 1);
    const auto& violation = verdict.violations.front();
    CHECK(violation.kind == Violation::Kind::lost);
    CHECK(violation.operations.size() <= 5);
    CHECK(contains(violation.timeline, "v1234 ok"));
    CHECK(contains(violation.timeline, "miss"));
    CHECK_FALSE(contains(violation.timeline, "v1236"));
    CHECK(contains(violation.explanation, "0/1: get of 0/1 by process 1, thread 0 found nothing"));
}

TEST_CASE("the verdict counts what was judged") {
    const auto verdict = judge(value(parse_text(R"(
10 1.0.1 begin put 0/1 v1
20 1.0.1 end put 0/1 v1 ok
30 1.0.2 begin get 0/1
40 1.0.2 end get 0/1 v1 ok
50 1.0.3 begin put 0/2 v2
60 1.0.3 end put 0/2 v2 unclear
70 1.0.4 begin refresh 0
80 1.0.4 end refresh 0 ok
81 1.0.5 begin get 1/1
82 1.0.5 end get 1/1 miss
83 1.0.6 begin build 1/1 v3
84 1.0.6 middle build 1/1
85 1.0.6 end build 1/1 v3 ok
86 1.0.7 begin get 1/1
87 1.0.7 end get 1/1 v3 ok
)",
                                                "counted")));
    CHECK(verdict.sound());
    CHECK(verdict.operations == 7);
    CHECK(verdict.registers == 3);
    CHECK(verdict.unclear == 1);
    CHECK(verdict.fewest == 1);
    CHECK(verdict.median == 2);
    CHECK(verdict.most == 3);
    CHECK(verdict.builds == 1);
    CHECK(verdict.waits == 6);
}

TEST_CASE("a few violations are explained, and all are counted") {
    std::string text;
    for (int key = 1; key <= 30; ++key) {
        const auto place = "0/" + std::to_string(key);
        text += std::to_string(10 * key) + " 1.0." + std::to_string(key) + " begin remove " +
                place + '\n';
        text += std::to_string(10 * key + 5) + " 1.0." + std::to_string(key) + " end remove " +
                place + " ok\n";
    }
    JudgeOptions options;
    options.most_explained = 3;
    const auto verdict = judge(value(parse_text(text, "many")), options);
    CHECK(verdict.violations.size() == 3);
    CHECK(verdict.found[static_cast<std::size_t>(Violation::Kind::disorder)] == 30);
}

TEST_CASE("builds that may do without the lock are not compared, and all other builds still are") {
    const auto history =
        value(read_text(fs::path(HISTORIES) / "bad" / "built_twice.lock-not-checked-again.txt"));
    JudgeOptions options;
    options.may_build_unlocked = [](const Operation& build) { return build.process == 2; };
    CHECK(judge(history, options).sound());
    options.may_build_unlocked = [](const Operation& build) { return build.process == 3; };
    CHECK_FALSE(judge(history, options).sound());
    // A build that has waited for as long as the time-out goes on without the lock.
    options.may_build_unlocked = {};
    options.build_timeout = std::chrono::nanoseconds(25);
    CHECK(judge(history, options).sound());
    options.build_timeout = std::chrono::nanoseconds(26);
    CHECK_FALSE(judge(history, options).sound());
}

TEST_CASE("an operation may take as long as the options say, plus the time it was stopped") {
    const auto late = value(read_text(fs::path(HISTORIES) / "bad" / "hostage.get.txt"));
    JudgeOptions options;
    options.hostage_limit = std::chrono::seconds(8);
    CHECK(judge(late, options).sound());

    const auto busy =
        value(read_text(fs::path(HISTORIES) / "bad" / "hostage.busy-without-a-long-stop.txt"));
    options.lock_timeout = std::chrono::seconds(3);
    CHECK(judge(busy, options).sound());
    options.lock_timeout = std::chrono::seconds(5);
    CHECK_FALSE(judge(busy, options).sound());

    // However much noise is allowed, half of the time-out must be explained.
    const auto behind_a_running_one =
        value(read_text(fs::path(HISTORIES) / "bad" / "hostage.busy-while-all-run.txt"));
    options = {};
    options.noise = std::chrono::minutes(1);
    CHECK_FALSE(judge(behind_a_running_one, options).sound());

    // A stop of all processes is a stop of each.
    const char* const all_stopped = R"(
1000 1.0.1 begin get 0/1
2000 0 stopped 0
9000000000 0 continued 0
9000001000 1.0.1 end get 0/1 miss
)";
    CHECK(judge(value(parse_text(all_stopped, "all"))).sound());
}

TEST_CASE("a history in which two operations write one version can't be judged") {
    const auto verdict = judge(value(parse_text(R"(
10 1.0.1 begin put 0/1 v1
20 1.0.1 end put 0/1 v1 ok
30 1.0.2 begin put 0/2 v1
40 1.0.2 end put 0/2 v1 ok
)",
                                                "twice")));
    REQUIRE(verdict.violations.size() == 1);
    CHECK(verdict.violations[0].kind == Violation::Kind::foreign);
    CHECK(contains(verdict.violations[0].explanation, "the same version"));
}
