// SPDX-License-Identifier: MIT
// Leasing and reading, as several workloads do it.
#pragma once

#include "os/error.hpp"
#include "stress/workload/recorded.hpp"

namespace larder::stress {

/// Leases the entry of a key, and writes that down with the version that it is. Nothing where there is none.
[[nodiscard]] std::optional<HeldEntry> lease(Actor& actor, std::uint32_t bucket, std::uint32_t key);

/// What was leased by a get or a build that has just succeeded: ends `operation` with the version that it is.
[[nodiscard]] std::optional<HeldEntry> end_with_lease(Actor& actor, RecordedOp& operation,
                                                      Lease lease, std::uint32_t bucket,
                                                      std::uint32_t key);

/// Reads every byte of it, and writes that down: broken, where it is not what was put.
void use(Actor& actor, const HeldEntry& held);

/// The same for a copy of it, which lies at `tree`.
void end_with_reading(Actor& actor, RecordedOp& operation, const HeldEntry& held,
                      const std::filesystem::path& tree);

/// Deletes a tree of the harness's own, directories that can't be written to included.
void discard_tree(const std::filesystem::path& tree);

}  // namespace larder::stress
