// SPDX-License-Identifier: MIT
#include "format/judged_file.hpp"

#include "format/boot_file.hpp"
#include "format/text_parts.hpp"

namespace larder::format {

namespace {

constexpr std::string_view judged_first_line = "larder judged 1\n";

}  // namespace

std::string print_judged_file(const JudgedFile& file) {
    std::string text(judged_first_line);
    text.append("boot ").append(file.boot).append("\nboottime ");
    text.append(text_of_time(file.time.since_boot)).append("\ntimens ");
    text.append(std::to_string(file.time.time_namespace)).append("\n");
    return text.append(end_line(text));
}

std::optional<JudgedFile> parse_judged_file(std::string_view text) {
    TextParts lines(text);
    (void)lines.until('\n');
    JudgedFile file;
    file.boot = lines.value();
    file.time.since_boot = time_of_text(lines.value());
    file.time.time_namespace = TextParts::to_number<std::uint64_t>(lines.value());
    // The whole text is right if it is what larder writes.
    if (!is_boot_name(file.boot) || print_judged_file(file) != text) return std::nullopt;
    return file;
}

}  // namespace larder::format
