// SPDX-License-Identifier: MIT
// Carries a tree from one directory to another: walks the tree, and transfers each file, symlink
// and directory by clone, hard link or copy (transfer.hpp). Staging::copy_from, restore and
// materialize use this.
#pragma once

#include <larder/materialize.hpp>

#include "os/file.hpp"
#include "tree/transfer.hpp"

namespace larder::tree {

/// Makes `destination` hold what `source` holds. larder::materialize is this call with its paths
/// checked, and has the contract. `sight` says whether other processes see the destination.
/// `refusal` says what it is if the destination refuses a mode or a time.
[[nodiscard]] Result<MaterializeReport> carry(const os::Dir& source, const os::Dir& destination,
                                              const MaterializeOptions& options,
                                              Sight sight = Sight::seen,
                                              os::Refusal refusal = os::Refusal::is_error);

/// Transfers the one file `name` of `source` into `destination`, which other processes see.
[[nodiscard]] Result<MaterializeReport> carry_file(const os::Dir& source, const std::string& name,
                                                   const os::Dir& destination,
                                                   const MaterializeOptions& options);

}  // namespace larder::tree
