// SPDX-License-Identifier: MIT
#include "stress/history/read.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "os/dir_reader.hpp"
#include "stress/history/join.hpp"
#include "stress/history/log.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;

constexpr const char* step = "read history";
constexpr std::string_view prefix = "history.";

/// The process whose history `name` is; nothing for any other name, such as one that was never completed.
std::optional<std::uint32_t> process_of(std::string_view name) {
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    std::uint32_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return process;
}

/// One file, open. Read and never mapped: a file that shrinks meanwhile is an error and no SIGBUS.
class LogReader {
public:
    static Result<LogReader> open(const fs::path& path) {
        os::Fd fd(os::retry(
            [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }));
        if (!fd) return os::fail(errno, step, path);
        struct stat status {};
        if (::fstat(fd.get(), &status) != 0) return os::fail(errno, step, path);
        if (!S_ISREG(status.st_mode)) return os::fail(Errc::damaged, step, path, "not a file");
        LogReader file(std::move(fd), path);
        TRY(file.read_header(static_cast<std::uint64_t>(status.st_size)));
        return file;
    }

    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

    Result<> read_into(EventJoiner& joiner, std::uint32_t process) const {
        std::array<LogEvent, 1024> buffer;
        for (std::uint64_t done = 0; done < events_;) {
            const auto wanted = std::min<std::uint64_t>(buffer.size(), events_ - done);
            TRY(read(buffer.data(), wanted * sizeof(LogEvent),
                     LogHeader::size + done * sizeof(LogEvent)));
            for (std::uint64_t i = 0; i < wanted; ++i) {
                const LogEvent& event = buffer[i];
                if (event.time == 0) continue;  // its writer died before it was complete
                if (event.process != process)
                    return damaged(done + i, "it was written by another process");
                if (const auto added = joiner.add(event); !added)
                    return damaged(done + i, added.error());
            }
            done += wanted;
        }
        return {};
    }

private:
    LogReader(os::Fd fd, fs::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

    Result<> read_header(std::uint64_t size) {
        if (size < LogHeader::size)
            return os::fail(Errc::damaged, step, path_, "cut off within its header");
        LogHeader header;
        TRY(read(&header, sizeof(header), 0));
        if (header.magic != LogHeader::magic_word || header.version != LogHeader::version_word ||
            header.event_size != sizeof(LogEvent)) {
            return os::fail(
                Errc::damaged, step, path_,
                "not a history of this version: judge it with the harness that wrote it");
        }
        const std::uint64_t lost = header.lost, strange = header.strange,
                            capacity = header.capacity;
        if (lost > 0)
            return os::fail(Errc::damaged, step, path_,
                            fmt::format("{} events are lost: there was no space for them", lost));
        if (strange > 0) {
            return os::fail(
                Errc::damaged, step, path_,
                fmt::format("{} events of a forked child: it must write its own history", strange));
        }
        if (capacity > (size - LogHeader::size) / sizeof(LogEvent)) {
            return os::fail(Errc::damaged, step, path_,
                            fmt::format("cut off: it had space for {} events", capacity));
        }
        events_ = std::min<std::uint64_t>(header.claimed, capacity);
        return {};
    }

    Result<> read(void* to, std::size_t size, std::uint64_t offset) const {
        for (std::size_t got = 0; got < size;) {
            const ssize_t more = os::retry([&] {
                return ::pread(fd_.get(), static_cast<char*>(to) + got, size - got,
                               static_cast<off_t>(offset + got));
            });
            if (more < 0) return os::fail(errno, step, path_);
            if (more == 0) return os::fail(Errc::damaged, step, path_, "cut off while it was read");
            got += static_cast<std::size_t>(more);
        }
        return {};
    }

    [[nodiscard]] tl::unexpected<Error> damaged(std::uint64_t event,
                                                const std::string& what) const {
        return os::fail(Errc::damaged, step, path_, fmt::format("event {}: {}", event, what));
    }

    os::Fd fd_;
    fs::path path_;
    std::uint64_t events_ = 0;
};

}  // namespace

Result<History> read_history(const fs::path& directory) {
    TRY_ASSIGN(const os::Dir dir, os::open_dir(directory));
    std::map<std::uint32_t, std::string> names;
    TRY(os::for_each_name(dir, [&](const std::string& name, unsigned char) -> Result<> {
        const auto process = process_of(name);
        if (process && !names.emplace(*process, name).second) {
            return os::fail(Errc::damaged, step, directory / name,
                            fmt::format("a second history of process {}", *process));
        }
        return {};
    }));
    if (names.empty()) return os::fail(Errc::miss, step, directory, "no history.* is in it");

    std::map<std::uint32_t, std::uint64_t> events;
    std::uint64_t total = 0;
    for (const auto& [process, name] : names) {
        TRY_ASSIGN(const LogReader file, LogReader::open(directory / name));
        total += file.events();
    }
    EventJoiner joiner;
    // Two Events for an operation; a little more for the builds' middles and those without an end would be less, never more
    // than this by much.
    joiner.reserve(total / 2 + total / 64 + 1024);
    for (const auto& [process, name] : names) {
        TRY_ASSIGN(const LogReader file, LogReader::open(directory / name));
        TRY(file.read_into(joiner, process));
    }
    auto history = joiner.finish();
    if (!history) return os::fail(Errc::damaged, step, directory, history.error());
    return std::move(*history);
}

}  // namespace larder::stress
