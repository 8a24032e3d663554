// What is in the cache, and who uses it: looks that take no lock and write nothing.
#pragma once

#include <larder/report.hpp>
#include <layout/record.hpp>
#include <root/root.hpp>
#include <steps/place.hpp>
#include <vector>

namespace larder::steps {

[[nodiscard]] Result<std::vector<std::string>> list_buckets(const root::Root& root);
[[nodiscard]] Result<std::vector<std::string>> list_keys(const root::Root& root, const std::string& encoded_bucket);
/// What a record and a link's status tell.
[[nodiscard]] EntryInfo info_of(const root::Root& root, const layout::Id& id, layout::Record record, const struct stat& link);
[[nodiscard]] Result<EntryInfo> info(const root::Root& root, const Place& place);
[[nodiscard]] Result<StatusReport> status(const root::Root& root);

}  // namespace larder::steps
