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

#include "cache/call_context.hpp"
#include "cache/lease_table.hpp"

namespace larder::cache {

/// Cleans up after a dead participant. Called with its staging area, before its table is used
/// again.
using Reaper = std::function<Result<>(const os::Dir& staging)>;

/// The two directories that hold the files of participants.
struct ParticipantDirs {
    const os::Dir& participants;
    const os::Dir& staging;
};

class Participant {
public:
    /// Adopts a free table after reaping what its predecessor left, or adds a table. Requires: both
    /// directories outlive the participant. The cost is the same with a thousand participants,
    /// because the search begins at the pid modulo the size of the pool.
    [[nodiscard]] static Result<std::unique_ptr<Participant>> join(const ParticipantDirs& places,
                                                                   const Reaper& reap,
                                                                   const CallContext& context);

    /// Returns a free slot. Takes one more table if all slots are in use.
    [[nodiscard]] Result<Slot> acquire(const CallContext& context);

    [[nodiscard]] const os::Dir& staging() const noexcept { return staging_; }
    [[nodiscard]] LeaseTable& table() noexcept { return *first_.table; }
    /// Returns true if one of our files was deleted. Collectors then cannot see our leases.
    [[nodiscard]] bool is_lost() const;

private:
    struct Node {
        std::unique_ptr<LeaseTable> table;
        std::atomic<Node*> next{nullptr};
        ~Node() { delete next.load(); }
    };

    Participant(const ParticipantDirs& places, Reaper reap, std::unique_ptr<LeaseTable> table,
                os::Dir staging);

    ParticipantDirs places_;
    Reaper reap_;
    os::Dir staging_;
    Node first_;
    std::mutex growing_;
};

/// Shows other processes that this thread holds a lock or waits for it, as long as it lives. It
/// does nothing without a participant.
class Activity {
public:
    Activity(Participant* participant, std::uint64_t lock, std::string_view label, bool waiting);
    ~Activity();
    Activity(Activity&& other) noexcept;
    Activity& operator=(Activity&&) = delete;

    void set_holding() noexcept;
    [[nodiscard]] bool is_visible() const noexcept { return table_ != nullptr; }

private:
    LeaseTable* table_ = nullptr;
    std::size_t index_ = 0;
    std::uint64_t owner_ = 0;
};

/// A participant as other processes see it.
struct ParticipantView {
    std::uint32_t number = 0;
    /// Its lock is held, or its process runs: a process may have closed all its descriptors.
    bool alive = false;
    bool here = true;  ///< its pid is one of our pid namespace
    format::TableView table;
};

/// Returns all participants. Errors: `damaged` if a table cannot be understood, `system` if one
/// cannot be opened: its leases are unknown.
[[nodiscard]] Result<std::vector<ParticipantView>> read_participants(const os::Dir& participants);

/// Reaps every dead participant, as its adopter would. Returns how many there were.
[[nodiscard]] Result<std::uint64_t> reap_dead(const ParticipantDirs& places, const Reaper& reap,
                                              const CallContext& context);

/// Returns "pid 4711 (uv pip install)", for people.
[[nodiscard]] std::string describe(const format::TableView& table);

}  // namespace larder::cache
