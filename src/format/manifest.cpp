// SPDX-License-Identifier: MIT
#include "format/manifest.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/hex.hpp"
#include "format/text_parts.hpp"

namespace larder::format {

namespace {

constexpr std::string_view manifest_first_line = "larder manifest 1\n";
constexpr std::string_view no_digest = "none";
constexpr std::size_t boot_id_digits = 32;
constexpr std::size_t longest_digest_name = 32;
constexpr std::uint64_t nanos_of_a_second = 1'000'000'000;

std::string checksum_line(std::string_view field, std::uint32_t crc) {
    char digits[16];
    std::snprintf(digits, sizeof digits, " %08x\n", static_cast<unsigned>(crc));
    return std::string(field).append(digits);
}

void append_hex(std::string& text, std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
}

/// Returns the bytes that append_hex would write so. Returns an empty text if it could write none.
std::string bytes_of_hex(std::string_view text) {
    std::string bytes;
    if (text.size() % 2 != 0) return bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = base::hex_value(text[i]), low = base::hex_value(text[i + 1]);
        if (high < 0 || low < 0) return {};
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

void append_number(std::string& text, std::uint64_t number, int base) {
    char digits[24];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number, base).ptr;
    text.append(std::begin(digits), end);
}

/// Appends a name so that it is one line.
void append_name(std::string& text, std::string_view name) {
    for (const char c : name) {
        if (c == '\n') {
            text += "\\n";
        } else if (c == '\\') {
            text += "\\\\";
        } else {
            text += c;
        }
    }
}

/// Returns the name that append_name would write so; an empty text if it could write none.
std::string name_of_line(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            name += text[i];
            continue;
        }
        if (++i == text.size()) return {};
        name += text[i] == 'n' ? '\n' : '\\';
    }
    return name;
}

/// Returns whether a directory can have an entry of this name.
bool is_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

/// Returns the line of one name.
std::string line_of(const ManifestItem& item) {
    std::string line;
    const auto add_digest = [&] {
        line += ' ';
        if (item.digest.empty()) line += '-';
        append_hex(line, item.digest);
    };
    if (item.kind == os::FileKind::directory) {
        line += "d ";
        append_number(line, item.depth, 10);
        line += ' ';
        append_number(line, item.mode, 8);
    } else if (item.kind == os::FileKind::symlink) {
        line += "l ";
        append_number(line, item.size, 10);
        add_digest();
    } else {
        line += "f ";
        append_number(line, item.mode, 8);
        line += ' ';
        append_number(line, item.size, 10);
        add_digest();
    }
    line += ' ';
    append_name(line, item.name);
    line += '\n';
    return line;
}

std::string head_of(const ManifestHead& head) {
    std::string text(manifest_first_line);
    text.append("boot ").append(head.boot);
    text.append("\nboottime ").append(text_of_time(head.since_boot)).append("\ntimens ");
    append_number(text, head.time_namespace, 10);
    text.append("\ndigest ").append(head.digest.empty() ? no_digest : head.digest);
    char line[64];
    std::snprintf(line, sizeof line, "\nnewest %lld.%09u\n",
                  static_cast<long long>(head.newest.seconds),
                  static_cast<unsigned>(head.newest.nanoseconds));
    return text.append(line);
}

/// Returns the head whose lines are `text`, without its checksum; nullopt if it is none.
std::optional<ManifestHead> parse_head_lines(std::string_view text) {
    TextParts lines(text);
    (void)lines.until('\n');
    ManifestHead head;
    head.boot = lines.value();
    head.since_boot = time_of_text(lines.value());
    head.time_namespace = TextParts::to_number<std::uint64_t>(lines.value());
    const auto digest = lines.value();
    if (digest != no_digest) head.digest = digest;
    TextParts newest(lines.value());
    head.newest.seconds = newest.number<std::int64_t>('.');
    head.newest.nanoseconds = newest.number<std::uint32_t>('.');
    const bool is_lawful = head.boot.size() == boot_id_digits &&
                           std::all_of(head.boot.begin(), head.boot.end(),
                                       [](char c) { return base::hex_value(c) >= 0; }) &&
                           (digest == no_digest || is_digest_name(digest)) &&
                           head.newest.nanoseconds < nanos_of_a_second && head_of(head) == text;
    if (!is_lawful) return std::nullopt;
    return head;
}

/// Returns the item whose line is `line`, with its newline; nullopt if it is none.
std::optional<ManifestItem> parse_line(std::string_view line) {
    TextParts parts(line.substr(0, line.size() - 1));
    ManifestItem item;
    const auto kind = parts.until(' ');
    if (kind == "d") {
        item.kind = os::FileKind::directory;
        item.depth = parts.number<std::uint32_t>(' ');
        item.mode = parts.number<std::uint32_t>(' ', 8);
    } else if (kind == "f") {
        item.mode = parts.number<std::uint32_t>(' ', 8);
        item.size = parts.number<std::uint64_t>(' ');
        item.digest = bytes_of_hex(parts.until(' '));
    } else if (kind == "l") {
        item.kind = os::FileKind::symlink;
        item.size = parts.number<std::uint64_t>(' ');
        item.digest = bytes_of_hex(parts.until(' '));
    } else {
        return std::nullopt;
    }
    item.name = name_of_line(parts.rest());
    const bool is_top = item.kind == os::FileKind::directory && item.depth == 0;
    if (is_top ? item.name != "." : !is_file_name(item.name)) return std::nullopt;
    if (item.mode > 07777 || item.digest.size() > max_manifest_digest) return std::nullopt;
    if (line_of(item) != line) return std::nullopt;
    return item;
}

}  // namespace

bool is_digest_name(std::string_view name) noexcept {
    const auto is_lawful = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    return !name.empty() && name.size() <= longest_digest_name && name != no_digest &&
           std::all_of(name.begin(), name.end(), is_lawful);
}

ManifestPrinter::ManifestPrinter(const ManifestHead& head) {
    add_line(head_of(head));
    add_checksum("head");
}

void ManifestPrinter::add(const ManifestItem& item) { add_line(line_of(item)); }

void ManifestPrinter::end() { add_checksum("end"); }

void ManifestPrinter::add_line(std::string_view line) {
    crc_.process_bytes(line.data(), line.size());
    text_ += line;
}

void ManifestPrinter::add_checksum(std::string_view field) {
    add_line(checksum_line(field, static_cast<std::uint32_t>(crc_.checksum())));
}

bool ManifestParser::take(std::string_view bytes, const Visit& visit) {
    while (!bytes.empty() && state_ != State::failed) {
        const auto end = bytes.find('\n');
        const bool is_line = end != std::string_view::npos;
        const auto piece = bytes.substr(0, is_line ? end + 1 : bytes.size());
        bytes.remove_prefix(piece.size());
        // Nothing may follow the last line, and no line may take more memory than a lawful one.
        bool good = state_ != State::ended && partial_.size() + piece.size() <= max_manifest_line;
        if (good && (!is_line || !partial_.empty())) partial_ += piece;
        if (good && is_line) {
            good = take_line(partial_.empty() ? piece : std::string_view(partial_), visit);
            partial_.clear();
        }
        if (!good) state_ = State::failed;
    }
    return state_ != State::failed;
}

bool ManifestParser::take_line(std::string_view line, const Visit& visit) {
    const bool good = state_ == State::in_head ? take_head_line(line) : take_name_line(line, visit);
    crc_.process_bytes(line.data(), line.size());
    return good;
}

bool ManifestParser::take_head_line(std::string_view line) {
    if (line != checksum_line("head", static_cast<std::uint32_t>(crc_.checksum()))) {
        head_text_ += line;
        return head_text_.size() <= max_manifest_head &&
               head_text_.compare(0, manifest_first_line.size(), manifest_first_line) == 0;
    }
    head_ = parse_head_lines(head_text_);
    state_ = State::in_names;
    return head_.has_value();
}

bool ManifestParser::take_name_line(std::string_view line, const Visit& visit) {
    if (line == checksum_line("end", static_cast<std::uint32_t>(crc_.checksum()))) {
        state_ = State::ended;
        return !dirs_.empty();
    }
    const auto item = parse_line(line);
    if (!item || !is_in_order(*item)) return false;
    if (head_->digest.empty() && !item->digest.empty()) return false;
    visit(*item);
    return true;
}

/// Returns whether an item may follow those before it, and notes it.
bool ManifestParser::is_in_order(const ManifestItem& item) {
    if (item.kind != os::FileKind::directory) {
        if (dirs_.empty() || item.name <= last_name_) return false;
        last_name_ = item.name;
        return true;
    }
    last_name_.clear();
    if (item.depth == 0 || dirs_.empty()) {
        const bool is_top = item.depth == 0 && dirs_.empty();
        dirs_.push_back(item.name);
        return is_top;
    }
    if (item.depth > dirs_.size()) return false;
    if (item.depth < dirs_.size() && item.name <= dirs_[item.depth]) return false;
    dirs_.resize(item.depth);
    dirs_.push_back(item.name);
    return true;
}

std::optional<ManifestHead> parse_manifest_head(std::string_view bytes) {
    ManifestParser parser;
    bytes = bytes.substr(0, max_manifest_head);
    // The names behind the head may be cut off by that, and are not needed.
    while (!bytes.empty() && !parser.head()) {
        const auto end = bytes.find('\n');
        if (end == std::string_view::npos) break;
        if (!parser.take(bytes.substr(0, end + 1), {})) break;
        bytes.remove_prefix(end + 1);
    }
    return parser.head();
}

}  // namespace larder::format
