// SPDX-License-Identifier: MIT
// Writes a history down. Each process has a file of its own, which survives the death of the
// process between any two instructions.
//
// On disk, in the machine's byte order: a page of header, then events. The header says for how many
// events there is space, how many places were given out, and how many events found no place. Space
// is allocated before it is given out, so that on a full disk an event is counted as lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include <larder/error.hpp>

#include "stress/history/event.hpp"

namespace larder::stress {

/// The first page of a file. The writer has it mapped; readers copy it.
struct LogHeader {
    /// "lrdllog1" in a little-endian file.
    static constexpr std::uint64_t magic_word = 0x31'67'6f'6c'6c'64'72'6cU;
    static constexpr std::uint32_t version_word = 1;
    static constexpr std::size_t size = 4096;

    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t event_size = 0;
    std::atomic<std::uint64_t> capacity = 0;  ///< events that the file has space for
    /// Places given out. There may be more than `capacity`, if events were lost.
    std::atomic<std::uint64_t> claimed = 0;
    /// Events that could not be written down. A history without them is worthless.
    std::atomic<std::uint64_t> lost = 0;
    /// Events that a forked child appended, which makes the history worthless too.
    std::atomic<std::uint64_t> strange = 0;
};
static_assert(sizeof(LogHeader) <= LogHeader::size &&
              std::atomic<std::uint64_t>::is_always_lock_free);

/// The history of one process. A forked child must not append to it: it opens a history of its own.
class HistoryLog {
public:
    /// Makes the file: whole, or not at all. It has space for `capacity_events` (at least one), and
    /// grows when these are written. Errors: `exists`, `no_space`.
    [[nodiscard]] static Result<HistoryLog> create(const std::filesystem::path& file,
                                                   std::uint64_t capacity_events);

    /// Does the same for DIRECTORY/history.PROCESS, where read_history finds it.
    [[nodiscard]] static Result<HistoryLog> open_for_process(const std::filesystem::path& directory,
                                                             std::uint32_t process);

    HistoryLog(HistoryLog&&) noexcept;
    HistoryLog& operator=(HistoryLog&&) noexcept;
    ~HistoryLog();

    /// Writes the event down. Its time is taken when all else of it is written. If it can't be
    /// written this is counted, and readers refuse the history. Concurrency: any thread may call
    /// this; it takes a lock only if the file must grow. Crash: the event is complete, or does not
    /// count.
    void append(LogEvent event) noexcept;

    /// Writes an event down that is known only afterwards, with the time at which it happened.
    /// Requires: an instant, since only instants need not be written in the order of time; a time
    /// that is not zero.
    void append_at(LogEvent event, std::uint64_t time) noexcept;

private:
    class MappedLog;
    explicit HistoryLog(std::unique_ptr<MappedLog> file) noexcept;
    std::unique_ptr<MappedLog> file_;
};

}  // namespace larder::stress
