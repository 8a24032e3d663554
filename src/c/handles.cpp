// SPDX-License-Identifier: MIT
#include "c/handles.hpp"

larder_stop* larder_stop_new(void) {
    larder_stop* made = nullptr;
    larder::c::guarded("stop", nullptr, [&]() -> larder::Result<> {
        made = new larder_stop;
        return {};
    });
    return made;
}

void larder_stop_request(larder_stop* stop) {
    if (stop != nullptr) stop->source.request_stop();
}

void larder_stop_free(larder_stop* stop) { delete stop; }

void larder_cache_close(larder_cache* cache) { delete cache; }
void larder_bucket_free(larder_bucket* bucket) { delete bucket; }
void larder_lease_free(larder_lease* lease) { delete lease; }

void larder_staging_free(larder_staging* staging) {
    if (staging != nullptr && !staging->is_lent()) delete staging;
}
