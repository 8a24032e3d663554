// An entry, `archive/<id>/{record, tree/}`, as all steps look at it: by its id, never by following a link.
#pragma once

#include <layout/record.hpp>
#include <root/root.hpp>

namespace larder::steps {

/// Whether the entry has its tree.
[[nodiscard]] Result<bool> is_complete(const root::Root& root, const layout::Id& id);

/// Errors: `damaged` where the record is missing, cut off or changed.
[[nodiscard]] Result<layout::Record> read_record(const root::Root& root, const layout::Id& id);

[[nodiscard]] std::filesystem::path tree_path(const root::Root& root, const layout::Id& id);

}  // namespace larder::steps
