// SPDX-License-Identifier: MIT
#include <larder/lease.hpp>

#include "protocol/entry.hpp"
#include "protocol/slot_lease.hpp"

namespace larder {

Lease::Lease() noexcept = default;
Lease::Lease(protocol::SlotLease&& slot)
    : slot_(std::make_unique<protocol::SlotLease>(std::move(slot))) {}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&&) noexcept = default;
Lease::~Lease() = default;

std::filesystem::path Lease::path() const {
    return slot_ ? protocol::tree_path(slot_->root(), slot_->id()) : std::filesystem::path();
}

std::string Lease::id() const { return slot_ ? to_text(slot_->id()) : std::string(); }

bool Lease::is_protected() const noexcept { return slot_ && slot_->is_protected(); }

Result<std::string> Lease::metadata() const {
    if (!slot_) return fail(Errc::invalid, "read metadata", {}, "there is no entry");
    TRY_ASSIGN(auto record, protocol::read_record(slot_->root(), slot_->id()));
    return std::move(record.metadata);
}

Lease::operator bool() const noexcept { return slot_ != nullptr; }

void Lease::release() noexcept { slot_.reset(); }

Result<> Lease::keep_across_exec() {
    // A lease that is in no lease table, or none at all, cannot be kept there.
    if (!is_protected())
        return fail(Errc::invalid, "keep lease across exec", path(), "there is no lease to keep");
    if (!slot_->root().is_ours())
        return fail(Errc::invalid, "keep lease across exec", path(),
                    "the lease is the parent process's");
    return slot_->hand_on();
}

}  // namespace larder
