// SPDX-License-Identifier: MIT
// The functions of a lease.
#include <larder/lease.hpp>

#include "c/handles.hpp"

using namespace larder;

void larder_lease_free(larder_lease* lease) { delete lease; }

const char* larder_lease_path(const larder_lease* lease) {
    return lease != nullptr ? lease->path.c_str() : nullptr;
}
const char* larder_lease_id(const larder_lease* lease) {
    return lease != nullptr ? lease->id.c_str() : nullptr;
}
int larder_lease_is_protected(const larder_lease* lease) {
    return lease != nullptr && lease->lease.is_protected() ? 1 : 0;
}

larder_code larder_lease_metadata(larder_lease* lease, const char** metadata, size_t* size,
                                  larder_error** error) {
    return c::guarded("read metadata", error,
                      {{"lease", lease}, {"metadata", metadata}, {"size", size}},
                      [&]() -> Result<> {
                          TRY_ASSIGN(lease->metadata, lease->lease.metadata());
                          *metadata = lease->metadata.c_str();
                          *size = lease->metadata.size();
                          return {};
                      });
}

larder_code larder_lease_keep_across_exec(larder_lease* lease, larder_error** error) {
    return c::guarded("keep lease across exec", error, {{"lease", lease}},
                      [&] { return lease->lease.keep_across_exec(); });
}
