// SPDX-License-Identifier: MIT
#include "observe/event_log.hpp"

#include <algorithm>
#include <cstdio>

#include "os/process.hpp"

namespace larder::observe {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::seconds;

/// Returns a time in seconds, such as "1.000250". It is put together from whole numbers, because
/// some locales print a fraction with a comma.
std::string seconds_as_text(std::chrono::nanoseconds time) {
    char text[48];
    const auto whole = duration_cast<microseconds>(time).count();
    std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(whole / 1'000'000),
                  static_cast<long long>(whole % 1'000'000));
    return text;
}

/// Returns a time as "2026-01-31T23:59:58.123456Z".
std::string utc(WallTime at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(duration_cast<microseconds>(at - day));
    char text[80];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02lld:%02lld:%02lld.%06lldZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<long long>(time.hours().count()),
                  static_cast<long long>(time.minutes().count()),
                  static_cast<long long>(time.seconds().count()),
                  static_cast<long long>(time.subseconds().count()));
    return text;
}

/// Returns the number of bytes of the UTF-8 character that `text` begins with; 0 if it begins with
/// none.
std::size_t utf8_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80             ? 1
                               : (lead & 0xe0) == 0xc0 ? 2
                               : (lead & 0xf0) == 0xe0 ? 3
                               : (lead & 0xf8) == 0xf0 ? 4
                                                       : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
    }
    return length;
}

/// Appends a character as JSON's "\u", with four hexadecimal digits.
void append_escape(std::string& line, unsigned character) {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", character);
    line += escape;
}

/// Appends a text in quotes. What ends a line or controls a terminal becomes an escape: the control
/// characters of ASCII and of C1 (U+0080 to U+009F), and the separators U+2028 and U+2029. A byte
/// that is not UTF-8 becomes U+FFFD.
void append_quoted(std::string& line, std::string_view text) {
    line += '"';
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(character.size());
        const auto last = static_cast<unsigned char>(character.back());
        if (length == 0) {
            append_escape(line, 0xfffd);
        } else if (character == "\"" || character == "\\") {
            line.append("\\").append(character);
        } else if ((length == 1 && (last < 0x20 || last == 0x7f)) ||
                   (length == 2 && character.front() == '\xc2' && last < 0xa0)) {
            append_escape(line, last);
        } else if (character == "\u2028" || character == "\u2029") {
            append_escape(line, character == "\u2028" ? 0x2028 : 0x2029);
        } else {
            line += character;
        }
    }
    line += '"';
}

/// Appends ` name="value"`; nothing if the text is empty.
void append_field(std::string& line, const char* name, std::string_view value) {
    if (value.empty()) return;
    line.append(" ").append(name).append("=");
    append_quoted(line, value);
}

/// Appends ` name=value`; nothing if the number is 0.
void append_field(std::string& line, const char* name, std::uint64_t value) {
    if (value == 0) return;
    line.append(" ").append(name).append("=").append(std::to_string(value));
}

}  // namespace

std::string to_line(const Event& event) {
    std::string line = utc(event.at);
    append_field(line, "pid", static_cast<std::uint64_t>(os::process_id()));
    append_field(line, "thread", static_cast<std::uint64_t>(os::this_thread()));
    line.append(" event=").append(name_of(event.kind));
    append_field(line, "bucket", event.bucket);
    append_field(line, "key", event.key);
    append_field(line, "id", event.id);
    append_field(line, "what", event.what);
    append_field(line, "who", event.who);
    if (event.took.count() != 0) line.append(" took=").append(seconds_as_text(event.took));
    append_field(line, "entries", event.entries);
    append_field(line, "bytes", event.bytes);
    line += '\n';
    return line;
}

Result<std::unique_ptr<EventLog>> EventLog::open(const std::filesystem::path& path) {
    constexpr const char* step = "open the log of events";
    auto file = os::open_to_append(path);
    if (!file) {
        file.error().step = step;  // so that the message says what the file is for
        return tl::make_unexpected(std::move(file).error());
    }
    const auto info = os::try_stat(*file);
    if (!info) return os::fail(info.error(), step, path);
    // A pipe is refused, because it could block this process, or end it by SIGPIPE.
    if (!info->is_regular() && info->kind != os::FileKind::character_device)
        return fail(Errc::invalid, step, path, "neither a file nor a terminal; name a file");
    return std::unique_ptr<EventLog>(new EventLog(std::move(*file)));
}

void EventLog::on_event(const Event& event) {
    // A full disk may have cut off the line of some process. Then end it first, so that this event
    // has a line of its own. A line that another process is just writing looks the same: the kernel
    // shows a file that grows page by page. That line is whole when this one is appended, so an
    // empty line is left between them.
    std::string line = ends_in_part_of_line() ? "\n" : "";
    line += to_line(event);
    os::write_once(file_, line);  // an error is ignored: no step fails because of its log
}

bool EventLog::ends_in_part_of_line() const {
    const auto info = os::try_stat(file_);
    if (!info || !info->is_regular() || info->size == 0) return false;
    char last = '\n';
    const auto read = os::read_at(file_, &last, 1, info->size - 1);
    return read && last != '\n';
}

}  // namespace larder::observe
