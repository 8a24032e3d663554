// SPDX-License-Identifier: MIT
// What a caller may choose.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace larder {

struct Event;

/// How a cache names an entry by a key. Chosen when the cache is created, written into its `format`, honoured by everyone after.
enum class LinkKind {
    symlink,   ///< a symbolic link (the default wherever it works)
    file,      ///< a small file that holds the text a symlink would
    junction,  ///< a directory junction; Windows only
};

/// What a published entry survives.
enum class Durability {
    process,  ///< the death of any process
    power,  ///< also a power cut: the tree is on the disk before its link is, and the link before publish returns
};

struct OpenOptions {
    /// Wanted link kind for a cache that has to be created; without it, what a probe of the file system finds to work.
    std::optional<LinkKind> link_kind;
    /// Never write, not even leases: see Lease::is_protected.
    bool read_only = false;
    /// Use a cache on a network file system, where leases, which live in mapped memory, protect this machine's processes only.
    bool allow_network = false;
    /// How long a publish or a remove may wait for others in the same bucket. Such a wait lasts microseconds unless a
    /// process was stopped in the middle; ten seconds is arbitrary, because a person gives up at about that time.
    std::chrono::milliseconds lock_timeout{10'000};
    /// How long get_or_build waits for another process's build, and then builds without the lock. Half an hour is
    /// arbitrary, because the largest packages take minutes to build and nothing is lost when it passes.
    std::chrono::milliseconds build_timeout{30 * 60'000};
    /// Ends every wait early, with Errc::interrupted.
    std::stop_token stop;
    /// Called, from the thread that waits, once a wait has lasted a second: "waiting for pid 4711 (uv pip install), for 3 s".
    std::function<void(const std::string&)> on_wait;

    /// Called for each Event, from the thread that met it (a collection's own thread among them), so by several at once. That may hold a build's, the collector's
    /// or a gate's lock then, or hold up threads that join the cache: it should be quick. It may not call larder, and what it throws is dropped.
    std::function<void(const Event&)> on_event;
    /// A file to which a line is appended for each Event; made, with mode 0600, where it is missing. Any number of processes may share it. A line that
    /// can't be written is lost.
    std::filesystem::path log;
    /// Count: see Cache::counters.
    bool count = false;
};

struct PublishOptions {
    Durability durability = Durability::process;
    /// Who made the entry, for its record: a program's name and version. Cut to 200 bytes.
    std::string producer;
};

/// Which keys of a bucket a refresh takes: all that fit every condition.
struct RefreshOptions {
    std::string
        pattern{};  ///< glob (fnmatch(3)) for the key; `*` matches a slash too. Empty: every key
    std::optional<std::chrono::system_clock::time_point> published_before{};
    bool dry_run = false;  ///< take nothing, and report what would go
    /// Called for each key that was taken.
    std::function<void(const std::string& key)> on_taken{};
};

struct VerifyOptions {
    /// Retire what is broken, so that it is a miss from now on, and list what no link names, so that a collection deletes it.
    bool repair = false;
};

}  // namespace larder
