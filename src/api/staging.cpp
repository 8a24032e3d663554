// SPDX-License-Identifier: MIT
#include <larder/staging.hpp>

#include "api/state.hpp"

namespace larder {

std::optional<protocol::Stage> detail::StagingState::unwrap(Staging&& staging) {
    const auto state = std::move(staging.state_);
    if (!state) return std::nullopt;
    return std::move(state->stage);
}

Staging::Staging(std::unique_ptr<detail::StagingState> state) noexcept : state_(std::move(state)) {}
Staging::Staging(Staging&&) noexcept = default;
Staging& Staging::operator=(Staging&&) noexcept = default;
Staging::~Staging() = default;

std::filesystem::path Staging::path() const {
    return state_ ? state_->stage.tree_path() : std::filesystem::path();
}

namespace {

tl::unexpected<Error> nothing_staged(const std::filesystem::path& source) {
    return fail(Errc::invalid, "stage", source, "this Staging was published or moved away before");
}

}  // namespace

Result<> Staging::copy_from(const std::filesystem::path& source) {
    return state_ ? state_->stage.copy_from(source) : nothing_staged(source);
}

Result<> Staging::move_from(const std::filesystem::path& source) {
    return state_ ? state_->stage.move_from(source) : nothing_staged(source);
}

}  // namespace larder
