// SPDX-License-Identifier: MIT
#include "protocol/torn_names.hpp"

#include "cache/locks.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"

namespace larder::protocol {

namespace {

/// One search for torn names.
class TornNameSearch {
public:
    TornNameSearch(cache::Root& root, const std::stop_token& stop) : root_(root), stop_(stop) {}

    Result<> run() {
        return os::for_every_name(
            root_.dirs().buckets, [&](const std::string& bucket, os::FileKind) -> Result<> {
                if (!format::is_bucket_name(bucket)) return {};
                if (root_.keys().use_pointers()) TRY(check(bucket, root_.dirs().buckets, bucket));
                const auto keys = root_.keys().open_bucket(bucket);
                if (has_no_directory(keys)) return {};
                TRY(keys);
                return os::for_every_name(*keys, [&](const std::string& key, os::FileKind) {
                    return check(bucket, *keys, key);
                });
            });
    }

private:
    /// Moves the name away if it is torn, and if it still is under the bucket's lock. Any other
    /// process that changes a name in a bucket holds that lock.
    Result<> check(const std::string& bucket, const os::Dir& dir, const std::string& name) {
        if (stop_.stop_requested()) {
            return fail(Errc::interrupted, "collect", root_.dirs().root.path,
                        "stopped on request; the next collection looks for torn names");
        }
        TRY_ASSIGN(const bool is_torn_before, format::is_torn(dir, name));
        if (!is_torn_before) return {};
        TRY_ASSIGN(const auto lock, cache::BucketLock::try_exclusive(root_, bucket));
        if (!lock) return {};
        TRY_ASSIGN(const bool is_torn, format::is_torn(dir, name));
        if (!is_torn) return {};
        auto moved = root_.move_to_deleting(dir, name);
        (void)os::point("boot.torn-one");
        if (is_absent(moved)) return {};  // a refresh has moved its bucket aside
        return moved;
    }

    cache::Root& root_;
    const std::stop_token& stop_;
};

}  // namespace

Result<> remove_torn_names(cache::Root& root, const std::stop_token& stop) {
    if (root.link_kind() != LinkKind::file) return {};
    return TornNameSearch(root, stop).run();
}

}  // namespace larder::protocol
