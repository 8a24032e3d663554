// SPDX-License-Identifier: MIT
// The command line of stress: what it asks for, and what is refused.

#include "catch.hpp"
#include "stress/run/command_line.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::stress;
using namespace larder::testing;

TEST_CASE("without options, stress runs the smoke scenario at its own length, with a random seed") {
    const auto line = value(parse_command_line({}));
    CHECK(line.request == CommandLine::Request::run);
    CHECK(line.scenario.name == "smoke");
    CHECK(line.extent.seconds == line.scenario.seconds);
    CHECK_FALSE(line.extent.operations);
    CHECK_FALSE(line.cache);
    CHECK_FALSE(line.link_kind);
}

TEST_CASE("options override the scenario") {
    const auto line = value(
        parse_command_line({"--scenario", "same-key",     "--processes=3", "--threads",
                            "2",          "--operations", "500",           "--seed",
                            "42",         "--faults",     "kill=9",        "--link-as",
                            "file",       "--bucket-as",  "pointer",       "--without-exchange",
                            "--cache",    "/some/dir",    "--cachetool",   ""}));
    CHECK(line.scenario.name == "same-key");
    CHECK(line.scenario.processes == 3);
    CHECK(line.scenario.threads == 2);
    CHECK(line.extent.operations == 500U);
    CHECK_FALSE(line.extent.seconds);
    CHECK(line.seed == 42);
    CHECK(line.scenario.faults == std::map<std::string, double>{{"kill", 9}});
    CHECK(line.link_kind == LinkKind::file);
    CHECK(line.bucket_kind == BucketKind::pointer);
    CHECK(line.without_exchange);
    CHECK(line.cache == "/some/dir");
    CHECK(line.cachetool == "");
    CHECK_FALSE(line.like_windows);
    CHECK(value(parse_command_line({"--like-windows"})).like_windows);
}

TEST_CASE("the disk of a scenario may have another file system") {
    const auto line = value(parse_command_line({"--scenario", "power-cut", "--disk", "btrfs"}));
    CHECK(line.scenario.disk == "btrfs");
    CHECK(value(parse_command_line({"--scenario", "power-cut"})).scenario.disk == "ext4");
}

TEST_CASE("a scenario may be a file") {
    const TempDir dir;
    write_file(dir.path() / "mine.scenario", "work get 1\nkeys 3\n");
    const auto line =
        value(parse_command_line({"--scenario", (dir.path() / "mine.scenario").string()}));
    CHECK(line.scenario.name == "mine");
    CHECK(line.scenario.keys == 3);
    write_file(dir.path() / "bad.scenario", "work get 1\nkeys x\n");
    const auto bad = parse_command_line({"--scenario", (dir.path() / "bad.scenario").string()});
    REQUIRE_FALSE(bad);
    CHECK(contains(bad.error().detail, "bad.scenario: line 2"));
}

TEST_CASE("the words that repeat a run leave out the seed, the reports and --keep") {
    const auto line =
        value(parse_command_line({"--seed", "1", "--scenario", "smoke", "--json", "/tmp/a b",
                                  "--faults", "kill,stop", "--cache", "/a b/it's"}));
    CHECK(line.words == R"( --scenario smoke --faults kill,stop --cache '/a b/it'\''s')");
}

TEST_CASE("a wrong command line is refused with a sentence") {
    const std::vector<std::string> rows[] = {
        {"--no-such-option"},
        {"word"},
        {"--seconds"},
        {"--seconds", "x"},
        {"--seconds", "0"},
        {"--processes", "0"},
        {"--processes", "257"},
        {"--threads", "65"},
        {"--operations", "0"},
        {"--second", "5"},  // abbreviations are not accepted
        {"--scenario", "no-such-scenario"},
        {"--faults", "murder"},
        {"--faults", ""},
        {"--link-as", "hardlink"},
        {"--scenario", "power-cut", "--disk", "zfs"},
        {"--scenario", "smoke", "--disk", "ext4"},  // it mounts no disk
        {"--cache", ""},
        {"--seed", "x"},
        {"--%original_token%=x"},  // placeholders in messages of Boost
        {"--processes", "%value%"},
    };
    for (const auto& row : rows) {
        INFO(row.front());
        const auto line = parse_command_line(row);
        REQUIRE_FALSE(line);
        CHECK(line.error().code == Errc::invalid);
        CHECK_FALSE(line.error().detail.empty());
    }
}

TEST_CASE("the help fits on a screen") {
    std::size_t lines = 0, longest = 0, length = 0;
    for (const char c : help_text()) {
        if (c != '\n') {
            longest = std::max(longest, ++length);
            continue;
        }
        ++lines;
        length = 0;
    }
    CHECK(lines <= 32);
    CHECK(longest <= 100);
}
