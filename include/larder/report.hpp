// SPDX-License-Identifier: MIT
// What a cache reports about itself. All values are as they were when they were read.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <larder/error.hpp>
#include <larder/options.hpp>

namespace larder {

using WallTime = std::chrono::system_clock::time_point;

/// What is known of one entry: from its record and, for `last_used`, from its link.
struct EntryInfo {
    std::string bucket;  ///< the bucket and the key that it was published under
    std::string key;
    std::string id;              ///< its id, which no other entry ever has
    std::filesystem::path path;  ///< of its tree; the files are there as long as the entry is
    WallTime published;          ///< when it was published, or PublishOptions::published
    /// When it was last published or got, to the hour. Empty if that is not known.
    std::optional<WallTime> last_used;
    std::uint64_t bytes = 0;                      ///< the sizes of its files, added up
    std::uint64_t files = 0;                      ///< how much it holds that is not a directory
    Durability durability = Durability::process;  ///< how it was published
    std::string boot;      ///< the boot id of the machine when it was published
    std::string producer;  ///< the program that published it; may be empty
    std::string metadata;  ///< PublishOptions::metadata; may be empty
};

/// What a visitor of Cache::visit_entries learns of a key.
struct VisitedEntry {
    std::string bucket;
    std::string key;
    Result<EntryInfo> info;  ///< or the error that keeps the entry from being read
};

/// What is known of one process that uses the cache: from the header of its lease table.
struct ProcessInfo {
    std::uint32_t participant = 0;  ///< the number of its lease table, `participants/<number>`
    std::int64_t pid = 0;           ///< its number in its own pid namespace
    std::string command;            ///< its command line, cut to 431 bytes
    WallTime since;                 ///< when it began to use the cache
    bool alive = false;  ///< false if it has died; the next collection cleans up after it
    bool here = true;    ///< true if `pid` is a number of this process's pid namespace
    /// True if it can't be told whether it lives. It then counts as alive: see
    /// CollectOptions::presume_dead.
    bool untold = false;
};

/// A lock that a process holds or waits for.
struct LockInfo {
    ProcessInfo process;
    std::int64_t thread = 0;  ///< the system's number of the thread that does so
    bool waiting = false;     ///< true if it waits for the lock, and does not hold it yet
    std::string what;         ///< for people: "bucket wheels-v1", "build numpy-2.1.0"
    WallTime since;           ///< when it began to wait, or took the lock
};

/// A lease that a process holds.
struct LeaseInfo {
    ProcessInfo process;
    std::string id;      ///< the id of the entry
    std::string bucket;  ///< its bucket and key; empty if its record cannot be read
    std::string key;
};

/// Who uses a cache.
struct StatusReport {
    std::vector<ProcessInfo> processes;
    std::vector<LeaseInfo> leases;
    std::vector<LockInfo> locks;
    bool collecting = false;  ///< true if a process collects, verifies or restores now
    /// Trees that wait to be deleted, in `deleting/`. A collection is deleting them now, or was
    /// stopped or killed before.
    std::uint64_t deleting = 0;
    /// One error for each lease table that can't be read. Who has it, and what it leases, is
    /// unknown; all else is reported.
    std::vector<Error> unreadable;
};

/// A key that Bucket::pin protects, whether it has an entry or not.
struct PinInfo {
    std::string bucket;
    std::string key;
};

/// A root: a path outside of the cache that keeps an entry, because Cache::link has made it a
/// symlink to the entry's tree.
struct RootInfo {
    /// What a look at the path has found.
    enum class State {
        leads,        ///< it leads to the entry, which is kept
        unreachable,  ///< it can't be looked at: its disk is not mounted, for example; it counts
        gone,         ///< it leads elsewhere, or nothing stands there; it counts no more
        unreadable,   ///< this is no root that this version of larder can read; it counts
    };
    std::filesystem::path path;  ///< absolute; if the root is unreadable, that of its own file
    State state = State::leads;
    std::string id;      ///< of the entry
    std::string bucket;  ///< under which the entry was published; empty if its record can't be read
    std::string key;     ///< the same; by now the key may name another entry, or none
};

/// Returns the name of a state, as `cachetool --json` prints it: "leads" and so on.
[[nodiscard]] std::string_view name_of(RootInfo::State state) noexcept;

/// What Cache::prune_roots has done; in a dry run, what it would do.
struct PruneReport {
    std::vector<RootInfo> dropped;  ///< as they were found
    std::uint64_t kept = 0;         ///< roots that stay
};

/// One thing that verify found.
struct Finding {
    /// The numbers are those of docs/protocol.md, section Invariants.
    enum class Kind {
        /// A link to an entry that is missing or not complete (invariant 1). Or a junction that
        /// leads into another directory, because the cache was moved or copied.
        dangling,
        /// A link, a record or a manifest that larder did not write, or not in full (invariant 1).
        malformed,
        misnamed,  ///< an entry whose record names another key than its link (invariant 2)
        shared,    ///< an entry that more than one link names (invariant 2)
        orphan,    ///< an entry that no link names (invariants 2 and 6)
        /// A lease table that cannot be read, so that nothing can be collected (invariant 4).
        participant,
        foreign,     ///< a name that larder does not know; it is left alone and breaks nothing
        unreadable,  ///< something that cannot be read, and so was not checked
        /// A name in a live entry that is missing, was added, or is not as the entry's manifest
        /// says. A hundred of them are listed for an entry; one more finding counts the others.
        changed,
        /// Something else stands where a link, or a directory or a file of larder's, should stand.
        blocked,
    };
    Kind kind = Kind::foreign;
    std::filesystem::path path;  ///< the file or directory that is meant
    std::string what;            ///< what is wrong with it, in a few words for people
    bool repaired = false;       ///< true if it was repaired, because VerifyOptions::repair was set
};

/// Returns the name of a kind, as `cachetool --json` prints it: "dangling" and so on.
[[nodiscard]] std::string_view name_of(Finding::Kind kind) noexcept;

/// What a verification has found.
struct VerifyReport {
    std::vector<Finding> findings;
    std::uint64_t entries = 0;  ///< entries that were checked
    std::uint64_t live = 0;     ///< of these: those that a key names
    std::uint64_t garbage = 0;  ///< of these: retired, waiting for collection
    /// Returns true if no invariant is broken, or if everything was repaired. Foreign names break
    /// none.
    [[nodiscard]] bool sound() const noexcept;
};

/// What a check of contents has found.
struct ContentReport {
    std::vector<Finding> findings;
    std::uint64_t entries = 0;    ///< live entries that were checked
    std::uint64_t unchecked = 0;  ///< live entries that were left, because the time was over
    /// Of the entries that were checked: those that have no digests of an algorithm that the
    /// program has. They were checked by names, kinds, modes and sizes.
    std::uint64_t without_digests = 0;
    std::uint64_t files = 0;  ///< files and symlinks that were read
    std::uint64_t bytes = 0;  ///< their sizes, added up
    /// Returns true if no entry has changed, or if everything was repaired, and if all that was
    /// looked at could be read.
    [[nodiscard]] bool sound() const noexcept;
};

/// What Cache::dedupe has done.
struct DedupeReport {
    std::uint64_t entries = 0;        ///< live entries that were looked at
    std::uint64_t files = 0;          ///< files that share their blocks since this call
    std::uint64_t bytes = 0;          ///< the sizes of these files, added up
    std::uint64_t shared_before = 0;  ///< files that have shared their blocks before
    /// The bytes of blocks that the disk got back. 0 if the file system does not tell. A block that
    /// an installed clone uses, too, comes back with that file. On a disk that compresses, they are
    /// the bytes before that.
    std::uint64_t freed = 0;
    bool ended_early = false;  ///< true if the time was over, or a stop was requested
    /// What could not be done: a manifest or a file that can't be read. All else was done. The
    /// first hundred, without repetition.
    std::vector<Error> failures;
};

}  // namespace larder
