// SPDX-License-Identifier: MIT
// The options of opening, publishing, refreshing and verifying.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

class DigestAlgorithm;
struct Event;

/// What stands in a bucket for each key, and leads to the key's entry. The kind is chosen when the
/// cache is created, and is written into the file `format` in its root. Every process uses that
/// kind from then on.
enum class LinkKind {
    symlink,  ///< a symbolic link (the default wherever it works, but not on Windows)
    file,     ///< a small file that holds the text that a symlink would hold
    /// A directory junction, which other programs can follow from a key to its entry; on Windows
    /// only. It holds the absolute path of the entry: after the cache was moved, larder serves its
    /// entries as before, and a verify with VerifyOptions::repair sets the junctions again.
    junction,
};

/// What a bucket is on the disk. The kind is chosen when the cache is created, like that of links.
enum class BucketKind {
    directory,  ///< the directory that holds the bucket's links (the default)
    /// A link to that directory, which has a name of its own and belongs to the bucket until the
    /// next refresh. So no refresh renames a directory, which some file systems refuse: overlayfs
    /// for one of a lower layer, Windows while a file in it is open. If links are symlinks, a get
    /// costs the same with both kinds.
    pointer,
};

/// What a change survives: a publish, a restore, a remove, a refresh, a pin, the end of a pin.
enum class Durability {
    process,  ///< the death of any process, but perhaps not a power cut
    /// A power cut too: the change is on the disk before the call returns. The tree of an entry is
    /// before the link that names it is.
    power,
};

/// How a cache is opened. What the callbacks use must stay valid until the Cache, its Buckets, and
/// every call on them have ended.
struct OpenOptions {
    /// The kind of links for a cache that has to be created. If it is empty, a probe of the file
    /// system decides.
    std::optional<LinkKind> link_kind;
    /// The kind of buckets for a cache that has to be created. If it is empty, it is `directory`
    /// wherever a probe can rename a directory, and otherwise `pointer`. On Windows it is
    /// `pointer`, because no directory is renamed there while a file below it is open.
    std::optional<BucketKind> bucket_kind;
    /// Writes nothing, not even leases: see Lease::is_protected.
    bool read_only = false;
    /// Allows a cache on a network file system. Leases then protect only the processes of this
    /// machine, because they live in mapped memory.
    bool allow_network = false;
    /// Allows a cache that other users may change: one whose directories they may write to or own.
    /// They then choose what this process gets. Also allows root to make a cache in a directory of
    /// another user, who cannot use it then.
    bool allow_unsafe = false;
    /// How long a publish, a remove or a pin may wait for other calls in the same bucket. Such a
    /// wait lasts microseconds, unless a process was stopped in the middle. Ten seconds is
    /// arbitrary, because a person gives up at about that time.
    std::chrono::milliseconds lock_timeout{10'000};
    /// How long get_or_build waits for a build of another process. After that it builds without the
    /// lock. The publish of what was built waits as long for its bucket, so that a long build is
    /// not lost because another process was stopped. Half an hour is arbitrary, because the largest
    /// packages take minutes to build, and nothing is lost when the time has passed.
    std::chrono::milliseconds build_timeout{30 * 60'000};
    /// Ends every wait early, with Errc::interrupted.
    std::stop_token stop;
    /// Called by a thread that waits, at least every tenth of a second, so that the program can
    /// handle its signals. If it returns false, or throws, the wait ends with Errc::interrupted. It
    /// must not call larder, and should be quick: the calling thread may hold a lock for which
    /// other processes wait. Waits that last a tenth of a second at most, as those of an eviction,
    /// do not call it.
    std::function<bool()> keep_waiting;
    /// Called by the waiting thread once a wait has lasted a second, with a text such as "waiting
    /// for pid 4711 (uv pip install), for 3 s". It must not call larder.
    std::function<void(const std::string&)> on_wait;

    /// Called for each Event by the thread that caused it, so several threads may call it at once.
    /// A collection in the background has a thread of its own. The calling thread may hold a lock
    /// for which other processes wait, so the function should be quick. It must not call larder. An
    /// exception that it throws is dropped.
    std::function<void(const Event&)> on_event;
    /// A file to which a line is appended for each Event; empty for none. It is made with mode 0600
    /// if it is missing. Any number of processes may share it. A line that cannot be written is
    /// lost.
    std::filesystem::path log;
    /// Counts events: see Cache::counters.
    bool count = false;

    /// The algorithms that this program has for digests. If a power cut may have torn an entry, a
    /// get or a restore compares its files with the digests in its manifest. A restore or a verify
    /// compares a file that was modified after its entry was published. If the list lacks the
    /// algorithm that the manifest names, only names, kinds, modes and sizes are compared. Each
    /// algorithm must stay valid as the callbacks do.
    std::vector<const DigestAlgorithm*> digests{};
};

/// A wait of a call, while it lasts. The texts are valid until the function that gets it returns.
struct Wait {
    std::string_view what;     ///< what the call waits for: "build rich-13.9", "bucket wheels-v1"
    std::string_view holders;  ///< which processes have that: "pid 4711 (uv pip install), for 3 s"
    std::chrono::steady_clock::duration took{};  ///< how long the wait has lasted
};

/// What ends some calls of a program early: see Cache::with and Bucket::with. The options of the
/// cache hold as well.
struct CallOptions {
    /// Ends a wait, the copying of a tree and a partial refresh early, with Errc::interrupted. What
    /// else ends early by OpenOptions::stop does so by this, too.
    std::stop_token stop{};
    /// Called by the thread of the call while it waits, at least every tenth of a second. If it
    /// returns false, or throws, the wait ends with Errc::interrupted. It must not call larder, and
    /// should be quick: the calling thread may hold a lock for which other processes wait. Waits
    /// that last a tenth of a second at most, as those of an eviction, do not call it.
    std::function<bool(const Wait&)> on_wait{};
};

/// How an entry is published.
struct PublishOptions {
    Durability durability = Durability::process;
    /// The name and version of the program that makes the entry, for its record. It is cut to 200
    /// bytes.
    std::string producer{};
    /// A text of the caller's own for the entry's record, of any bytes: a URL, an ETag, a digest.
    /// Lease::metadata and Bucket::info give it back. A text of more than 1,024 bytes is `invalid`.
    std::string metadata{};
    /// Makes digests of the files, which the entry's manifest keeps, so that
    /// Cache::verify_content finds each byte that changes later. Null for none. Files whose digests
    /// were not handed in (Staging::note) are read once more. A file that this process may not read
    /// has no digest. The algorithm must live until the call ends.
    const DigestAlgorithm* digest = nullptr;
    /// For an entry that comes from another cache: when it was published there, and when it was
    /// last used. Limits evict it, and a refresh by age takes it, as these times say. A time that
    /// is empty or in the future stands for the time of the publish.
    std::optional<std::chrono::system_clock::time_point> published{};
    std::optional<std::chrono::system_clock::time_point> last_used{};
};

/// How an entry is brought back from the trash.
struct RestoreOptions {
    bool replace = false;  ///< also if the key names an entry again, which is replaced
    /// What the new entry survives. An entry that was published with Durability::power is restored
    /// with it in any case.
    Durability durability = Durability::process;
};

/// How an entry is linked to a path.
struct LinkOptions {
    /// With `power`, the entry, its root and the symlink are on the disk when the call returns.
    Durability durability = Durability::process;
};

/// Which roots Cache::prune_roots drops.
struct PruneOptions {
    bool dry_run = false;  ///< drops nothing, and reports what would be dropped
    /// Also drops the roots of paths that can't be looked at, such as those on a disk that is not
    /// mounted. If such a path still leads to its entry, a collection may delete its files.
    bool unreachable = false;
};

/// Which keys of a bucket a refresh takes out: those that match every condition.
struct RefreshOptions {
    /// A glob (fnmatch(3)) for the key, in which `*` matches a slash too. If empty, every key
    /// matches.
    std::string pattern{};
    /// Matches the entries that were published before this time.
    std::optional<std::chrono::system_clock::time_point> published_before{};
    bool dry_run = false;  ///< takes nothing out, and reports what would be taken
    /// Called for each key that was taken out, or in a dry run would be.
    std::function<void(const std::string& key)> on_taken{};
    Durability durability = Durability::process;  ///< as in Bucket::refresh
    /// Matches the entries that were published longer ago than this. As all times of larder, this
    /// one is the kernel's, also in a process to which a library shows another clock.
    std::optional<std::chrono::seconds> older_than{};
};

/// What a verification does with what it finds.
struct VerifyOptions {
    /// Repairs what can be repaired: a faulty link is retired, so that its key is a miss from then
    /// on. An entry that no link names gets a retired link, so that a collection deletes it.
    bool repair = false;
};

/// Which contents are checked, and what happens to an entry that has changed.
struct ContentOptions {
    /// The algorithms that this program has. An entry whose manifest has digests of another one is
    /// checked by names, kinds, modes, sizes and times.
    std::vector<const DigestAlgorithm*> digests{};
    /// The buckets whose entries are checked. If empty, all are.
    std::vector<std::string> buckets{};
    /// Begins with no further entry after this time. At least one entry is checked.
    std::optional<std::chrono::milliseconds> budget{};
    /// Takes the key of an entry that has changed out of its bucket, so that it is a miss from then
    /// on. Its files stay as they are.
    bool repair = false;
};

/// How Cache::dedupe works.
struct DedupeOptions {
    /// Begins with no further file after this time.
    std::optional<std::chrono::milliseconds> budget{};
    /// Ends the call early, without an error. OpenOptions::stop does that, too.
    std::stop_token stop{};
};

}  // namespace larder
