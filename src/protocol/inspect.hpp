// SPDX-License-Identifier: MIT
// Lists what is in the cache and who uses it. These functions take no lock and write nothing.
#pragma once

#include <functional>
#include <vector>

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/record.hpp"
#include "protocol/key_ref.hpp"

namespace larder::protocol {

/// Lists the names of the buckets, as their callers wrote them.
[[nodiscard]] Result<std::vector<std::string>> list_buckets(const cache::Root& root);
/// Lists the keys of a bucket, as their callers wrote them.
[[nodiscard]] Result<std::vector<std::string>> list_keys(const cache::Root& root,
                                                         const std::string& encoded_bucket);
/// Calls `visit` for each key of a bucket until it returns false. Passes over a long key whose
/// record cannot be read, because only the record has all of the key. A bucket that does not exist
/// has no keys.
[[nodiscard]] Result<> visit_keys(const cache::Root& root, const std::string& encoded_bucket,
                                  const std::function<bool(const std::string& key)>& visit);
/// Lists the entries that retired links name. Any of them may be collected at any time, or be
/// leased.
[[nodiscard]] Result<std::vector<EntryInfo>> list_trash(const cache::Root& root);
/// Calls `visit` for each of these entries until it returns false. Goes on after an error, such
/// as that of a record which cannot be read, and returns the first one at its end.
[[nodiscard]] Result<> visit_trash(const cache::Root& root,
                                   const std::function<bool(const EntryInfo& entry)>& visit);
/// Returns what the record of the entry `id`, and the status of the link that names it, say.
[[nodiscard]] EntryInfo info_of(const cache::Root& root, const format::Id& id,
                                format::Record record, const os::FileInfo& link);
/// Returns what is known of the entry of a key. If the link is replaced and its entry collected
/// meanwhile, looks again. If a lease table can't be read, the uses in it are not known, and
/// `last_used` is what the link says. Errors: `miss` if the key names no complete entry; `damaged`
/// if the entry has no good record.
[[nodiscard]] Result<EntryInfo> info(const cache::Root& root, const KeyRef& place);
/// Calls `visit` for each entry of these buckets, one bucket after the other, until it returns
/// false. Reads the lease tables once, at the beginning: an entry that is used later has the use
/// before that. Passes over a key that has no entry any more. Goes on after an error, and returns
/// the first one at its end. Errors: `invalid` for a name that no bucket can have.
[[nodiscard]] Result<> visit_entries(const cache::Root& root,
                                     const std::vector<std::string>& buckets,
                                     const std::function<bool(const VisitedEntry& entry)>& visit);
/// Returns which processes use the cache now, and their leases and locks. The tables are read one
/// after the other, so the report is no picture of one instant. A table that cannot be read is
/// reported, and is no error.
[[nodiscard]] Result<StatusReport> status(const cache::Root& root);

}  // namespace larder::protocol
