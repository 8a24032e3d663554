// SPDX-License-Identifier: MIT
// Histories as text: they read back as they were written, and an error names the line and what to
// write there.

#include <random>

#include "catch.hpp"
#include "stress/history/text.hpp"
#include "support/cache.hpp"

using namespace larder::stress;
using larder::testing::contains;
using larder::testing::TempDir;
using larder::testing::value;

namespace {

const std::string all_kinds = R"(1 0 born 1
2 1.0.1 begin open
3 1.0.1 end open ok
10 1.0.2 begin put 2/7 v12
20 1.0.2 end put 2/7 v12 ok
21 1.1.1 begin build 2/8 v13
22 1.1.1 middle build 2/8
23 1.0.3 begin get 2/7
24 1.1.1 end build 2/8 v13 ok
25 1.0.3 end get 2/7 v12 ok
26 1.0.4 begin use 2/7 v12
27 1.0.4 end use 2/7 v12 ok
28 1.0.5 begin remove 2/7
29 1.0.5 end remove 2/7 busy detail=11
30 0 stopped 1
31 0 continued 1
32 1.0.6 begin refresh 2
33 1.0.6 end refresh 2 failed detail=28
34 1.0.7 begin collect
35 1.0.7 end collect busy
36 1.0.8 begin list 2
37 1.0.8 end list 2 ok
38 1.0.9 begin verify
39 1.0.9 end verify broken
40 1.0.10 begin refresh 0
41 0 killed 1
42 0 ended 1
)";

std::string refusal(const std::string& text) {
    const auto history = parse_text(text, "h.txt");
    REQUIRE_FALSE(history);
    CHECK(history.error().code == larder::Errc::invalid);
    return history.error().message();
}

}  // namespace

TEST_CASE("a history reads back as it was written") {
    const auto history = value(parse_text(all_kinds, "h.txt"));
    CHECK(history.operations.size() == 11);
    CHECK(history.last == 42);
    CHECK(text_of(history.operations, history.incidents.all()) == all_kinds);
    CHECK(history.operations.back().end == 42);
    CHECK(history.operations.back().outcome == OpOutcome::unclear);
}

TEST_CASE("comments, empty lines, tabs and carriage returns are skipped") {
    const auto history = value(parse_text(
        "# what it is\r\n\n  10\t1.0.1 begin get 0/1 # a comment\r\n20 1.0.1 end get 0/1 miss",
        "h.txt"));
    REQUIRE(history.operations.size() == 1);
    CHECK(history.operations[0].outcome == OpOutcome::miss);
}

TEST_CASE("times may be counted from any origin") {
    const auto history =
        value(parse_text("1010 1.0.1 begin get 0/1\n1020 1.0.1 end get 0/1 miss\n", "h.txt"));
    CHECK(text_of(history.operations, {}, 1000) ==
          "10 1.0.1 begin get 0/1\n20 1.0.1 end get 0/1 miss\n");
}

TEST_CASE("an error names the line, what is wrong with it, and what to write") {
    const auto with = [](const std::string& line) {
        return refusal("1 1.0.1 begin get 0/1\n\n" + line + "\n");
    };
    CHECK(contains(with("soon 1.0.1 end get 0/1 miss"),
                   "h.txt: line 3: \"soon\" is no time: write nanoseconds"));
    CHECK(contains(with("-1 1.0.1 end get 0/1 miss"), "\"-1\" is no time"));
    CHECK(contains(with("99999999999999999999 1.0.1 end get 0/1 miss"), "is no time"));
    CHECK(contains(with("2 1.0.1"), "a line needs a time"));
    CHECK(contains(with("2 1.0 end get 0/1 miss"),
                   "\"1.0\" names no operation: write PROCESS.THREAD.OPERATION"));
    CHECK(contains(with("2 1.70000.1 end get 0/1 miss"), "names no operation"));
    CHECK(contains(with("2 1.0.1 finish get 0/1 miss"),
                   "\"finish\" is no phase: write begin, middle or end"));
    CHECK(
        contains(with("2 1.0.1 end fetch 0/1 miss"), "\"fetch\" is no operation: write put, get"));
    CHECK(contains(with("2 1.0.1 end"), "\"\" is no operation"));
    CHECK(contains(with("2 1.0.1 end killed 0/1 miss"), "\"killed\" is no operation"));
    CHECK(contains(with("2 1.0.1 end get miss"), "get needs a key: write BUCKET/KEY"));
    CHECK(contains(with("2 1.0.1 end get a/b miss"), "\"a/b\" is no key"));
    CHECK(contains(with("2 1.0.1 end get 0/1"), "an end needs an outcome"));
    CHECK(contains(with("2 1.0.1 end get 0/1 fine"), "\"fine\" is neither a key"));
    CHECK(contains(with("2 1.0.1 end get 0/1 vx ok"), "\"vx\" is neither"));
    CHECK(
        contains(with("2 0 died 1"), "\"died\" is nothing that happens to a process: write born"));
    CHECK(contains(with("2 0 killed"), "write the number of the process after \"killed\""));
    CHECK(contains(with("2 0 killed 4294967296"), "no process has this number"));
    // Lines that are well formed but fit in no history.
    CHECK(contains(with("0 1.0.1 end get 0/1 miss"), "line 3: its time is before its begin"));
    CHECK(contains(with("2 1.0.1 end get 0/2 miss"), "its kind, bucket or key differs"));
    CHECK(contains(with("2 1.0.2 end get 0/2 miss"), "this operation has no begin"));
    CHECK(contains(with("2 1.0.1 begin get 0/1"), "this operation has begun already"));
    CHECK(contains(with("2 1.0.1 end get 0/1 ok"), "the version is missing"));
    CHECK(contains(with("2 1.0.2 begin put 0/1"), "does not say which"));
    CHECK(contains(with("0 0 ended 1"), "process 1 ended at 0, but goes on after that"));
}

TEST_CASE("whatever is read from a damaged text can be written and read again") {
    std::mt19937 random(5);
    std::size_t read = 0;
    for (int i = 0; i < 20'000; ++i) {
        auto text = all_kinds;
        for (auto changes = 1 + random() % 2; changes > 0; --changes) {
            const auto at = random() % text.size();
            switch (random() % 4) {
                case 0:
                    text[at] = static_cast<char>(random() % 128);
                    break;
                case 3:
                    text[at] = static_cast<char>('0' + random() % 10);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 20);
                    break;
                default:
                    text.insert(at, text.substr(random() % text.size(), random() % 20));
                    break;
            }
        }
        const auto history = parse_text(text, "h.txt");
        if (!history) continue;
        ++read;
        const auto again = text_of(history->operations, history->incidents.all());
        const auto second = parse_text(again, "again");
        if (!second) FAIL(second.error().message() << "\nfrom\n" << text);
        REQUIRE(text_of(second->operations, second->incidents.all()) == again);
    }
    CHECK(read > 300);
}

TEST_CASE("a file that can't be read is an error") {
    const TempDir directory;
    CHECK_FALSE(read_text(directory.path() / "nowhere"));
    CHECK_FALSE(read_text(directory.path()));
    larder::testing::write_file(directory.path() / "h.txt", all_kinds);
    CHECK(value(read_text(directory.path() / "h.txt")).operations.size() == 11);
}
