// SPDX-License-Identifier: MIT
// Checks the names that belong to no bucket and to no entry.
#pragma once

#include "protocol/verify_call.hpp"

namespace larder::protocol {

/// Checks that the root and `retired/` hold only names that larder knows, and that the tag and
/// `.gitignore` are files.
[[nodiscard]] Result<> check_root(VerifyCall& call);

/// Checks the names in `participants/`, and reports each table that cannot be read. Frees such a
/// table if a repair was asked for.
[[nodiscard]] Result<> check_participants(VerifyCall& call);

/// Checks that `pins/` holds only directories of buckets, with files of keys. A pin may belong to a
/// key that has no entry.
[[nodiscard]] Result<> check_pins(VerifyCall& call);

/// Checks that `roots/` holds only roots of entries that are there, and that each can be read. A
/// repair removes what can't be read as a root, and the roots of an entry that is gone.
[[nodiscard]] Result<> check_roots(VerifyCall& call);

/// Checks that `boots/` holds only files of boots.
[[nodiscard]] Result<> check_boots(VerifyCall& call);

}  // namespace larder::protocol
