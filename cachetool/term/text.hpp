// SPDX-License-Identifier: MIT
// Values as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace cachetool {

/// Returns `text`, which comes from outside, in a form that is safe to show on a terminal.
/// Characters that control a terminal or reorder what it shows, and bytes that are not UTF-8,
/// become escapes such as \n, \u{9b} and \xff. Everything else stays as it is.
[[nodiscard]] std::string harmless(std::string_view text);

/// Returns a key or the name of a bucket in a safe form from which it can be told exactly: as
/// harmless() does, with each backslash doubled. The empty key becomes "".
[[nodiscard]] std::string shown(std::string_view key);

/// Returns `text` with its ASCII letters made small.
[[nodiscard]] std::string in_small_letters(std::string_view text);

/// Returns a key or the name of a bucket as a sentence shows it: as shown() does, and in quotes if
/// it holds a space, so that the reader sees where it ends.
[[nodiscard]] std::string named(std::string_view key);

/// Returns `text` as one word of the system's shells, in a form that harmless() leaves as it is.
[[nodiscard]] std::string shell_word(std::string_view text);
/// Returns the words of a command as a user types them at the end of its line: after `--` if one of
/// them begins with a dash.
[[nodiscard]] std::string shell_words(std::initializer_list<std::string_view> words);
/// Returns a pattern that a user types, and that this text alone matches.
[[nodiscard]] std::string shell_pattern(std::string_view text);

/// Returns a number of bytes: "512 B", "41.3 MiB".
[[nodiscard]] std::string shown_size(std::uint64_t bytes);

/// Returns how long ago `then` was: "12 s", "5 min", "3 h", "40 d".
[[nodiscard]] std::string shown_age(std::chrono::system_clock::time_point then);
/// The same, or "?" for a time that is not known.
[[nodiscard]] std::string shown_age(
    const std::optional<std::chrono::system_clock::time_point>& then);

/// Returns a length of time in the same words.
[[nodiscard]] std::string shown_duration(std::chrono::seconds duration);

/// Returns a number and its noun: "1 entry", "2 entries".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

/// Returns a UTC time, to the microsecond, as ISO 8601 writes it: "2024-02-29T12:00:00.000000Z".
[[nodiscard]] std::string iso_time(std::chrono::system_clock::time_point time);

/// How much of a text one character takes.
struct CharacterSize {
    std::size_t bytes = 0;
    std::size_t columns = 0;
};

/// Returns the size of the first character of `text`. A byte that is not UTF-8 has one column.
/// Requires: `text` is not empty.
[[nodiscard]] CharacterSize first_character(std::string_view text);

/// Returns the number of columns that a terminal needs to show `text`: two for a wide character,
/// none for one that combines with the one before, and none for the colours that cachetool adds.
[[nodiscard]] std::size_t shown_width(std::string_view text);

}  // namespace cachetool
