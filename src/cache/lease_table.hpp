// SPDX-License-Identifier: MIT
// A lease table: the file `participants/<n>`, which says who uses the
// cache, what that process holds and waits for, and which entries it has leased.
//
// On disk, in the machine's own byte order (the locks and the shared memory it rests on never leave
// the machine either):
//   page 0   a header of 512 bytes, then 56 activities of 64 bytes
//   page 1   256 slots of 16 bytes, each an id or zero: a table that is not full costs its owner one page of memory to scan
// A file shorter than that has never held a lease. It is allocated, zeros written, before it is
// used, so that a full disk is an error when it is taken.
//
// The owner writes through a shared mapping where a store to it can't fail; elsewhere (btrfs, and
// whatever is not known) it writes what it stores: a system call for each, and an error where there
// is no space, not a SIGBUS. Everybody else reads the file with pread, and needs no lock for that.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/id.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace larder::cache {

inline constexpr std::size_t slots_per_table = 256;

/// What a process does that others may wait for, or what it waits for itself.
struct ActivityView {
    bool waiting = false;  ///< else holding
    std::int64_t thread = 0;
    std::uint64_t since_nanos = 0;  ///< since 1970
    std::uint64_t lock = 0;         ///< a number for the lock, the same in every process
    std::string label;              ///< "bucket wheels-v1"; cut to 31 bytes; for people
};

/// A table as read by somebody else, at one instant (each word of it).
struct TableView {
    bool announced = false;  ///< a process has it, or had it and never said goodbye
    os::ProcessIdentity process;
    bool handed_on = false;  ///< the process has kept a lease across an execve
    std::uint64_t since_nanos = 0;
    std::string command;
    std::vector<ActivityView> activities;
    std::vector<format::Id> leases;
};

/// Errors: `damaged` for a table that this version does not understand: its leases are unknown.
[[nodiscard]] Result<TableView> read_table(const os::FileHandle& file,
                                           const std::filesystem::path& path);
/// Makes it one that nobody has. Requires: the table's lock is held, and its process is dead.
[[nodiscard]] Result<> wipe_table(const os::FileHandle& file, const std::filesystem::path& path);

class LeaseTable;

/// One slot that its holder may write. A lease never moves from one slot to another.
struct Slot {
    LeaseTable* table = nullptr;
    std::size_t index = 0;
};

/// The owner's side. Thread-safe.
class LeaseTable {
public:
    /// Requires: `file`, open for reading and writing, holds the table's lock, and nobody's staging
    /// area is left behind it.
    /// Errors: `no_space`.
    [[nodiscard]] static Result<std::unique_ptr<LeaseTable>> take(
        os::FileHandle file, const std::filesystem::path& path);

    /// Says goodbye: clears the header, then lets go of the lock. In a forked child it does
    /// neither: the parent's leases are the parent's.
    ~LeaseTable();
    LeaseTable(const LeaseTable&) = delete;
    LeaseTable& operator=(const LeaseTable&) = delete;

    /// Nothing when all slots are taken.
    [[nodiscard]] std::optional<Slot> acquire() noexcept;
    /// Where there is no space to write that down, the entry stays leased until there is, and
    /// somebody acquires a slot of this table.
    void release(const Slot& slot) noexcept;

    /// Stores the id, then a full fence: whatever this thread reads afterwards, it reads after the
    /// id can be seen by a collector. Returns the error where there is no space to write that down:
    /// the slot then holds this id, or what it held before.
    [[nodiscard]] std::error_code store(const Slot& slot, const format::Id& id) noexcept;

    /// Nothing when all are taken, or there is no space to write it down: others then can't name
    /// this thread, nor see a circle that it is part of.
    [[nodiscard]] std::optional<std::size_t> begin_activity(std::uint64_t lock,
                                                            std::string_view label,
                                                            bool waiting) noexcept;
    void set_holding(std::size_t activity) noexcept;
    void end_activity(std::size_t activity) noexcept;

    /// The descriptor, and so the lock, is inherited by the program that this process becomes.
    [[nodiscard]] Result<> hand_on();
    /// Whether somebody has deleted the file: a collector can't see the leases any more.
    [[nodiscard]] bool is_deleted() const noexcept;

private:
    struct Table;
    class Memory;
    LeaseTable(os::FileHandle file, std::filesystem::path path, std::unique_ptr<Memory> memory);
    bool clear(std::size_t slot) noexcept;
    void release_again(std::size_t word) noexcept;

    static constexpr std::size_t words_of_slots = slots_per_table / 64;

    os::FileHandle file_;
    std::filesystem::path path_;
    std::unique_ptr<Memory> memory_;
    Table* table_;
    std::uint64_t owner_;
    std::array<std::atomic<std::uint64_t>, words_of_slots> taken_{};  ///< a bit for each slot
    std::array<std::atomic<std::uint64_t>, words_of_slots>
        unreleased_{};                              ///< those of them that could not be cleared
    std::atomic<std::uint64_t> busy_activities_{};  ///< a bit for each activity
};

}  // namespace larder::cache
