// SPDX-License-Identifier: MIT
// The patterns of os/glob.hpp, byte by byte, as fnmatch(3) has them in the C locale. Windows has no
// such function.
#pragma once

#include <optional>
#include <string_view>

namespace larder::os::windows {

/// A set of bytes in brackets, such as [a-z] or [!0-9], at the start of a pattern.
struct ByteSet {
    bool has;                  ///< whether the byte that was asked for is in the set
    std::string_view after{};  ///< the rest of the pattern
};

/// Reads a set, and tells whether it has `byte`. Returns nullopt if no bracket closes it: then the
/// opening bracket stands for itself. Requires: the pattern begins with "[".
inline std::optional<ByteSet> read_set(std::string_view pattern, char byte) noexcept {
    std::size_t at = 1;
    const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
    if (negated) ++at;
    const auto take = [&]() -> std::optional<unsigned char> {
        if (at < pattern.size() && pattern[at] == '\\') ++at;
        if (at >= pattern.size()) return std::nullopt;
        return static_cast<unsigned char>(pattern[at++]);
    };
    const auto wanted = static_cast<unsigned char>(byte);
    bool has = false;
    // A bracket that comes first is one of the set.
    for (bool is_first = true; is_first || at >= pattern.size() || pattern[at] != ']';
         is_first = false) {
        const auto low = take();
        if (!low) return std::nullopt;
        auto high = low;
        if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
            ++at;
            high = take();
            if (!high) return std::nullopt;
        }
        has = has || (*low <= wanted && wanted <= *high);
    }
    return ByteSet{.has = has != negated, .after = pattern.substr(at + 1)};
}

/// Returns whether the whole text fits the pattern. Goes back only to the last `*`, so it takes no
/// longer than the two lengths multiplied.
inline bool matches_bytes(std::string_view pattern, std::string_view text) noexcept {
    std::optional<std::string_view> after_star;  // the pattern behind the last `*`
    std::string_view from_star;                  // the text that this `*` has not taken yet
    while (!text.empty() || !pattern.empty()) {
        if (!pattern.empty() && pattern.front() == '*') {
            pattern.remove_prefix(1);
            after_star = pattern;
            from_star = text;
            continue;
        }
        bool fits = false;
        std::string_view rest;
        if (!pattern.empty() && !text.empty()) {
            rest = pattern.substr(1);
            const auto set =
                pattern.front() == '[' ? read_set(pattern, text.front()) : std::optional<ByteSet>();
            if (set) {
                fits = set->has;
                rest = set->after;
            } else if (pattern.front() == '?') {
                fits = true;
            } else if (pattern.front() == '\\') {
                fits = !rest.empty() && rest.front() == text.front();
                if (!rest.empty()) rest.remove_prefix(1);
            } else {
                fits = pattern.front() == text.front();
            }
        }
        if (fits) {
            pattern = rest;
            text.remove_prefix(1);
            continue;
        }
        // Let the last `*` take one byte more.
        if (!after_star || from_star.empty()) return false;
        from_star.remove_prefix(1);
        pattern = *after_star;
        text = from_star;
    }
    return true;
}

}  // namespace larder::os::windows
