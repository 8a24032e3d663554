// SPDX-License-Identifier: MIT
// The record: what an entry says of itself.

#include <random>

#include "catch.hpp"
#include "format/name.hpp"
#include "format/record.hpp"

using namespace larder;
using namespace larder::format;

namespace {

WallTime at(std::int64_t seconds, std::int64_t nanoseconds) {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds)));
}

Record sample() {
    return {"wheels-v1",
            "numpy-2.1.0/cp312 \xc3\xa9",
            at(1'700'000'000, 123'456'789),
            "00112233445566778899aabbccddeeff",
            Durability::power,
            123'456,
            78,
            "installer 1.2"};
}

}  // namespace

TEST_CASE("a record reads back") {
    const Record record = sample();
    const auto read = parse_record(print_record(record));
    REQUIRE(read);
    CHECK(*read == record);
    CHECK(print_record(*read) == print_record(record));
}

TEST_CASE("a record is text that people can read") {
    const std::string text = print_record(sample());
    CHECK(
        text.starts_with("larder record 1\n"
                         "bucket wheels-v1\n"
                         "key numpy-2.1.0%2fcp312%20%c3%a9\n"
                         "time 1700000000.123456789\n"
                         "boot 00112233445566778899aabbccddeeff\n"
                         "durability power\n"
                         "bytes 123456\n"
                         "files 78\n"
                         "producer installer%201.2\n"
                         "end "));
    CHECK(text.ends_with("\n"));
}

TEST_CASE("a record that is cut off at any length is no record") {
    const std::string whole = print_record(sample());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        INFO(length);
        CHECK_FALSE(parse_record(whole.substr(0, length)));
    }
}

TEST_CASE("a record in which any byte has changed is no record") {
    const std::string whole = print_record(sample());
    for (std::size_t place = 0; place < whole.size(); ++place) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = whole;
            changed[place] = static_cast<char>(byte);
            if (changed == whole) continue;
            if (parse_record(changed))
                FAIL_CHECK("taken for a record with byte " << byte << " at " << place);
        }
    }
}

TEST_CASE("a record with more after it, before it or in it is no record") {
    const std::string whole = print_record(sample());
    CHECK_FALSE(parse_record(whole + "\n"));
    CHECK_FALSE(parse_record(whole + std::string(1, '\0')));
    CHECK_FALSE(parse_record(whole + whole));
    CHECK_FALSE(parse_record("\n" + whole));
    CHECK_FALSE(parse_record(whole + std::string(max_record, 'x')));
    for (std::size_t place = 0; place <= whole.size(); ++place) {
        for (const char c : {'0', '\n', ' ', '\0', 'a'}) {
            std::string longer = whole;
            longer.insert(place, 1, c);
            if (parse_record(longer))
                FAIL_CHECK("taken for a record with a byte more at " << place);
        }
        if (place < whole.size() && parse_record(std::string(whole).erase(place, 1)))
            FAIL_CHECK("taken for a record without byte " << place);
    }
}

TEST_CASE("the longest record fits") {
    Record record = sample();
    record.bucket = std::string(max_bucket_name, 'b');
    record.key = std::string(max_key, '/');
    record.producer = std::string(200, '\xff');
    record.metadata = std::string(max_metadata, '\xff');
    record.bytes = record.files = std::numeric_limits<std::uint64_t>::max();
    const std::string text = print_record(record);
    CHECK(text.size() <= max_record);
    const auto read = parse_record(text);
    REQUIRE(read);
    CHECK(*read == record);
}

TEST_CASE("a producer is cut to 200 bytes") {
    Record record = sample();
    record.producer = std::string(300, 'p');
    const auto read = parse_record(print_record(record));
    REQUIRE(read);
    CHECK(read->producer == std::string(200, 'p'));
}

TEST_CASE("a record without metadata has no line for it, and one with too much is none") {
    Record record = sample();
    CHECK(print_record(record).find("metadata") == std::string::npos);
    record.metadata = std::string("etag \"x\"\n\0%", 12);
    const auto read = parse_record(print_record(record));
    REQUIRE(read);
    CHECK(*read == record);
    record.metadata = std::string(max_metadata + 1, 'm');
    CHECK_FALSE(parse_record(print_record(record)));
}

TEST_CASE("random records read back") {
    std::mt19937_64 random(3);
    const auto bytes = [&](std::size_t most) {
        std::string text;
        for (auto left = random() % (most + 1); left > 0; --left)
            text += static_cast<char>(random());
        return text;
    };
    for (int i = 0; i < 2000; ++i) {
        const Record record{bytes(60),
                            bytes(300),
                            at(static_cast<std::int64_t>(random() % 4'000'000'000),
                               static_cast<std::int64_t>(random() % 1'000'000'000)),
                            "00ff",
                            random() % 2 == 0 ? Durability::power : Durability::process,
                            random(),
                            random(),
                            bytes(200),
                            bytes(max_metadata)};
        const auto read = parse_record(print_record(record));
        REQUIRE(read);
        REQUIRE(*read == record);
    }
}
