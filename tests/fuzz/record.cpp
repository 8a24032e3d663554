// SPDX-License-Identifier: MIT
// Records: what is accepted reads back, and a change of any byte is noticed.

#include "format/record.hpp"

#include <algorithm>
#include <boost/crc.hpp>

#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;
using namespace larder::format;

namespace {

/// Gives a text a good CRC: without one its fields are not read at all.
std::string with_good_crc(std::string_view text) {
    std::string whole(text.substr(0, text.rfind("\nend ") == std::string_view::npos
                                         ? text.size()
                                         : text.rfind("\nend ") + 1));
    boost::crc_32_type crc;
    crc.process_bytes(whole.data(), whole.size());
    char end[16];
    std::snprintf(end, sizeof end, "end %08x\n", static_cast<unsigned>(crc.checksum()));
    return whole + end;
}

void check_parse(std::string_view text) {
    const auto record = parse_record(text);
    if (!record) return;
    const auto again = parse_record(print_record(*record));
    must(again.has_value(), "what was read can be written and read");
    // A producer of more than 200 bytes is cut when it is written.
    Record expected = *record;
    expected.producer.resize(std::min<std::size_t>(expected.producer.size(), 200));
    must(*again == expected, "what was read, written and read is the same");
}

void check_changes(const Record& record, std::size_t at, std::uint8_t change) {
    const std::string text = print_record(record);
    must(text.size() <= max_record || record.key.size() > 4096 || record.bucket.size() > 128,
         "a record of a lawful key is short");
    if (text.size() > max_record) return;
    const auto read = parse_record(text);
    must(read && *read == record, "what was written reads back");
    std::string changed = text;
    changed[at % text.size()] =
        static_cast<char>(static_cast<std::uint8_t>(changed[at % text.size()]) ^ change);
    if (change != 0) must(!parse_record(changed), "a changed byte makes it none");
    must(!parse_record(text.substr(0, at % text.size())), "a record that is cut off is none");
    must(!parse_record(text + static_cast<char>(change)),
         "a record with something behind it is none");
}

}  // namespace

/// The first 8 bytes are numbers. The rest is a record's text, and, split at newlines, its bucket,
/// key, producer and boot.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    check_parse(text);
    check_parse(with_good_crc(text));
    if (size < 8) return 0;

    auto parts = split(text.substr(8), '\n');
    parts.resize(std::max<std::size_t>(parts.size(), 4));
    Record record;
    record.bucket = parts[0];
    record.key = parts[1];
    record.producer = parts[2].substr(0, 200);
    for (const char c : parts[3])
        record.boot += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    record.published = WallTime(std::chrono::nanoseconds(data[0] * 1'000'000'007LL * data[1]));
    record.durability = (data[2] & 1) != 0 ? Durability::power : Durability::process;
    record.bytes = std::uint64_t{data[3]} << (data[4] & 63);
    record.files = data[4];
    check_changes(record, data[5] * std::size_t{256} + data[6], data[7]);
    return 0;
}
