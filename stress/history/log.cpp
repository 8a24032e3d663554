// SPDX-License-Identifier: MIT
#include "stress/history/log.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <new>
#include <optional>
#include <string>

#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace larder::stress {

namespace {

/// A short-lived process writes a few dozen Events: 16 KiB are allocated in 10 µs.
constexpr std::uint64_t first_capacity = 256;
/// A file doubles until it grows by 4 MiB at a time: arbitrary, because that is a millisecond of allocation for each 65,536
/// Events.
constexpr std::uint64_t longest_step = 65'536;
/// 4 GiB for each process: arbitrary, because ten million operations of one process need a third of it. Only addresses are
/// spent in advance.
constexpr std::uint64_t most_events = std::uint64_t{1} << 26;
constexpr std::size_t mapped_size = LogHeader::size + most_events * sizeof(LogEvent);

off_t size_for(std::uint64_t events) {
    return static_cast<off_t>(LogHeader::size + events * sizeof(LogEvent));
}

}  // namespace

class HistoryLog::MappedLog {
public:
    MappedLog(os::Fd fd, void* address) noexcept
        : fd_(std::move(fd)),
          header_(new (address) LogHeader),
          events_(reinterpret_cast<LogEvent*>(static_cast<char*>(address) + LogHeader::size)),
          owner_(os::process_token()) {}
    ~MappedLog() { ::munmap(header_, mapped_size); }
    MappedLog(const MappedLog&) = delete;
    MappedLog& operator=(const MappedLog&) = delete;

    /// `at`: its time; without it the instant at which it is complete.
    void append(LogEvent& event, std::optional<std::uint64_t> at = std::nullopt) noexcept {
        if (owner_ != os::process_token()) {
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
        // Release: whoever finds a time here finds the rest, also where the process dies right after this.
        std::atomic_ref(written.time).store(at ? *at : now(), std::memory_order_release);
    }

    /// Makes space for `events`, then says so. Also for the first time, so that there is one way only.
    [[nodiscard]] int allocate(std::uint64_t events) noexcept {
        const auto had = header_->capacity.load(std::memory_order_relaxed);
        const int refused =
            ::posix_fallocate(fd_.get(), size_for(had), size_for(events) - size_for(had));
        if (refused == 0) header_->capacity.store(events, std::memory_order_release);
        return refused;
    }

private:
    bool grow_beyond(std::uint64_t place) noexcept {
        const std::lock_guard lock(growing_);
        for (;;) {
            const auto capacity = header_->capacity.load(std::memory_order_relaxed);
            if (place < capacity) return true;
            if (capacity == most_events) return false;
            if (allocate(std::min(capacity + std::min(capacity, longest_step), most_events)) != 0)
                return false;
        }
    }

    os::Fd fd_;
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
    if (::access(file.c_str(), F_OK) == 0) return os::fail(EEXIST, step, file);
    // Under another name until it is complete: a process may be killed here as well.
    auto unfinished = file;
    unfinished += ".new";
    os::Fd fd(os::retry(
        [&] { return ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600); }));
    if (!fd) return os::fail(errno, step, unfinished);
    const auto give_up = [&](int sys_errno) {
        ::unlink(unfinished.c_str());
        return os::fail(sys_errno, step, file);
    };
    // Before the header is touched: a page that the disk has no space for is a SIGBUS.
    if (const int refused = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(LogHeader::size)))
        return give_up(refused);
    void* const address = ::mmap(nullptr, mapped_size, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
    if (address == MAP_FAILED) return give_up(errno);
    auto log = std::make_unique<MappedLog>(std::move(fd), address);
    if (const int refused =
            log->allocate(std::clamp<std::uint64_t>(capacity_events, 1, most_events)))
        return give_up(refused);
    auto* const header = static_cast<LogHeader*>(address);
    header->event_size = sizeof(LogEvent);
    header->version = LogHeader::version_word;
    header->magic = LogHeader::magic_word;
    if (::rename(unfinished.c_str(), file.c_str()) != 0) return give_up(errno);
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

std::uint64_t HistoryLog::now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace larder::stress
