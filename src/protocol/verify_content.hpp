// SPDX-License-Identifier: MIT
// Verify content: compares live entries with their manifests, digests included, one by one.
#pragma once

#include <larder/report.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Checks the contents of live entries. See Cache::verify_content. `encoded_buckets` are the names
/// of the buckets' directories; none means all of them.
[[nodiscard]] Result<ContentReport> verify_content(const RootRef& root,
                                                   const std::vector<std::string>& encoded_buckets,
                                                   const ContentOptions& options,
                                                   const cache::CallContext& context);

}  // namespace larder::protocol
