// SPDX-License-Identifier: MIT
// The file `format`.

#include "catch.hpp"
#include "format/format_file.hpp"

using namespace larder;
using namespace larder::format;

namespace {

using Kind = FormatRead::Kind;

const LinkKind all_kinds[] = {LinkKind::symlink, LinkKind::file, LinkKind::junction};

}  // namespace

TEST_CASE("a format reads back") {
    for (const LinkKind kind : all_kinds) {
        const auto read = parse_format(print_format({kind}));
        CHECK(read.kind == Kind::ours);
        CHECK(read.format.links == kind);
    }
    CHECK(print_format({LinkKind::symlink}) == "larder 5\nlinks symlink\nbuckets directory\n");
}

TEST_CASE("names end at 143 bytes: the format says so, and an older one means 200") {
    const std::string text = "larder 5\nnames 143\nlinks file\nbuckets directory\n";
    CHECK(print_format({.links = LinkKind::file, .longest_name = 143}) == text);
    CHECK(parse_format(text).format.longest_name == 143);
    CHECK(parse_format("larder 5\nlinks file\nbuckets directory\n").format.longest_name ==
          max_name);
    for (std::size_t length = 0; length < text.size(); ++length)
        CHECK(parse_format(text.substr(0, length)).kind == Kind::unknown);
    for (const char* line : {"names 63", "names 200", "names 255", "names 0143", "names", "names ",
                             "names 143 ", "names -143", "names 99999999999999999999"}) {
        INFO(line);
        CHECK(parse_format(std::string("larder 5\n") + line + "\nlinks file\nbuckets directory\n")
                  .kind == Kind::unknown);
    }
}

TEST_CASE("a later version is told by the first line alone") {
    for (const char* text : {"larder 6\n", "larder 6\nlinks symlink\n", "larder 10\nanything\0else",
                             "larder 2147483647\n"}) {
        CHECK(parse_format(text).kind == Kind::newer);
    }
}

TEST_CASE("a cache of version 4 is ours, and stays as it is, without roots") {
    const std::string text = "larder 4\nlinks file\nbuckets pointer\n";
    const auto read = parse_format(text);
    REQUIRE(read.kind == Kind::ours);
    CHECK_FALSE(read.format.has_roots());
    CHECK(print_format(read.format) == text);
    CHECK(Format{}.has_roots());
}

TEST_CASE("an earlier version is told by the first line alone") {
    for (const char* text : {"larder 1\n", "larder 2\nlinks symlink\n", "larder 1\nanything"})
        CHECK(parse_format(text).kind == Kind::older);
}

TEST_CASE("a file that is no format is unknown") {
    for (const char* text : {"",
                             "\n",
                             "larder",
                             "larder 5",
                             "larder 5\n",
                             "larder 5\nlinks symlink\n",
                             "larder 5\nlinks symlink\nbuckets directory",
                             "larder 5\nlinks symlink\nbuckets pointers\n",
                             "larder 5\nlinks \n",
                             "larder 5\nlinks Symlink\n",
                             "larder 5\r\nlinks symlink\r\nbuckets directory\r\n",
                             "larder 5\nlinks symlink\nbuckets directory\n\n",
                             "larder 5\nlinks symlink\nbuckets directory\nmore\n",
                             " larder 5\nlinks symlink\nbuckets directory\n",
                             "larder  3\nlinks symlink\nbuckets directory\n",
                             "larder 04\nlinks symlink\nbuckets directory\n",
                             "larder +3\nlinks symlink\nbuckets directory\n",
                             "larder 0\nlinks symlink\nbuckets directory\n",
                             "larder -3\nlinks symlink\nbuckets directory\n",
                             "larder 5",
                             "larder 5x\n",
                             "larder \n",
                             "Larder 3\nlinks symlink\nbuckets directory\n",
                             "ladder 3\nlinks symlink\nbuckets directory\n"}) {
        INFO(text);
        CHECK(parse_format(text).kind == Kind::unknown);
    }
    CHECK(
        parse_format(std::string_view("larder 5\0\nlinks symlink\nbuckets directory\n", 42)).kind ==
        Kind::unknown);
}

TEST_CASE("a format that is cut off anywhere is no format") {
    for (const LinkKind kind : all_kinds) {
        const std::string whole = print_format({kind});
        for (std::size_t length = 0; length < whole.size(); ++length) {
            INFO(length);
            CHECK(parse_format(whole.substr(0, length)).kind == Kind::unknown);
        }
    }
}

TEST_CASE("a format in which any byte has changed is never taken for ours") {
    for (const LinkKind kind : all_kinds) {
        const std::string whole = print_format({kind});
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string changed = whole;
                changed[at] = static_cast<char>(byte);
                if (changed == whole) continue;
                // The version before this one is another one of ours.
                if (changed.starts_with("larder 4\n")) continue;
                INFO(changed);
                CHECK(parse_format(changed).kind != Kind::ours);
            }
        }
    }
}
