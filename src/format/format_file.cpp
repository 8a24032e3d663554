// SPDX-License-Identifier: MIT
#include "format/format_file.hpp"

#include <charconv>
#include <optional>

namespace larder::format {

namespace {

constexpr LinkKind all_kinds[] = {LinkKind::symlink, LinkKind::file, LinkKind::junction};
constexpr BucketKind all_bucket_kinds[] = {BucketKind::directory, BucketKind::pointer};

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

/// Does the same for a kind of buckets.
std::string_view name_of(BucketKind kind) {
    switch (kind) {
        case BucketKind::directory:
            return "directory";
        case BucketKind::pointer:
            return "pointer";
    }
    return "";
}

/// Reads the version from the first line. Returns nullopt if the text does not begin with a whole
/// such line.
std::optional<int> read_version(std::string_view text) noexcept {
    if (!text.starts_with(format_begin)) return std::nullopt;
    const auto line_end = text.find('\n');
    if (line_end == std::string_view::npos) return std::nullopt;
    const char* const begin = text.data() + format_begin.size();
    const char* const end = text.data() + line_end;
    int version = 0;
    const auto parsed = std::from_chars(begin, end, version);
    if (parsed.ec != std::errc() || parsed.ptr != end || version < 1) return std::nullopt;
    return version;
}

/// Reads the longest name from a text that begins with the second line: the N of "names N", or
/// max_name if the line is another one. Returns nullopt for a number that no cache has.
std::optional<std::size_t> read_longest_name(std::string_view text) noexcept {
    constexpr std::string_view begin = "names ";
    if (!text.starts_with(begin)) return max_name;
    const auto digits = text.substr(begin.size(), text.find('\n') - begin.size());
    std::size_t length = 0;  // stays 0 if there are no digits
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (length < min_longest_name || length >= max_name) return std::nullopt;
    return length;
}

/// Returns what the text of a format says of which only the kind is known.
FormatRead read_as(FormatRead::Kind kind) { return {.kind = kind, .format = {}, .before = {}}; }

/// Does what parse_format does, for a text without the mark of a destroy.
FormatRead parse_unmarked(std::string_view text) {
    const auto version = read_version(text);
    if (!version) return read_as(FormatRead::Kind::unknown);
    if (*version > format_version) return read_as(FormatRead::Kind::newer);
    if (*version < oldest_format_version) return read_as(FormatRead::Kind::older);
    const auto longest_name = read_longest_name(text.substr(text.find('\n') + 1));
    if (!longest_name) return read_as(FormatRead::Kind::unknown);
    // The whole text is right if it is what larder writes for one of the kinds of links, and one of
    // buckets. So a text that was cut off or changed anywhere is unknown.
    for (const auto kind : all_kinds) {
        for (const auto buckets : all_bucket_kinds) {
            const Format format{.links = kind,
                                .buckets = buckets,
                                .longest_name = *longest_name,
                                .version = *version};
            if (text == print_format(format))
                return {.kind = FormatRead::Kind::ours, .format = format, .before = {}};
        }
    }
    return read_as(FormatRead::Kind::unknown);
}

}  // namespace

std::string print_format(const Format& format) {
    std::string text(format_begin);
    text.append(std::to_string(format.version)).append("\n");
    if (format.longest_name != max_name)
        text.append("names ").append(std::to_string(format.longest_name)).append("\n");
    text.append("links ").append(name_of(format.links)).append("\n");
    text.append("buckets ").append(name_of(format.buckets)).append("\n");
    return text;
}

FormatRead parse_format(std::string_view text) {
    if (!text.starts_with(destroyed_text)) return parse_unmarked(text);
    FormatRead read = read_as(FormatRead::Kind::destroyed);
    const auto before = text.substr(destroyed_text.size());
    if (parse_unmarked(before).kind == FormatRead::Kind::ours) read.before = before;
    return read;
}

}  // namespace larder::format
