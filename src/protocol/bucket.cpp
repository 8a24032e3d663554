// SPDX-License-Identifier: MIT
#include "protocol/bucket.hpp"

#include "cache/locks.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/name_sync.hpp"

namespace larder::protocol {

namespace {

using cache::KeyPath;
using format::Id;
using format::PointerRead;

/// Returns the path of a key's link in a generation.
KeyPath path_in(const cache::Root& root, const Id& generation, const KeyRef& place) {
    return {.dir = &root.dirs().generations,
            .path = format::generation_path(generation, place.encoded_key())};
}

/// Does what ensure_bucket says if buckets are directories.
Result<> ensure_directory(const os::Dir& buckets, const std::string& encoded_bucket) {
    TRY_ASSIGN(const bool exists, os::is_dir_at(buckets, encoded_bucket));
    if (exists) return {};
    auto made = os::make_dir_at(buckets, encoded_bucket);
    if (!made && why_of(made) != Why::exists) return made;
    return {};
}

/// What has come of a generation that was made for a bucket.
enum class GenerationFate {
    placed,           ///< the bucket's pointer names it
    lost,             ///< another publish was faster, or the bucket must be looked at again
    needs_exclusive,  ///< the system has no rename that never replaces
};

/// Makes the pointer `g-<generation>`, and then the directory. So the generation is named from its
/// birth. If that fails, nothing is left.
Result<> begin_generation(const cache::Root& root, const Id& generation, const PublishHold& hold) {
    const std::string name = format::begun_pointer_name(generation);
    TRY(format::make_pointer(root.link_kind(), root.dirs().root, hold.staging, name, generation));
    if (hold.power) TRY(sync_link(root, hold.staging, name));
    (void)os::point("generation.named");
    auto made = os::make_dir_at(root.dirs().generations, to_text(generation));
    if (!made) (void)os::remove_file_at(hold.staging, name);
    (void)os::point("generation.made");
    return made;
}

/// Takes a generation back that got no bucket: its directory, then its pointer. If its pointer is
/// not in the staging area any more, it was renamed to the bucket although the system said that it
/// was not, and nothing is taken back. What cannot be removed is reaped after the process has
/// ended.
void take_back(const cache::Root& root, const Id& generation, const PublishHold& hold) {
    const std::string name = format::begun_pointer_name(generation);
    const auto staged = format::read_pointer(root.link_kind(), hold.staging, name);
    if (!staged || !staged->names(generation)) return;
    if (!os::remove_dir_at(root.dirs().generations, to_text(generation))) return;
    (void)os::point("generation.lost");
    (void)os::remove_file_at(hold.staging, name);
}

/// Renames the pointer of a new generation to the bucket, if the bucket has none. If the system
/// cannot do that in one step, this looks first; then the lock, exclusive, keeps other publishes
/// away.
Result<GenerationFate> place_generation(const cache::Root& root, const std::string& encoded_bucket,
                                        const Id& generation, const PublishHold& hold) {
    const auto& buckets = root.dirs().buckets;
    const std::string name = format::begun_pointer_name(generation);
    auto placed = hold.mode == os::Mode::exclusive
                      ? os::rename_new(hold.staging, name, buckets, encoded_bucket)
                      : os::rename_new_atomic(hold.staging, name, buckets, encoded_bucket);
    if (placed) {
        (void)os::point("generation.placed");
        return GenerationFate::placed;
    }
    take_back(root, generation, hold);
    if (why_of(placed) == Why::exists || is_absent(placed)) return GenerationFate::lost;
    if (hold.mode == os::Mode::shared && placed.error().code == Errc::unsupported)
        return GenerationFate::needs_exclusive;
    return tl::make_unexpected(std::move(placed).error());
}

/// Takes a pointer away that leads nowhere: after a power cut, or in a cache that was copied in
/// part. One that names no generation is deleted, and any other is retired. Requires: the caller
/// holds the bucket's lock, exclusively, so that no publish has put a good one there since the
/// look. (A refresh may have taken it, which is as good.)
Result<> remove_broken(const cache::Root& root, const std::string& encoded_bucket,
                       PointerRead::Kind kind) {
    const auto& buckets = root.dirs().buckets;
    if (kind == PointerRead::Kind::malformed) {
        auto moved = root.set_aside(buckets, encoded_bucket);
        return is_absent(moved) ? Result<>() : moved;
    }
    const auto retired = root.retire_pointer(buckets, encoded_bucket, format::evicted);
    if (!retired && !is_absent(retired)) return tl::make_unexpected(retired.error());
    return {};
}

/// Does what ensure_bucket says if buckets are pointers.
Result<std::optional<KeyPath>> ensure_generation(const cache::Root& root, const KeyRef& place,
                                                 const PublishHold& hold) {
    // Arbitrary: no refresh, and no other publish, comes between so often in a row. A file system
    // that answers so each time must not keep this process, and the bucket's lock, for ever.
    constexpr int max_attempts = 1000;
    const auto& generations = root.dirs().generations;
    for (int attempts = 1; attempts <= max_attempts; ++attempts) {
        TRY_ASSIGN(const PointerRead pointer, root.keys().read_pointer(place.encoded_bucket));
        if (pointer.kind == PointerRead::Kind::foreign) {
            // This returns the error.
            TRY(root.keys().bucket_exists(place.encoded_bucket));
            continue;
        }
        if (pointer.kind == PointerRead::Kind::absent) {
            const Id generation = format::fresh_id();
            TRY(begin_generation(root, generation, hold));
            TRY_ASSIGN(const GenerationFate placed,
                       place_generation(root, place.encoded_bucket, generation, hold));
            if (placed == GenerationFate::needs_exclusive) return std::nullopt;
            if (placed == GenerationFate::placed) return path_in(root, generation, place);
            continue;
        }
        if (pointer.kind == PointerRead::Kind::generation) {
            TRY_ASSIGN(const bool stands, os::is_dir_at(generations, to_text(pointer.generation)));
            if (stands) return path_in(root, pointer.generation, place);
            // It was refreshed and taken apart since, unless its pointer still stands there.
            TRY_ASSIGN(const PointerRead again, root.keys().read_pointer(place.encoded_bucket));
            if (!again.names(pointer.generation)) continue;
        }
        if (hold.mode == os::Mode::shared) return std::nullopt;
        TRY(remove_broken(root, place.encoded_bucket, pointer.kind));
    }
    return fail(Errc::unsupported, "publish", root.dirs().buckets / place.encoded_bucket,
                "the bucket was made " + std::to_string(max_attempts) +
                    " times, and was gone each time; publish again, and if that fails too, name a "
                    "directory on another file system (`cachetool doctor` tests one)");
}

/// Retires the pointer of a bucket that has no key. Returns its name in `retired/buckets/`; nullopt
/// if the bucket has keys, or is gone, or if its lock is not free. A look at the keys and a rename
/// of the pointer are two steps, between which a publish could bring a key. So both are made under
/// the bucket's lock, exclusive.
Result<std::optional<std::string>> retire_if_empty(cache::Root& root,
                                                   const std::string& encoded_bucket) {
    // This look spares the lock, as a rule.
    const auto before = root.keys().open_bucket(encoded_bucket);
    if (!before || !os::is_empty(*before).value_or(false)) return std::nullopt;
    TRY_ASSIGN(const auto lock, cache::BucketLock::try_exclusive(root, encoded_bucket));
    if (!lock) return std::nullopt;
    const auto keys = root.keys().open_bucket(encoded_bucket);
    if (!keys || !os::is_empty(*keys).value_or(false)) return std::nullopt;
    TRY_ASSIGN(std::string retired,
               root.retire_pointer(root.dirs().buckets, encoded_bucket, format::evicted));
    (void)os::point("collect.bucket-retired");
    return retired;
}

}  // namespace

Result<std::optional<KeyPath>> ensure_bucket(const cache::Root& root, const KeyRef& place,
                                             const PublishHold& hold) {
    if (root.keys().use_pointers()) return ensure_generation(root, place, hold);
    TRY(ensure_directory(root.dirs().buckets, place.encoded_bucket));
    return KeyPath{.dir = &root.dirs().buckets, .path = place.path};
}

void remove_if_empty(cache::Root& root, const std::string& encoded_bucket) {
    if (!root.keys().use_pointers()) {
        (void)os::remove_dir_at(root.dirs().buckets, encoded_bucket);
        return;
    }
    const auto retired = retire_if_empty(root, encoded_bucket);
    if (retired && *retired) (void)remove_refreshed(root, **retired);
}

Result<bool> remove_refreshed(const cache::Root& root, const std::string& retired) {
    const os::Dir& buckets = root.garbage().retired_buckets;
    const bool pointers = root.keys().use_pointers();
    Result<> removed;
    if (pointers) {
        TRY_ASSIGN(const PointerRead pointer,
                   format::read_pointer(root.link_kind(), buckets, retired));
        if (pointer.kind == PointerRead::Kind::foreign) return false;
        // A pointer that was cut off names nothing, and only it goes.
        if (pointer.kind == PointerRead::Kind::generation)
            removed = os::remove_dir_at(root.dirs().generations, to_text(pointer.generation));
        if (is_absent(removed)) removed = {};  // an earlier collection was killed after this step
    } else {
        removed = os::remove_dir_at(buckets, retired);
    }
    if (!removed && removed.error().code == Errc::exists) return false;
    TRY(removed);
    if (!pointers) return true;
    // Only now, because the pointer names the links that a late publish may bring until then.
    (void)os::point("flatten.removed");
    auto unlinked = format::remove_link(root.link_kind(), buckets, retired);
    if (!is_absent(unlinked)) TRY(unlinked);
    return true;
}

}  // namespace larder::protocol
