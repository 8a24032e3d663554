// SPDX-License-Identifier: MIT
#include "format/format_file.hpp"

#include <charconv>

namespace larder::format {

namespace {

constexpr LinkKind all_kinds[] = {LinkKind::symlink, LinkKind::file, LinkKind::junction};

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

}  // namespace

std::string print_format(const Format& format) {
    return std::string(format_begin) + std::to_string(format_version) + "\nlinks " +
           std::string(name_of(format.links)) + "\n";
}

FormatRead parse_format(std::string_view text) {
    if (!text.starts_with(format_begin)) return {};
    const auto line_end = text.find('\n');
    if (line_end == std::string_view::npos) return {};
    const auto digits = text.substr(format_begin.size(), line_end - format_begin.size());
    int version = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), version);
    if (error != std::errc() || end != digits.data() + digits.size() || version < 1) return {};
    if (version > format_version) return {FormatRead::Kind::newer, {}};
    for (const auto kind : all_kinds) {
        if (text == print_format({kind})) return {FormatRead::Kind::ours, {kind}};
    }
    return {};
}

}  // namespace larder::format
