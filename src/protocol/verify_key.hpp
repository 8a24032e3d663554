// SPDX-License-Identifier: MIT
// Checks a key: its link, and the entry that the link names.
#pragma once

#include "protocol/verify_call.hpp"

namespace larder::protocol {

/// Checks that the link of one key names a complete entry, and that the entry's record and files
/// agree with the key (invariant 1). Counts the link. Reports one finding at most, the first that
/// applies, and mends it if a repair was asked for. Errors: those that leave it open which entry
/// the link names; what can't be read of the entry is a finding.
[[nodiscard]] Result<> check_key(VerifyCall& call, const os::Dir& dir, const std::string& bucket,
                                 const std::string& key);

}  // namespace larder::protocol
