// SPDX-License-Identifier: MIT
// What src/os/windows computes without asking the system: texts, patterns and the data of
// junctions. This is tested on every system.

#include <random>
#include <string>

#include "catch.hpp"
#include "os/glob.hpp"
#include "os/windows/glob_bytes.hpp"
#include "os/windows/reparse.hpp"
#include "os/windows/utf16.hpp"

using namespace larder::os;

namespace {

std::optional<std::u16string> wide(std::string_view text) {
    std::u16string units(text.size() + 1, u'\0');
    const auto size = windows::to_utf16(text, units.data(), units.size());
    if (!size) return std::nullopt;
    units.resize(*size);
    return units;
}

std::string narrow(std::u16string_view units) {
    std::string text;
    windows::append_utf8<char16_t>(text, units);
    return text;
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

}  // namespace

TEST_CASE("UTF-8 and UTF-16 are turned into each other") {
    const std::pair<std::string, std::u16string> pairs[] = {
        {"", u""},
        {"key", u"key"},
        {"\x7f\xc2\x80", u"\x7f\x80"},
        {"\xdf\xbf\xe0\xa0\x80", u"\x7ff\x800"},
        {"\xef\xbf\xbf", u"\xffff"},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", u"\xd800\xdc00\xdbff\xdfff"},
        {"\xed\xa0\x80", u"\xd800"},    // one half alone
        {"\xed\xb0\x80z", u"\xdc00z"},  // the other half
    };
    for (const auto& [text, units] : pairs) {
        CHECK(wide(text) == units);
        CHECK(narrow(units) == text);
    }
    for (const char* const bad :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc3("})
        CHECK_FALSE(wide(bad));
    char16_t few[2];
    CHECK(windows::to_utf16("ab", few, 2) == 2);
    CHECK_FALSE(windows::to_utf16("abc", few, 2));
    CHECK_FALSE(windows::to_utf16("a\xf0\x90\x80\x80", few, 2));
}

TEST_CASE("every sequence of units comes back as it was") {
    std::mt19937 random(7);
    const char16_t units[] = {u'a',   0x7f,   0x80,   0x7ff,  0x800,  0xd7ff,
                              0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff};
    for (int round = 0; round < 2000; ++round) {
        std::u16string text;
        for (std::size_t i = random() % 8; i > 0; --i) text += units[random() % std::size(units)];
        CHECK(wide(narrow(text)) == text);
    }
}

TEST_CASE("a pattern without the system's help means what it means with it") {
    std::mt19937 random(11);
    const std::string letters = "ab*?[]-!\\^.";
    const auto draw = [&](std::size_t longest) {
        std::string text;
        for (std::size_t i = random() % (longest + 1); i > 0; --i)
            text += letters[random() % letters.size()];
        return text;
    };
    const auto is_odd = [](const std::string& pattern) {
        // The C libraries differ about these: a backslash at the end, and what begins like the name
        // of a class of characters or an empty range.
        return pattern.ends_with('\\') || pattern.find('[') != pattern.npos;
    };
    int fits = 0;
    for (int round = 0; round < 20'000; ++round) {
        const std::string pattern = draw(6), text = draw(5);
        if (is_odd(pattern)) continue;
        INFO(pattern << " and " << text);
        const bool expected = matches_glob(pattern, text);
        CHECK(windows::matches_bytes(pattern, text) == expected);
        if (expected) ++fits;
    }
    CHECK(fits > 100);
    const std::tuple<const char*, const char*, bool> rows[] = {
        {"[a-c]", "b", true},         {"[a-c]", "d", false},
        {"[!a-c]", "d", true},        {"[^a-c]", "b", false},
        {"[]a]", "]", true},          {"[a-]", "-", true},
        {"[a", "[a", true},           {"[", "[", true},
        {"x[0-9]*", "x1yz", true},    {"[\\]]", "]", true},
        {"*[b]", "aab", true},        {"*.[ch]pp", "a.hpp", true},
        {"*.[ch]pp", "a.dpp", false}, {"[!]]", "a", true},
        {"[!]]", "]", false},         {"[\x80-\xff]", "\xc3", true},
    };
    for (const auto& [pattern, text, expected] : rows) {
        INFO(pattern << " and " << text);
        CHECK(windows::matches_bytes(pattern, text) == expected);
        CHECK(matches_glob(pattern, text) == expected);
    }
    CHECK_FALSE(windows::matches_bytes(std::string(30, '*') + "b", std::string(5000, 'a')));
}

TEST_CASE("the data of a junction are the bytes that Windows has") {
    const auto data = windows::junction_data("C:\\c");
    REQUIRE(data);
    const std::string expected[] = {
        "030000a0",                          // tag
        "2400",                              // 36 bytes follow after the next two
        "0000",                              //
        "00001000",                          // the substitute name: at 0, 16 bytes
        "12000800",                          // the print name: at 18, 8 bytes
        "5c003f003f005c0043003a005c006300",  // \??\C:\c
        "0000",                              //
        "43003a005c006300",                  // C:\c
        "0000",
    };
    std::string whole;
    for (const std::string& part : expected) whole += part;
    CHECK(hex(*data) == whole);
    const auto parsed = windows::parse_reparse(*data);
    REQUIRE(parsed);
    CHECK(parsed->tag == windows::junction_tag);
    CHECK(parsed->target == "C:\\c");
    for (const char* const target : {"D:\\a b\\\xc3\xa4\\\xf0\x9f\x8d\x8e", "C:\\"}) {
        const auto other = windows::junction_data(target);
        REQUIRE(other);
        CHECK(windows::parse_reparse(*other)->target == target);
    }
}

TEST_CASE("no junction is made to what is no absolute path") {
    for (const std::string& target :
         {std::string(), std::string("c"), std::string("..\\a"), std::string("\\a"),
          std::string("C:a"), std::string("C:/a"), std::string("C:\\\xff"),
          std::string("C:\\a\0b", 6), "C:\\" + std::string(8000, 'x')})
        CHECK_FALSE(windows::junction_data(target));
}

TEST_CASE("an absolute target is read as programs write it") {
    /// Returns where a symlink leads whose data have this name alone, as the system writes it.
    const auto read = [](const std::string& name) {
        const auto length = static_cast<char>(2 * name.size());
        std::string data("\x0c\0\0\xa0", 4);
        data += {static_cast<char>(12 + length), 0, 0, 0};
        data += {0, 0, length, 0};  // the substitute name
        data += {length, 0, 0, 0};  // the print name, which is empty
        data += {0, 0, 0, 0};       // flags
        for (const char c : name) data += {c, 0};
        const auto parsed = windows::parse_reparse(data);
        REQUIRE(parsed);
        return parsed->target;
    };
    CHECK(read("\\??\\C:\\a") == "C:\\a");
    CHECK(read("\\??\\UNC\\server\\share\\a") == "\\\\server\\share\\a");
    CHECK(read("\\??\\Volume{0}\\") == "\\\\?\\Volume{0}\\");
    CHECK(read("..\\UNC\\a") == "..\\UNC\\a");
}

TEST_CASE("the data of a symlink are read, and damaged data are not") {
    // A relative symlink to "a": flags 1, print name first.
    const std::string symlink("\x0c\0\0\xa0\x10\0\0\0\x02\0\x02\0\0\0\x02\0\x01\0\0\0a\0a\0", 24);
    const auto parsed = windows::parse_reparse(symlink);
    REQUIRE(parsed);
    CHECK(parsed->tag == windows::symlink_tag);
    CHECK(parsed->target == "a");

    const std::string good = *windows::junction_data("C:\\cache\\archive");
    for (std::size_t length = 0; length < good.size(); ++length)
        CHECK_FALSE(windows::parse_reparse(std::string_view(good).substr(0, length)));
    CHECK_FALSE(windows::parse_reparse(good + "x"));
    // Whatever a byte is changed to, nothing beyond the data is read.
    for (std::size_t at = 0; at < 16; ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string changed = good;
            changed[at] = static_cast<char>(value);
            (void)windows::parse_reparse(changed);
        }
    }
    std::string other_tag = good;
    other_tag[0] = 4;
    CHECK_FALSE(windows::parse_reparse(other_tag));
}

TEST_CASE("the data of a junction are read in the spelling that larder writes") {
    const std::string good = *windows::junction_data("C:\\c");
    CHECK(windows::parse_junction(good) == "C:\\c");
    for (std::size_t length = 0; length < good.size(); ++length)
        CHECK_FALSE(windows::parse_junction(std::string_view(good).substr(0, length)));
    CHECK_FALSE(windows::parse_junction(good + "x"));
    CHECK_FALSE(windows::parse_junction(good + std::string(2, '\0')));

    /// Returns the data with one of their bytes changed.
    const auto with = [&](std::size_t at, char byte) {
        std::string changed = good;
        changed[at] = byte;
        return changed;
    };
    CHECK_FALSE(windows::parse_junction(with(0, '\x0c')));  // the tag of a symlink
    CHECK_FALSE(windows::parse_junction(with(3, '\x80')));  // a tag of another vendor's
    for (const std::size_t at : {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) {
        INFO("the number at " << at);
        CHECK_FALSE(windows::parse_junction(with(at, static_cast<char>(good[at] + 1))));
        CHECK_FALSE(windows::parse_junction(with(at, '\xff')));
    }
    for (std::size_t at = 16; at < 28; ++at) {  // "\??\C:", of which the drive may be another
        INFO("the byte at " << at << " of the prefix and the drive");
        const auto parsed = windows::parse_junction(with(at, 'D'));
        CHECK(parsed == (at == 24 ? std::optional<std::string>("D:\\c") : std::nullopt));
    }
    CHECK_FALSE(windows::parse_junction(with(28, '/')));       // "C:/c"
    CHECK_FALSE(windows::parse_junction(with(30, '\0')));      // a zero in the name
    CHECK_FALSE(windows::parse_junction(with(32, 'x')));       // a letter in the place of a zero
    CHECK(windows::parse_junction(with(34, 'x')) == "C:\\c");  // the print name is for people
}

TEST_CASE("the print name of a junction may be missing, and so may the zeros behind the names") {
    const auto data_of = [](std::string_view numbers, std::string_view names) {
        std::string data("\x03\0\0\xa0", 4);
        data += {static_cast<char>(8 + names.size()), 0, 0, 0};
        return data.append(numbers).append(names);
    };
    const std::string name("\\\0?\0?\0\\\0C\0:\0\\\0", 14);
    CHECK(windows::parse_junction(data_of({"\0\0\x0e\0\x0e\0\0\0", 8}, name)) == "C:\\");
    const std::string zeros(4, '\0');
    CHECK(windows::parse_junction(data_of({"\0\0\x0e\0\x10\0\0\0", 8}, name + zeros)) == "C:\\");
    // Two bytes that belong to nothing.
    CHECK_FALSE(windows::parse_junction(data_of({"\0\0\x0e\0\x0e\0\0\0", 8}, name + zeros)));
    CHECK_FALSE(windows::parse_junction(data_of({"\0\0\x0e\0\x12\0\0\0", 8}, name + zeros)));
}
