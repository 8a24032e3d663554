// SPDX-License-Identifier: MIT
#include "protocol/retire.hpp"

#include <algorithm>

#include "base/century.hpp"
#include "base/noted_errors.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/clock.hpp"
#include "os/dir_reader.hpp"
#include "os/glob.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/entry.hpp"
#include "protocol/key_link.hpp"
#include "protocol/name_sync.hpp"

namespace larder::protocol {

namespace {

using format::LinkRead;

/// Returns the error that refuses to retire what is no link of this cache. To retire it would make
/// it garbage that names no entry; a repair moves it to `deleting/` instead.
tl::unexpected<Error> foreign(const cache::Root& root, const std::string& path) {
    return fail(
        Errc::damaged, "retire", root.dirs().buckets / path,
        "something that is no link of this cache stands here; `cachetool verify --repair` moves "
        "it away");
}

/// Returns the time before which an entry must have been published to match both of its limits.
/// Returns nullopt if the options have neither.
std::optional<WallTime> limit_of(const RefreshOptions& options) {
    if (!options.older_than) return options.published_before;
    const auto age = std::clamp(*options.older_than, std::chrono::seconds(0), base::century);
    const WallTime limit = os::wall_time() - age;
    return std::min(limit, options.published_before.value_or(limit));
}

/// Retires the keys of a bucket that match, one by one. If the options have only a pattern, the key
/// decides: its link is retired, whatever it names. If they have an age, the entry decides: under
/// the bucket's lock, the link must still name the entry that was examined.
class KeyByKey {
public:
    KeyByKey(const RootRef& root, std::string_view bucket, const std::string& encoded_bucket,
             const RefreshOptions& options, const cache::CallContext& context)
        : root_(root),
          bucket_(bucket),
          encoded_bucket_(encoded_bucket),
          options_(options),
          published_before_(limit_of(options)),
          context_(context) {}

    /// Retires the keys that match. An error about one of them stops no other.
    PartialRefresh run() {
        Result<> done = take_each();
        return {taken_, std::move(done)};
    }

private:
    /// Walks through the bucket, and judges each key. A bucket that is not there has no keys.
    /// Errors: `interrupted` if the caller asked to stop; the first error of a key.
    Result<> take_each() {
        const auto dir = root_->keys().open_bucket(encoded_bucket_);
        if (is_absent(dir)) return {};
        TRY(dir);
        NotedErrors errors;
        TRY(os::for_each_name(*dir, [&](const std::string& name, os::FileKind kind) -> Result<> {
            if (!format::is_key_name(name) || kind == os::FileKind::directory) return {};
            if (context_.stop.stop_requested())
                return fail(Errc::interrupted, "refresh", dir->path,
                            "stopped on request; some keys are retired");
            return errors.note(visit(name));
        }));
        return errors.first();
    }

    /// Judges one key, and retires it if it matches. `name` is its encoded name. Passes over a link
    /// that is gone, and what is no link of this cache. In a dry run this counts the key and
    /// changes nothing.
    Result<> visit(const std::string& name) {
        const std::string path = format::key_path(encoded_bucket_, name);
        TRY_ASSIGN(const LinkRead link, root_->keys().read(path));
        if (link.kind == LinkRead::Kind::absent || link.kind == LinkRead::Kind::foreign) return {};
        TRY_ASSIGN(const auto record, record_if_needed(link, name));
        const std::string key = record ? record->key : format::decode_name(name).value_or(name);
        if (!matches(key, record)) return {};
        TRY_ASSIGN(const bool taken, options_.dry_run ? Result<bool>(true) : take(path, link, key));
        if (!taken) return {};
        ++taken_;
        if (options_.on_taken) options_.on_taken(key);
        return {};
    }

    /// Reads the record of the entry that the link names, if the age or the key cannot be told
    /// without it: the read costs more than the rest. Returns nullopt if it is not needed, and if
    /// there is none, or a damaged one. Errors: those that say nothing about the entry.
    Result<std::optional<format::Record>> record_if_needed(const LinkRead& link,
                                                           const std::string& name) const {
        const bool key_matters = !options_.pattern.empty() || options_.on_taken;
        const bool key_is_cut = format::is_hashed(name);  // only the record has all of it
        const bool needed = published_before_ || (key_matters && key_is_cut);
        if (link.kind != LinkRead::Kind::entry || !needed) return std::nullopt;
        auto record = read_record(*root_, link.id);
        if (record) return std::move(*record);
        if (record.error().code == Errc::damaged) return std::nullopt;
        return tl::make_unexpected(std::move(record).error());
    }

    /// Returns whether the options ask for a key to be retired. An entry whose record cannot be
    /// read has no age, and is of no use to a caller. So it counts as old.
    [[nodiscard]] bool matches(const std::string& key,
                               const std::optional<format::Record>& record) const {
        if (!options_.pattern.empty() && !os::matches_glob(options_.pattern, key)) return false;
        return !published_before_ || !record || record->published < *published_before_;
    }

    /// Retires the link at `path`, which was judged when it read `link`. Returns false if it has
    /// changed or is gone, so that this call has retired nothing.
    Result<bool> take(const std::string& path, const LinkRead& link, const std::string& key) {
        if (!published_before_) return take_whatever(path);
        if (link.kind == LinkRead::Kind::entry)
            return retire_if(*root_, {bucket_, encoded_bucket_, key, path}, link.id, context_);
        // A malformed link has no age and is retired. But a publisher may replace it by a good one
        // meanwhile, which must stay.
        const auto lock = cache::BucketLock::exclusive(*root_, encoded_bucket_, context_);
        TRY(lock);
        TRY_ASSIGN(const LinkRead again, root_->keys().read(path));
        return again.kind == LinkRead::Kind::malformed ? take_whatever(path) : Result<bool>(false);
    }

    /// Retires what stands at `path`, without a look at it. Returns false if nothing stands there:
    /// another process has retired it first.
    Result<bool> take_whatever(const std::string& path) {
        auto retired = root_->retire_key(path);
        if (is_absent(retired)) return false;
        TRY(retired);
        return true;
    }

    const RootRef& root_;
    std::string_view bucket_;            // as the caller wrote it
    const std::string& encoded_bucket_;  // the name of its directory
    const RefreshOptions& options_;
    std::optional<WallTime> published_before_;
    const cache::CallContext& context_;
    std::uint64_t taken_ = 0;  // keys that were retired, or that a dry run would retire
};

/// Syncs the two ends of a rename that has retired something.
Result<> sync_rename(const cache::Root& root, const os::Dir& from, const os::Dir& to) {
    NameSync names(root);
    TRY(names.add(to));
    (void)os::point("retire.half-synced");
    TRY(names.add(from));
    return names.end();
}

/// Syncs all directories in which a link of this bucket may have been retired, by this call or by
/// one that was killed before it could sync. If the bucket's directory is not the one that has lost
/// a link, that one was moved aside or removed since, and the sync of `buckets/` tells it.
Result<> sync_all(const cache::Root& root, const std::string& encoded_bucket) {
    const auto& dirs = root.dirs();
    const auto keys = root.keys().open_bucket(encoded_bucket);
    NameSync names(root);
    TRY(names.add(root.garbage().retired_links));
    TRY(names.add(root.garbage().retired_buckets));
    if (!is_absent(keys)) {
        TRY(keys);
        TRY(names.add(*keys));
    }
    TRY(names.add(dirs.buckets));
    return names.end();
}

/// Makes the steps of remove, without a sync. Opens the directory of the bucket's keys into
/// `bucket`, if the caller wants to sync it, before the link is renamed: afterwards a refresh may
/// have moved it.
Result<> retire_key(const RootRef& root, const KeyRef& place, os::Dir* bucket,
                    const cache::CallContext& context) {
    const auto no_entry = fail(Errc::miss, "no such entry", {}, {});
    // This look needs no lock, and spares the wait for it. It also refuses a bucket that is a
    // symlink: what is below it does not belong to the cache.
    TRY_ASSIGN(const bool exists, bucket_exists(*root, place.encoded_bucket));
    if (!exists) return no_entry;
    const auto lock = cache::BucketLock::exclusive(*root, place.encoded_bucket, context);
    TRY(lock);
    (void)os::point("remove.locked");
    if (bucket != nullptr) {
        auto opened = root->keys().open_bucket(place.encoded_bucket);
        if (is_absent(opened)) return no_entry;
        TRY(opened);
        *bucket = std::move(*opened);
    }
    TRY_ASSIGN(const LinkRead link, root->keys().read(place.path));
    if (link.kind == LinkRead::Kind::absent) return no_entry;
    if (link.kind == LinkRead::Kind::foreign) return foreign(*root, place.path);
    (void)os::point("remove.checked");
    auto retired = root->retire_key(place.path);
    (void)os::point("remove.retired");
    if (is_absent(retired)) return no_entry;  // a refresh has retired it
    return retired;
}

/// Retires a whole bucket by one rename into `retired/buckets/`: of its directory, or of its
/// pointer. Errors: Why::not_directory if buckets are directories, and something else stands there.
Result<> move_bucket_aside(const cache::Root& root, const std::string& encoded_bucket) {
    const os::Dir& from = root.dirs().buckets;
    const os::Dir& to = root.garbage().retired_buckets;
    if (const int error = os::point("refresh.rename"))
        return os::fail(error, "refresh", from / encoded_bucket);
    const std::string retired = to_text(format::fresh_retired_name(format::retired_now()));
    if (root.keys().use_pointers()) return os::rename_new(from, encoded_bucket, to, retired);
    return os::rename_dir_new(from, encoded_bucket, to, retired);
}

/// Takes a bucket out by one rename, without a sync. Returns nullopt if this bucket can't be
/// renamed. Errors: `damaged` if something stands there that is no bucket.
Result<std::optional<Refreshed>> take_whole(const cache::Root& root,
                                            const std::string& encoded_bucket) {
    // A rename of a pointer would carry off whatever stands there. So look first that it is one. A
    // rename of a directory refuses all else.
    if (root.keys().use_pointers()) {
        TRY_ASSIGN(const bool exists, root.keys().bucket_exists(encoded_bucket));
        if (!exists) return Refreshed::no_bucket;
    }
    (void)os::point("refresh.begun");
    const auto moved = move_bucket_aside(root, encoded_bucket);
    (void)os::point("refresh.moved");
    if (moved) return Refreshed::done;
    if (ends_at_once(why_of(moved)) && !is_absent(moved)) return tl::make_unexpected(moved.error());
    // If something else stands there, this returns the error that says so.
    TRY_ASSIGN(const bool stands, root.keys().bucket_exists(encoded_bucket));
    if (!stands) return Refreshed::no_bucket;
    // It is there, so it can't be renamed; or a publish has just made it anew; or the directory to
    // which it would go is gone.
    if (is_absent(moved) && root.is_lost({&cache::GarbageHandles::retired_buckets}))
        return Refreshed::lost;
    return std::nullopt;
}

}  // namespace

Result<> remove(const RootRef& root, const KeyRef& place, Durability durability,
                const cache::CallContext& context) {
    if (durability == Durability::process) return retire_key(root, place, nullptr, context);
    os::Dir bucket;
    auto retired = retire_key(root, place, &bucket, context);
    if (retired) return after_change(sync_rename(*root, bucket, root->garbage().retired_links));
    // The caller takes a miss for an entry that is gone. So it must stay gone, too.
    if (retired.error().code == Errc::miss) TRY(sync_all(*root, place.encoded_bucket));
    return retired;
}

Result<Refreshed> refresh(const RootRef& root, const std::string& encoded_bucket,
                          Durability durability, const cache::CallContext& context) {
    TRY_ASSIGN(const auto whole, take_whole(*root, encoded_bucket));
    if (whole == Refreshed::lost) return Refreshed::lost;
    if (whole) {
        if (durability == Durability::process) return *whole;
        const os::Dir& from = root->dirs().buckets;
        TRY(after_change(sync_rename(*root, from, root->garbage().retired_buckets)));
        return *whole;
    }
    // This directory cannot be renamed: it is one of a lower layer of overlayfs, for example. So
    // retire the keys one by one. A key that is published meanwhile may be retired or not.
    const RefreshOptions every_key{.durability = durability};
    TRY(refresh_some(root, {}, encoded_bucket, every_key, context).done);
    return Refreshed::done;
}

PartialRefresh refresh_some(const RootRef& root, std::string_view bucket,
                            const std::string& encoded_bucket, const RefreshOptions& options,
                            const cache::CallContext& context) {
    const auto exists = bucket_exists(*root, encoded_bucket);
    if (!exists) return {0, tl::make_unexpected(exists.error())};
    PartialRefresh refreshed;
    if (*exists) refreshed = KeyByKey(root, bucket, encoded_bucket, options, context).run();
    if (options.durability == Durability::process || options.dry_run) return refreshed;
    // Sync what was retired, even if an error has left other keys.
    auto synced = after_change(sync_all(*root, encoded_bucket));
    if (refreshed.done) refreshed.done = std::move(synced);
    return refreshed;
}

}  // namespace larder::protocol
