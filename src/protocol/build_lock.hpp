// SPDX-License-Identifier: MIT
// The lock of one build: a byte for each key, which one thread or one claim holds at a time.
#pragma once

#include <optional>
#include <string>

#include "os/file_lock.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/nested_builds.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Returns the build of a key. It refers to `root` and `place`.
[[nodiscard]] BuildRef build_of(cache::Root& root, const KeyRef& place);

/// Returns the error of a build that requests its own key.
[[nodiscard]] tl::unexpected<Error> wants_own_key(const cache::Root& root, const KeyRef& place);

/// A wait for the lock of a build, or the hold of it. Other processes see it as an activity of the
/// thread that made it. The lock is let go, and the activity ends, with the object. If the process
/// dies, the kernel lets go of the lock. Fork: the child holds no lock, and its destructor changes
/// nothing.
class BuildLock {
public:
    /// Takes no lock yet.
    BuildLock(RootRef root, const KeyRef& place, const cache::CallContext& context);

    /// Takes the lock if it is free, and never waits. Returns whether this object holds it now.
    [[nodiscard]] Result<bool> try_take();
    /// Takes part in the lock that this thread holds already, for the build of another key around
    /// this one. The lock of that build keeps others from this key, too.
    void share_own() noexcept;
    /// Ends the activity without the lock. Requires: it was not taken.
    void give_up() noexcept;

    /// Returns whether the lock is held, by this object or by the build around it.
    [[nodiscard]] bool is_held() const noexcept { return is_held_; }
    /// Returns the number of the lock's byte.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    /// Returns what is built, for people: "build rich-13.9".
    [[nodiscard]] const std::string& what() const noexcept { return what_; }
    /// Returns when the activity began, in nanoseconds since 1970; 0 if other processes cannot see
    /// it.
    [[nodiscard]] std::uint64_t since_nanos() const noexcept {
        return activity_ ? activity_->since_nanos() : 0;
    }
    /// Returns the build as other processes see it. Returns nullopt if they cannot see it.
    [[nodiscard]] std::optional<format::OuterBuild> seen() const {
        return seen_by_others({*root_, number_, key_path_}, since_nanos());
    }

private:
    RootRef root_;  // lives longer than the activity, which stands in a table of it
    std::uint64_t number_;
    std::string key_path_;  // "<bucket>/<key>", encoded
    std::string what_;
    std::optional<os::FileLock> file_;         // nullopt until the first try, and if it is shared
    std::optional<cache::Activity> activity_;  // nullopt after give_up
    bool is_held_ = false;
};

}  // namespace larder::protocol
