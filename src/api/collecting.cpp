// SPDX-License-Identifier: MIT
#include "api/collecting.hpp"

#include "policy/evict.hpp"
#include "policy/plan.hpp"
#include "protocol/collect.hpp"

namespace larder::detail {

Result<CollectReport> collect(const protocol::RootRef& root, const CollectOptions& options,
                              Call& call) {
    if (!policy::has_limits(options)) return protocol::collect(root, options, call.context());
    if (!call.has_listeners() || options.dry_run)
        return policy::collect_within_limits(root, options, call.context());
    CollectOptions told = options;
    told.on_evict = [&](const Eviction& eviction) {
        call.tell({.kind = Event::Kind::evicted,
                   .bucket = eviction.bucket,
                   .key = eviction.key,
                   .id = eviction.id,
                   .what = name_of(eviction.reason),
                   .bytes = eviction.bytes});
        if (options.on_evict) options.on_evict(eviction);
    };
    return policy::collect_within_limits(root, told, call.context());
}

}  // namespace larder::detail
