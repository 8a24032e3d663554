// SPDX-License-Identifier: MIT
// Stage: fills a private directory that no other process sees.
#pragma once

#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Owns `staging/<n>/t-<id>/` with its `tree/` until it is published.
/// Fork: in the child the destructor touches nothing.
class Stage {
public:
    /// Makes the directory, and joins the cache if this process has not. Its id is the one under
    /// which it will be published. Errors: `read_only`, `no_space`.
    [[nodiscard]] static Result<Stage> make(RootRef root, const cache::CallContext& context);

    Stage(Stage&& other) noexcept
        : root_(std::move(other.root_)), id_(std::exchange(other.id_, {})) {}
    Stage& operator=(Stage&& other) noexcept {
        std::swap(root_, other.root_);
        std::swap(id_, other.id_);
        return *this;
    }
    /// Moves the directory to `deleting/` and deletes it. A collection deletes what cannot be
    /// deleted now.
    ~Stage();

    [[nodiscard]] const RootRef& root() const noexcept { return root_; }
    [[nodiscard]] const format::Id& id() const noexcept { return id_; }
    [[nodiscard]] std::filesystem::path tree_path() const;

    /// Ends the ownership. From then on the directory is an entry, and the destructor leaves it
    /// alone.
    void disown() noexcept { id_ = {}; }

    /// Fill the tree: see Staging. Both refuse a source that lies in this cache or contains it
    /// (`invalid`).
    [[nodiscard]] Result<> copy_from(const std::filesystem::path& source);
    [[nodiscard]] Result<> move_from(const std::filesystem::path& source);

private:
    Stage(RootRef root, const format::Id& id) noexcept : root_(std::move(root)), id_(id) {}
    [[nodiscard]] Result<> check_source(const std::filesystem::path& source) const;

    RootRef root_;
    format::Id id_;
};

}  // namespace larder::protocol
