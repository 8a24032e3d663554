#include <steps/retire.hpp>

#include <cerrno>
#include <layout/layout.hpp>
#include <layout/link.hpp>
#include <layout/name.hpp>
#include <os/dir_reader.hpp>
#include <os/points.hpp>
#include <steps/collect.hpp>
#include <steps/use.hpp>

namespace larder::steps {

namespace {

using layout::LinkRead;

tl::unexpected<Error> foreign(const root::Root& root, const std::string& path) {
    return os::fail(Errc::damaged, "retire", root.dirs().buckets / path, "not a link of this cache's kind; move it away");
}

/// Even `buckets/<b>` may be a symlink that somebody put there: then nothing below it is ours to rename.
Result<bool> bucket_exists(const root::Root& root, const std::string& encoded_bucket) {
    return os::is_dir_at(root.dirs().buckets, encoded_bucket);
}

/// Requires: the bucket's lock, exclusive.
Result<bool> retire_checked(const root::Root& root, const std::string& path, const layout::Id& id) {
    const auto& buckets = root.dirs().buckets;
    TRY_ASSIGN(const LinkRead link, layout::read_link(root.link_kind(), buckets, path));
    if (!link.names(id)) return false;
    (void)os::point("retire.checked");
    // A refresh takes no lock: it may carry the link off between the check and the rename, and has then retired it itself.
    auto retired = root.retire_link(buckets, path);
    if (!retired && retired.error().sys_errno == ENOENT) return false;
    TRY(retired);
    return true;
}

/// Where the disk is so full that a rename finds no space, deleting what is garbage already makes some: then once more.
template <class Step>
Result<> with_room(const RootRef& root, Step step) {
    Result<> done = step();
    if (done || done.error().code != Errc::no_space) return done;
    if (!collect(root, {})) return done;
    return step();
}

/// A directory of a lower layer of overlayfs can't be renamed: key by key then. Keys that are published meanwhile may stay or go.
Result<> refresh_by_key(const root::Root& root, const std::string& encoded_bucket, const root::WaitLimits& limits) {
    TRY_ASSIGN(const os::Dir bucket, os::open_dir_at(root.dirs().buckets, encoded_bucket));
    return os::for_each_name(bucket, [&](const std::string& name, unsigned char) -> Result<> {
        if (!layout::is_key_name(name)) return {};
        if (limits.stop.stop_requested()) return os::fail(Errc::interrupted, "refresh", bucket.path, "asked to stop; some keys are retired");
        const std::string path = layout::key_path(encoded_bucket, name);
        TRY_ASSIGN(const LinkRead link, layout::read_link(root.link_kind(), root.dirs().buckets, path));
        if (link.kind == LinkRead::Kind::absent || link.kind == LinkRead::Kind::foreign) return {};
        auto retired = root.retire_link(root.dirs().buckets, path);
        if (!retired && retired.error().sys_errno != ENOENT) return retired;
        return {};
    });
}

}  // namespace

Result<> remove(const RootRef& root, const Place& place, const root::WaitLimits& limits) {
    return with_room(root, [&]() -> Result<> {
        const auto no_entry = os::fail(Errc::miss, "no such entry", {}, {});
        TRY_ASSIGN(const bool exists, bucket_exists(*root, place.encoded_bucket));
        if (!exists) return no_entry;
        const std::string& path = place.path;
        const auto lock = root::BucketLock::exclusive(*root, place.encoded_bucket, limits);
        TRY(lock);
        (void)os::point("remove.locked");
        TRY_ASSIGN(const LinkRead link, layout::read_link(root->link_kind(), root->dirs().buckets, path));
        if (link.kind == LinkRead::Kind::absent) return no_entry;
        if (link.kind == LinkRead::Kind::foreign) return foreign(*root, path);
        (void)os::point("remove.checked");
        auto retired = root->retire_link(root->dirs().buckets, path);
        (void)os::point("remove.retired");
        if (!retired && retired.error().sys_errno == ENOENT) return no_entry;  // a refresh was quicker
        return retired;
    });
}

Result<bool> retire_if(root::Root& root, const Place& place, const layout::Id& id, const root::WaitLimits& limits) {
    TRY_ASSIGN(const bool exists, bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    const auto lock = root::BucketLock::exclusive(root, place.encoded_bucket, limits);
    TRY(lock);
    return retire_checked(root, place.path, id);
}

Result<bool> is_unused(const root::Root& root, const Place& place, const layout::Id& id, WallTime used_by) {
    const auto& buckets = root.dirs().buckets;
    const auto status = os::stat_at(buckets, place.path);
    if (!status && status.error().sys_errno == ENOENT) return false;
    TRY(status);
    TRY_ASSIGN(const LinkRead link, layout::read_link(root.link_kind(), buckets, place.path));
    return link.names(id) && last_use(*status) < used_by;
}

Result<bool> retire_unused(root::Root& root, const Place& place, const layout::Id& id, WallTime used_by, const root::WaitLimits& limits) {
    TRY_ASSIGN(const bool exists, bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    const auto lock = root::BucketLock::exclusive(root, place.encoded_bucket, limits);
    TRY(lock);
    TRY_ASSIGN(const bool unused, is_unused(root, place, id, used_by));
    return unused ? retire_checked(root, place.path, id) : Result<bool>(false);
}

Result<bool> retire_if_unlocked(root::Root& root, const Place& place, const layout::Id& id) {
    TRY_ASSIGN(const bool exists, bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    TRY_ASSIGN(const auto lock, root::BucketLock::try_exclusive(root, place.encoded_bucket));
    if (!lock) return false;
    return retire_checked(root, place.path, id);
}

Result<> refresh(const RootRef& root, const std::string& encoded_bucket, const root::WaitLimits& limits) {
    return with_room(root, [&]() -> Result<> {
        TRY_ASSIGN(const bool exists, bucket_exists(*root, encoded_bucket));
        if (!exists) return {};
        (void)os::point("refresh.begun");
        const auto& dirs = root->dirs();
        auto moved = [&]() -> Result<> {
            if (const int error = os::point("refresh.rename")) return os::fail(error, "refresh", dirs.buckets / encoded_bucket);
            return os::rename_new(dirs.buckets, encoded_bucket, dirs.retired_buckets, to_text(layout::fresh_id()));
        }();
        (void)os::point("refresh.moved");
        if (moved) return {};
        if (moved.error().sys_errno == ENOENT) return {};  // somebody else has just refreshed it
        if (moved.error().sys_errno == EXDEV) return refresh_by_key(*root, encoded_bucket, limits);
        return moved;
    });
}

}  // namespace larder::steps
