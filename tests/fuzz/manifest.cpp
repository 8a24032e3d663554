// SPDX-License-Identifier: MIT
// Manifests: what is accepted prints again as it was, a change of any byte is noticed, and the
// lengths of the pieces do not matter.

#include "format/manifest.hpp"

#include <algorithm>

#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;
using namespace larder::format;

namespace {

/// Parses a text in pieces of `length` bytes. Returns it printed again; nullopt if it is none.
std::optional<std::string> parse_and_print(std::string_view text, std::size_t length) {
    ManifestParser parser;
    std::optional<ManifestPrinter> printer;
    const auto print = [&](const ManifestItem& item) {
        if (!printer) printer.emplace(*parser.head());
        printer->add(item);
    };
    for (std::size_t at = 0; at < text.size(); at += length)
        parser.take(text.substr(at, length), print);
    if (!parser.is_whole()) return std::nullopt;
    must(parser.head() == parse_manifest_head(text), "the head alone says the same");
    must(printer.has_value(), "a whole manifest has a top");
    printer->end();
    return printer->take();
}

/// Gives the lines of a text good checksums: without them they are not read at all.
std::string with_good_checksums(std::string_view text) {
    std::string whole;
    boost::crc_32_type crc;
    const auto add = [&](std::string_view line) {
        crc.process_bytes(line.data(), line.size());
        whole += line;
    };
    const auto add_checksum = [&](const char* field) {
        char line[20];
        std::snprintf(line, sizeof line, "%s %08x\n", field, static_cast<unsigned>(crc.checksum()));
        add(line);
    };
    for (std::string& line : split(text, '\n')) {
        if (line.starts_with("end ") || line.empty()) continue;
        if (line.starts_with("head ")) {
            add_checksum("head");
        } else {
            add(line += '\n');
        }
    }
    add_checksum("end");
    return whole;
}

void check(std::string_view text, std::size_t length, std::size_t at, std::uint8_t change) {
    const auto printed = parse_and_print(text, length);
    must(printed == parse_and_print(text, text.size() + 1), "the lengths do not matter");
    if (!printed) return;
    must(*printed == text, "what was read prints as it was");
    std::string changed(text);
    char& byte = changed[at % text.size()];
    byte = static_cast<char>(static_cast<std::uint8_t>(byte) ^ change);
    if (change != 0) must(!parse_and_print(changed, 64), "a changed byte makes it none");
    must(!parse_and_print(text.substr(0, at % text.size()), 64), "one that is cut off is none");
    changed = std::string(text) + static_cast<char>(change);
    must(!parse_and_print(changed, 64), "one with something behind it is none");
}

}  // namespace

/// The first 4 bytes are numbers. The rest is the text of a manifest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const auto text = text_of(data + 4, size - 4);
    const std::size_t length = data[0] + std::size_t{1};
    const std::size_t at = data[1] * std::size_t{256} + data[2];
    check(text, length, at, data[3]);
    check(with_good_checksums(text), length, at, data[3]);
    return 0;
}
