// SPDX-License-Identifier: MIT
// A participant is one process in one cache, with its lease tables and its staging area.
//
// The process that holds the lock of `participants/<n>` owns that table and `staging/<n>/`. The
// lock belongs to the open file. So it is held as long as the process, or a child that it forked,
// has the file open.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/noted_errors.hpp"
#include "cache/call_context.hpp"
#include "cache/lease_table.hpp"

namespace larder::cache {

/// Cleans up after a dead participant, before its table is wiped: see Root::reaper.
struct Reaper {
    std::function<Result<>(const os::Dir& staging)> empty_staging;
    /// Settles the uses that its ring has left: see cache/root.hpp.
    std::function<void(const std::vector<format::Id>& uses)> settle_uses;
};

/// The two directories that hold the files of participants. They belong to the Root.
struct ParticipantDirs {
    const os::Dir& participants;
    const os::Dir& staging;
};

/// What is wrong with something that stands where only a directory may stand.
inline constexpr const char* no_directory =
    "no directory stands here, but something else; `cachetool verify --repair` takes it away";

/// This process as a participant: a staging area, the table that goes with it, and further tables
/// if it needs more slots or activities. It never gives a table back before it ends. Thread-safe.
class Participant {
public:
    /// Adopts a free table after reaping what its predecessor left, or adds a table. If what a
    /// predecessor left cannot be reaped, its table is left to the collector. Requires: both
    /// directories, and what `reap` refers to, outlive the participant. The cost hardly grows with
    /// the number of participants, because a process tries eight tables at most before it adds one.
    /// Errors: `no_space`, and others of making a table.
    [[nodiscard]] static Result<std::unique_ptr<Participant>> join(const ParticipantDirs& places,
                                                                   const Reaper& reap,
                                                                   const CallContext& context);

    /// Acquires a free slot, which holds no id yet. Adopts or adds one more table if all slots are
    /// in use. The cost is the same however many leases this process has. Errors: `no_space`.
    [[nodiscard]] Result<Slot> acquire(const CallContext& context);
    /// Clears a slot and frees it. If the disk has no space for this write, the entry stays leased,
    /// and each later acquire tries again.
    void release(const Slot& slot) noexcept;

    /// An activity of this process: its index in one of the tables.
    struct ActivityPlace {
        LeaseTable* table;
        std::size_t index;
    };
    /// Shows an activity in the first table that has a free one: see LeaseTable::begin_activity.
    /// Adopts or adds one more table if none has. Returns nullopt if that fails, for whatever
    /// reason, or if the disk has no space for the write.
    [[nodiscard]] std::optional<ActivityPlace> begin_activity(
        const LeaseTable::ShownActivity& shown) noexcept;

    /// Lets the program that this process becomes inherit all leases: see LeaseTable::hand_on. It
    /// inherits the tables that are added later, too. After an error some tables may be inherited.
    [[nodiscard]] Result<> hand_on();

    [[nodiscard]] const os::Dir& staging() const noexcept { return staging_; }
    /// Returns the first table, which has the ring of uses of this process.
    [[nodiscard]] LeaseTable& table() noexcept { return *first_.table; }
    /// Returns true if one of our files was deleted. Collectors then cannot see the leases in it.
    /// Costs one system call for each table, that is for each 256 leases that were held at once.
    /// Nothing cheaper is as safe: each table holds leases of its own, the number of links of their
    /// directory does not count files, and its time changes whenever any process joins.
    [[nodiscard]] bool is_lost() const;

private:
    /// An element of the list of all tables. Elements are only added, at the end, so a reader needs
    /// no lock. Each element owns the next one.
    struct Node {
        std::unique_ptr<LeaseTable> table;
        std::atomic<Node*> next{nullptr};
        ~Node() { delete next.load(); }
    };

    Participant(const ParticipantDirs& places, Reaper reap, std::unique_ptr<LeaseTable> table,
                os::Dir staging);

    /// Adopts or adds a table, which no other thread knows yet. Requires: the caller holds
    /// growing_. Errors: `no_space`.
    [[nodiscard]] Result<std::unique_ptr<LeaseTable>> one_more_table(const CallContext& context);
    /// Adds a table to the list of all tables, which owns it from then on. Returns it. Requires:
    /// the caller holds growing_.
    LeaseTable& append(std::unique_ptr<LeaseTable> table);
    /// Shows an activity in one of the tables, or returns nullopt if it finds place in none.
    [[nodiscard]] std::optional<ActivityPlace> begin_in_a_table(
        const LeaseTable::ShownActivity& shown) noexcept;
    /// Tries again to clear the slots of all tables that release could not clear.
    void release_again() noexcept;
    /// Puts a table into the list of those that may have a free slot, unless it is there.
    void list_as_free(LeaseTable& table) noexcept;

    ParticipantDirs places_;
    Reaper reap_;      // for the predecessors of further tables
    os::Dir staging_;  // goes with the first table; those of further tables stay empty
    Node first_;       // owns all tables
    // Guards the list of tables with free slots, and the adding of tables. A forked child never
    // takes it: see Root::joined.
    std::mutex growing_;
    // A slot that is free is in the current table or in a listed one, or its release is about to
    // list its table. The current table is replaced, under the mutex, only after all its slots were
    // found taken.
    std::atomic<LeaseTable*> current_;
    LeaseTable* with_free_ = nullptr;           // the first listed table; guarded by the mutex
    std::atomic<bool> some_unreleased_{false};  // release could not clear a slot
    bool handed_on_ = false;                    // see hand_on; guarded by the mutex
};

/// While an Activity lives, other processes see that this thread holds a lock or waits for it.
/// If `participant` is null, or no table has place for it, it does nothing. Otherwise the
/// participant must outlive it. Fork: in the child the destructor changes nothing.
class Activity {
public:
    /// What a thread has to do with a lock of its own.
    enum class Shows { waiting, holding };

    /// Shows that this thread waits for the lock, or holds it. `label` is for people: "bucket
    /// wheels-v1".
    Activity(Participant* participant, std::uint64_t lock, std::string_view label, Shows shows);
    /// Shows that this thread works for a build: another process holds its lock, and began to build
    /// at `since_nanos`.
    Activity(Participant* participant, std::uint64_t lock, std::uint64_t since_nanos);
    ~Activity();
    Activity(Activity&& other) noexcept;
    Activity& operator=(Activity&&) = delete;

    /// Shows that the thread no longer waits for the lock, but holds it.
    void set_holding() noexcept;
    /// Returns false if other processes cannot see it: see Participant::begin_activity.
    [[nodiscard]] bool is_visible() const noexcept { return table_ != nullptr; }
    /// Returns when it began, in nanoseconds since 1970; 0 if other processes cannot see it.
    [[nodiscard]] std::uint64_t since_nanos() const noexcept {
        return is_visible() ? since_nanos_ : 0;
    }

private:
    Activity(Participant* participant, const LeaseTable::ShownActivity& shown);

    LeaseTable* table_ = nullptr;  // one of the participant's; null if nothing is shown
    std::size_t index_ = 0;        // in that table
    std::uint64_t owner_ = 0;      // the token of the process that began it
    std::uint64_t since_nanos_ = 0;
};

/// What is certain of a participant: see "Dead or alive" in docs/protocol.md.
enum class Life {
    alive,   ///< its lock is held, or its process runs (it may have closed all its descriptors)
    untold,  ///< it may run, so its leases hold
    dead,
};

/// Returns true if the table was copied here from another cache (`cp -a`), with the leases of the
/// processes that use that one: it names the inode that it had there.
[[nodiscard]] bool is_copy(const os::FileHandle& file, const format::TableView& table);

/// A participant as other processes see it.
struct ParticipantView {
    std::uint32_t number = 0;  ///< of its table and of its staging area
    Life life = Life::alive;
    bool here = true;  ///< its pid belongs to the pid namespace of this process
    format::TableView table;

    /// Returns true if its leases hold: it lives, or may live.
    [[nodiscard]] bool counts() const noexcept { return life != Life::dead; }
};

/// The participants of a cache, as far as their tables can be read.
struct ParticipantList {
    std::vector<ParticipantView> views;
    /// One error for each table that cannot be opened or understood. Its leases are unknown, so no
    /// entry may be deleted while there is one. `damaged`; or `system` if this process has no
    /// descriptor left.
    NotedErrors unreadable;
};

/// Returns all participants, without a lock. The tables are read one after the other, and change
/// meanwhile. Errors: `system` if the tables cannot be listed.
[[nodiscard]] Result<ParticipantList> read_participants(const os::Dir& participants,
                                                        os::Search search = os::Search::here);

/// Whether a staging area has no lease table, because that was deleted, and what holds then.
enum class WithoutTable {
    no,    ///< there is a table, or that can't be told
    kept,  ///< something was staged there in this boot, so a living process may stage there
    dead,  ///< no living process stages there
};
/// Errors: those of listing the staging area of the number.
[[nodiscard]] Result<WithoutTable> is_without_table(const ParticipantDirs& places,
                                                    const std::string& name);

/// What to do with a participant of which it can't be told whether it lives.
enum class Untold { keep, presume_dead };

/// What reap_dead did.
struct ReapReport {
    std::uint64_t reaped = 0;  ///< dead participants whose tables are free now
    std::uint64_t untold = 0;  ///< that were kept
    NotedErrors errors;        ///< of the others
};

/// Reaps every dead participant, as its adopter would. If what one has left cannot be reaped, it
/// keeps its table, and stops no other. Each is judged and reaped while its lock is held, so that
/// no process adopts it meanwhile; a table whose lock another process holds is passed over.
[[nodiscard]] ReapReport reap_dead(const ParticipantDirs& places, const Reaper& reap, Untold untold,
                                   const CallContext& context);

/// Moves something that is no file out of `participants/`.
using TableDiscarder = std::function<Result<>(const std::string& name)>;

/// Frees a table that cannot be read, if no living process has it: its lock is free, and the
/// process of its header, as far as that can be read, does not run. What stands in the place of a
/// table and is no file is handed to `discard`, and an empty file is put there.
/// Returns false if a living process may have the table.
[[nodiscard]] Result<bool> free_unreadable_table(const ParticipantDirs& places,
                                                 const std::string& name, const Reaper& reap,
                                                 const TableDiscarder& discard);

/// Looks at every table, and changes nothing. Errors: `busy` if a living process has one of them,
/// or may have it; the message names the process.
[[nodiscard]] Result<> check_unused(const os::Dir& participants);

/// Unlinks every table, each while its lock is held. A process that has opened a table, and locks
/// it afterwards, finds that it has no name any more. Errors: `busy` as check_unused; then tables
/// that no process had may be gone.
[[nodiscard]] Result<> unlink_tables(const os::Dir& participants);

/// Returns "pid 4711 (uv pip install)", for people.
[[nodiscard]] std::string describe(const format::TableView& table);

}  // namespace larder::cache
