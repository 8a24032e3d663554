// SPDX-License-Identifier: MIT
#include "format/root_file.hpp"

#include "format/id.hpp"
#include "format/name.hpp"
#include "format/text_parts.hpp"
#include "os/path_text.hpp"

namespace larder::format {

namespace {

constexpr std::string_view root_first_line = "larder root 1\n";

}  // namespace

std::string print_root_file(const RootFile& file) {
    std::string text(root_first_line);
    text.append("dest ").append(encode_escapes(file.destination)).append("\ndevice ");
    text.append(std::to_string(file.device)).append("\n");
    return text.append(end_line(text));
}

std::optional<RootFile> parse_root_file(std::string_view text) {
    if (text.size() > max_root_file) return std::nullopt;
    TextParts lines(text);
    (void)lines.until('\n');
    RootFile file;
    file.destination = decode_escapes(lines.value()).value_or("");
    file.device = TextParts::to_number<std::uint64_t>(lines.value());
    // The whole text is right if it is what larder writes.
    if (print_root_file(file) != text) return std::nullopt;
    if (!os::path_of(file.destination).is_absolute()) return std::nullopt;
    if (file.destination.find('\0') != std::string::npos) return std::nullopt;
    return file;
}

std::string root_file_name(const RootFile& file) {
    return to_text(hash_of(std::to_string(file.device) + " " + file.destination));
}

}  // namespace larder::format
