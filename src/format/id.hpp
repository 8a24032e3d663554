// SPDX-License-Identifier: MIT
// The id of an entry, which is never used twice.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder::format {

/// An id has 16 bytes: a tag of the machine's boot (4), a random number (8) and a counter (4). In a
/// lease table it is two words; two zeros mean no id. By the boot's tag a reader sees from the text
/// of a link alone that the entry was made in an earlier boot.
struct Id {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend auto operator<=>(const Id&, const Id&) = default;
    [[nodiscard]] explicit operator bool() const noexcept { return (high | low) != 0; }
};

/// Returns an id that no process has drawn before, on this machine or another. Every other unique
/// name in the grammar of layout.hpp is drawn here too. It has no way to fail, so a process calls
/// os::draw_token before: that one refuses a process without random numbers.
[[nodiscard]] Id fresh_id() noexcept;

/// Returns whether an entry of this id was made in this boot of the machine. Reads the boot's id
/// from the system if this process has not done so yet.
[[nodiscard]] bool is_of_this_boot(const Id& id) noexcept;

/// When something was retired: seconds since 1970. A time beyond 2106 counts as that year.
using RetiredAt = std::uint32_t;
/// A link that a limit has evicted bears this time: no grace keeps its entry.
inline constexpr RetiredAt evicted = 0;
/// Returns the time by the clock of this process.
[[nodiscard]] RetiredAt retired_now() noexcept;

/// Returns a name in `retired/` that no process has drawn before. It is an id that has the time in
/// the place of the boot's tag, so that a collection knows the time without another system call.
[[nodiscard]] Id fresh_retired_name(RetiredAt when) noexcept;
/// Returns the time that fresh_retired_name has put into a name.
[[nodiscard]] RetiredAt retired_at(const Id& name) noexcept;

/// The text of an id always has this many characters. They are Crockford's base 32, in which no two
/// letters differ only in case.
inline constexpr std::size_t id_length = 26;
/// Returns the text of an id. Equal ids have equal texts, and texts are ordered as ids are.
[[nodiscard]] std::array<char, id_length> characters_of(const Id& id) noexcept;
[[nodiscard]] std::string to_text(const Id& id);

/// Accepts exactly what to_text makes, except the zero id. Returns nullopt for anything else.
[[nodiscard]] std::optional<Id> parse_id(std::string_view text) noexcept;

}  // namespace larder::format
