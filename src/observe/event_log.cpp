// SPDX-License-Identifier: MIT
#include "observe/event_log.hpp"

#include <cstdio>

#include "os/process.hpp"

namespace larder::observe {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::seconds;

/// Returns a time in seconds, such as "1.000250". It has a point in every locale.
std::string decimal(std::chrono::nanoseconds time) {
    char text[48];
    const auto whole = duration_cast<microseconds>(time).count();
    std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(whole / 1'000'000),
                  static_cast<long long>(whole % 1'000'000));
    return text;
}

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

void append_quoted(std::string& line, std::string_view text) {
    line += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", byte);
            line += escape;
        } else {
            line += c;
        }
    }
    line += '"';
}

}  // namespace

std::string to_line(const Event& event) {
    std::string line = utc(event.at);
    const auto text = [&](const char* name, std::string_view value) {
        if (value.empty()) return;
        line.append(" ").append(name).append("=");
        append_quoted(line, value);
    };
    const auto number = [&](const char* name, std::uint64_t value) {
        if (value != 0) line.append(" ").append(name).append("=").append(std::to_string(value));
    };
    number("pid", static_cast<std::uint64_t>(os::process_id()));
    number("thread", static_cast<std::uint64_t>(os::this_thread()));
    line.append(" event=").append(name_of(event.kind));
    text("bucket", event.bucket);
    text("key", event.key);
    text("id", event.id);
    text("what", event.what);
    text("who", event.who);
    if (event.took.count() != 0) line.append(" took=").append(decimal(event.took));
    number("entries", event.entries);
    number("bytes", event.bytes);
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
    // A pipe is refused: it could block this process, or end it by SIGPIPE.
    if (!info->is_regular() && info->kind != os::FileKind::character_device)
        return fail(Errc::invalid, step, path, "neither a file nor a terminal; name a file");
    return std::unique_ptr<EventLog>(new EventLog(std::move(*file)));
}

void EventLog::hear(const Event& event) {
    const std::string line = to_line(event);
    os::write_once(file_, line);
}

}  // namespace larder::observe
