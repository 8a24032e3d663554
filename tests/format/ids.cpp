// SPDX-License-Identifier: MIT
// Ids, and the names on disk that are made from ids or numbers.

#include <limits>
#include <random>
#include <set>

#include "catch.hpp"
#include "format/id.hpp"
#include "format/layout.hpp"

using namespace larder;
using namespace larder::format;

namespace {

const std::string sample =
    "0123456789abcdefghjkmnpqrs";  // 26 characters of the alphabet, the first below 8

std::string with(std::string text, std::size_t at, char c) {
    text[at] = c;
    return text;
}

}  // namespace

TEST_CASE("an id reads back from its text, whatever its bits") {
    constexpr auto all = std::numeric_limits<std::uint64_t>::max();
    std::vector<Id> ids = {{0, 1}, {1, 0}, {0, all}, {all, 0}, {all, all}};
    for (int bit = 0; bit < 64; ++bit) {
        ids.push_back({std::uint64_t{1} << bit, 0});
        ids.push_back({0, std::uint64_t{1} << bit});
    }
    std::mt19937_64 random(1);
    for (int i = 0; i < 1000; ++i) ids.push_back({random(), random()});
    for (const Id& id : ids) {
        const std::string text = to_text(id);
        INFO(text);
        CHECK(text.size() == id_length);
        REQUIRE(parse_id(text) == id);
    }
}

TEST_CASE("only what to_text makes is an id") {
    REQUIRE(parse_id(sample));
    const std::vector<std::string> bad = {
        "",
        sample.substr(1),
        sample + "0",
        std::string(id_length, '0'),  // the id that means "no id"
        with(sample, 0, '8'),         // 130 bits
        with(sample, 0, 'z'),
        with(sample, 5, 'i'),  // the letters that the alphabet leaves out
        with(sample, 5, 'l'),
        with(sample, 5, 'o'),
        with(sample, 5, 'u'),
        with(sample, 5, 'A'),
        with(sample, 5, '/'),
        with(sample, 5, '\0'),
        with(sample, 5, '\xc3'),
        with(sample, 25, '\n'),
        with(sample, 25, ' '),
    };
    for (const auto& text : bad) {
        INFO(text);
        CHECK_FALSE(parse_id(text));
    }
}

TEST_CASE("an id has one spelling: with any other byte it is another id, or none") {
    const auto id = parse_id(sample);
    for (std::size_t at = 0; at < sample.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            const char c = static_cast<char>(byte);
            if (c == sample[at]) continue;
            const auto other = parse_id(with(sample, at, c));
            if (other) CHECK(*other != *id);
        }
    }
}

TEST_CASE("fresh ids differ") {
    std::set<Id> ids;
    for (int i = 0; i < 1000; ++i) ids.insert(fresh_id());
    CHECK(ids.size() == 1000);
    CHECK_FALSE(ids.count(Id{}));
}

TEST_CASE("a staged name tells what it is, and its id") {
    const Id id{7, 9};
    const auto link = parse_staged_name(staged_link_name(id)),
               old = parse_staged_name(old_link_name(id)),
               kept = parse_staged_name(kept_link_name(id));
    REQUIRE(link);
    REQUIRE(old);
    REQUIRE(kept);
    CHECK(link->kind == StagedName::Kind::link);
    CHECK(old->kind == StagedName::Kind::old);
    CHECK(kept->kind == StagedName::Kind::kept);
    CHECK(link->id == id);
    CHECK(old->id == id);
    CHECK(kept->id == id);
    CHECK(staged_link_name(id) == "l-" + to_text(id));
    CHECK(old_link_name(id) == "o-" + to_text(id));
    CHECK(kept_link_name(id) == "k-" + to_text(id));
}

TEST_CASE("a name that larder never stages is no staged name") {
    for (const std::string& name :
         {std::string(), std::string("l"), std::string("l-"), "t-" + sample, "L-" + sample,
          "l_" + sample, "-l" + sample, sample, "l-" + sample.substr(1), "l-" + sample + "0",
          "o-" + sample + "/x", "l-" + sample + " ", "k-" + std::string(id_length, '0'),
          "l-l-" + sample}) {
        INFO(name);
        CHECK_FALSE(parse_staged_name(name));
    }
}

TEST_CASE("a participant's number has one spelling") {
    for (const std::uint32_t number : {0U, 1U, 9U, 10U, 4'294'967'295U}) {
        CHECK(parse_participant_name(participant_name(number)) == number);
    }
    for (const char* name : {"", "00", "01", "+1", "-1", "-0", " 1", "1 ", "1a", "0x1", "1.0",
                             "4294967296", "99999999999999999999", ".", "..", "1/"}) {
        INFO(name);
        CHECK_FALSE(parse_participant_name(name));
    }
    CHECK_FALSE(parse_participant_name(std::string_view("1\0", 2)));
}

TEST_CASE("a root has these twelve names") {
    for (const char* name :
         {"CACHEDIR.TAG", ".gitignore", "format", "locks", "participants", "staging", "buckets",
          "archive", "retired", "deleting", "pins", "boots"}) {
        CHECK(is_root_name(name));
    }
    for (const char* name : {"", ".", "..", "Format", "format ", "cachedir.tag", "lock", "tras",
                             "deletingg", "lost+found"}) {
        INFO(name);
        CHECK_FALSE(is_root_name(name));
    }
}
