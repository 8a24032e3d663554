// SPDX-License-Identifier: MIT
#include "cache/bucket_keys.hpp"

#include "format/layout.hpp"
#include "os/error.hpp"

namespace larder::cache {

namespace {

using format::LinkRead;
using format::PointerRead;

/// The two parts of a path that format::key_path has made.
struct SplitPath {
    std::string bucket;
    std::string_view key;
};

/// Takes such a path apart. The key refers to the path.
SplitPath split(const std::string& key_path) {
    const auto slash = key_path.find('/');
    return {key_path.substr(0, slash), std::string_view(key_path).substr(slash + 1)};
}

}  // namespace

Result<PointerRead> BucketKeys::read_pointer(const std::string& encoded_bucket) const {
    return format::read_pointer(links_, dirs_.buckets, encoded_bucket);
}

Result<LinkRead> BucketKeys::read(const std::string& key_path) const {
    // The kernel follows a pointer that is a symlink, and reads both at once, without a copy of the
    // path. Every get comes here.
    if (!use_pointers() || links_ == LinkKind::symlink)
        return format::read_link(links_, dirs_.buckets, key_path);
    const SplitPath parts = split(key_path);
    TRY_ASSIGN(const PointerRead pointer, read_pointer(parts.bucket));
    if (pointer.kind != PointerRead::Kind::generation) return LinkRead{};
    return format::read_link(links_, dirs_.generations,
                             format::generation_path(pointer.generation, parts.key));
}

bool BucketKeys::name_complete_entry(const std::string& key_path, const format::Id& id) const {
    using format::KeysBelow;
    if (!use_pointers() || links_ == LinkKind::symlink)
        return format::link_names_complete_entry(links_, dirs_.archive, KeysBelow::buckets,
                                                 key_path, id);
    const SplitPath parts = split(key_path);
    const auto pointer = read_pointer(parts.bucket);
    if (!pointer || pointer->kind != PointerRead::Kind::generation) return false;
    return format::link_names_complete_entry(
        links_, dirs_.archive, KeysBelow::generations,
        format::generation_path(pointer->generation, parts.key), id);
}

Result<KeyPath> BucketKeys::path_for_look(const std::string& key_path) const {
    if (!use_pointers() || links_ == LinkKind::symlink)
        return KeyPath{.dir = &dirs_.buckets, .path = key_path};
    return path_for_change(key_path);
}

Result<KeyPath> BucketKeys::path_for_change(const std::string& key_path) const {
    if (!use_pointers()) return KeyPath{.dir = &dirs_.buckets, .path = key_path};
    const SplitPath parts = split(key_path);
    TRY_ASSIGN(const PointerRead pointer, read_pointer(parts.bucket));
    if (pointer.kind == PointerRead::Kind::foreign) TRY(bucket_exists(parts.bucket));
    if (pointer.kind != PointerRead::Kind::generation)
        return os::fail(Why::absent, "look at", dirs_.buckets / parts.bucket);
    return KeyPath{.dir = &dirs_.generations,
                   .path = format::generation_path(pointer.generation, parts.key)};
}

Result<bool> BucketKeys::bucket_exists(const std::string& encoded_bucket) const {
    if (!use_pointers()) return os::is_dir_at(dirs_.buckets, encoded_bucket);
    TRY_ASSIGN(const PointerRead pointer, read_pointer(encoded_bucket));
    if (pointer.kind == PointerRead::Kind::foreign) {
        return fail(Errc::damaged, "look at", dirs_.buckets / encoded_bucket,
                    "a link to a generation should be here, and something else is; `cachetool "
                    "verify --repair` takes it away");
    }
    return pointer.kind == PointerRead::Kind::generation;
}

Result<os::Dir> BucketKeys::open_bucket(const std::string& encoded_bucket) const {
    if (!use_pointers()) return os::open_dir_at(dirs_.buckets, encoded_bucket);
    TRY_ASSIGN(const PointerRead pointer, read_pointer(encoded_bucket));
    switch (pointer.kind) {
        case PointerRead::Kind::generation:
            return os::open_dir_at(dirs_.generations, to_text(pointer.generation));
        case PointerRead::Kind::absent:
        case PointerRead::Kind::malformed:
            return os::fail(Why::absent, "open", dirs_.buckets / encoded_bucket);
        case PointerRead::Kind::foreign:
            break;
    }
    return os::fail(Why::not_directory, "open", dirs_.buckets / encoded_bucket);
}

Result<os::Dir> BucketKeys::open_refreshed(const os::Dir& retired_buckets,
                                           const std::string& name) const {
    if (!use_pointers()) return os::open_dir_at(retired_buckets, name);
    TRY_ASSIGN(const PointerRead pointer, format::read_pointer(links_, retired_buckets, name));
    if (pointer.kind == PointerRead::Kind::absent)
        return os::fail(Why::absent, "open", retired_buckets / name);
    if (pointer.kind == PointerRead::Kind::foreign)
        return os::fail(Why::not_directory, "open", retired_buckets / name);
    const os::DirPath nowhere = retired_buckets.path.below(name);
    if (pointer.kind == PointerRead::Kind::malformed) return os::Dir{os::FileHandle(), nowhere};
    auto opened = os::open_dir_at(dirs_.generations, to_text(pointer.generation));
    if (is_absent(opened)) return os::Dir{os::FileHandle(), nowhere};
    return opened;
}

}  // namespace larder::cache
