// SPDX-License-Identifier: MIT
#include <larder/staging.hpp>

#include "protocol/build_lock.hpp"
#include "protocol/stage.hpp"

namespace larder {

Staging::Staging(protocol::Stage&& stage, std::stop_token stop)
    : stage_(std::make_unique<protocol::Stage>(std::move(stage))), stop_(std::move(stop)) {}
Staging::Staging(protocol::BuildLock&& build, protocol::Stage&& stage, std::stop_token stop)
    : build_(std::make_unique<protocol::BuildLock>(std::move(build))),
      stage_(std::make_unique<protocol::Stage>(std::move(stage))),
      stop_(std::move(stop)) {}
Staging::Staging(Staging&&) noexcept = default;
Staging& Staging::operator=(Staging&&) noexcept = default;
Staging::~Staging() = default;

std::filesystem::path Staging::path() const {
    return stage_ ? stage_->tree_path() : std::filesystem::path();
}

std::string Staging::inside() const {
    return protocol::text_for_nested_builds(build_ ? build_->seen() : std::nullopt);
}

namespace {

/// Returns the error for a Staging that has no directory any more.
tl::unexpected<Error> nothing_staged(const std::filesystem::path& source) {
    return fail(Errc::invalid, "stage", source, "this Staging was published or moved away before");
}

}  // namespace

Result<> Staging::copy_from(const std::filesystem::path& source) {
    return stage_ ? stage_->copy_from(source, std::nullopt, stop_) : nothing_staged(source);
}

Result<> Staging::copy_from(const std::filesystem::path& source, LinkMode mode) {
    return stage_ ? stage_->copy_from(source, mode, stop_) : nothing_staged(source);
}

Result<> Staging::note(const std::filesystem::path& path, std::uint64_t size,
                       std::string_view digest) {
    return stage_ ? stage_->note(path, size, digest) : nothing_staged(path);
}

Result<> Staging::move_from(const std::filesystem::path& source) {
    return stage_ ? stage_->move_from(source) : nothing_staged(source);
}

}  // namespace larder
