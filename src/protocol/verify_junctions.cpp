// SPDX-License-Identifier: MIT
#include "protocol/verify_junctions.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/file_info.hpp"

namespace larder::protocol {

namespace {

using format::OpenJunction;

constexpr const char* leads_elsewhere =
    "it leads into another directory, because the cache was moved or copied: larder finds what it "
    "names, and programs that follow it do not";

/// Sets the junction of a key again, so that it leads into this cache. It keeps the time of its
/// last use. Returns false if the key names another entry by now. Requires: the caller holds the
/// bucket's lock, exclusively.
Result<bool> set_key(const VerifyCall& call, const std::string& key_path, const format::Id& id) {
    const auto at = call.root.keys().path_for_change(key_path);
    if (is_absent(at)) return false;
    TRY(at);
    const auto junction = OpenJunction::open(*at->dir, at->path);
    if (is_absent(junction)) return false;
    TRY(junction);
    // What was opened is set, wherever it is by then. So the key is asked after that.
    TRY_ASSIGN(const format::LinkRead now, call.root.keys().read(key_path));
    if (!now.names(id)) return false;
    const auto before = os::stat_at(*at->dir, at->path);
    TRY(junction->set_link(call.dirs.root, id));
    if (before) (void)os::set_modified_at(*at->dir, at->path, before->modified);
    return true;
}

/// Does the same for the pointer of a bucket.
Result<bool> set_bucket(const VerifyCall& call, const std::string& bucket,
                        const format::Id& generation) {
    const auto junction = OpenJunction::open(call.dirs.buckets, bucket);
    if (is_absent(junction)) return false;
    TRY(junction);
    TRY_ASSIGN(const format::PointerRead now, call.root.keys().read_pointer(bucket));
    if (!now.names(generation)) return false;
    TRY(junction->set_pointer(call.dirs.root, generation));
    return true;
}

}  // namespace

Result<> check_junction_of_key(VerifyCall& call, const os::Dir& dir, const std::string& bucket,
                               const std::string& key, const format::Id& id) {
    TRY_ASSIGN(const bool leads_here,
               format::leads_into(call.root.link_kind(), call.dirs.root, dir, key));
    if (leads_here) return {};
    call.findings.add(Finding::Kind::dangling, dir / key, leads_elsewhere);
    return call.mend_bucket(bucket,
                            [&] { return set_key(call, format::key_path(bucket, key), id); });
}

Result<> check_junction_of_bucket(VerifyCall& call, const std::string& bucket) {
    if (!call.root.keys().use_pointers() || !call.census.is_of_first_part()) return {};
    TRY_ASSIGN(const bool leads_here, format::leads_into(call.root.link_kind(), call.dirs.root,
                                                         call.dirs.buckets, bucket));
    if (leads_here) return {};
    TRY_ASSIGN(const format::PointerRead pointer, call.root.keys().read_pointer(bucket));
    if (pointer.kind != format::PointerRead::Kind::generation) return {};  // refreshed meanwhile
    call.findings.add(Finding::Kind::dangling, call.dirs.buckets / bucket, leads_elsewhere);
    return call.mend_bucket(bucket, [&] { return set_bucket(call, bucket, pointer.generation); });
}

}  // namespace larder::protocol
