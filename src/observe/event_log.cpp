// SPDX-License-Identifier: MIT
#include "observe/event_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <time.h>

#include "os/process.hpp"

namespace larder::observe {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::seconds;

/// "1.000250": with a point, whatever the program's locale says.
std::string decimal(std::chrono::nanoseconds time) {
    char text[48];
    const auto whole = duration_cast<microseconds>(time).count();
    std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(whole / 1'000'000),
                  static_cast<long long>(whole % 1'000'000));
    return text;
}

std::string utc(WallTime at) {
    const auto whole = std::chrono::floor<seconds>(at);
    const std::time_t time = std::chrono::system_clock::to_time_t(whole);
    tm parts{};
    ::gmtime_r(&time, &parts);
    char text[80];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06lldZ", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<long long>(duration_cast<microseconds>(at - whole).count()));
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
    number("pid", static_cast<std::uint64_t>(::getpid()));
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

Result<EventLog> EventLog::open(const std::filesystem::path& path) {
    os::Fd file(os::retry([&] {
        return ::open(path.c_str(),
                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    }));
    if (!file) return os::fail(errno, "open the log of events", path);
    // A pipe could hold up whoever opens it, and end who writes to it.
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return os::fail(errno, "open the log of events", path);
    if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
        return fail(Errc::invalid, "open the log of events", path,
                    "neither a file nor a terminal; name a file");
    return EventLog(std::move(file));
}

void EventLog::write(const Event& event) const {
    const std::string line = to_line(event);
    (void)os::retry([&] { return ::write(file_.get(), line.data(), line.size()); });
}

}  // namespace larder::observe
