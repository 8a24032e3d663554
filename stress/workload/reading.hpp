// SPDX-License-Identifier: MIT
// Leases entries and reads them, for several workloads.
#pragma once

#include "stress/workload/recorded.hpp"

namespace larder::stress {

/// Leases the entry of a key, and records a get with its version. Returns nullopt if there is no
/// entry.
[[nodiscard]] std::optional<HeldEntry> lease(Actor& actor, std::uint32_t bucket, std::uint32_t key);

/// Ends `operation`, a get or a build that has succeeded, with the version of the leased entry.
/// Returns nullopt if the tree does not say which version it is.
[[nodiscard]] std::optional<HeldEntry> end_with_lease(Actor& actor, RecordedOp& operation,
                                                      Lease lease, std::uint32_t bucket,
                                                      std::uint32_t key);

/// Reads every byte of a leased entry, and records a use.
void use(Actor& actor, const HeldEntry& held);

/// Ends `operation` with the result of reading `tree`, which is the leased entry or a copy of it:
/// broken if it is not what was put.
void end_with_reading(Actor& actor, RecordedOp& operation, const HeldEntry& held,
                      const std::filesystem::path& tree);

/// Deletes a tree of the harness, with its read-only directories.
void discard_tree(const std::filesystem::path& tree);

}  // namespace larder::stress
