// SPDX-License-Identifier: MIT
// Where a junction leads: the root of its cache, and what is below it, in one spelling.
#include "catch.hpp"
#include "format/junction.hpp"
#include "format/link.hpp"

using namespace larder;
using namespace larder::format;

namespace {

const std::string id_text = "0123456789abcdefghjkmnpqrs";

}  // namespace

TEST_CASE("a junction leads to the place to which the text of a symlink leads from there") {
    const Id id = *parse_id(id_text);
    const std::string entry = junction_target_of("C:/my cache", target_of(id));
    CHECK(entry == "C:/my cache/archive/" + id_text + "/tree");
    const std::string generation = junction_target_of("C:/my cache", pointer_target_of(id));
    CHECK(generation == "C:/my cache/generations/" + id_text);
    for (const std::string& target : {entry, generation}) {
        const auto parts = parse_junction_target(target);
        REQUIRE(parts);
        CHECK(parts->root == "C:/my cache");
    }
    CHECK(parse_target(text_of(*parse_junction_target(entry))) == id);
    CHECK(parse_pointer_target(text_of(*parse_junction_target(generation))) == id);
}

TEST_CASE("a junction that leads anywhere else is none of a cache") {
    const std::string entry = "C:/c/archive/" + id_text + "/tree";
    for (const std::string& target :
         {std::string(), std::string("C:/"), "/archive/" + id_text + "/tree",
          "archive/" + id_text + "/tree", entry + "/", entry.substr(0, entry.size() - 1),
          "C:/c/archive/" + id_text, "C:/c/archive/x" + id_text + "/tree",
          "C:/c/Archive/" + id_text + "/tree", "C:/carchive/" + id_text + "/tree",
          "C:\\c\\archive\\" + id_text + "\\tree", "C:/c/generations/" + id_text + "/tree"}) {
        INFO(target);
        CHECK_FALSE(parse_junction_target(target));
    }
    // The id is judged by the text.
    const std::string dots = "C:/c/archive/" + std::string(26, '.') + "/tree";
    const auto odd = parse_junction_target(dots);
    REQUIRE(odd);
    CHECK_FALSE(parse_target(text_of(*odd)));
}
