// SPDX-License-Identifier: MIT
// One open cache root: its directory handles, its format, and this process's participant in it.
//
// All Caches of a process on one root share one Root, and with it one participant. A Root belongs to the process that opened it:
// a forked child opens one of its own at its first use.
#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <mutex>

#include <larder/options.hpp>

#include "cache/participant.hpp"
#include "cache/recent.hpp"
#include "format/format_file.hpp"
#include "os/file_info.hpp"

namespace larder::cache {

/// Everything is reached through these handles, so that no rename of a directory above, and no symlink put in a directory's
/// place, leads anywhere else.
struct Handles {
    os::Dir root;
    os::Dir locks;
    os::Dir participants;
    os::Dir staging;
    os::Dir buckets;
    os::Dir archive;
    os::Dir retired_links;
    os::Dir retired_buckets;
    os::Dir deleting;
};

class Root : public std::enable_shared_from_this<Root> {
public:
    /// `archive` is what the archive's handle leads to: by it an entry is told from what a link might lead to elsewhere.
    Root(Handles handles, const os::FileIdentity& archive, format::Format format, bool read_only);

    [[nodiscard]] const Handles& dirs() const noexcept { return dirs_; }
    [[nodiscard]] LinkKind link_kind() const noexcept { return format_.links; }
    [[nodiscard]] bool is_read_only() const noexcept { return read_only_; }
    /// Whether this process opened it, and not one that it was forked from.
    [[nodiscard]] bool is_ours() const noexcept { return owner_ == os::process_token(); }
    /// Whether the directories were deleted, or something else stands at the root's path: time to open everything again.
    [[nodiscard]] bool is_lost() const;
    /// The same, of the directories `used` alone (of `participants`, with our own tables there): for who works in these, and may
    /// be in a hurry.
    [[nodiscard]] bool is_lost(std::initializer_list<os::Dir Handles::*> used) const;

    [[nodiscard]] bool is_archive(const os::FileInfo& info) const noexcept {
        return info.identity == archive_;
    }

    /// This process's participant; joins at the first call.
    [[nodiscard]] Result<Participant*> participant(const CallContext& context);
    /// The same, or null where it can't join: for what must work on a full disk too.
    [[nodiscard]] Participant* participant_if_possible(const CallContext& context) noexcept;
    /// The same, or null where it has not joined.
    [[nodiscard]] Participant* joined() const noexcept {
        return joined_.load(std::memory_order_acquire);
    }

    /// Moves what a dead participant left where collection finds it: its staged trees to `deleting/`, its staged links, which name
    /// garbage by construction, to `retired/links/`. Requires: that participant's lock is held.
    [[nodiscard]] Result<> reap(const os::Dir& staging) const;

    /// Renames a link to a fresh name in `retired/links/` (invariant 3: nothing ever comes back from there).
    [[nodiscard]] Result<> retire_link(const os::Dir& dir, const std::string& name) const;
    /// Renames a file or directory to a fresh name in `deleting/`. `unsupported` for a directory that can't be renamed (overlayfs).
    [[nodiscard]] Result<> move_to_deleting(const os::Dir& dir, const std::string& name) const;

    [[nodiscard]] Recent& recent() noexcept { return recent_; }

    /// Whether the file system can exchange two names; found out by the first publish that tries.
    std::atomic<bool> can_exchange{true};

private:
    Handles dirs_;
    format::Format format_;
    os::FileIdentity archive_;
    bool read_only_;
    std::uint64_t owner_;
    Recent recent_;
    std::mutex joining_;
    std::unique_ptr<Participant> participant_;
    std::atomic<Participant*> joined_{nullptr};
};

/// Opens the cache at `path`, or creates it; see Cache::open. Gives the Root that this process has already, if it has one.
[[nodiscard]] Result<std::shared_ptr<Root>> open_root(const std::filesystem::path& path,
                                                      const OpenOptions& options);

}  // namespace larder::cache
