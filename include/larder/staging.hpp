// SPDX-License-Identifier: MIT
// A private directory in which an entry is made before any other process can see it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string_view>

#include <larder/error.hpp>
#include <larder/materialize.hpp>

namespace larder {

class Bucket;
namespace protocol {
class BuildLock;
class Stage;
}  // namespace protocol

/// Owns a new entry in the cache, which no key names yet. What a caller puts below path() becomes
/// the entry's tree when Bucket::publish takes the Staging. It stays at this path. No process can
/// get it before that.
///
/// The destructor deletes a tree that was not published. But a tree that move_from took belongs to
/// the caller until it is published: see there. In a forked child the destructor touches nothing.
///
/// A Staging from Bucket::claim also holds the lock of its key's build. It keeps that until it was
/// published, or is destroyed.
///
/// Concurrency: one thread owns a Staging at a time; different Stagings are independent.
/// Crash: what was staged is deleted by the next process that collects.
class Staging {
public:
    /// Takes the directory over. The other object has none after that.
    Staging(Staging&&) noexcept;
    /// Takes the directory over, and deletes the one that this object had.
    Staging& operator=(Staging&&) noexcept;
    /// Deletes the directory, if it was not published.
    ~Staging();

    /// Returns the absolute path of a directory that was made empty, with mode 0755 less the umask;
    /// an empty path after a move or a publish. No process may still write there after publish.
    [[nodiscard]] std::filesystem::path path() const;

    /// Fills path() with a copy of `source`, which is a directory, or a file that becomes the only
    /// one in the tree. If `source` itself is a symlink, it is followed; symlinks below it are
    /// copied. Files are cloned if the file system can do that. Kept are modes, modification times,
    /// holes, the attributes that users set, and hard links within the tree. Not kept are the
    /// set-id bits, the sticky bit, capabilities and access control lists.
    ///
    /// Errors: `invalid` if `source` lies inside the cache or contains it, or holds a pipe, a
    /// socket or a device, and after a move_from; `no_space`; `interrupted` before the next file if
    /// CallOptions::stop was requested of the Bucket that gave this. What was copied by then is
    /// deleted with the Staging.
    [[nodiscard]] Result<> copy_from(const std::filesystem::path& source);

    /// Does the same, and brings the files in the way that `mode` names. With hard links the entry
    /// shares its files with `source`, so it costs no space, and it keeps the set-id bits. A
    /// program that then writes to such a file in place changes the entry: materialize refuses the
    /// entry after that, and Cache::verify_content finds it.
    ///
    /// Errors: also `unsupported` if `mode` names a way that does not work between the two places.
    [[nodiscard]] Result<> copy_from(const std::filesystem::path& source, LinkMode mode);

    /// Renames the directory `source` to path(), which must still be empty. If its owner may not
    /// write to `source`, the owner gets that right for the time of the rename.
    ///
    /// If the tree is not published, because a publish or a build fails or because the Staging is
    /// destroyed, it is moved back to where it came from, with all that was added to it. If that
    /// cannot be done, because something else stands there by then, the tree stays at path(), and
    /// no collection deletes it. The error of the publish says where the tree is, Cache::verify
    /// finds it, and Cache::destroy refuses the cache until it is moved away.
    ///
    /// Errors: `invalid` as in copy_from, and if `source` lies in any cache; `unsupported` if it is
    /// on another file system. In these cases `source` is untouched.
    /// Crash: `source` is either still there or staged. What is staged is deleted.
    [[nodiscard]] Result<> move_from(const std::filesystem::path& source);

    /// Hands in the digest of a file that the caller has written below path(), so that the publish
    /// does not read the file again. `path` is relative to path(), `size` is how many bytes the
    /// file has, and `digest` are the bytes that PublishOptions::digest would return. Call it when
    /// the file is complete. A digest is not used if the file has another size at the publish, or
    /// if the publish makes no digests. A wrong one makes Cache::verify_content call the file
    /// changed.
    ///
    /// Errors: `invalid` if `path` is absolute, leads out of the tree, or is not in its shortest
    /// form, and if `digest` has no bytes or more than 64.
    [[nodiscard]] Result<> note(const std::filesystem::path& path, std::uint64_t size,
                                std::string_view digest);

    /// Returns a text that tells the programs which a build runs for which builds they work. Give
    /// it to them in the environment variable `LARDER_INSIDE`. Suppose that such a program, or one
    /// that it runs, calls get_or_build, and that builds of several processes then wait for each
    /// other in a circle: get_or_build sees the circle and ends it. Without the variable they would
    /// wait until OpenOptions::build_timeout. The library reads the variable of its own process
    /// when it is loaded, before main().
    ///
    /// Requires: this thread runs the build, or the Staging is from Bucket::claim.
    [[nodiscard]] std::string inside() const;

private:
    friend class Bucket;
    Staging(protocol::Stage&& stage, std::stop_token stop);
    Staging(protocol::BuildLock&& build, protocol::Stage&& stage, std::stop_token stop);
    /// Null unless the key was claimed. It ends after stage_.
    std::unique_ptr<protocol::BuildLock> build_;
    std::unique_ptr<protocol::Stage> stage_;  ///< null after a move or a publish
    std::stop_token stop_;                    ///< ends copy_from
};

}  // namespace larder
