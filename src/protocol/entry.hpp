// SPDX-License-Identifier: MIT
// An entry is `archive/<id>/{record, tree/}`. Every step reaches it by its id and never by
// following a link.
#pragma once

#include "cache/root.hpp"
#include "format/record.hpp"

namespace larder::protocol {

/// Returns true if the entry has its tree.
[[nodiscard]] Result<bool> is_complete(const cache::Root& root, const format::Id& id);

/// Returns the record of an entry. Errors: `damaged` if it is missing, cut off or changed.
[[nodiscard]] Result<format::Record> read_record(const cache::Root& root, const format::Id& id);

/// Returns the absolute path of the entry's tree.
[[nodiscard]] std::filesystem::path tree_path(const cache::Root& root, const format::Id& id);

}  // namespace larder::protocol
