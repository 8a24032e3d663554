// SPDX-License-Identifier: MIT
#include "stress/history/log.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <optional>
#include <string>

#include "stress/system/clock.hpp"
#include "stress/system/mapped_file.hpp"
#include "stress/system/process.hpp"

namespace larder::stress {

namespace {

/// A short-lived process writes a few dozen events: 16 KiB are allocated in 10 µs.
constexpr std::uint64_t first_capacity = 256;
/// A file doubles its size until it grows by 4 MiB at a time. The number is arbitrary: it costs a
/// millisecond of allocation for every 65,536 events.
constexpr std::uint64_t longest_step = 65'536;
/// 4 GiB for each process. The number is arbitrary: ten million operations of one process need a
/// third of it.
constexpr std::uint64_t most_events = std::uint64_t{1} << 26;

constexpr std::uint64_t size_for(std::uint64_t events) {
    return LogHeader::size + events * sizeof(LogEvent);
}

}  // namespace

class HistoryLog::MappedLog {
public:
    explicit MappedLog(MappedFile file) noexcept
        : file_(std::move(file)),
          header_(new (file_.data()) LogHeader),
          events_(reinterpret_cast<LogEvent*>(static_cast<char*>(file_.data()) + LogHeader::size)),
          owner_(process_token()) {}
    MappedLog(const MappedLog&) = delete;
    MappedLog& operator=(const MappedLog&) = delete;

    /// Writes the event with the time `at`; without it, with the time at which it is complete.
    void append(LogEvent& event, std::optional<std::uint64_t> at = std::nullopt) noexcept {
        if (owner_ != process_token()) {
            header_->strange.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        const std::uint64_t place = header_->claimed.fetch_add(1, std::memory_order_relaxed);
        if (place >= header_->capacity.load(std::memory_order_acquire) && !grow_beyond(place)) {
            header_->lost.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        event.time = 0;
        LogEvent& written = *new (events_ + place) LogEvent(event);
        // Release: a reader that finds a time here finds the rest, even if the process dies right
        // after this.
        std::atomic_ref(written.time).store(at ? *at : monotonic_now(), std::memory_order_release);
    }

    /// Makes space for this many events, then says so in the header.
    [[nodiscard]] SystemResult<> allocate(std::uint64_t events) noexcept {
        const auto had = header_->capacity.load(std::memory_order_relaxed);
        auto allocated = file_.allocate(size_for(had), size_for(events));
        if (allocated) header_->capacity.store(events, std::memory_order_release);
        return allocated;
    }

    /// Makes the file one that a reader accepts.
    void complete() noexcept {
        header_->event_size = sizeof(LogEvent);
        header_->version = LogHeader::version_word;
        header_->magic = LogHeader::magic_word;
    }

private:
    bool grow_beyond(std::uint64_t place) noexcept {
        const std::lock_guard lock(growing_);
        for (;;) {
            const auto capacity = header_->capacity.load(std::memory_order_relaxed);
            if (place < capacity) return true;
            if (capacity == most_events) return false;
            if (!allocate(std::min(capacity + std::min(capacity, longest_step), most_events)))
                return false;
        }
    }

    MappedFile file_;
    LogHeader* header_;
    LogEvent* events_;
    std::uint64_t owner_;
    std::mutex growing_;
};

HistoryLog::HistoryLog(std::unique_ptr<MappedLog> file) noexcept : file_(std::move(file)) {}
HistoryLog::HistoryLog(HistoryLog&&) noexcept = default;
HistoryLog& HistoryLog::operator=(HistoryLog&&) noexcept = default;
HistoryLog::~HistoryLog() = default;

Result<HistoryLog> HistoryLog::create(const std::filesystem::path& file,
                                      std::uint64_t capacity_events) {
    const char* const step = "create history";
    std::error_code failed;
    if (std::filesystem::exists(file, failed))
        return failure(make_error_code(std::errc::file_exists), step, file);
    // The file has another name until it is complete, since a process may be killed here as well.
    auto unfinished = file;
    unfinished += ".new";
    auto mapped = MappedFile::create(unfinished, LogHeader::size, size_for(most_events));
    if (!mapped) return failure(mapped.error(), step, unfinished);
    const auto give_up = [&](const std::error_code& reason) {
        std::error_code ignored;
        std::filesystem::remove(unfinished, ignored);
        return failure(reason, step, file);
    };
    auto log = std::make_unique<MappedLog>(std::move(*mapped));
    if (const auto allocated =
            log->allocate(std::clamp<std::uint64_t>(capacity_events, 1, most_events));
        !allocated)
        return give_up(allocated.error());
    log->complete();
    std::filesystem::rename(unfinished, file, failed);
    if (failed) return give_up(failed);
    return HistoryLog(std::move(log));
}

Result<HistoryLog> HistoryLog::open_for_process(const std::filesystem::path& directory,
                                                std::uint32_t process) {
    return create(directory / ("history." + std::to_string(process)), first_capacity);
}

void HistoryLog::append(LogEvent event) noexcept { file_->append(event); }

void HistoryLog::append_at(LogEvent event, std::uint64_t time) noexcept {
    file_->append(event, time);
}

}  // namespace larder::stress
