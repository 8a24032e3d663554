// SPDX-License-Identifier: MIT
// One verify, as all its checks share it: the cache, what was asked for, and what was found so far.
#pragma once

#include "cache/locks.hpp"
#include "protocol/finding_list.hpp"
#include "protocol/link_census.hpp"

namespace larder::protocol {

/// What is wrong with something that stands where only a link may stand.
inline constexpr const char* blocked_by =
    "no link of this cache stands here, but something else, as after a copy that followed links; a "
    "repair moves it to deleting/";

/// See the head of this file. Whatever a check meets, it goes on: an error about one name becomes a
/// finding, and only `interrupted` ends a check.
struct VerifyCall {
    cache::Root& root;
    const VerifyOptions& options;
    const cache::CallContext& context;
    const cache::Handles& dirs = root.dirs();
    FindingList findings{};
    LinkCensus census{0, 1};  ///< of the part at work
    VerifyReport report{};    ///< its numbers; the findings are added at its end
    /// Generations that no pointer names, and that were not repaired.
    std::vector<format::Id> nameless{};

    /// Reports something that stands in the place of a directory of larder's.
    [[nodiscard]] Result<> report_no_directory(const os::Dir& parent, const std::string& name);
    /// Reports something that stands where only a retired link, or a directory or a file of
    /// larder's, may stand, unless it was reported already. A collection leaves it alone, so it
    /// would stay there forever. If a repair was asked for, moves it to `deleting/`.
    [[nodiscard]] Result<> report_blocked(const os::Dir& dir, const std::string& name,
                                          const char* what);

    /// Calls `mend` under the bucket's lock, exclusive, if a repair was asked for. If it returns
    /// false, nothing is wrong any more: takes the last finding back, which is about the bucket.
    template <class Mend>
    [[nodiscard]] Result<> mend_bucket(const std::string& bucket, Mend mend) {
        if (!options.repair) return {};
        const auto lock = cache::BucketLock::exclusive(root, bucket, context);
        TRY(lock);
        TRY_ASSIGN(const bool is_mended, mend());
        if (is_mended) {
            findings.last(1).front().repaired = true;
        } else {
            findings.take_back(1);
        }
        return {};
    }

    /// Returns whether a repair may give the owner of an entry a right that was missing.
    template <class T>
    [[nodiscard]] bool is_denied_to_repair(const Result<T>& done) const {
        return options.repair && why_of(done) == Why::denied;
    }
    /// Reports that an entry could not be read, and can be now.
    void note_readable(Error denied);
};

}  // namespace larder::protocol
