// SPDX-License-Identifier: MIT
// The rings of uses of all participants, as another process reads them. A use travels from the slot
// of its get to the ring, and from there to the time of the link. A process that reads in this
// order misses none: slots, rings, times.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/noted_errors.hpp"
#include "cache/participant.hpp"

namespace larder::cache {

/// What stood in the rings of all participants at one look, and which uses come after it.
class Rings {
public:
    /// Reads the rings of all tables, also of dead participants. Takes no lock. A copy is passed
    /// over, because its uses belong to another cache. A table that can't be read, or is none,
    /// hides no other: see unopened. A directory that is not open has no tables.
    [[nodiscard]] static Rings read(const os::Dir& participants);

    /// Returns an error for each table that could not be opened, and that of listing them. A table
    /// that was opened, and that this version does not understand, has no uses.
    [[nodiscard]] const NotedErrors& unopened() const noexcept { return unopened_; }

    /// Returns whether a use of the entry stood in a ring, and was not settled.
    [[nodiscard]] bool has(const format::Id& id) const;
    /// Returns the ids of all such uses, each once.
    [[nodiscard]] const std::vector<format::Id>& uses() const noexcept { return uses_; }

    /// Writes into each table that the uses which stood in its ring are settled. From then on its
    /// process writes another use of the same entry anew. Requires: they were settled, and the
    /// caller has the collector's lock.
    void mark_settled(const os::Dir& participants) const;

    /// Returns whether the entry was used after the look. Requires: if the slots are read too, they
    /// were read before. Errors: those of reading the tables; then it may have been used.
    [[nodiscard]] Result<bool> used_since(const os::Dir& participants, const format::Id& id) const;

private:
    std::map<std::uint32_t, std::uint64_t> heads_;  // by the numbers of the tables
    std::set<std::uint32_t> unsettled_;             // the tables with uses that are not settled
    std::vector<format::Id> uses_;                  // sorted: a set would need four times as much
    NotedErrors unopened_;
};

}  // namespace larder::cache
