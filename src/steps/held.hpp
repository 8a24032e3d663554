// What a step hands out: things that own something on the disk, each with the Root that keeps it alive.
#pragma once

#include <layout/id.hpp>
#include <memory>
#include <root/root.hpp>

namespace larder::steps {

using RootRef = std::shared_ptr<root::Root>;

/// A lease: a slot that holds an id (invariant 4). In a cache opened read-only, an id without a slot.
/// Fork: in the child the destructor lets go of nothing.
class HeldLease {
public:
    HeldLease() = default;
    HeldLease(RootRef root, root::Slot slot, const layout::Id& id) noexcept : root_(std::move(root)), slot_(slot), id_(id) {}
    HeldLease(HeldLease&& other) noexcept
        : root_(std::move(other.root_)), slot_(std::exchange(other.slot_, {})), id_(std::exchange(other.id_, {})) {}
    HeldLease& operator=(HeldLease&& other) noexcept {
        std::swap(root_, other.root_);
        std::swap(slot_, other.slot_);
        std::swap(id_, other.id_);
        return *this;
    }
    ~HeldLease() {
        if (slot_.table != nullptr && root_->is_ours()) slot_.table->release(slot_);
    }

    /// Takes a slot and stores the id in it. Whether the entry is still there to be leased, the caller finds out afterwards.
    [[nodiscard]] static Result<HeldLease> take(RootRef root, const layout::Id& id, const root::Caller& caller) {
        TRY_ASSIGN(root::Participant* const participant, root->participant(caller));
        TRY_ASSIGN(const root::Slot slot, participant->acquire(caller));
        HeldLease lease(std::move(root), slot, {});
        TRY(lease.point_at(id));
        return lease;
    }
    /// The same slot, for another id. Errors: `no_space`; what it protects then, if anything, is unknown.
    [[nodiscard]] Result<> point_at(const layout::Id& id) {
        if (!slot_.table->store(slot_, id)) return os::fail(errno, "write down a lease", root_->dirs().participants.path);
        id_ = id;
        return {};
    }

    [[nodiscard]] const root::Root& root() const noexcept { return *root_; }
    [[nodiscard]] const layout::Id& id() const noexcept { return id_; }
    [[nodiscard]] bool is_protected() const noexcept { return slot_.table != nullptr; }
    [[nodiscard]] Result<> hand_on() { return slot_.table->hand_on(); }

private:
    RootRef root_;
    root::Slot slot_;
    layout::Id id_;
};

}  // namespace larder::steps
