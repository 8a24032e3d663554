// SPDX-License-Identifier: MIT
// A lease as the steps of the protocol hold it. It keeps the Root alive in whose lease table it
// stands.
#pragma once

#include <memory>

#include "cache/root.hpp"
#include "format/id.hpp"
#include "os/file.hpp"

namespace larder::protocol {

/// A reference that keeps a Root open.
using RootRef = std::shared_ptr<cache::Root>;

/// A slot that holds an id; the destructor clears it. While the slot holds the id of an entry that
/// a key named afterwards, the entry is neither moved nor deleted (invariant 4). In a cache that
/// was opened read-only it is an id without a slot, and protects nothing. Fork: in the child the
/// destructor releases nothing, because the lease is the parent's.
class SlotLease {
public:
    SlotLease() = default;
    SlotLease(RootRef root, cache::Slot slot, const format::Id& id) noexcept
        : root_(std::move(root)), slot_(slot), id_(id) {}
    SlotLease(SlotLease&& other) noexcept
        : root_(std::move(other.root_)),
          slot_(std::exchange(other.slot_, {})),
          id_(std::exchange(other.id_, {})),
          handed_on_(std::exchange(other.handed_on_, false)) {}
    /// Exchanges the two leases, so that the destructor of `other` releases the one that was here.
    SlotLease& operator=(SlotLease&& other) noexcept {
        std::swap(root_, other.root_);
        std::swap(slot_, other.slot_);
        std::swap(id_, other.id_);
        std::swap(handed_on_, other.handed_on_);
        return *this;
    }
    ~SlotLease() {
        if (slot_.table == nullptr || handed_on_) return;
        if (cache::Participant* const participant = root_->joined()) participant->release(slot_);
    }

    /// Takes a slot and stores the id in it. The caller must check afterwards that a link still
    /// names the entry: only then does the lease hold. Errors: `read_only`, `no_space`.
    [[nodiscard]] static Result<SlotLease> take(RootRef root, const format::Id& id,
                                                const cache::CallContext& context) {
        TRY_ASSIGN(cache::Participant* const participant, root->participant(context));
        TRY_ASSIGN(const cache::Slot slot, participant->acquire(context));
        SlotLease lease(std::move(root), slot, {});
        TRY(lease.point_at(id));
        return lease;
    }
    /// Stores another id in the same slot. The caller must check again, as after take. Requires:
    /// there is a slot. Errors: `no_space`; then it is unknown which of the two ids the slot
    /// protects.
    [[nodiscard]] Result<> point_at(const format::Id& id) {
        if (const std::error_code error = slot_.table->store(slot_, id))
            return os::fail(error, "write down a lease", root_->dirs().participants.path);
        id_ = id;
        return {};
    }

    [[nodiscard]] const cache::Root& root() const noexcept { return *root_; }
    [[nodiscard]] const format::Id& id() const noexcept { return id_; }
    /// Returns false for a lease of a read-only cache, whose entry may be collected at any time.
    [[nodiscard]] bool is_protected() const noexcept { return slot_.table != nullptr; }
    /// Lets the program that this process becomes keep the lease, and all others that this process
    /// has in this cache: see Lease::keep_across_exec. From then on the destructor leaves the slot
    /// alone. Requires: there is a slot.
    [[nodiscard]] Result<> hand_on() {
        // The next program does not write to this table, so it settles none of its uses.
        cache::settle_own_uses(*root_);
        TRY(root_->joined()->hand_on());
        handed_on_ = true;
        // The program inherits the root as well, and so what holds off cleaners. If that fails, the
        // lease is kept all the same.
        (void)os::keep_across_exec(root_->dirs().root.handle);
        return {};
    }

private:
    RootRef root_;            // owns the lease table in which the slot is; null after a move
    cache::Slot slot_;        // without a table if there is no slot
    format::Id id_;           // what the slot holds; zero after a move
    bool handed_on_ = false;  // the slot stays as it is until the process ends
};

}  // namespace larder::protocol
