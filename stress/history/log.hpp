// SPDX-License-Identifier: MIT
// Writing a history down: one file for each process, which survives the death of its writer between any two instructions.
//
// On disk, in the machine's byte order: a page of header, then Events. The header says how many Events there is space for, how
// many places were given out, and how many Events found none. Space is allocated before it is given out, never sparse, so that
// a full disk is an Event that is counted as lost and not a SIGBUS.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include <larder/error.hpp>

#include "stress/history/event.hpp"

namespace larder::stress {

/// The first page of a file. Readers copy it; the writer's is mapped.
struct LogHeader {
    static constexpr std::uint64_t magic_word =
        0x31'67'6f'6c'6c'64'72'6cU;  // "lrdllog1" in a little-endian file
    static constexpr std::uint32_t version_word = 1;
    static constexpr std::size_t size = 4096;

    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t event_size = 0;
    std::atomic<std::uint64_t> capacity = 0;  ///< Events that the file has space for
    std::atomic<std::uint64_t> claimed =
        0;  ///< places given out; more than `capacity` where some were lost
    std::atomic<std::uint64_t> lost =
        0;  ///< Events that could not be written down: the history is worth nothing
    std::atomic<std::uint64_t> strange = 0;  ///< Events appended by a forked child: likewise
};
static_assert(sizeof(LogHeader) <= LogHeader::size &&
              std::atomic<std::uint64_t>::is_always_lock_free);

/// A process's own history. In a forked child nothing may be appended to it: the child opens its own.
class HistoryLog {
public:
    /// The file stands there whole or not at all. It has space for `capacity_events`, at least one, and grows when they are
    /// written. Errors: `exists`; `no_space`.
    [[nodiscard]] static Result<HistoryLog> create(const std::filesystem::path& file,
                                                   std::uint64_t capacity_events);

    /// The same, as DIRECTORY/history.PROCESS, where read_history looks for it.
    [[nodiscard]] static Result<HistoryLog> open_for_process(const std::filesystem::path& directory,
                                                             std::uint32_t process);

    HistoryLog(HistoryLog&&) noexcept;
    HistoryLog& operator=(HistoryLog&&) noexcept;
    ~HistoryLog();

    /// Writes the Event down, with the time at which it is complete otherwise. What can't be written is counted, and readers
    /// refuse the history. Concurrency: from any thread; takes a lock only when the file must grow. Crash: the Event is there,
    /// or counts for nothing.
    void append(LogEvent event) noexcept;

    /// The same, with the time at which it happened: for what is known only afterwards. Requires: an instant, as only these
    /// need not stand in the order of time; a time that is not zero.
    void append_at(LogEvent event, std::uint64_t time) noexcept;

    /// Nanoseconds of CLOCK_MONOTONIC.
    [[nodiscard]] static std::uint64_t now() noexcept;

private:
    class MappedLog;
    explicit HistoryLog(std::unique_ptr<MappedLog> file) noexcept;
    std::unique_ptr<MappedLog> file_;
};

}  // namespace larder::stress
