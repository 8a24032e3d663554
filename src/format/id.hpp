// SPDX-License-Identifier: MIT
// An entry's name, never used twice.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder::format {

/// 16 bytes: a tag of the machine's boot (4), a random number (8), a counter (4). In a lease table it is two words, and both
/// zero mean no id. The boot's tag lets a reader see from a link's text alone that an entry was made in an earlier boot.
struct Id {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend auto operator<=>(const Id&, const Id&) = default;
    [[nodiscard]] explicit operator bool() const noexcept { return (high | low) != 0; }
};

/// An id that nobody has drawn before, here or elsewhere. Also used for every other name that must be unique.
[[nodiscard]] Id fresh_id() noexcept;

/// Always this many characters, of an alphabet without letters that differ in case alone (Crockford's base 32).
inline constexpr std::size_t id_length = 26;
[[nodiscard]] std::array<char, id_length> characters_of(const Id& id) noexcept;
[[nodiscard]] std::string to_text(const Id& id);

/// Accepts exactly what to_text makes, and not the zero id.
[[nodiscard]] std::optional<Id> parse_id(std::string_view text) noexcept;

}  // namespace larder::format
