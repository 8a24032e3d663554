// SPDX-License-Identifier: MIT
// What the tests of the protocol share: a cache, and processes in which system calls fail.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <map>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/file_system.hpp"
#include "os/like_windows.hpp"
#include "os/link.hpp"
#include "os/points.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"

namespace larder::testing {

/// A cache that no other process uses, with one bucket.
struct Scene {
    TempDir dir;
    fs::path root = dir.path() / "cache";
    Cache cache = open_cache(root);
    Bucket bucket = value(cache.bucket("b"));
};

/// Lets this process, and those that it forks, act like Windows as long as this object lives.
struct LikeWindows {
    LikeWindows() { os::act_like_windows(true); }
    ~LikeWindows() { os::act_like_windows(was_on); }
    LikeWindows(const LikeWindows&) = delete;
    LikeWindows& operator=(const LikeWindows&) = delete;
    const bool was_on = os::is_like_windows();
};

/// A cache with junctions and pointers, on a Linux that acts like Windows.
struct JunctionScene {
    static OpenOptions options() {
        OpenOptions chosen = test_options();
        chosen.link_kind = LinkKind::junction;
        chosen.bucket_kind = BucketKind::pointer;
        return chosen;
    }

    LikeWindows windows;
    TempDir dir;
    fs::path root = dir.path() / "cache";
    Cache cache = open_cache(root, options());
    Bucket bucket = value(cache.bucket("b"));
};

inline Bucket open_bucket(const fs::path& root, const OpenOptions& options = test_options()) {
    return value(open_cache(root, options).bucket("b"));
}

/// Opens the bucket so that no call waits for a lock: `busy` means that it is taken now.
inline Bucket open_hasty(const fs::path& root) {
    OpenOptions options = test_options();
    options.lock_timeout = {};
    return open_bucket(root, options);
}

inline Result<Lease> try_put(const Bucket& bucket, const std::string& key,
                             const std::string& content) {
    Staging staging = value(bucket.stage());
    fill(staging.path(), content);
    return bucket.publish(key, std::move(staging));
}

/// Returns "ok", or the error's name.
template <class T>
std::string outcome(const Result<T>& result) {
    return result ? "ok" : std::string(name_of(result.error().code));
}

/// Lets a child go on from point to point until it says `word`.
inline void go_on_until(Child& child, const std::string& word) {
    std::string heard;
    do {
        child.go_on();
        heard = child.listen();
        if (heard.empty())
            throw std::runtime_error("the child ended before it said \"" + word + "\"");
    } while (heard != word);
}

/// Returns whether a process maps its lease table in this cache, and so has a ring of uses.
inline bool may_map_tables(const fs::path& root) {
    return os::traits_of(value(os::open_dir(root)).handle).maps_without_space;
}

using Errors = std::map<std::string, int>;

/// In a child: replaces the Points that it began with. The calls behind these points fail with
/// these errors.
inline void fail_at(Child& child, const Errors& errors, const Points& points = {}) {
    os::set_point_hook([&child, errors, points](const char* name) {
        const auto is_among = [&](const std::vector<std::string>& names) {
            return std::find(names.begin(), names.end(), name) != names.end();
        };
        if (is_among(points.kill_at)) Child::die();
        if (is_among(points.hold_at)) {
            child.say(name);
            child.hear();
        }
        const auto error = errors.find(name);
        return error == errors.end() ? 0 : error->second;
    });
}

/// Makes calls of this process fail, until the end of the scope.
class FailingHere {
public:
    explicit FailingHere(const Errors& errors) {
        os::set_point_hook([errors](const char* name) {
            const auto error = errors.find(name);
            return error == errors.end() ? 0 : error->second;
        });
    }
    ~FailingHere() { os::set_point_hook({}); }
    FailingHere(const FailingHere&) = delete;
    FailingHere& operator=(const FailingHere&) = delete;
};

/// Makes a link by hand, of the cache's kind, that names `id`.
inline void plant_link(const Cache& cache, const fs::path& directory, const std::string& name,
                       const std::string& id) {
    const auto parsed = format::parse_id(id);
    if (!parsed) throw std::runtime_error("not an id: " + id);
    value(format::make_link(cache.link_kind(), value(os::open_dir(cache.root())),
                            value(os::open_dir(directory)), name, *parsed));
}

/// Makes a link or a pointer by hand, of the cache's kind, with this text.
inline void plant_text(const Cache& cache, const fs::path& path, const std::string& text) {
    if (cache.link_kind() == LinkKind::symlink) {
        fs::create_symlink(text, path);
    } else if (cache.link_kind() == LinkKind::file) {
        write_file(path, text + "\n");
    } else {
        const os::Dir parent = value(os::open_dir(path.parent_path()));
        const std::string target = value(os::junction_path_of(parent)) + "/" + text;
        value(os::make_junction_at(parent, path.filename().string(), target));
    }
}

/// The point at which the replacing of a key's link fails, if two names cannot be exchanged.
inline const char* replacing_point() {
    return links_are_junctions() ? "os.set-junction" : "os.rename-over";
}

/// Makes a refreshed bucket by hand, with the name `retired` in `retired/buckets/`. Returns the
/// directory that holds its keys.
inline fs::path plant_refreshed(const Cache& cache, const std::string& retired) {
    const fs::path buckets = cache.root() / "retired" / "buckets";
    if (!buckets_are_pointers()) {
        fs::create_directory(buckets / retired);
        return buckets / retired;
    }
    const format::Id generation = format::fresh_id();
    value(format::make_pointer(cache.link_kind(), value(os::open_dir(cache.root())),
                               value(os::open_dir(buckets)), retired, generation));
    fs::create_directory(cache.root() / "generations" / to_text(generation));
    return keys_of(buckets / retired);
}

inline std::string fresh_name() { return format::to_text(format::fresh_id()); }

}  // namespace larder::testing
