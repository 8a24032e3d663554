// SPDX-License-Identifier: MIT
#include "format/text_parts.hpp"

#include <boost/crc.hpp>
#include <cstdio>

#include "os/before_main.hpp"

namespace larder::format {

std::string text_of_time(std::chrono::nanoseconds time) {
    constexpr std::int64_t nanos_of_one_second = 1'000'000'000;
    char text[64];
    std::snprintf(text, sizeof text, "%lld.%09d",
                  static_cast<long long>(time.count() / nanos_of_one_second),
                  static_cast<int>(time.count() % nanos_of_one_second));
    return text;
}

std::chrono::nanoseconds time_of_text(std::string_view text) {
    TextParts parts(text);
    // Little more than a century, so that the nanoseconds have enough bits.
    const auto seconds = std::min<std::uint64_t>(parts.number<std::uint64_t>('.'), 1ULL << 32);
    const auto nanos = TextParts::to_number<std::uint32_t>(parts.rest());
    return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos);
}

std::string end_line(std::string_view text) {
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    char line[16];
    std::snprintf(line, sizeof line, "end %08x\n", static_cast<unsigned>(crc.checksum()));
    return line;
}

namespace {

/// Boost makes its table at the first use, so use it before main: see os/before_main.hpp.
[[maybe_unused]] const bool end_line_made = os::before_main([] { return end_line("x"); });

}  // namespace

}  // namespace larder::format
