// SPDX-License-Identifier: MIT
#include "protocol/key_link.hpp"

#include "format/link.hpp"
#include "os/file_info.hpp"
#include "os/points.hpp"

namespace larder::protocol {

Result<bool> bucket_exists(const cache::Root& root, const std::string& encoded_bucket) {
    return root.keys().bucket_exists(encoded_bucket);
}

Result<bool> retire_if_locked(const cache::Root& root, const std::string& key_path,
                              const format::Id& id, format::RetiredAt when) {
    TRY_ASSIGN(const format::LinkRead link, root.keys().read(key_path));
    if (!link.names(id)) return false;
    (void)os::point("retire.checked");
    // A refresh takes no lock. It may carry the link off between the check and the rename, and has
    // then retired it itself.
    auto retired = root.retire_key(key_path, when);
    if (is_absent(retired)) return false;
    TRY(retired);
    return true;
}

Result<bool> retire_if(cache::Root& root, const KeyRef& place, const format::Id& id,
                       const cache::CallContext& context) {
    TRY_ASSIGN(const bool exists, bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    const auto lock = cache::BucketLock::exclusive(root, place.encoded_bucket, context);
    TRY(lock);
    return retire_if_locked(root, place.path, id);
}

Result<bool> retire_if_unlocked(cache::Root& root, const KeyRef& place, const format::Id& id) {
    TRY_ASSIGN(const bool exists, bucket_exists(root, place.encoded_bucket));
    if (!exists) return false;
    TRY_ASSIGN(const auto lock, cache::BucketLock::try_exclusive(root, place.encoded_bucket));
    if (!lock) return false;
    return retire_if_locked(root, place.path, id);
}

}  // namespace larder::protocol
