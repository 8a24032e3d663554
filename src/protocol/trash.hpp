// SPDX-License-Identifier: MIT
// The trash: the links that were taken out of their buckets, one by one (`retired/links/`) or with
// their whole bucket (`retired/buckets/`).
//
// Each of these functions goes on after an error, and returns the first one at its end. Only
// `interrupted` ends it at once.
#pragma once

#include <functional>

#include "cache/root.hpp"

namespace larder::protocol {

/// Called with the directory and the name of a link. Another process may have removed the link
/// since.
using VisitLink = std::function<Result<>(const os::Dir& dir, const std::string& name)>;
/// Called with an open bucket that was refreshed, and its name in `retired/buckets/`.
using VisitBucket = std::function<Result<>(const os::Dir& bucket, const std::string& name)>;
/// Called with the path of something that larder does not know. An error that it returns counts
/// like one of a visit.
using VisitUnknown = std::function<Result<>(std::filesystem::path path)>;

/// Visits the links that were retired one by one. A name that is no id goes to `unknown`; what
/// stands at a name that is one may still be no link.
[[nodiscard]] Result<> for_each_retired_link(const cache::Root& root, const VisitLink& visit,
                                             const VisitUnknown& unknown);
/// Visits the buckets that were refreshed. Skips a bucket that a collection has removed meanwhile.
/// What is no directory, or has no id for its name, goes to `unknown`.
[[nodiscard]] Result<> for_each_refreshed_bucket(const cache::Root& root, const VisitBucket& visit,
                                                 const VisitUnknown& unknown);
/// Visits the links of a bucket that was refreshed.
[[nodiscard]] Result<> for_each_link_of(const os::Dir& refreshed_bucket, const VisitLink& visit,
                                        const VisitUnknown& unknown);

/// Visits all links of both kinds, and passes over what larder does not know.
[[nodiscard]] Result<> for_each_link_in_trash(const cache::Root& root, const VisitLink& visit);

}  // namespace larder::protocol
