// SPDX-License-Identifier: MIT
// What a destroy may delete, and what it refuses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "os/dir.hpp"

namespace larder::protocol {

/// Returns the error of a directory that is not destroyed. `why` says what to do, too.
[[nodiscard]] tl::unexpected<Error> refuse_destroy(const std::filesystem::path& path,
                                                   std::string why);

/// Returns the text of `format`; nullopt if nothing stands there; an empty text if what stands
/// there is no `format`, such as a link. Errors: those of reading it, because what it says must
/// be put back if a process uses the cache.
[[nodiscard]] Result<std::optional<std::string>> read_format_text(const os::Dir& root);

/// The rights to a root that its owner had taken away, and that the owner has for a while: without
/// them it can't be told whether this is a cache. Takes them away again at its end, unless they are
/// to stay. Best effort: the step that wants a right tells if it is missing.
class LentRights {
public:
    LentRights() = default;
    LentRights(const LentRights&) = delete;
    LentRights& operator=(const LentRights&) = delete;
    ~LentRights();

    /// Opens the root, and lends the right to list and search it. Requires: this is called once,
    /// first. Errors: whatever keeps the directory from being opened.
    [[nodiscard]] Result<os::Dir> open_root(const std::filesystem::path& root);
    /// Lends the right to read a file of the root.
    void lend_reading(const char* file);
    /// Lends all rights to the root, to its parts, and to the lease tables and staging areas.
    /// Requires: this is a cache.
    void lend_all();
    /// Lets the owner have what was lent.
    void keep() noexcept { lent_.clear(); }

private:
    /// What had other permissions: `part/name`; `name` in the root if there is no part; the root
    /// itself if there is neither.
    struct Lent {
        std::string part, name;
        os::Permissions before;
    };
    void lend(const os::Dir& dir, const std::string& part, const std::string& name,
              os::Permissions of_file, os::Permissions of_directory);
    void lend_root(os::Permissions wanted);
    void lend_each(const os::Dir& dir, const std::string& part);

    os::Dir root_;
    std::vector<Lent> lent_;  // in this order
};

/// Refuses a root that belongs to another user, unless root asks. Errors: `refused`; the system's
/// if nothing stands there.
[[nodiscard]] Result<> check_owner(const std::filesystem::path& root);

/// Refuses what is no cache, what a newer larder has made, and a root that holds files of others.
/// An empty directory is taken, because a destroy that is killed at its very end leaves one.
/// Errors: `refused`.
[[nodiscard]] Result<> check_destroyable(const os::Dir& root, LentRights& rights);

/// Refuses if a directory of the cache belongs to another user, and this one can't delete what is
/// in it. Looks at all directories of larder's, and not into the trees of the entries. Errors:
/// `refused`, with the owner.
[[nodiscard]] Result<> check_owners(const os::Dir& root);

/// Refuses while a staging area names a tree that a failed publish could not give back to its
/// owner: see Stage::give_back.
[[nodiscard]] Result<> check_kept(const os::Dir& root);

/// Refuses while a symlink leads to the tree of an entry of which a root says so. A path that can't
/// be looked at does not count: its disk may be gone for ever.
[[nodiscard]] Result<> check_unlinked(const os::Dir& root);

}  // namespace larder::protocol
