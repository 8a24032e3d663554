// SPDX-License-Identifier: MIT
// Builds inside builds: what this thread builds, which builds of other processes it works for, and
// whether builds wait for each other in a circle.
//
// A circle is a deadlock: a cycle of waits, in which each thread holds a build that another one of
// the cycle waits for. None of them could ever go on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/root.hpp"
#include "format/outer_builds.hpp"
#include "os/unique.hpp"

namespace larder::protocol {

/// A build in one cache. It refers to variables of the call that builds or waits.
struct BuildRef {
    cache::Root& root;
    std::uint64_t lock;         ///< the byte of its lock, by which activities name it
    std::string_view key_path;  ///< "<bucket>/<key>", encoded: another key may have the same byte
};

/// Returns a build as other processes see it, which goes by an activity that began at
/// `since_nanos`. Returns nullopt if that is 0, because they cannot see it then.
[[nodiscard]] std::optional<format::OuterBuild> seen_by_others(const BuildRef& build,
                                                               std::uint64_t since_nanos);

/// While it lives, this thread builds. It lies on the stack of the build, and builds inside builds
/// form a list there, whose head is a variable of the thread. (A vector in such a variable would
/// not do: glibc aborts if it has no memory to register the variable's destructor.)
class BuildInProgress {
public:
    /// `since_nanos` is when the thread's activity began, by which other processes see the build; 0
    /// if they cannot see it. `has_lock` is false if the thread builds without the lock.
    BuildInProgress(const BuildRef& build, std::uint64_t since_nanos, bool has_lock);
    ~BuildInProgress();
    BuildInProgress(const BuildInProgress&) = delete;
    BuildInProgress& operator=(const BuildInProgress&) = delete;

    /// Returns the build inside which this one runs; null if there is none.
    [[nodiscard]] const BuildInProgress* around() const noexcept { return around_; }
    [[nodiscard]] const BuildRef& build() const noexcept { return build_; }
    /// Returns whether the thread holds the byte of the build, for it or for a build around it.
    [[nodiscard]] bool has_lock() const noexcept { return has_lock_; }
    /// Returns false in a process that was forked by the thread that builds.
    [[nodiscard]] bool is_ours() const noexcept { return process_ == os::process_token(); }
    /// Returns the build as other processes see it. Returns nullopt if they cannot see it.
    [[nodiscard]] std::optional<format::OuterBuild> seen() const {
        return seen_by_others(build_, since_nanos_);
    }

private:
    const BuildRef build_;
    const std::uint64_t since_nanos_;
    const bool has_lock_;
    const std::uint64_t process_;          // the token of the process that builds
    const BuildInProgress* const around_;  // lives longer, because it stands deeper in the stack
};

/// Returns the text for LARDER_INSIDE: the builds of this thread, those that it works for, and
/// `claimed`, if there is one, which is built by a claim.
[[nodiscard]] std::string text_for_nested_builds(
    std::optional<format::OuterBuild> claimed = std::nullopt);

/// What this thread has to do already with a build that it wants.
enum class OwnPart {
    none,
    byte,  ///< it builds another key whose lock is the same byte
    key,   ///< it builds this very key
};
/// Returns what this thread builds now of `wanted`, or works for the process that does. A wait for
/// either would be a wait for itself. A build of another process counts only while its activity is
/// seen.
[[nodiscard]] OwnPart own_part_of(const BuildRef& wanted);

/// Shows other processes for which builds this thread works, for as long as it lives. It opens the
/// caches of these builds, and joins them. Leaves out what it cannot open, and builds that have
/// ended.
class ShownOuterBuilds {
public:
    explicit ShownOuterBuilds(const cache::CallContext& context);

private:
    // The activities stand in lease tables of these caches, so they must end first.
    std::vector<std::shared_ptr<cache::Root>> roots_;
    std::vector<cache::Activity> activities_;
};

/// Returns the circle of builds that wait for each other, of which the wait of this thread for
/// `wanted` is a part, for people. Returns nullopt if there is none. It sees circles through all
/// caches that this process has open.
[[nodiscard]] std::optional<std::string> circle_of(const BuildRef& wanted);

}  // namespace larder::protocol
