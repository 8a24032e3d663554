// SPDX-License-Identifier: MIT
// The files of roots.

#include "catch.hpp"
#include "format/id.hpp"
#include "format/root_file.hpp"

using namespace larder::format;

namespace {

const RootFile root{.destination = "/home/me/a b\n\xff/.venv", .device = 64769};

}  // namespace

TEST_CASE("a root reads back, whatever bytes its path has", "[not-windows]") {
    const std::string text = print_root_file(root);
    CHECK(text.substr(0, text.rfind("end ")) ==
          "larder root 1\ndest %2fhome%2fme%2fa%20b%0a%ff%2f.venv\ndevice 64769\n");
    const auto read = parse_root_file(text);
    REQUIRE(read);
    CHECK(*read == root);
    CHECK(print_root_file({.destination = "/" + std::string(4095, '\n'), .device = ~0ULL}).size() <
          max_root_file);
}

TEST_CASE("a root that was cut off, or changed in any byte, is none", "[not-windows]") {
    const std::string text = print_root_file(root);
    for (std::size_t length = 0; length < text.size(); ++length) {
        CHECK_FALSE(parse_root_file(text.substr(0, length)));
        for (const char change : {'\1', '\4', '\20'}) {
            std::string changed = text;
            changed[length] = static_cast<char>(changed[length] ^ change);
            CHECK_FALSE(parse_root_file(changed));
        }
    }
    CHECK_FALSE(parse_root_file(text + "more\n"));
    for (const std::string& path : {std::string(), std::string("venv"), std::string("/a\0b", 4)})
        CHECK_FALSE(parse_root_file(print_root_file({.destination = path, .device = 1})));
}

TEST_CASE("the name of a root tells its path and its device apart", "[not-windows]") {
    CHECK(parse_id(root_file_name(root)));
    CHECK(root_file_name(root) == root_file_name(root));
    CHECK(root_file_name(root) != root_file_name({root.destination, 1}));
    CHECK(root_file_name(root) != root_file_name({root.destination + "x", root.device}));
}
