// SPDX-License-Identifier: MIT
// The manifest: what the tree of an entry holds.

#include "catch.hpp"
#include "format/manifest.hpp"

using namespace larder;
using namespace larder::format;

namespace {

using Kind = os::FileKind;

ManifestHead sample_head() {
    return {.boot = "00112233445566778899aabbccddeeff",
            .since_boot = std::chrono::nanoseconds(12'345'000'000'678),
            .time_namespace = 4'026'531'834,
            .digest = "sha256",
            .newest = {.seconds = 1'700'000'000, .nanoseconds = 1}};
}

std::vector<ManifestItem> sample_items() {
    const std::string digest("\x00\xff\x10", 3);
    return {
        {.kind = Kind::directory, .mode = 0755, .name = "."},
        {.mode = 0644, .size = 1234, .digest = digest, .name = "METADATA"},
        {.mode = 04755, .size = 0, .name = "a \n\\n\xff"},
        {.kind = Kind::symlink, .size = 7, .digest = digest, .name = "link"},
        {.kind = Kind::directory, .depth = 1, .mode = 0700, .name = "lib"},
        {.kind = Kind::directory, .depth = 2, .mode = 0, .name = "deep"},
        {.mode = 0444, .size = 18'446'744'073'709'551'615U, .name = "METADATA"},
        {.kind = Kind::directory, .depth = 1, .mode = 0755, .name = "lib2"},
    };
}

std::string print(const ManifestHead& head, const std::vector<ManifestItem>& items) {
    ManifestPrinter printer(head);
    std::string text = printer.take();
    for (const auto& item : items) {
        printer.add(item);
        if (item.depth == 1) text += printer.take();
    }
    printer.end();
    return text + printer.take();
}

std::string sample() { return print(sample_head(), sample_items()); }

/// What was parsed in pieces of `length` bytes.
struct Parsed {
    bool is_whole = false;
    std::optional<ManifestHead> head;
    std::vector<ManifestItem> items;
};

Parsed parse(std::string_view text, std::size_t length) {
    Parsed parsed;
    ManifestParser parser;
    const auto keep = [&](const ManifestItem& item) { parsed.items.push_back(item); };
    for (std::size_t at = 0; at < text.size(); at += length) {
        if (!parser.take(text.substr(at, length), keep)) break;
    }
    parsed.is_whole = parser.is_whole();
    parsed.head = parser.head();
    return parsed;
}

bool is_manifest(std::string_view text) { return parse(text, text.size() + 1).is_whole; }

/// Returns a manifest with a good head, and checksums that fit the lines, whatever these are.
bool accepts_lines(const std::string& lines) {
    const ManifestHead head = sample_head();
    std::string text = ManifestPrinter(head).take() + lines;
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    char end[16];
    std::snprintf(end, sizeof end, "end %08x\n", static_cast<unsigned>(crc.checksum()));
    return is_manifest(text + end);
}

}  // namespace

TEST_CASE("a manifest reads back, in pieces of any length") {
    const std::string text = sample();
    for (const std::size_t length :
         {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64}, text.size()}) {
        const Parsed parsed = parse(text, length);
        CHECK(parsed.is_whole);
        CHECK(parsed.head == sample_head());
        CHECK(parsed.items == sample_items());
    }
    CHECK(parse_manifest_head(text) == sample_head());
}

TEST_CASE("a manifest is text that people can read") {
    const std::string text = sample();
    CHECK(
        text.starts_with("larder manifest 1\n"
                         "boot 00112233445566778899aabbccddeeff\n"
                         "boottime 12345.000000678\n"
                         "timens 4026531834\n"
                         "digest sha256\n"
                         "newest 1700000000.000000001\n"
                         "head "));
    CHECK(text.find("\nd 0 755 .\n"
                    "f 644 1234 00ff10 METADATA\n"
                    "f 4755 0 - a \\n\\\\n\xff\n"
                    "l 7 00ff10 link\n"
                    "d 1 700 lib\n"
                    "d 2 0 deep\n"
                    "f 444 18446744073709551615 - METADATA\n"
                    "d 1 755 lib2\n"
                    "end ") != std::string::npos);
}

TEST_CASE("a manifest that is cut off at any byte is no manifest") {
    const std::string whole = sample();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        INFO(length);
        CHECK_FALSE(is_manifest(whole.substr(0, length)));
    }
}

TEST_CASE("a manifest in which any byte has changed is no manifest") {
    const std::string whole = sample();
    for (std::size_t place = 0; place < whole.size(); ++place) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = whole;
            changed[place] = static_cast<char>(byte);
            if (changed == whole) continue;
            if (is_manifest(changed))
                FAIL_CHECK("taken for a manifest with byte " << byte << " at " << place);
        }
    }
}

TEST_CASE("a manifest with more after it, before it or in it is no manifest") {
    const std::string whole = sample();
    CHECK_FALSE(is_manifest(whole + "\n"));
    CHECK_FALSE(is_manifest(whole + std::string(1, '\0')));
    CHECK_FALSE(is_manifest(whole + whole));
    CHECK_FALSE(is_manifest("\n" + whole));
    for (std::size_t place = 0; place <= whole.size(); ++place) {
        for (const char c : {'0', '\n', ' ', '\0', 'a'}) {
            std::string longer = whole;
            longer.insert(place, 1, c);
            if (is_manifest(longer)) FAIL_CHECK("taken for a manifest with a byte at " << place);
        }
        if (place < whole.size() && is_manifest(std::string(whole).erase(place, 1)))
            FAIL_CHECK("taken for a manifest without byte " << place);
    }
}

TEST_CASE("the lines of a manifest have one order and one spelling") {
    const std::string top = "d 0 755 .\n";
    CHECK(accepts_lines(top));
    CHECK(accepts_lines(top + "f 644 1 - a\nf 644 1 - b\nd 1 755 a\nd 2 755 a\nd 1 755 b\n"));
    CHECK_FALSE(accepts_lines(""));
    const auto line = GENERATE(
        // the order
        "d 0 755 .\n", "d 2 755 a\n", "f 644 1 - b\nf 644 1 - a\n", "f 644 1 - a\nl 1 - a\n",
        "d 1 755 b\nd 1 755 a\n", "d 1 755 a\nd 1 755 a\n",
        "d 1 755 a\nd 2 755 b\nd 3 755 a\nd 2 755 b\n",
        // the spelling
        "f 0644 1 - a\n", "f 644 01 - a\n", "f 644 +1 - a\n", "f 644 -1 - a\n", "f 648 1 - a\n",
        "f 10000 1 - a\n", "f 644 18446744073709551616 - a\n", "f 644 1  a\n", "f 644 1 0 a\n",
        "f 644 1 0G a\n", "f 644 1 AA a\n", "f 644 1 - \n", "f 644 1 -\n", "f  644 1 - a\n",
        "x 644 1 - a\n", "l 644 1 - a\n", "\n", "d 1 755\n", "d 4294967296 755 a\n",
        // the names
        "f 644 1 - .\n", "f 644 1 - ..\n", "f 644 1 - a/b\n", "d 1 755 .\n", "f 644 1 - a\\\n",
        "f 644 1 - a\\t\n");
    INFO(line);
    CHECK_FALSE(accepts_lines(top + line));
}

TEST_CASE("a manifest whose head names no digest has none") {
    ManifestHead head = sample_head();
    head.digest.clear();
    std::vector<ManifestItem> items = sample_items();
    CHECK_FALSE(is_manifest(print(head, items)));
    for (ManifestItem& item : items) item.digest.clear();
    CHECK(is_manifest(print(head, items)));
}

TEST_CASE("a line that is too long ends the parsing, and is not kept") {
    ManifestParser parser;
    CHECK(parser.take(ManifestPrinter(sample_head()).take(), {}));
    CHECK(parser.take("d 0 755 .", {}));
    CHECK_FALSE(parser.take(std::string(max_manifest_line, 'x'), {}));
    CHECK_FALSE(parser.take("\n", {}));
    CHECK_FALSE(parser.is_whole());
}

TEST_CASE("the head of a manifest can be read alone") {
    const std::string text = sample();
    const std::size_t end = text.find("d 0");
    CHECK(parse_manifest_head(text.substr(0, end)) == sample_head());
    for (std::size_t length = 0; length < end; ++length) {
        INFO(length);
        CHECK_FALSE(parse_manifest_head(text.substr(0, length)));
    }
    ManifestHead head = sample_head();
    head.digest.clear();
    head.newest = {.seconds = -5, .nanoseconds = 999'999'999};
    head.time_namespace = 0;
    head.since_boot = {};
    CHECK(parse_manifest_head(print(head, {})) == head);
}

TEST_CASE("the name of a digest is short and plain") {
    CHECK(is_digest_name("sha256"));
    CHECK(is_digest_name("blake2b-256"));
    for (const char* name : {"", "none", "SHA256", "a b", "a\n", "a/b"}) {
        INFO(name);
        CHECK_FALSE(is_digest_name(name));
    }
    CHECK_FALSE(is_digest_name(std::string(33, 'a')));
}
