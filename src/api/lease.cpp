// SPDX-License-Identifier: MIT
#include <larder/lease.hpp>

#include "api/state.hpp"
#include "protocol/entry.hpp"

namespace larder {

Lease::Lease() noexcept = default;
Lease::Lease(std::unique_ptr<detail::LeaseState> state) noexcept : state_(std::move(state)) {}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&&) noexcept = default;
Lease::~Lease() = default;

std::filesystem::path Lease::path() const {
    return state_ ? protocol::tree_path(state_->held.root(), state_->held.id())
                  : std::filesystem::path();
}

std::string Lease::id() const { return state_ ? to_text(state_->held.id()) : std::string(); }

bool Lease::is_protected() const noexcept { return state_ && state_->held.is_protected(); }

Lease::operator bool() const noexcept { return state_ != nullptr; }

void Lease::release() noexcept { state_.reset(); }

Result<> Lease::keep_across_exec() {
    if (!is_protected())
        return fail(Errc::invalid, "keep lease across exec", path(), "there is no lease to keep");
    if (!state_->held.root().is_ours())
        return fail(Errc::invalid, "keep lease across exec", path(),
                    "the lease is the parent process's");
    return state_->held.hand_on();
}

}  // namespace larder
