// SPDX-License-Identifier: MIT
// What must hold at every instant: looked at between any two steps, by reading the directories and nothing else.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "os/dir_reader.hpp"
#include "support/cache.hpp"

namespace larder::testing {

class CacheAudit {
public:
    /// Requires: the directories of the cache, and those below `staging/`, are not replaced while this lives. It keeps them
    /// open: an audit costs some fifty system calls, and there is one for each step of each schedule.
    CacheAudit(const fs::path& root, LinkKind kind);

    /// Forgets what it saw. A link that names `dangling` is none of ours to judge.
    void begin_anew(const std::string& dangling);

    /// Throws where one of these is broken:
    ///     1  every link in a bucket names a complete entry
    ///     2  every entry in the archive is named by exactly one link
    ///     3  no link comes back to a bucket, and no entry to the archive
    void look();
    /// The same for invariant 3 in the buckets alone: enough in a state that was looked at before, in an earlier run of the
    /// same steps.
    void glance();

private:
    /// One directory, to be listed again and again.
    struct Listing {
        os::Dir dir;
        os::DirReader reader;
        static Listing open(os::Dir opened);
        std::vector<std::string> names();
    };
    using Ids = std::set<std::string>;
    /// The ids that stood somewhere once, and those of them that have gone.
    struct SeenIds {
        Ids once, gone;
        void meet(const Ids& now, const std::string& where);
    };

    std::string count(const os::Dir& dir, const std::string& name);
    void for_each_key(
        const std::function<void(const std::string& key, const std::string& id)>& visit);
    void look_into_staging();
    void look_into_retired();
    void must_be_complete(const std::string& key, const std::string& id);

    LinkKind kind_;
    Listing buckets_, archive_, staging_, retired_links_, retired_buckets_;
    std::map<std::string, Listing> areas_;  ///< below staging/
    std::string dangling_;
    std::map<std::string, int> links_to_;  ///< id -> links that name it
    Ids complete_;                         ///< entries are immutable: read once
    SeenIds bucket_, kept_;
};

}  // namespace larder::testing
