// SPDX-License-Identifier: MIT
// The option --digest, which several commands take.
#pragma once

#include <larder/digest.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/term/failure.hpp"

namespace cachetool {

/// Returns the algorithm that --digest names, which is null for none; `usual` if the option is not
/// given.
[[nodiscard]] Expected<const larder::DigestAlgorithm*> digest_of(
    const ParsedArguments& arguments, const larder::DigestAlgorithm* usual);

}  // namespace cachetool
