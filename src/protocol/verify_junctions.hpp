// SPDX-License-Identifier: MIT
// What a verify checks of junctions: whether they lead into this cache. Each holds an absolute
// path, so none does after the root was moved, or in a copy of it. larder finds every entry all the
// same, because it reads the id alone; programs that follow a junction find nothing, or the files
// of another cache.
#pragma once

#include "protocol/verify_call.hpp"

namespace larder::protocol {

/// Reports the link of a key, which names the entry `id`, if it leads into another directory. Sets
/// it again if a repair was asked for and the key still names the entry. `dir` is the bucket's
/// directory; names are encoded. Does nothing if links are no junctions. Errors: `busy` and
/// `interrupted` from the wait for the bucket's lock; the system's.
[[nodiscard]] Result<> check_junction_of_key(VerifyCall& call, const os::Dir& dir,
                                             const std::string& bucket, const std::string& key,
                                             const format::Id& id);
/// Does the same for the pointer of a bucket. Does nothing if buckets are no pointers.
[[nodiscard]] Result<> check_junction_of_bucket(VerifyCall& call, const std::string& bucket);

}  // namespace larder::protocol
