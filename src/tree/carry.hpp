// SPDX-License-Identifier: MIT
// Carries a tree from one directory to another: by clone, hard link or copy.
#pragma once

#include <larder/materialize.hpp>

#include "os/file.hpp"

namespace larder::tree {

/// Afterwards `destination` holds what `source` holds; see larder::materialize, which is this with its paths checked.
[[nodiscard]] Result<MaterializeReport> carry(const os::Dir& source, const os::Dir& destination,
                                              const MaterializeOptions& options);

/// Carries the one file `name` of `source` into `destination`.
[[nodiscard]] Result<MaterializeReport> carry_file(const os::Dir& source, const std::string& name,
                                                   const os::Dir& destination,
                                                   const MaterializeOptions& options);

}  // namespace larder::tree
