// SPDX-License-Identifier: MIT
// A participant: one process in one cache, with its lease tables and its staging area.
//
// Whoever holds the lock of `participants/<n>` owns the table and `staging/<n>/`. The lock belongs to the open file, so it is held
// for as long as the process, or a child that it forked, has it open.
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

/// What is left by a participant that died: called with its staging area before the table is used again.
using Reaper = std::function<Result<>(const os::Dir& staging)>;

/// The two directories that participants live in.
struct ParticipantDirs {
    const os::Dir& participants;
    const os::Dir& staging;
};

class Participant {
public:
    /// Adopts a free table, after reaping what its predecessor left, or adds one. Requires that both directories outlive it.
    /// Costs the same with a thousand participants: it begins to look at pid modulo the pool's size.
    [[nodiscard]] static Result<std::unique_ptr<Participant>> join(const ParticipantDirs& places,
                                                                   const Reaper& reap,
                                                                   const CallContext& context);

    /// A slot; takes another table when all are full.
    [[nodiscard]] Result<Slot> acquire(const CallContext& context);

    [[nodiscard]] const os::Dir& staging() const noexcept { return staging_; }
    [[nodiscard]] LeaseTable& table() noexcept { return *first_.table; }
    /// Somebody has deleted one of our files: collectors can't see our leases any more.
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

/// While it lives, others can see that this thread holds or waits for a lock. Without a participant it does nothing.
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

/// A participant as others see it.
struct ParticipantView {
    std::uint32_t number = 0;
    bool alive =
        false;  ///< its lock is held, or its process runs (it may have closed all descriptors)
    bool here = true;  ///< its pid means something in our pid namespace
    TableView table;
};

/// All of them. Errors: `damaged` where one can't be understood, `system` where one can't be opened: its leases are unknown.
[[nodiscard]] Result<std::vector<ParticipantView>> read_participants(const os::Dir& participants);

/// Reaps every participant that is dead, as its adopter would. Returns how many there were.
[[nodiscard]] Result<std::uint64_t> reap_dead(const ParticipantDirs& places, const Reaper& reap,
                                              const CallContext& context);

/// "pid 4711 (uv pip install)", for people.
[[nodiscard]] std::string describe(const TableView& table);

}  // namespace larder::cache
