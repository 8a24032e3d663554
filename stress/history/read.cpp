// SPDX-License-Identifier: MIT
#include "stress/history/read.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <larder/try.hpp>

#include "stress/history/join.hpp"
#include "stress/history/log.hpp"
#include "stress/system/files.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;

constexpr const char* step = "read history";
constexpr std::string_view prefix = "history.";

/// Returns the process whose history `name` is; nullopt for any other name, such as that of a file
/// which was never completed.
std::optional<std::uint32_t> process_of(std::string_view name) {
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    std::uint32_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return process;
}

/// One file of a history, open.
class LogReader {
public:
    static Result<LogReader> open(const fs::path& path) {
        auto opened = InputFile::open(path);
        if (!opened) return failure(opened.error(), step, path);
        const auto size = opened->regular_size();
        if (!size) return failure(size.error(), step, path);
        if (!*size) return failure(Errc::damaged, step, path, "this is no regular file");
        LogReader reader(std::move(*opened), path);
        LARDER_TRY(reader.read_header(**size));
        return reader;
    }

    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

    Result<> read_into(EventJoiner& joiner, std::uint32_t process) const {
        std::array<LogEvent, 1024> buffer;
        for (std::uint64_t done = 0; done < events_;) {
            const auto wanted = std::min<std::uint64_t>(buffer.size(), events_ - done);
            LARDER_TRY(read(buffer.data(), wanted * sizeof(LogEvent),
                            LogHeader::size + done * sizeof(LogEvent)));
            for (std::uint64_t i = 0; i < wanted; ++i) {
                const LogEvent& event = buffer[i];
                if (event.time == 0) continue;  // the writer died before it was complete
                if (event.process != process) return damaged(done + i, "another process wrote it");
                if (const auto added = joiner.add(event); !added)
                    return damaged(done + i, added.error());
            }
            done += wanted;
        }
        return {};
    }

private:
    LogReader(InputFile file, fs::path path) : file_(std::move(file)), path_(std::move(path)) {}

    Result<> read_header(std::uint64_t size) {
        if (size < LogHeader::size)
            return failure(Errc::damaged, step, path_, "the file is cut off within its header");
        LogHeader header;
        LARDER_TRY(read(&header, sizeof(header), 0));
        if (header.magic != LogHeader::magic_word || header.version != LogHeader::version_word ||
            header.event_size != sizeof(LogEvent)) {
            return failure(
                Errc::damaged, step, path_,
                "this is not a history of this version: judge it with the stress-judge of the "
                "version that wrote it");
        }
        const std::uint64_t lost = header.lost, strange = header.strange,
                            capacity = header.capacity;
        if (lost > 0)
            return failure(
                Errc::damaged, step, path_,
                fmt::format("{} events are lost because there was no space for them", lost));
        if (strange > 0) {
            return failure(
                Errc::damaged, step, path_,
                fmt::format("{} events of a forked child, which must write a history of its own",
                            strange));
        }
        if (capacity > (size - LogHeader::size) / sizeof(LogEvent)) {
            return failure(
                Errc::damaged, step, path_,
                fmt::format("the file is cut off: it had space for {} events", capacity));
        }
        events_ = std::min<std::uint64_t>(header.claimed, capacity);
        return {};
    }

    Result<> read(void* to, std::size_t size, std::uint64_t offset) const {
        for (std::size_t got = 0; got < size;) {
            const auto more = file_.read_at(static_cast<char*>(to) + got, size - got, offset + got);
            if (!more) return failure(more.error(), step, path_);
            if (*more == 0)
                return failure(Errc::damaged, step, path_,
                               "the file was cut off while it was read");
            got += *more;
        }
        return {};
    }

    [[nodiscard]] tl::unexpected<Error> damaged(std::uint64_t event,
                                                const std::string& what) const {
        return failure(Errc::damaged, step, path_, fmt::format("event {}: {}", event, what));
    }

    InputFile file_;
    fs::path path_;
    std::uint64_t events_ = 0;
};

}  // namespace

Result<History> read_history(const fs::path& directory) {
    std::map<std::uint32_t, std::string> names;
    std::error_code failed;
    fs::directory_iterator entry(directory, failed);
    for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
        const std::string name = entry->path().filename().string();
        const auto process = process_of(name);
        if (process && !names.emplace(*process, name).second) {
            return failure(Errc::damaged, step, directory / name,
                           fmt::format("this is a second history of process {}", *process));
        }
    }
    if (failed) return failure(failed, step, directory);
    if (names.empty()) return failure(Errc::miss, step, directory, "it has no file history.*");

    std::map<std::uint32_t, std::uint64_t> events;
    std::uint64_t total = 0;
    for (const auto& [process, name] : names) {
        LARDER_TRY_ASSIGN(const LogReader file, LogReader::open(directory / name));
        total += file.events();
    }
    EventJoiner joiner;
    // An operation has two events. A build may have a third one, and an operation of a process that
    // died has only one.
    joiner.reserve(total / 2 + total / 64 + 1024);
    for (const auto& [process, name] : names) {
        LARDER_TRY_ASSIGN(const LogReader file, LogReader::open(directory / name));
        LARDER_TRY(file.read_into(joiner, process));
    }
    auto history = joiner.finish();
    if (!history) return failure(Errc::damaged, step, directory, history.error());
    return std::move(*history);
}

}  // namespace larder::stress
