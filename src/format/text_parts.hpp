// SPDX-License-Identifier: MIT
// What the parsers and printers of larder's small text files have in common.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace larder::format {

/// Takes the parts of a text one by one. Each reader of such a text prints what it has taken and
/// compares that with the text. So what is taken from a wrong text need not be told apart here.
class TextParts {
public:
    explicit TextParts(std::string_view text) : rest_(text) {}

    /// Takes what stands before the next `end`, and that too. Takes all if there is none.
    std::string_view until(char end) {
        const auto part = rest_.substr(0, rest_.find(end));
        rest_.remove_prefix(std::min(part.size() + 1, rest_.size()));
        return part;
    }
    /// Takes a line, and returns what follows the first space in it.
    std::string_view value() {
        TextParts line(until('\n'));
        (void)line.until(' ');
        return line.rest_;
    }
    template <class Number>
    static Number to_number(std::string_view digits, int base = 10) {
        Number number = 0;
        (void)std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
        return number;
    }
    template <class Number>
    Number number(char end, int base = 10) {
        return to_number<Number>(until(end), base);
    }
    [[nodiscard]] std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

/// Returns "SECONDS.NANOS". Requires: the time is not negative.
[[nodiscard]] std::string text_of_time(std::chrono::nanoseconds time);
/// Returns the time that text_of_time writes so. Returns some other time for any other text.
[[nodiscard]] std::chrono::nanoseconds time_of_text(std::string_view text);

/// Returns the last line of a file whose other lines are `text`: "end", and the CRC-32 of `text` in
/// eight hexadecimal digits.
[[nodiscard]] std::string end_line(std::string_view text);

}  // namespace larder::format
