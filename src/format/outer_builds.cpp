// SPDX-License-Identifier: MIT
#include "format/outer_builds.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "format/name.hpp"

namespace larder::format {

namespace {

/// Takes away the beginning of the text, up to the first `end`, and returns it. Takes `end` away
/// too, and does not return it. If there is no `end`, takes all of the text.
std::string_view take_until(std::string_view& text, char end) {
    const auto length = std::min(text.find(end), text.size());
    const auto taken = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    return taken;
}

/// Returns the number; nullopt if the text is anything but a decimal number of 64 bits.
std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

}  // namespace

std::string print_outer_builds(const std::vector<OuterBuild>& builds) {
    std::string text;
    for (const auto& build : builds) {
        if (!text.empty()) text += ',';
        text += std::to_string(build.lock) + ':' + std::to_string(build.since_nanos) + ':' +
                encode_escapes(build.key_path) + ':' + encode_escapes(build.root);
    }
    return text;
}

std::vector<OuterBuild> parse_outer_builds(std::string_view text) {
    std::vector<OuterBuild> builds;
    while (!text.empty()) {
        std::string_view build = take_until(text, ',');
        const auto lock = parse_decimal(take_until(build, ':'));
        const auto since = parse_decimal(take_until(build, ':'));
        const auto key_path = decode_escapes(take_until(build, ':'));
        const auto root = decode_escapes(build);
        if (!lock || *lock == 0 || !since || !key_path || key_path->empty() || !root ||
            root->empty())
            continue;
        builds.push_back(
            {.root = *root, .lock = *lock, .since_nanos = *since, .key_path = *key_path});
    }
    return builds;
}

}  // namespace larder::format
