// SPDX-License-Identifier: MIT
// The cache in which a schedule runs: what it is before, what must hold at every instant, and what
// must hold in the end.
#pragma once

#include <memory>
#include <optional>

#include "audit.hpp"
#include "program.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"

namespace larder::testing {

/// What the key names before the two processes begin.
enum class KeyState {
    absent,    ///< nothing; another key is in the bucket
    present,   ///< an entry that holds "old"
    dangling,  ///< an entry that does not exist, as in an incomplete copy; another key is there
    unmade,    ///< nothing, and there is no bucket: a publish makes it
};

struct WorldStart {
    KeyState key = KeyState::absent;
    bool garbage = false;  ///< a retired entry waits for collection
    /// Where a participant has died that left a staged entry and an unfinished put, without an
    /// exchange. Empty: none has.
    std::string died_at = {};
};

/// One cache, which is emptied after each schedule.
class OrderWorld {
public:
    explicit OrderWorld(WorldStart beginning);

    [[nodiscard]] const fs::path& root() const { return root_; }

    /// Makes what is there before. The participant that is to die joins, and lives until strike().
    void prepare();
    void strike();

    /// Returns the audit, which looks at the cache between any two steps.
    [[nodiscard]] CacheAudit& audit() { return audit_; }

    // The following are for the end, while both processes still hold their leases.

    /// Returns what the key holds; "" for nothing.
    [[nodiscard]] std::string read_key();
    /// Returns whether the other key, if there was one, is still there.
    [[nodiscard]] bool neighbour_stands();
    /// Collects once, and throws if verify finds anything.
    void collect_beside();

    /// Returns whether all staging areas are empty, those of dead participants too.
    [[nodiscard]] bool staging_is_empty() const;
    /// Returns whether what was garbage before is deleted.
    [[nodiscard]] bool garbage_is_gone() const;
    /// Checks the end and empties the cache. Requires: both processes have closed it. Throws if one
    /// collection leaves more than the live entries (invariant 6), or if verify finds anything.
    void conclude();

private:
    Bucket bucket();

    WorldStart beginning_;
    TempDir dir_;
    fs::path root_;
    CacheAudit audit_;
    std::optional<Cache> cache_;  ///< opened once, for the checks in the end
    std::unique_ptr<Child> victim_;
    std::string garbage_id_;
};

}  // namespace larder::testing
