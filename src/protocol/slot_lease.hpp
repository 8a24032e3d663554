// SPDX-License-Identifier: MIT
// A lease as the steps of the protocol hold it. It keeps the Root alive in whose lease table it
// stands.
#pragma once

#include <memory>

#include "cache/root.hpp"
#include "format/id.hpp"

namespace larder::protocol {

using RootRef = std::shared_ptr<cache::Root>;

/// A slot that holds an id (invariant 4). In a cache that was opened read-only it is an id without
/// a slot. Fork: in the child the destructor releases nothing.
class SlotLease {
public:
    SlotLease() = default;
    SlotLease(RootRef root, cache::Slot slot, const format::Id& id) noexcept
        : root_(std::move(root)), slot_(slot), id_(id) {}
    SlotLease(SlotLease&& other) noexcept
        : root_(std::move(other.root_)),
          slot_(std::exchange(other.slot_, {})),
          id_(std::exchange(other.id_, {})) {}
    SlotLease& operator=(SlotLease&& other) noexcept {
        std::swap(root_, other.root_);
        std::swap(slot_, other.slot_);
        std::swap(id_, other.id_);
        return *this;
    }
    ~SlotLease() {
        if (slot_.table != nullptr && root_->is_ours()) root_->joined()->release(slot_);
    }

    /// Takes a slot and stores the id in it. The caller must check afterwards that the entry can
    /// still be leased.
    [[nodiscard]] static Result<SlotLease> take(RootRef root, const format::Id& id,
                                                const cache::CallContext& context) {
        TRY_ASSIGN(cache::Participant* const participant, root->participant(context));
        TRY_ASSIGN(const cache::Slot slot, participant->acquire(context));
        SlotLease lease(std::move(root), slot, {});
        TRY(lease.point_at(id));
        return lease;
    }
    /// Stores another id in the same slot. Errors: `no_space`; then it is unknown what the slot
    /// protects.
    [[nodiscard]] Result<> point_at(const format::Id& id) {
        if (const std::error_code error = slot_.table->store(slot_, id))
            return os::fail(error, "write down a lease", root_->dirs().participants.path);
        id_ = id;
        return {};
    }

    [[nodiscard]] const cache::Root& root() const noexcept { return *root_; }
    [[nodiscard]] const format::Id& id() const noexcept { return id_; }
    [[nodiscard]] bool is_protected() const noexcept { return slot_.table != nullptr; }
    /// See Lease::keep_across_exec.
    [[nodiscard]] Result<> hand_on() { return slot_.table->hand_on(); }

private:
    RootRef root_;
    cache::Slot slot_;
    format::Id id_;
};

}  // namespace larder::protocol
