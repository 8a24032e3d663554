// SPDX-License-Identifier: MIT
#include "format/boot_file.hpp"

#include <cstdio>

#include "format/text_parts.hpp"

namespace larder::format {

namespace {

constexpr std::string_view boot_first_line = "larder boot 1\n";
constexpr std::string_view settled_line = "settled\n";

}  // namespace

std::string print_boot_file(const BootFile& file) {
    std::string text(boot_first_line);
    if (file.settled) text.append(settled_line);
    if (!file.watermark) return text;
    const auto& [time, root] = *file.watermark;
    text.append("synced ").append(text_of_time(time.since_boot)).append("\ntimens ");
    text.append(std::to_string(time.time_namespace)).append("\nroot ");
    text.append(std::to_string(root.inode));
    char born[64];
    std::snprintf(born, sizeof born, " %lld.%09u\n", static_cast<long long>(root.born.seconds),
                  static_cast<unsigned>(root.born.nanoseconds));
    text.append(born);
    return text.append(end_line(text));
}

BootFile parse_boot_file(std::string_view text) {
    BootFile file;
    if (!text.starts_with(boot_first_line)) return file;
    TextParts lines(text.substr(boot_first_line.size()));
    file.settled = lines.rest().starts_with(settled_line);
    if (file.settled) (void)lines.until('\n');
    Watermark mark;
    mark.time.since_boot = time_of_text(lines.value());
    mark.time.time_namespace = TextParts::to_number<std::uint64_t>(lines.value());
    TextParts root(lines.value());
    mark.root.inode = root.number<std::uint64_t>(' ');
    mark.root.born.seconds = root.number<std::int64_t>('.');
    mark.root.born.nanoseconds = TextParts::to_number<std::uint32_t>(root.rest());
    // The whole text is right if it is what larder writes.
    file.watermark = mark;
    if (print_boot_file(file) != text) file.watermark.reset();
    return file;
}

}  // namespace larder::format
