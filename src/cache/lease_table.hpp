// SPDX-License-Identifier: MIT
// The lease table of this process: how it takes one and writes to it. The layout of its bytes is in
// format/lease_table.hpp.
//
// The owner writes through a shared mapping if a store to it cannot fail. On other file systems
// (xfs, btrfs, and unknown ones) the owner has a copy of the table in memory, and writes each
// change to the file with a system call. Then a full disk is an error, and not a SIGBUS. All other
// processes read the file without a lock. When a process takes a table it fills the file with
// zeros, so that the blocks are allocated, and a full disk is an error already then.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "cache/use_ring.hpp"
#include "format/lease_table.hpp"
#include "os/file.hpp"
#include "os/file_system.hpp"

namespace larder::cache {

/// Why nothing is deleted while there is a table that cannot be read, and what to do.
inline constexpr const char* unknown_leases =
    "this is no lease table, so which entries it leases is unknown, and no entry is deleted; "
    "`cachetool verify --repair` frees it if no process has it";

/// Reads a part of a table, which its owner may be writing: up to `size` bytes from `offset` on.
/// Returns how many it has read. What the owner did before it stored a word that this reads is seen
/// by all that this thread reads next.
[[nodiscard]] os::CallResult<std::size_t> read_shared(const os::FileHandle& file, void* to,
                                                      std::size_t size,
                                                      std::size_t offset) noexcept;
/// Reads the table of any process. Errors: `damaged` if this version does not understand the table.
/// Then its leases are unknown.
[[nodiscard]] Result<format::TableView> read_table(const os::FileHandle& file,
                                                   const std::filesystem::path& path);
/// Reads a table that read_table does not understand, as far as it can be read. No lease may rest
/// on what this returns.
[[nodiscard]] Result<format::TableView> read_damaged_table(const os::FileHandle& file,
                                                           const std::filesystem::path& path);
/// Fills a table with zeros: no process has it from then on. Its ring goes on with the number
/// `head`, so that a collection which has read the ring before sees each use after that. All uses
/// count as settled. Requires: the caller holds the table's lock, the process that had the table is
/// dead, and its uses were settled.
[[nodiscard]] Result<> wipe_table(const os::FileHandle& file, const std::filesystem::path& path,
                                  std::uint64_t head = 0);

/// Returns the time as a table has it, in nanoseconds since 1970.
[[nodiscard]] std::uint64_t now_nanos();

class LeaseTable;

/// A slot that a caller has acquired, and that no other thread writes. A lease stays in its slot.
struct Slot {
    LeaseTable* table = nullptr;  ///< owned by the participant; null if there is no slot
    std::size_t index = 0;        ///< in that table
};

/// The table of this process. Thread-safe.
class LeaseTable {
public:
    /// Wipes the table and announces this process in it. `head` is the number of the last use in
    /// its ring. Requires: `file` is open for reading and writing and holds the table's lock, the
    /// staging area of the table is empty, and its uses were settled. Errors: `no_space`.
    [[nodiscard]] static Result<std::unique_ptr<LeaseTable>> take(os::FileHandle file,
                                                                  const std::filesystem::path& path,
                                                                  std::uint64_t head = 0);

    /// Clears the pid, so that no process has the table, and then releases the lock. In a forked
    /// child it does neither, because the leases belong to the parent. After hand_on it does
    /// neither, and leaves the file open.
    ~LeaseTable();
    LeaseTable(const LeaseTable&) = delete;
    LeaseTable& operator=(const LeaseTable&) = delete;

    /// Takes a free slot. Returns nullopt if all slots are taken. First clears the slots that
    /// release could not clear.
    [[nodiscard]] std::optional<Slot> acquire() noexcept;
    /// Clears a slot and frees it. Returns false if the disk has no space for this write. Then the
    /// entry stays leased, and each later acquire and release_again tries again.
    bool release(const Slot& slot) noexcept;
    /// Clears the slots that release could not clear. Returns false if one is left.
    bool release_again() noexcept;

    /// Stores the id, and then makes a full fence: before this thread reads anything else, a
    /// collector can see the id. Returns an error if the disk has no space for this write. Then the
    /// slot holds this id or the one before.
    [[nodiscard]] std::error_code store(const Slot& slot, const format::Id& id) noexcept;

    /// What begin_activity shows.
    struct ShownActivity {
        std::uint64_t lock;
        format::ActivityView::Kind kind;
        std::string_view label;
        std::uint64_t since_nanos;
    };
    /// Shows other processes what this thread has to do with a lock. Returns nullopt if all
    /// activities are taken, or if the disk has no space for the write. Then other processes cannot
    /// name this thread, and cannot see a circle of waits that it is part of.
    [[nodiscard]] std::optional<std::size_t> begin_activity(const ShownActivity& shown) noexcept;
    /// Shows that the thread no longer waits for the lock, but holds it.
    void set_holding(std::size_t activity) noexcept;
    /// Ends what begin_activity shows, and frees its place. If the disk has no space for the write,
    /// other processes see it until the next activity takes the place.
    void end_activity(std::size_t activity) noexcept;

    /// Lets the program that this process becomes by execve inherit the file, and so the lock. From
    /// then on this object does not give the table back: it stays locked until this process, and
    /// each process that inherits the file, has ended. After an error nothing is inherited, and a
    /// free lock may no longer prove that this process has ended.
    [[nodiscard]] Result<> hand_on();
    /// Returns whether the file was deleted. If so, collectors no longer see the leases. Returns
    /// false if that can't be told.
    [[nodiscard]] bool is_deleted() const noexcept;

    /// Returns the ring of uses; null where the table is not mapped. There a use would cost a
    /// system call, and so would the question whether a collection has settled it.
    [[nodiscard]] UseRing* ring() noexcept { return ring_ ? &*ring_ : nullptr; }

    /// The place of this table in its participant's list of the tables that may have a free slot.
    /// Only Participant uses it.
    struct PlaceInList {
        std::atomic<bool> marked{false};  ///< it is in the list, or is just being put there
        LeaseTable* next = nullptr;       ///< null at the end of the list; guarded by its mutex
    };
    PlaceInList in_list;

private:
    class TableMemory;
    LeaseTable(os::FileHandle file, std::filesystem::path path,
               std::unique_ptr<TableMemory> memory);
    /// Stores zeros into a slot. Returns false if the disk has no space for this write.
    bool clear(std::size_t slot) noexcept;
    /// Writes the header, and the pid last. From then on this process has the table. Returns an
    /// error if the disk has no space for that.
    std::error_code announce(const os::FileSystemTraits& traits);
    /// Says in the header whether a free lock proves that this process has ended: see "Dead or
    /// alive" in docs/protocol.md. Returns an error if the disk has no space for that.
    std::error_code set_lock_tells(bool tells) noexcept;

    static constexpr std::size_t words_of_slots = format::slots_per_table / 64;  // a bit a slot

    os::FileHandle file_;         // its lock shows that this process lives
    std::filesystem::path path_;  // for errors
    std::unique_ptr<TableMemory> memory_;
    format::LeaseTableBytes* table_;      // in memory_
    std::optional<UseRing> ring_;         // in table_; none where that is a copy
    std::uint64_t owner_;                 // the token of the process that took the table
    std::atomic<bool> handed_on_{false};  // another program may inherit the leases: see hand_on
    // A bit for each slot that is taken, and for each of those that release could not clear.
    std::array<std::atomic<std::uint64_t>, words_of_slots> taken_{}, unreleased_{};
    std::atomic<std::uint64_t> busy_activities_{};  // a bit for each activity in use
};

}  // namespace larder::cache
