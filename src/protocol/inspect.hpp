// SPDX-License-Identifier: MIT
// What is in the cache, and who uses it: looks that take no lock and write nothing.
#pragma once

#include <vector>

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/record.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

[[nodiscard]] Result<std::vector<std::string>> list_buckets(const cache::Root& root);
[[nodiscard]] Result<std::vector<std::string>> list_keys(const cache::Root& root,
                                                         const std::string& encoded_bucket);
/// Lists the entries that retired links name. Any of them may be collected at any time, or be leased.
[[nodiscard]] Result<std::vector<EntryInfo>> list_trash(const cache::Root& root);
/// What a record and a link's status tell.
[[nodiscard]] EntryInfo info_of(const cache::Root& root, const format::Id& id,
                                format::Record record, const os::FileInfo& link);
[[nodiscard]] Result<EntryInfo> info(const cache::Root& root, const KeyRef& place);
[[nodiscard]] Result<StatusReport> status(const cache::Root& root);

}  // namespace larder::protocol
