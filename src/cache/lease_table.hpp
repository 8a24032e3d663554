// SPDX-License-Identifier: MIT
// A process's lease table: taking one, and writing to it. Its bytes are in format/lease_table.hpp.
//
// The owner writes through a shared mapping if a store to that can't fail. On other file systems
// (btrfs, and those that are not known) it writes what it stores: a system call for each store, and
// an error if there is no space, instead of a SIGBUS. All other processes read the file, and need
// no lock for that. The file is allocated, with zeros, before it is used, so that a full disk is an
// error when the table is taken.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "format/lease_table.hpp"
#include "os/file.hpp"

namespace larder::cache {

/// Reads a table, of this process or of another. Errors: `damaged` if this version does not
/// understand it: its leases are unknown.
[[nodiscard]] Result<format::TableView> read_table(const os::FileHandle& file,
                                                   const std::filesystem::path& path);
/// Makes it a table that no process has. Requires: the caller holds the table's lock, and the
/// process that had it is dead.
[[nodiscard]] Result<> wipe_table(const os::FileHandle& file, const std::filesystem::path& path);

class LeaseTable;

/// One slot that its holder may write. A lease never moves from one slot to another.
struct Slot {
    LeaseTable* table = nullptr;
    std::size_t index = 0;
};

/// The table of this process. Thread-safe.
class LeaseTable {
public:
    /// Takes the table over. Requires: `file`, open for reading and writing, holds the table's
    /// lock, and nothing is left in its staging area. Errors: `no_space`.
    [[nodiscard]] static Result<std::unique_ptr<LeaseTable>> take(
        os::FileHandle file, const std::filesystem::path& path);

    /// Says goodbye: clears the header, then releases the lock. In a forked child it does neither,
    /// since the leases are the parent's.
    ~LeaseTable();
    LeaseTable(const LeaseTable&) = delete;
    LeaseTable& operator=(const LeaseTable&) = delete;

    /// Takes a free slot. Returns nullopt if all slots are taken.
    [[nodiscard]] std::optional<Slot> acquire() noexcept;
    /// Clears a slot and gives it back. If there is no space to write that down, the entry stays
    /// leased until there is, and a thread acquires a slot of this table.
    void release(const Slot& slot) noexcept;

    /// Stores the id, then makes a full fence: what this thread reads afterwards, it reads after a
    /// collector can see the id. Returns the error if there is no space to write that down: the
    /// slot then holds this id, or what it held before.
    [[nodiscard]] std::error_code store(const Slot& slot, const format::Id& id) noexcept;

    /// Shows what a thread holds or waits for. Returns nullopt if all activities are taken, or
    /// there is no space to write it down: then other processes can't name this thread, nor see a
    /// circle of waits that it is part of.
    [[nodiscard]] std::optional<std::size_t> begin_activity(std::uint64_t lock,
                                                            std::string_view label,
                                                            bool waiting) noexcept;
    void set_holding(std::size_t activity) noexcept;
    void end_activity(std::size_t activity) noexcept;

    /// Lets the program that this process becomes inherit the file, and so the lock.
    [[nodiscard]] Result<> hand_on();
    /// Returns whether the file was deleted: then collectors can't see the leases any more.
    [[nodiscard]] bool is_deleted() const noexcept;

private:
    class TableMemory;
    LeaseTable(os::FileHandle file, std::filesystem::path path,
               std::unique_ptr<TableMemory> memory);
    bool clear(std::size_t slot) noexcept;
    void release_again(std::size_t word) noexcept;

    static constexpr std::size_t words_of_slots = format::slots_per_table / 64;

    os::FileHandle file_;
    std::filesystem::path path_;
    std::unique_ptr<TableMemory> memory_;
    format::LeaseTableBytes* table_;
    std::uint64_t owner_;
    std::array<std::atomic<std::uint64_t>, words_of_slots> taken_{};  ///< a bit for each slot
    std::array<std::atomic<std::uint64_t>, words_of_slots>
        unreleased_{};                              ///< those of them that could not be cleared
    std::atomic<std::uint64_t> busy_activities_{};  ///< a bit for each activity
};

}  // namespace larder::cache
