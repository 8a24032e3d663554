// SPDX-License-Identifier: MIT
#include "format/format_file.hpp"

#include <charconv>

namespace larder::format {

namespace {

constexpr LinkKind all_kinds[] = {LinkKind::symlink, LinkKind::file, LinkKind::junction};

/// Returns what the file calls a kind of links. These names never change.
std::string_view name_of(LinkKind kind) {
    switch (kind) {
        case LinkKind::symlink:
            return "symlink";
        case LinkKind::file:
            return "file";
        case LinkKind::junction:
            return "junction";
    }
    return "";
}

/// Returns what a line "names N" says with which `text` begins: max_name if there is no such line,
/// 0 if it says what no cache has.
std::size_t read_longest_name(std::string_view text) noexcept {
    constexpr std::string_view begin = "names ";
    if (!text.starts_with(begin)) return max_name;
    const auto digits = text.substr(begin.size(), text.find('\n') - begin.size());
    std::size_t length = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (length < min_longest_name || length >= max_name) return 0;
    return length;
}

}  // namespace

std::string print_format(const Format& format) {
    std::string text(format_begin);
    text.append(std::to_string(format_version)).append("\n");
    if (format.longest_name != max_name)
        text.append("names ").append(std::to_string(format.longest_name)).append("\n");
    text.append("links ").append(name_of(format.links)).append("\n");
    return text;
}

FormatRead parse_format(std::string_view text) {
    if (text == destroyed_text) return {FormatRead::Kind::destroyed, {}};
    if (!text.starts_with(format_begin)) return {};
    const auto line_end = text.find('\n');
    if (line_end == std::string_view::npos) return {};
    const auto digits = text.substr(format_begin.size(), line_end - format_begin.size());
    int version = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), version);
    if (error != std::errc() || end != digits.data() + digits.size() || version < 1) return {};
    if (version > format_version) return {FormatRead::Kind::newer, {}};
    if (version < format_version) return {FormatRead::Kind::older, {}};
    const std::size_t longest_name = read_longest_name(text.substr(line_end + 1));
    if (longest_name == 0) return {};
    // The rest is right if it is what larder writes for one of the kinds of links.
    for (const auto kind : all_kinds) {
        const Format format{.links = kind, .longest_name = longest_name};
        if (text == print_format(format)) return {FormatRead::Kind::ours, format};
    }
    return {};
}

}  // namespace larder::format
