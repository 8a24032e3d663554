// SPDX-License-Identifier: MIT
// Stage: to fill a private directory that nobody else sees.
#pragma once

#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// `staging/<n>/t-<id>/`, with its `tree/`; owned until it is published.
/// Fork: in the child the destructor touches nothing.
class Stage {
public:
    /// Makes it. The id is the one under which it will be published.
    [[nodiscard]] static Result<Stage> make(RootRef root, const cache::CallContext& context);

    Stage(Stage&& other) noexcept
        : root_(std::move(other.root_)), id_(std::exchange(other.id_, {})) {}
    Stage& operator=(Stage&& other) noexcept {
        std::swap(root_, other.root_);
        std::swap(id_, other.id_);
        return *this;
    }
    /// Moves it to `deleting/` and deletes it; what can't be deleted now is deleted by a collection.
    ~Stage();

    [[nodiscard]] const RootRef& root() const noexcept { return root_; }
    [[nodiscard]] const format::Id& id() const noexcept { return id_; }
    [[nodiscard]] std::filesystem::path tree_path() const;

    /// It is somebody else's from now on: an entry, or what a failed publish has retired.
    void disown() noexcept { id_ = {}; }

    /// See Staging.
    [[nodiscard]] Result<> copy_from(const std::filesystem::path& source);
    [[nodiscard]] Result<> move_from(const std::filesystem::path& source);

private:
    Stage(RootRef root, const format::Id& id) noexcept : root_(std::move(root)), id_(id) {}
    [[nodiscard]] Result<> check_source(const std::filesystem::path& source) const;

    RootRef root_;
    format::Id id_;
};

}  // namespace larder::protocol
