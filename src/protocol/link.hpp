// SPDX-License-Identifier: MIT
// Link: makes a path outside of the cache a symlink to the tree of an entry, and a root, by which
// the entry is kept for as long as the path leads there.
#pragma once

#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Makes `destination` a symlink to the tree of a key's entry: see Cache::link. In this order: gets
/// the key, which leases its entry; writes the root; makes the symlink; lets the lease go.
[[nodiscard]] Result<> link_path(const RootRef& root, const KeyRef& place,
                                 const std::filesystem::path& destination,
                                 const LinkOptions& options, const cache::CallContext& context);

/// Removes the symlink that link has made at `destination`, and then its roots: see Cache::unlink.
[[nodiscard]] Result<> unlink_path(const cache::Root& root,
                                   const std::filesystem::path& destination);

}  // namespace larder::protocol
