// SPDX-License-Identifier: MIT
// The option --durability, which several commands take.
#pragma once

#include <larder/options.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/term/failure.hpp"

namespace cachetool {

/// Returns the value of --durability, or `usual` if it is not given.
[[nodiscard]] Expected<larder::Durability> durability_of(const ParsedArguments& arguments,
                                                         larder::Durability usual);

}  // namespace cachetool
