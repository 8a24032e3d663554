// SPDX-License-Identifier: MIT
// Stage: fills an entry in its place, before any key names it.
#pragma once

#include <larder/materialize.hpp>

#include "protocol/entry_manifest.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Owns `archive/<id>/` with its `tree/` until it is published. The link `l-<id>` in the staging
/// area names it.
/// Fork: in the child the destructor touches nothing.
class Stage {
public:
    /// Makes the link and then the directory, and joins the cache if this process has not. The id
    /// is the one under which the entry will be published. Errors: `read_only`, `no_space`.
    [[nodiscard]] static Result<Stage> make(RootRef root, const cache::CallContext& context);

    Stage(Stage&& other) noexcept
        : root_(std::move(other.root_)),
          id_(std::exchange(other.id_, {})),
          moved_from_(std::move(other.moved_from_)),
          noted_(std::move(other.noted_)) {
        other.moved_from_.clear();
    }
    Stage& operator=(Stage&& other) noexcept {
        std::swap(root_, other.root_);
        std::swap(id_, other.id_);
        std::swap(moved_from_, other.moved_from_);
        std::swap(noted_, other.noted_);
        return *this;
    }
    /// Gives a tree back that move_from took. Otherwise moves the directory to `deleting/`, unlinks
    /// its link, and deletes it. A collection deletes what cannot be deleted now.
    ~Stage();

    [[nodiscard]] const RootRef& root() const noexcept { return root_; }
    [[nodiscard]] const format::Id& id() const noexcept { return id_; }
    [[nodiscard]] std::filesystem::path tree_path() const;

    /// Ends the ownership. From then on the destructor leaves the entry alone.
    void disown() noexcept {
        id_ = {};
        moved_from_.clear();
    }

    /// Returns whether it still owns a tree that move_from took, and so must give it back if
    /// nothing is published.
    [[nodiscard]] bool owes() const noexcept { return !moved_from_.empty(); }
    /// Moves a tree that move_from took back to where it came from, because nothing was published.
    /// Returns `error` with a detail that says where the tree is. If it cannot be moved back, it
    /// stays where it is, the link to its entry becomes `k-<id>`, and no collection deletes it. If
    /// there is no such tree, returns `error` unchanged.
    [[nodiscard]] Error give_back(Error error);

    /// Fills the tree with a copy of the source, a directory or one file; see Staging::copy_from.
    /// Without a mode the files are cloned, or else copied.
    /// Errors: `invalid` if the source lies in this cache or contains it, or if a moved tree has
    /// been staged here; those of copying, after which the tree may hold a part of the copy;
    /// `interrupted` before the next file if `stop` was requested.
    [[nodiscard]] Result<> copy_from(const std::filesystem::path& source,
                                     const std::optional<LinkMode>& mode = std::nullopt,
                                     const std::stop_token& stop = {});
    /// Moves the directory into the tree; see Staging::move_from. From then on the stage owes it to
    /// its owner: see owes. Errors: as copy_from, `invalid` also for a source in another cache or
    /// with what no entry may hold; `unsupported` from another file system. After an error the
    /// source is where it was, or give_back has told where it is.
    [[nodiscard]] Result<> move_from(const std::filesystem::path& source);

    /// Hands in the digest of a file; see Staging::note. Errors: `invalid`.
    [[nodiscard]] Result<> note(const std::filesystem::path& path, std::uint64_t size,
                                std::string_view digest);
    /// Hands in all digests of a restored entry.
    void note(NotedDigests noted) { noted_ = std::move(noted); }
    [[nodiscard]] const NotedDigests& noted() const noexcept { return noted_; }

private:
    Stage(RootRef root, const format::Id& id) noexcept : root_(std::move(root)), id_(id) {}
    /// Refuses a source that lies in this cache or contains it. Errors: `invalid`.
    [[nodiscard]] Result<> check_source(const std::filesystem::path& source) const;
    // The steps of give_back: see that no key can have named the entry; then move the tree to where
    // it came from; or, if that fails, give its link a name that no reap takes.
    [[nodiscard]] Result<> check_unpublished() const;
    [[nodiscard]] Result<> move_back() const;
    [[nodiscard]] Result<> keep() const;
    /// Deletes what was staged.
    void drop() const;

    RootRef root_;   // keeps the participant alive, in whose staging area the link is
    format::Id id_;  // zero after disown, and after a move: nothing is owned then
    std::filesystem::path moved_from_;  // absolute; empty unless move_from took a tree
    NotedDigests noted_;
};

}  // namespace larder::protocol
