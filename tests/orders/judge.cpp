// SPDX-License-Identifier: MIT
// Tests the judge of orders: it must accept what operations one after the other can give, and
// nothing else.

#include "catch.hpp"
#include "history.hpp"

using namespace larder::testing;

namespace {

TimedOp event(int process, Op operation, unsigned begun, unsigned ended, const std::string& result,
              const std::string& value = {}) {
    return {process, operation, value, begun, ended, result};
}

bool is_good(const std::vector<TimedOp>& history, const std::string& first,
             const std::string& last) {
    return judge(history, first, last).empty();
}

}  // namespace

TEST_CASE("judge: one after the other") {
    CHECK(is_good({event(0, Op::put, 1, 2, "ok", "new"), event(1, Op::get, 3, 4, "new")}, "old",
                  "new"));
    CHECK(is_good({event(0, Op::get, 1, 2, "old"), event(1, Op::remove, 3, 4, "ok")}, "old", ""));
    CHECK(is_good({event(0, Op::refresh, 1, 2, "ok"), event(1, Op::remove, 3, 4, "miss")}, "old",
                  ""));
    CHECK_FALSE(is_good({event(0, Op::put, 1, 2, "ok", "new"), event(1, Op::get, 3, 4, "old")},
                        "old", "new"));
    CHECK_FALSE(
        is_good({event(0, Op::remove, 1, 2, "ok"), event(1, Op::get, 3, 4, "old")}, "old", ""));
    CHECK_FALSE(
        is_good({event(0, Op::refresh, 1, 2, "ok"), event(1, Op::get, 3, 4, "old")}, "old", ""));
    CHECK_FALSE(is_good({event(0, Op::get, 1, 2, "new"), event(1, Op::put, 3, 4, "ok", "new")},
                        "old", "new"));
}

TEST_CASE("judge: at the same time, either may have come first") {
    for (const char* got : {"old", "new"})
        CHECK(is_good({event(0, Op::put, 1, 4, "ok", "new"), event(1, Op::get, 2, 3, got)}, "old",
                      "new"));
    CHECK_FALSE(is_good({event(0, Op::put, 1, 4, "ok", "new"), event(1, Op::get, 2, 3, "miss")},
                        "old", "new"));
    CHECK(is_good({event(0, Op::put, 1, 4, "ok", "new"), event(1, Op::get, 2, 3, "miss")}, "",
                  "new"));
    for (const char* last : {"A", "B"})
        CHECK(is_good({event(0, Op::put, 1, 4, "ok", "A"), event(1, Op::put, 2, 3, "ok", "B")}, "",
                      last));
    for (const char* last : {"", "new"})
        CHECK(is_good({event(0, Op::put, 1, 4, "ok", "new"), event(1, Op::remove, 2, 3, "ok")},
                      "old", last));
}

TEST_CASE("judge: an acknowledged put is not lost") {
    CHECK_FALSE(
        is_good({event(0, Op::put, 1, 4, "ok", "new"), event(1, Op::get, 2, 3, "miss")}, "", ""));
    CHECK_FALSE(is_good({event(0, Op::put, 1, 2, "ok", "new")}, "old", "old"));
    CHECK_FALSE(is_good({event(0, Op::put, 1, 4, "ok", "new"), event(1, Op::collect, 2, 3, "ok")},
                        "old", ""));
}

TEST_CASE("judge: a key is removed once") {
    CHECK(
        is_good({event(0, Op::remove, 1, 4, "ok"), event(1, Op::remove, 2, 3, "miss")}, "old", ""));
    CHECK_FALSE(
        is_good({event(0, Op::remove, 1, 4, "ok"), event(1, Op::remove, 2, 3, "ok")}, "old", ""));
    CHECK_FALSE(is_good({event(0, Op::remove, 1, 4, "miss"), event(1, Op::remove, 2, 3, "miss")},
                        "old", ""));
}

TEST_CASE("judge: two gets of one process do not go back in time") {
    const auto put_beside = [](const char* one, const char* two) {
        return is_good({event(0, Op::put, 1, 6, "ok", "new"), event(1, Op::get, 2, 3, one),
                        event(1, Op::get, 4, 5, two)},
                       "old", "new");
    };
    CHECK(put_beside("old", "new"));
    CHECK(put_beside("old", "old"));
    CHECK(put_beside("new", "new"));
    CHECK_FALSE(put_beside("new", "old"));
}

TEST_CASE("judge: busy is an answer only while another process collects or verifies") {
    CHECK(
        is_good({event(0, Op::collect, 1, 4, "ok"), event(1, Op::collect, 2, 3, "busy")}, "", ""));
    CHECK(is_good({event(0, Op::verify, 1, 4, "sound"), event(1, Op::collect, 2, 3, "busy")}, "",
                  ""));
    CHECK_FALSE(
        is_good({event(0, Op::collect, 1, 2, "ok"), event(1, Op::collect, 3, 4, "busy")}, "", ""));
    CHECK_FALSE(is_good({event(0, Op::put, 1, 4, "ok", "new"), event(1, Op::collect, 2, 3, "busy")},
                        "", "new"));
    CHECK_FALSE(is_good({event(0, Op::remove, 1, 2, "busy")}, "", ""));
}

TEST_CASE("judge: a key is claimed by one at a time, and only if it has no entry") {
    const auto beside = [](unsigned claimed, unsigned built, const char* other) {
        return is_good({event(0, Op::claim, 1, 2, "claimed"), event(0, Op::build, 5, 6, "ok", "A"),
                        event(1, Op::claim, claimed, claimed + 1, other),
                        event(1, Op::build, built, built + 1,
                              other == std::string("claimed") ? "ok" : "none", "B")},
                       "", other == std::string("claimed") ? "B" : "A");
    };
    CHECK(beside(3, 7, "busy"));
    CHECK_FALSE(beside(3, 7, "claimed"));
    CHECK_FALSE(beside(7, 9, "claimed"));
    CHECK_FALSE(beside(7, 9, "busy"));
    CHECK(beside(7, 9, "A"));
    CHECK_FALSE(beside(3, 7, "A"));
    CHECK_FALSE(is_good(
        {event(0, Op::claim, 1, 2, "claimed"), event(0, Op::build, 3, 4, "ok", "A")}, "old", "A"));
    // Another process may put it meanwhile.
    CHECK(is_good({event(0, Op::claim, 1, 2, "claimed"), event(1, Op::put, 3, 4, "ok", "B"),
                   event(0, Op::build, 5, 6, "ok", "A")},
                  "", "A"));
}

TEST_CASE("judge: an answer that no operation gives is wrong") {
    CHECK_FALSE(is_good({event(0, Op::verify, 1, 2, "an entry that nothing names")}, "", ""));
    CHECK_FALSE(is_good({event(0, Op::collect, 1, 2, "damaged")}, "", ""));
    CHECK_FALSE(is_good({event(0, Op::put, 1, 2, "no_space", "new")}, "old", "old"));
}
