// SPDX-License-Identifier: MIT
#include "format/outer_builds.hpp"

#include "catch.hpp"

using namespace larder::format;

TEST_CASE("the builds that a program works for are read as they were printed") {
    const std::vector<OuterBuild> builds{
        {"/home/me/cache", 1, 1'700'000'000'000'000'000},
        {"/with:colon,comma and\nline", 0x3fff'ffff'ffff'ffff, 0},
        {"/\xff", 7, 8},
    };
    CHECK(parse_outer_builds(print_outer_builds(builds)) == builds);
    CHECK(print_outer_builds({}).empty());
    CHECK(parse_outer_builds("").empty());
}

TEST_CASE("what is no build is left out, and the builds beside it are read") {
    const OuterBuild good{"/r", 1, 2};
    const std::string text = print_outer_builds({good});
    for (const std::string bad :
         {"", ",", ":", "::", "1:2", "1:2:", "0:2:%2fr", "x:2:%2fr", "1:-2:%2fr", "1:2:%2",
          "99999999999999999999:2:%2fr", "1:2:/r", "1:2:%2fr:3"}) {
        INFO(bad);
        CHECK(parse_outer_builds(bad).empty());
        CHECK(parse_outer_builds(bad + "," + text) == std::vector{good});
        CHECK(parse_outer_builds(text + "," + bad) == std::vector{good});
    }
}
