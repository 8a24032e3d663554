// SPDX-License-Identifier: MIT
// An entry, `archive/<id>/{record, tree/}`, as all steps look at it: by its id, never by following a link.
#pragma once

#include "cache/root.hpp"
#include "format/record.hpp"

namespace larder::protocol {

/// Whether the entry has its tree.
[[nodiscard]] Result<bool> is_complete(const cache::Root& root, const format::Id& id);

/// Errors: `damaged` where the record is missing, cut off or changed.
[[nodiscard]] Result<format::Record> read_record(const cache::Root& root, const format::Id& id);

[[nodiscard]] std::filesystem::path tree_path(const cache::Root& root, const format::Id& id);

}  // namespace larder::protocol
