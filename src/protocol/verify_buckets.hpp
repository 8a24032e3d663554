// SPDX-License-Identifier: MIT
// Checks what stands at the names of buckets: their pointers, and the generations that these name.
#pragma once

#include "protocol/verify_call.hpp"

namespace larder::protocol {

/// If buckets are pointers: checks the names in `generations/`, and that one pointer names each
/// generation (invariant 2). With a repair, gives a generation without a pointer one in
/// `retired/buckets/`; retires a bucket's pointer that leads nowhere; and of several pointers to
/// one generation unlinks those in `retired/buckets/`, but leaves one in any case.
[[nodiscard]] Result<> check_generations(VerifyCall& call);

/// Reports what stands at the name of a bucket and is none, so that nothing can be published there.
/// If a repair was asked for, moves it to `deleting/`.
[[nodiscard]] Result<> report_no_bucket(VerifyCall& call, const std::string& bucket);

/// Reports the pointer of a bucket if it is not whole, as after a power cut. Moves it to
/// `deleting/` if a repair was asked for. (One that leads nowhere is reported by
/// check_generations.)
[[nodiscard]] Result<> check_broken_pointer(VerifyCall& call, const std::string& bucket);

}  // namespace larder::protocol
