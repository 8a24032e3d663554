// SPDX-License-Identifier: MIT
// What a destroy may delete, and what it refuses.
#pragma once

#include <optional>
#include <string>

#include "os/dir.hpp"

namespace larder::protocol {

/// Returns the error of a directory that is not destroyed. `why` says what to do, too.
[[nodiscard]] tl::unexpected<Error> refuse_destroy(const std::filesystem::path& path,
                                                   std::string why);

/// Returns the text of `format`; nullopt if nothing stands there; an empty text if what stands
/// there is no `format`, such as a link. Errors: those of reading it, because what it says must
/// be put back if a process uses the cache.
[[nodiscard]] Result<std::optional<std::string>> read_format_text(const os::Dir& root);

/// Refuses what is no cache, what another user or a newer larder has made, and a root that
/// holds files of others. Errors: `refused`.
[[nodiscard]] Result<> check_destroyable(const os::Dir& root);

/// Refuses while a staging area names a tree that a failed publish could not give back to its
/// owner: see Stage::give_back.
[[nodiscard]] Result<> check_kept(const os::Dir& root);

}  // namespace larder::protocol
