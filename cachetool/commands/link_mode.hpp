// SPDX-License-Identifier: MIT
// The option --link-mode.
#pragma once

#include <optional>

#include <larder/materialize.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/term/failure.hpp"

namespace cachetool {

/// Returns the way in which files arrive that the user has named, or nullopt.
[[nodiscard]] Expected<std::optional<larder::LinkMode>> link_mode_of(
    const ParsedArguments& arguments);

}  // namespace cachetool
