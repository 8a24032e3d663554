#include <layout/id.hpp>

#include <array>
#include <os/process.hpp>

namespace larder::layout {

namespace {

constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

constexpr std::uint8_t no_digit = 0xff;
constexpr auto digits = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::uint8_t digit = 0; digit < alphabet.size(); ++digit) values[static_cast<unsigned char>(alphabet[digit])] = digit;
    return values;
}();

std::uint64_t boot_tag() noexcept {
    const auto boot = os::boot_id();
    return std::uint64_t{boot[0]} << 24 | std::uint64_t{boot[1]} << 16 | std::uint64_t{boot[2]} << 8 | boot[3];
}

}  // namespace

Id fresh_id() noexcept {
    const auto unique = os::draw_unique();
    const Id id{boot_tag() << 32 | unique.random >> 32, unique.random << 32 | unique.counter};
    return id ? id : fresh_id();
}

void append_text(std::string& text, const Id& id) {
    // 26 characters of 5 bits hold 130 bits: the first character has only the id's top 3 bits.
    std::array<char, id_length> characters;
    Id rest = id;
    for (std::size_t i = id_length; i-- > 0;) {
        characters[i] = alphabet[rest.low & 31];
        rest.low = rest.low >> 5 | rest.high << 59;
        rest.high >>= 5;
    }
    text.append(characters.data(), characters.size());
}

std::string to_text(const Id& id) {
    std::string text;
    append_text(text, id);
    return text;
}

std::optional<Id> parse_id(std::string_view text) noexcept {
    if (text.size() != id_length) return std::nullopt;
    Id id;
    std::uint8_t seen = digits[static_cast<unsigned char>(text[0])] > 7 ? no_digit : 0;
    for (const char c : text) {
        const std::uint8_t digit = digits[static_cast<unsigned char>(c)];
        seen |= digit;
        id.high = id.high << 5 | id.low >> 59;
        id.low = id.low << 5 | digit;
    }
    if (seen == no_digit || !id) return std::nullopt;
    return id;
}

}  // namespace larder::layout
