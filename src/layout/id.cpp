#include <layout/id.hpp>

#include <os/process.hpp>

namespace larder::layout {

namespace {

constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

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

std::string to_text(const Id& id) {
    // 26 characters of 5 bits hold 130 bits: the first character has only the id's top 3 bits.
    std::string text(id_length, '0');
    Id rest = id;
    for (std::size_t i = id_length; i-- > 0;) {
        text[i] = alphabet[rest.low & 31];
        rest.low = rest.low >> 5 | rest.high << 59;
        rest.high >>= 5;
    }
    return text;
}

std::optional<Id> parse_id(std::string_view text) noexcept {
    if (text.size() != id_length || alphabet.find(text[0]) > 7) return std::nullopt;
    Id id;
    for (const char c : text) {
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        id.high = id.high << 5 | id.low >> 59;
        id.low = id.low << 5 | digit;
    }
    if (!id) return std::nullopt;
    return id;
}

}  // namespace larder::layout
