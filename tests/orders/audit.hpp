// SPDX-License-Identifier: MIT
// Checks between any two steps, by reading the directories alone, what must hold at every instant.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "os/dir_reader.hpp"
#include "support/cache.hpp"

namespace larder::testing {

class CacheAudit {
public:
    /// Requires: the directories of the cache, and those below `staging/`, are not replaced while
    /// this object lives. It keeps them open, since an audit takes some fifty system calls, and
    /// every step of every schedule has one.
    CacheAudit(const fs::path& root, LinkKind kind);

    /// Forgets what it saw. A link that names `dangling` is not judged.
    void begin_anew(const std::string& dangling);

    /// Throws if one of these is broken:
    ///     1  every link in a bucket names a complete entry
    ///     2  one link names every entry in the archive; or its key, and links `o-` of publishers
    ///        that replace it; or two retired links. No retired link names what a key names.
    ///        If links are junctions, there may be one link more, of any kind but a key's.
    ///        One pointer names every generation, and that of a bucket names one that is there
    ///     3  no link comes back to a bucket, and no entry to the archive
    void look();
    /// Checks invariant 3 in the buckets alone. That is enough in a state that look() has checked
    /// in an earlier run of the same steps.
    void glance();

private:
    /// A directory that is listed again and again.
    struct Listing {
        os::Dir dir;
        os::DirReader reader;
        static Listing open(os::Dir opened);
        std::vector<std::string> names();
    };
    using Ids = std::set<std::string>;
    /// The ids that have been seen in a place, and those of them that are gone.
    struct SeenIds {
        Ids once, gone;
        void meet(const Ids& now, const std::string& where);
    };

    /// How many links of each kind name an entry.
    struct LinkCounts {
        int live = 0, staged = 0, old = 0, retired = 0;
    };

    std::string count(const os::Dir& dir, const std::string& name, int LinkCounts::*kind);
    /// Throws if these are not the links that one entry may have.
    void must_be_named(const std::string& id, const LinkCounts& links);
    void for_each_key(
        const std::function<void(const std::string& key, const std::string& id)>& visit);
    /// Opens the directory that holds the keys of a bucket, or of a refreshed one. Counts the
    /// pointer that names it, if it is one. A pointer that leads nowhere yields a Dir that is not
    /// open.
    os::Dir open_keys(const os::Dir& parent, const std::string& name);
    /// Counts a pointer, and returns the generation that it names.
    std::string count_pointer(const os::Dir& parent, const std::string& name);
    void look_into_generations();
    void look_into_staging();
    void look_into_retired();
    void must_be_complete(const std::string& key, const std::string& id);

    LinkKind kind_;
    Listing buckets_, archive_, staging_, retired_links_, retired_buckets_;
    std::optional<Listing> generations_;      ///< if buckets are pointers
    std::map<std::string, int> pointers_to_;  ///< generation -> pointers that name it
    std::map<std::string, Listing> areas_;    ///< below staging/
    std::string dangling_;
    std::map<std::string, LinkCounts> links_to_;  ///< id -> links that name it
    Ids complete_;                                ///< entries are immutable, so each is read once
    SeenIds bucket_, kept_;
};

}  // namespace larder::testing
