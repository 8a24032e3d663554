// SPDX-License-Identifier: MIT
#include "format/record.hpp"

#include <algorithm>
#include <boost/crc.hpp>
#include <charconv>
#include <cstdio>
#include <limits>

#include "format/name.hpp"
#include "os/before_main.hpp"

namespace larder::format {

namespace {

constexpr std::string_view first_line = "larder record 1";
/// How many bytes of a producer are kept. Arbitrary: a short text for people.
constexpr std::size_t max_producer = 200;

/// Returns the CRC-32 of the bytes, as eight hexadecimal digits.
std::string crc_of(std::string_view bytes) {
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    char text[9];
    std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc.checksum()));
    return text;
}

/// Boost makes its table at the first use, so use it before main: see os/before_main.hpp.
[[maybe_unused]] const bool crc_made = os::before_main([] { return crc_of("x"); });

constexpr std::uint64_t nanos_per_second = 1'000'000'000;

/// A record holds no time before 1970, and none after 2262, when the nanoseconds have no more bits.
constexpr std::uint64_t most_nanos = std::numeric_limits<std::int64_t>::max();

/// Returns the nanoseconds since 1970; 0 for an earlier time.
std::uint64_t nanos_of(WallTime time) {
    const auto since_1970 = std::max(time, WallTime{}).time_since_epoch();
    const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970);
    return static_cast<std::uint64_t>(nanos.count());
}

/// Returns the nanoseconds of a time in seconds and nanoseconds; most_nanos if they are more. The
/// numbers come from a file, so the nanoseconds may be more than a second has.
std::uint64_t nanos_of(std::uint64_t seconds, std::uint64_t nanos) {
    if (seconds > most_nanos / nanos_per_second) return most_nanos;
    const std::uint64_t part_of_a_second = std::min(nanos, nanos_per_second - 1);
    return std::min(seconds * nanos_per_second + part_of_a_second, most_nanos);
}

/// Takes the fields of a record line by line. If something does not match, `good` is false from
/// then on, so a caller may take all fields first and ask once. A line that does not match is not
/// passed, so all fields behind it are empty too.
class RecordLines {
public:
    /// Requires: the text outlives this object.
    explicit RecordLines(std::string_view text) : rest_(text) {}

    /// Takes the next line, and returns what follows the name of the field and a space. Returns an
    /// empty text if the line has another name, or no end.
    std::string_view value(std::string_view field) {
        const auto end = rest_.find('\n');
        const auto line = rest_.substr(0, end);
        if (end == std::string_view::npos || !is_next(field)) {
            good = false;
            return {};
        }
        rest_.remove_prefix(end + 1);
        return line.substr(field.size() + 1);
    }

    /// Returns whether the next line is this field.
    [[nodiscard]] bool is_next(std::string_view field) const {
        return rest_.size() > field.size() && rest_.starts_with(field) &&
               rest_[field.size()] == ' ';
    }

    /// Takes the next line, and returns its value, decoded.
    std::string text(std::string_view field) {
        auto decoded = decode_escapes(value(field));
        if (!decoded) good = false;
        return std::move(decoded).value_or(std::string());
    }

    /// Takes the next line, whose value is a decimal number.
    std::uint64_t number(std::string_view field) { return to_number(value(field)); }

    /// Takes the next line, whose value is seconds, a dot and nine digits of nanoseconds.
    WallTime time(std::string_view field) {
        const auto digits = value(field);
        const auto dot = digits.find('.');
        const std::uint64_t seconds = to_number(digits.substr(0, dot));
        const std::uint64_t part =
            dot == std::string_view::npos ? 0 : to_number(digits.substr(dot + 1));
        const std::chrono::nanoseconds since_1970(nanos_of(seconds, part));
        return WallTime(std::chrono::duration_cast<WallTime::duration>(since_1970));
    }

    /// Returns what follows the lines that were taken.
    [[nodiscard]] std::string_view rest() const { return rest_; }

    bool good = true;

private:
    /// Returns a decimal number. If the text is none, `good` becomes false.
    std::uint64_t to_number(std::string_view digits) {
        std::uint64_t number = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error != std::errc() || end != digits.data() + digits.size()) good = false;
        return number;
    }

    std::string_view rest_;
};

/// Returns a time as RecordLines::time takes it.
std::string print_time(WallTime time) {
    const auto nanos = nanos_of(time);
    char text[40];
    std::snprintf(text, sizeof text, "%llu.%09llu",
                  static_cast<unsigned long long>(nanos / nanos_per_second),
                  static_cast<unsigned long long>(nanos % nanos_per_second));
    return text;
}

}  // namespace

std::string print_record(const Record& record) {
    std::string text;
    const auto line = [&](std::string_view field, std::string_view value) {
        text.append(field).append(" ").append(value).append("\n");
    };
    text.append(first_line).append("\n");
    line("bucket", encode_escapes(record.bucket));
    line("key", encode_escapes(record.key));
    line("time", print_time(record.published));
    line("boot", record.boot);
    line("durability", record.durability == Durability::power ? "power" : "process");
    line("bytes", std::to_string(record.bytes));
    line("files", std::to_string(record.files));
    line("producer", encode_escapes(std::string_view(record.producer).substr(0, max_producer)));
    if (!record.metadata.empty()) line("metadata", encode_escapes(record.metadata));
    const std::string crc = crc_of(text);
    line("end", crc);
    return text;
}

std::optional<Record> parse_record(std::string_view text) {
    if (!text.starts_with(first_line) || text.size() > max_record) return std::nullopt;
    RecordLines lines(text);
    if (lines.value("larder") != "record 1") return std::nullopt;
    // A line that does not match makes `lines.good` false, which is asked once, below.
    Record record;
    record.bucket = lines.text("bucket");
    record.key = lines.text("key");
    record.published = lines.time("time");
    record.boot = lines.value("boot");
    const auto durability = lines.value("durability");
    if (durability != "power" && durability != "process") return std::nullopt;
    record.durability = durability == "power" ? Durability::power : Durability::process;
    record.bytes = lines.number("bytes");
    record.files = lines.number("files");
    record.producer = lines.text("producer");
    if (lines.is_next("metadata")) record.metadata = lines.text("metadata");
    const auto lines_before_crc = text.substr(0, text.size() - lines.rest().size());
    if (lines.value("end") != crc_of(lines_before_crc)) return std::nullopt;
    if (!lines.good || !lines.rest().empty()) return std::nullopt;
    if (record.metadata.size() > max_metadata) return std::nullopt;
    return record;
}

}  // namespace larder::format
