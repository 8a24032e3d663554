// SPDX-License-Identifier: MIT
// A private directory in which an entry is made before anybody can see it.
#pragma once

#include <filesystem>
#include <memory>

#include <larder/error.hpp>

namespace larder {

namespace detail {
class StagingState;
}

/// What is put below path() becomes the entry's tree when Bucket::publish takes the Staging. Nobody else sees it before.
///
/// The destructor deletes what was not published; in a forked child it touches nothing.
/// Concurrency: owned by one thread at a time; different Stagings are independent.
/// Crash: what was staged is reaped by the next process that collects, or that adopts the dead one's participant.
class Staging {
public:
    Staging(Staging&&) noexcept;
    Staging& operator=(Staging&&) noexcept;
    ~Staging();

    /// An empty directory of mode 0755 (less the umask), as an absolute path. Leave no process behind that still writes here after publish.
    [[nodiscard]] std::filesystem::path path() const;

    /// Fills path() with a copy of `source`, a directory, or a file that becomes the only one in the tree; clones where the file
    /// system can. Symlinks are copied as symlinks; modes and modification times are kept.
    /// Errors: `invalid` where source lies inside the cache or contains it, or holds something that can't be copied (a
    /// socket, a device); `no_space`. What was copied until then is deleted with the Staging.
    [[nodiscard]] Result<> copy_from(const std::filesystem::path& source);

    /// Moves `source`, a directory, here by renaming it: path() must still be empty.
    /// Errors: `invalid` as in copy_from, and where source lies in any cache; `unsupported` where source is on another file system (source is then untouched).
    /// Crash: source is either still there or staged, and what is staged is reaped.
    [[nodiscard]] Result<> move_from(const std::filesystem::path& source);

private:
    friend class detail::StagingState;
    explicit Staging(std::unique_ptr<detail::StagingState> state) noexcept;
    std::unique_ptr<detail::StagingState> state_;
};

}  // namespace larder
