// SPDX-License-Identifier: MIT
// Keys and bucket names as file names: which are valid, that they read back, and that no two share
// one.

#include <algorithm>
#include <map>
#include <random>

#include "catch.hpp"
#include "format/layout.hpp"
#include "format/name.hpp"

using namespace larder;
using namespace larder::format;

namespace {

std::string encoded(std::string_view key) {
    const auto name = encode_key(key);
    REQUIRE(name);
    return *name;
}

/// Returns true for a name that is safe on every known file system: one component, not hidden, and
/// nothing that is folded, normalized or trimmed.
bool is_safe(const std::string& name) {
    const auto safe = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               std::string("-_+.%~").find(c) != std::string::npos;
    };
    return !name.empty() && name.size() <= max_name &&
           std::all_of(name.begin(), name.end(), safe) && name.front() != '.' && name.back() != '.';
}

/// Each way in which bytes can be no UTF-8 (Unicode, table 3-7).
const std::vector<std::string> malformed = {
    "\x80",  // a continuation without a beginning
    "\xbf",
    "a\x80z",
    "\xc2",  // cut off
    "\xe1\x80",
    "\xf1\x80\x80",
    "\xc2 ",  // interrupted
    "\xe1\x80 ",
    "\xf1\x80\x80 ",
    "\xc0\x80",  // overlong NUL
    "\xc0\xaf",  // overlong slash
    "\xc1\xbf",
    "\xe0\x80\xaf",
    "\xe0\x9f\xbf",
    "\xf0\x80\x80\xaf",
    "\xf0\x8f\xbf\xbf",
    "\xed\xa0\x80",  // surrogates
    "\xed\xbf\xbf",
    "\xf4\x90\x80\x80",  // past U+10FFFF
    "\xf5\x80\x80\x80",
    "\xf8\x88\x80\x80\x80",
    "\xfe",
    "\xff",
};

}  // namespace

TEST_CASE("a key's name is what the grammar says") {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"", "%"},
        {"numpy-2.1.0+cp312_x", "numpy-2.1.0+cp312_x"},
        {".", "%2e"},
        {"..", "%2e%2e"},
        {"...", "%2e.%2e"},
        {".a.", "%2ea%2e"},
        {"a/b", "a%2fb"},
        {"/etc", "%2fetc"},
        {"%", "%25"},
        {"%2e", "%252e"},
        {"~", "%7e"},
        {"A", "%41"},
        {"con", "con"},
        {"a ", "a%20"},
        {"a\\b:c*d?", "a%5cb%3ac%2ad%3f"},
        {"a\nb", "a%0ab"},
        {std::string("a\0b", 3), "a%00b"},
        {"\xc3\xa9", "%c3%a9"},
        {"e\xcc\x81", "e%cc%81"},
        {"\xf0\x9f\xa6\x80", "%f0%9f%a6%80"},
        {"\x7f", "%7f"},
    };
    for (const auto& [key, name] : rows) {
        INFO(name);
        CHECK(encoded(key) == name);
        CHECK(decode_name(name) == key);
        CHECK(is_key_name(name));
        CHECK_FALSE(is_hashed(name));
    }
}

TEST_CASE("a key that is not UTF-8 is refused, and the message can be printed") {
    for (const auto& bytes : malformed) {
        for (const std::string& key : {bytes, "before" + bytes, bytes + "after"}) {
            const auto name = encode_key(key);
            REQUIRE_FALSE(name);
            CHECK(name.error().code == Errc::invalid);
            const std::string message = name.error().message();
            INFO(message);
            CHECK(message.find("UTF-8") != std::string::npos);
            CHECK(std::all_of(message.begin(), message.end(),
                              [](char c) { return c >= ' ' && c <= '~'; }));
            CHECK_FALSE(encode_bucket(key));
            CHECK_FALSE(decode_name(encode_escapes(key)));
        }
    }
}

TEST_CASE("the first and the last character of each length of UTF-8 are good") {
    for (const char* key :
         {"\x01", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        CHECK(decode_name(encoded(key)) == key);
    }
}

TEST_CASE("a name has one spelling: no key has any other") {
    for (const char* name :
         {"",    ".",   "..",        "a.",       ".a",  "A",   "a b", "a/b",     "~",  "%2",
          "%2E", "%2g", "%g2",       "%%",       "%61", "%2d", "%5f", "a%",      "%a", "a%2ex",
          "%c3", "%ff", "%ed%a0%80", "\xc3\xa9", "a\n", "+%2", "%~",  "x%~short"}) {
        INFO(name);
        CHECK_FALSE(decode_name(name));
        CHECK_FALSE(is_key_name(name));
    }
    CHECK_FALSE(decode_name(std::string_view("a\0", 2)));
}

TEST_CASE("keys that some file systems, or people, take for one have different names") {
    const std::vector<std::string> keys = {
        "",
        "%",
        "%25",
        ".",
        "..",
        "%2e",
        "a",
        "A",
        "aa",
        "aA",
        "Aa",
        "AA",
        "a ",
        " a",
        "a.",
        ".a",
        "a/b",
        "a%2fb",
        "a\\b",
        "\xc3\xa9",
        "e\xcc\x81",
        "\xc3\x89",
        "E\xcc\x81",
        "con",
        "CON",
        "\xc4\xb1",
        "i",
        "I",
        "\xc4\xb0",
        "\xe2\x84\xaa",
        "k",
        "K",
        "ss",
        "\xc3\x9f",
        "\xef\xac\x80",
        "ff",
        "\n",
        "\r\n",
        std::string(1, '\0'),
        std::string(2, '\0'),
        "~",
        "%~",
        "a%~00000000000000000000000000",
    };
    std::map<std::string, std::string> names;
    for (const auto& key : keys) {
        const std::string name = encoded(key);
        CHECK(is_safe(name));
        const auto [other, is_new] = names.emplace(name, key);
        INFO(name);
        CHECK(is_new);
        CHECK(decode_name(name) == key);
    }
}

TEST_CASE("names of at most 200 bytes hold the whole key, and longer ones a hash") {
    const std::string fits(max_name, 'k'), too_long(max_name + 1, 'k');
    CHECK(encoded(fits) == fits);
    CHECK_FALSE(is_hashed(fits));
    const std::string name = encoded(too_long);
    CHECK(name.size() <= max_name);
    CHECK(is_safe(name));
    CHECK(is_hashed(name));
    CHECK(is_key_name(name));
    CHECK_FALSE(decode_name(name));
    CHECK(name.starts_with(std::string(100, 'k')));
    CHECK(encoded(too_long) == name);  // the same in every process: a fixed function of the key
    CHECK(name == std::string(172, 'k') + "%~" + name.substr(174));
}

TEST_CASE("a long name is safe wherever it is cut: no half of an escape, no dot at its end") {
    for (std::size_t lead = 160; lead < 180; ++lead) {
        for (const std::string& end : {std::string("\xf0\x9f\xa6\x80"), std::string("."),
                                       std::string("/"), std::string("%"), std::string(".A")}) {
            std::string key(lead, 'k');
            for (int i = 0; i < 60; ++i) key += end;
            const std::string name = encoded(key);
            INFO(name);
            CHECK(is_safe(name));
            CHECK(is_hashed(name));
            const std::string kept = name.substr(0, name.size() - 2 - id_length);
            // What is left is a prefix of the key, in whole escapes.
            CHECK(encode_escapes(key).starts_with(kept));
            CHECK(name.back() != '.');
            CHECK((kept[kept.size() - 1] != '%' && kept[kept.size() - 2] != '%'));
        }
    }
}

TEST_CASE("a key may be 4,096 bytes long, and no longer") {
    const auto longest = encode_key(std::string(max_key, 'k'));
    REQUIRE(longest);
    CHECK(is_safe(*longest));
    const auto longer = encode_key(std::string(max_key + 1, 'k'));
    REQUIRE_FALSE(longer);
    CHECK(longer.error().code == Errc::invalid);
    CHECK(longer.error().message().find("4096") != std::string::npos);
}

TEST_CASE("long keys that begin alike have different names") {
    std::map<std::string, int> names;
    const std::string prefix(200, 'p');
    for (int i = 0; i < 500; ++i) ++names[encoded(prefix + std::to_string(i))];
    CHECK(names.size() == 500);
}

TEST_CASE("random keys read back, and share no name") {
    std::mt19937 random(2);
    const std::vector<std::string> pieces = {"a",
                                             "z",
                                             "0",
                                             "-",
                                             "_",
                                             "+",
                                             ".",
                                             "..",
                                             "/",
                                             "%",
                                             "%2f",
                                             "A",
                                             "Z",
                                             " ",
                                             "\n",
                                             "~",
                                             "\xc3\xa9",
                                             "\xe2\x82\xac",
                                             "\xf0\x9f\x98\x80",
                                             std::string(1, '\0')};
    std::map<std::string, std::string> keys;
    for (int i = 0; i < 3000; ++i) {
        std::string key;
        for (auto left = random() % 40; left > 0; --left) key += pieces[random() % pieces.size()];
        const std::string name = encoded(key);
        CHECK(is_safe(name));
        CHECK(is_key_name(name));
        if (!is_hashed(name)) CHECK(decode_name(name) == key);
        CHECK(decode_escapes(encode_escapes(key)) == key);
        const auto [other, is_new] = keys.emplace(name, key);
        CHECK(other->second == key);
    }
}

TEST_CASE("a bucket is named like a key, but never empty, and has at most 128 encoded bytes") {
    for (const char* name :
         {"wheels-v1", "..", ".", "a/b", "/etc", "con", "\xf0\x9f\xa6\x80", "A"}) {
        const auto bucket = encode_bucket(name);
        REQUIRE(bucket);
        CHECK(is_safe(*bucket));
        CHECK(decode_name(*bucket) == name);
    }
    CHECK(encode_bucket(std::string(max_bucket_name, 'b')));
    CHECK(encode_bucket(std::string(42, '/')));  // 126 bytes encoded
    for (const std::string& name : {std::string(), std::string(max_bucket_name + 1, 'b'),
                                    std::string(43, '/'), std::string(5000, 'b')}) {
        const auto bucket = encode_bucket(name);
        REQUIRE_FALSE(bucket);
        CHECK(bucket.error().code == Errc::invalid);
        CHECK(bucket.error().message().size() > std::string("bucket name").size());
        CHECK(bucket.error().message().size() < 400);
    }
}

TEST_CASE("escapes hold any bytes, of any length") {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    std::string many;
    for (int i = 0; i < 20; ++i) many += all;
    for (const std::string& bytes : {std::string(), all, many})
        CHECK(decode_escapes(encode_escapes(bytes)) == bytes);
}

TEST_CASE("a key's path is the names of its bucket and of itself") {
    CHECK(key_path("b", "%2fetc") == "b/%2fetc");
}

TEST_CASE("the path to a key's link via an entry leads through its tree and back to the root") {
    const Id id = fresh_id();
    CHECK(std::string(key_path_via_entry(id, KeysBelow::buckets, "b/k").c_str()) ==
          to_text(id) + "/tree/../../../buckets/b/k");
}

TEST_CASE("hashed names that encode_key can't have made belong to no key") {
    const std::string hash(26, '0');
    for (const char* kept : {"k", "FOO bar", "../x"})
        CHECK_FALSE(format::is_key_name(std::string(kept).append("%~").append(hash)));
    CHECK_FALSE(format::is_key_name(std::string(172, 'k').append("%~").append(26, '!')));
    for (const std::string& key : {std::string(4096, 'k'), std::string(4096, 'K'),
                                   std::string(4096, '.'), std::string("k").append(4095, '%')}) {
        const auto name = format::encode_key(key);
        REQUIRE(name);
        CHECK(format::is_hashed(*name));
        CHECK(format::is_key_name(*name));
    }
}

TEST_CASE("names end at 143 bytes: longer keys have names with a hash that fit") {
    for (const std::size_t longest : {64, 100, 143}) {
        for (const std::string& key :
             {std::string(longest + 1, 'k'), std::string(300, 'K'), std::string(longest, '.')}) {
            const auto name = encode_key(key, longest);
            REQUIRE(name);
            CHECK(name->size() <= longest);
            CHECK(is_hashed(*name));
            CHECK(is_key_name(*name));
        }
        const std::string fits(longest, 'k');
        CHECK(encode_key(fits, longest) == fits);
    }
}
