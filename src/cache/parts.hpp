// SPDX-License-Identifier: MIT
// Opens the directories of a root, which are the parts of a cache.
//
// Each one is opened by its name from the handle of the root, or of a directory below it, and no
// symlink is followed. So it does not matter when that is: no rename or symlink above the root
// leads elsewhere. What only a writer needs is opened when it is first needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cache/handles.hpp"
#include "os/file_info.hpp"

namespace larder::cache {

/// Returns the error of a root that is not opened. `why` says what to do, too.
[[nodiscard]] tl::unexpected<Error> refuse(const std::filesystem::path& path, std::string why);

/// Refuses a directory of a cache to which users other than the owner of the root may write, or
/// that one of them has put there.
[[nodiscard]] Result<> check_hands_off(const os::Dir& dir, const os::FileInfo& info,
                                       std::uint64_t owner);

/// See the head of this file. Constant after the construction.
class PartOpener {
public:
    /// `owner` is the owner of the root.
    PartOpener(bool read_only, std::uint64_t owner, bool allow_unsafe) noexcept
        : read_only_(read_only), owner_(owner), allow_unsafe_(allow_unsafe) {}

    /// Opens a directory of the cache, and makes it if a writer finds it missing. In a read-only
    /// root it may be missing; the result is then a Dir that is not open. Errors: `refused` if
    /// another user may have put something there.
    [[nodiscard]] Result<os::Dir> open(const os::Dir& parent, const char* name) const {
        return open(parent, name, true);
    }
    /// Refuses a directory that is open, as open does.
    [[nodiscard]] Result<> check(const os::Dir& dir) const;

    /// Opens those that each call needs, and makes nothing. Returns false if any of them can't be
    /// opened, for whatever reason. Checks nothing.
    [[nodiscard]] static bool open_found(Handles& dirs);
    /// Opens those that each call needs.
    [[nodiscard]] Result<> open_first(Handles& dirs) const;
    /// Opens those that hold what is retired and deleted. If `may_make` is false, one that a writer
    /// finds missing is an error with Why::absent.
    [[nodiscard]] Result<GarbageRef> open_garbage(const os::Dir& root, bool may_make) const;

private:
    /// Does what open says; if `may_make` is false, makes nothing.
    [[nodiscard]] Result<os::Dir> open(const os::Dir& parent, const char* name,
                                       bool may_make) const;

    bool read_only_;
    std::uint64_t owner_;
    bool allow_unsafe_;
};

}  // namespace larder::cache
