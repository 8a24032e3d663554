// SPDX-License-Identifier: MIT
#include "format/id.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "os/clock.hpp"
#include "os/process.hpp"

namespace larder::format {

namespace {

/// The digits of Crockford's base 32. It has no i, l, o and u.
constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/// The value of a character that is no digit.
constexpr std::uint8_t no_digit = 0xff;

/// The value of each character as a digit.
constexpr auto digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::size_t digit = 0; digit < alphabet.size(); ++digit)
        values[static_cast<unsigned char>(alphabet[digit])] = static_cast<std::uint8_t>(digit);
    return values;
}();

/// Returns the value of a character as a digit; no_digit if it is none.
constexpr std::uint8_t digit_value(char c) noexcept {
    return digit_values[static_cast<unsigned char>(c)];
}

/// Returns the number that some digits stand for. Requires: all of them are digits, and the number
/// has no more than 64 bits.
constexpr std::uint64_t number_of(std::string_view digits) noexcept {
    std::uint64_t number = 0;
    for (const char c : digits) number = number << 5 | digit_value(c);
    return number;
}

/// Returns the first four bytes of the boot id, which are random.
std::uint64_t boot_tag() noexcept {
    const auto boot = os::boot_id();
    return std::uint64_t{boot[0]} << 24 | std::uint64_t{boot[1]} << 16 |
           std::uint64_t{boot[2]} << 8 | boot[3];
}

/// Returns an id of a tag of four bytes and a number of 12 bytes that no process draws twice. Never
/// returns the zero id, which means that there is none.
Id unique_with(std::uint64_t tag) noexcept {
    const auto unique = os::draw_unique();
    const Id id{.high = tag << 32 | unique.random >> 32,
                .low = unique.random << 32 | unique.counter};
    return id ? id : unique_with(tag);
}

}  // namespace

Id fresh_id() noexcept { return unique_with(boot_tag()); }

bool is_of_this_boot(const Id& id) noexcept { return id.high >> 32 == boot_tag(); }

RetiredAt retired_now() noexcept {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(os::wall_time().time_since_epoch());
    // Not 0, which is `evicted`.
    return static_cast<RetiredAt>(std::clamp<std::int64_t>(now.count(), 1, UINT32_MAX));
}

Id fresh_retired_name(RetiredAt when) noexcept { return unique_with(when); }

RetiredAt retired_at(const Id& name) noexcept { return static_cast<RetiredAt>(name.high >> 32); }

std::array<char, id_length> characters_of(const Id& id) noexcept {
    // 26 characters of 5 bits hold 130 bits. The first character has only the top 3 bits of the id.
    // The 14th has one bit of the high word and four bits of the low word.
    constexpr std::size_t shared = 13;  // the index of the 14th
    std::array<char, id_length> characters;
    std::uint64_t high = id.high >> 1, low = id.low;
    const auto digit = [](std::uint64_t value) {
        return alphabet[static_cast<std::size_t>(value)];
    };
    for (std::size_t i = shared; i-- > 0; high >>= 5) characters[i] = digit(high & 31);
    for (std::size_t i = id_length; --i > shared; low >>= 5) characters[i] = digit(low & 31);
    characters[shared] = digit((id.high & 1) << 4 | low);  // four bits of `low` are left
    return characters;
}

std::string to_text(const Id& id) {
    const auto text = characters_of(id);
    return {text.data(), text.size()};
}

std::optional<Id> parse_id(std::string_view text) noexcept {
    // The first character has only the top 3 bits of the id.
    if (text.size() != id_length || digit_value(text[0]) > 7) return std::nullopt;
    if (!std::all_of(text.begin(), text.end(), [](char c) { return digit_value(c) != no_digit; }))
        return std::nullopt;
    // The high word is 3 + 12 x 5 bits and one bit of the next character. The low word is the other
    // four bits of that character and 12 x 5 bits.
    const std::uint64_t first = number_of(text.substr(0, 13));
    const std::uint64_t middle = number_of(text.substr(13, 1));
    const std::uint64_t last = number_of(text.substr(14));
    const Id id{.high = first << 1 | middle >> 4, .low = middle << 60 | last};
    if (!id) return std::nullopt;
    return id;
}

}  // namespace larder::format
