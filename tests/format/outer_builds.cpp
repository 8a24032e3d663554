// SPDX-License-Identifier: MIT
#include "format/outer_builds.hpp"

#include "catch.hpp"

using namespace larder::format;

TEST_CASE("the builds that a program works for are read as they were printed") {
    const std::vector<OuterBuild> builds{
        {"/home/me/cache", 1, 1'700'000'000'000'000'000, "wheels-v1/rich-13.9"},
        {"/with:colon,comma and\nline", 0x3fff'ffff'ffff'ffff, 0, "b:,/%2fk"},
        {"/\xff", 7, 8, "\xff"},
    };
    CHECK(parse_outer_builds(print_outer_builds(builds)) == builds);
    CHECK(print_outer_builds({}).empty());
    CHECK(parse_outer_builds("").empty());
}

TEST_CASE("what is no build is left out, and the builds beside it are read") {
    const OuterBuild good{"/r", 1, 2, "b/k"};
    const std::string text = print_outer_builds({good});
    for (const std::string bad :
         {"", ",", ":", "::", "1:2", "1:2:", "1:2:b%2fk", "1:2:b%2fk:", "1:2::%2fr",
          "0:2:b%2fk:%2fr", "x:2:b%2fk:%2fr", "1:-2:b%2fk:%2fr", "1:2:b%2fk:%2", "1:2:b%2:%2fr",
          "99999999999999999999:2:b%2fk:%2fr", "1:2:b%2fk:/r", "1:2:b/k:%2fr",
          "1:2:b%2fk:%2fr:3"}) {
        INFO(bad);
        CHECK(parse_outer_builds(bad).empty());
        CHECK(parse_outer_builds(bad + "," + text) == std::vector{good});
        CHECK(parse_outer_builds(text + "," + bad) == std::vector{good});
    }
}
