// SPDX-License-Identifier: MIT
// The files of boots, and the files that say that an entry was judged.

#include "catch.hpp"
#include "format/boot_file.hpp"
#include "format/judged_file.hpp"

using namespace larder;
using namespace larder::format;

namespace {

const Watermark mark = {
    .time = {.since_boot = std::chrono::nanoseconds(90'312'000'412'118), .time_namespace = 42},
    .root = {.inode = 524'301, .born = {.seconds = 1'795'972'000, .nanoseconds = 123'456'789}}};

const JudgedFile judged = {.boot = std::string(32, 'a'), .time = mark.time};

}  // namespace

TEST_CASE("a file of a boot reads back") {
    for (const bool settled : {false, true}) {
        const auto plain = parse_boot_file(print_boot_file({.settled = settled, .watermark = {}}));
        CHECK(plain.settled == settled);
        CHECK_FALSE(plain.watermark);
        const auto read = parse_boot_file(print_boot_file({.settled = settled, .watermark = mark}));
        CHECK(read.settled == settled);
        REQUIRE(read.watermark);
        CHECK(*read.watermark == mark);
    }
    CHECK(print_boot_file({.settled = true, .watermark = {}}) == "larder boot 1\nsettled\n");
    const std::string text = print_boot_file({.settled = true, .watermark = mark});
    CHECK(text.substr(0, text.rfind("end ")) ==
          "larder boot 1\nsettled\nsynced 90312.000412118\ntimens 42\n"
          "root 524301 1795972000.123456789\n");
}

TEST_CASE("a watermark that was cut off, or changed in any byte, is none") {
    const std::string text = print_boot_file({.settled = true, .watermark = mark});
    for (std::size_t length = 0; length < text.size(); ++length) {
        const auto read = parse_boot_file(text.substr(0, length));
        CHECK_FALSE(read.watermark);
        // A text that holds these lines was settled, whatever was lost behind them.
        CHECK(read.settled == (length >= std::string("larder boot 1\nsettled\n").size()));
        for (const char change : {'\1', '\4', '\20'}) {
            std::string changed = text;
            changed[length] = static_cast<char>(changed[length] ^ change);
            CHECK_FALSE(parse_boot_file(changed).watermark);
        }
    }
    for (const char* other : {"", "larder boot 2\nsettled\n", "settled\n", "larder boot 1"})
        CHECK_FALSE(parse_boot_file(other).settled);
    CHECK_FALSE(parse_boot_file(text + "more\n").watermark);
}

TEST_CASE("a file that says that an entry was judged reads back, and only as a whole") {
    const std::string text = print_judged_file(judged);
    const auto read = parse_judged_file(text);
    REQUIRE(read);
    CHECK(*read == judged);
    CHECK(text.size() <= max_judged_file);
    for (std::size_t length = 0; length < text.size(); ++length) {
        CHECK_FALSE(parse_judged_file(text.substr(0, length)));
        std::string changed = text;
        changed[length] = static_cast<char>(changed[length] ^ 1);
        CHECK_FALSE(parse_judged_file(changed));
    }
    CHECK_FALSE(parse_judged_file(text + "\n"));
}

TEST_CASE("two times of a boot are compared only if both are of one known time namespace") {
    using os::BootTime;
    const BootTime early{.since_boot = std::chrono::nanoseconds(1), .time_namespace = 7};
    const BootTime late{.since_boot = std::chrono::nanoseconds(2), .time_namespace = 7};
    const BootTime elsewhere{.since_boot = std::chrono::nanoseconds(3), .time_namespace = 8};
    const BootTime unknown{.since_boot = std::chrono::nanoseconds(3), .time_namespace = 0};
    CHECK(os::is_not_after(early, late));
    CHECK(os::is_not_after(early, early));
    CHECK_FALSE(os::is_not_after(late, early));
    CHECK_FALSE(os::is_not_after(early, elsewhere));
    CHECK_FALSE(os::is_not_after(unknown, unknown));
}
