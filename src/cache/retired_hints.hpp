// SPDX-License-Identifier: MIT
// Where this process has seen the links of retired entries, so that a caller that restores many
// entries does not read all links of the trash for each of them.
#pragma once

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "format/id.hpp"

namespace larder::cache {

/// For each entry in the trash, the name of the link in `retired/links/` that named it when this
/// process last read all links. A name is only a guess, because its link may be gone by now. A
/// caller reads the link before it relies on the name. If the guess is wrong or missing, the caller
/// looks at all links again. Thread-safe.
class RetiredHints {
public:
    /// The id of an entry, and the name of the link to it.
    using Hint = std::pair<format::Id, format::Id>;

    /// Returns whether the caller, which is about to read all links, should bring them: false at
    /// the first call, because a process that restores one entry needs no memory for all.
    [[nodiscard]] bool begin_search() noexcept;
    /// Replaces all hints by these, in any order.
    void replace(std::vector<Hint> hints);
    /// Returns the name of the link to this entry; nullopt if there is no hint.
    [[nodiscard]] std::optional<format::Id> name_of(const format::Id& entry) const;

private:
    // No forked child waits for it: a restore comes here before its first callback.
    mutable std::mutex mutex_;
    bool was_searched_ = false;
    std::vector<Hint> hints_;  // ordered
};

}  // namespace larder::cache
