// SPDX-License-Identifier: MIT
// The cache in which a schedule runs: how it is before, what must hold at every instant, and what must hold in the end.
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
    absent,    ///< nothing; another key stands in the bucket
    present,   ///< an entry that holds "old"
    dangling,  ///< an entry that is not there, as in a cache that was copied in part; another key stands in the bucket
};

struct WorldStart {
    KeyState key = KeyState::absent;
    bool garbage = false;  ///< a retired entry waits for collection
    bool dead = false;  ///< a participant has died that left a staged tree, and an entry in flight
};

/// One root, emptied after each schedule.
class OrderWorld {
public:
    explicit OrderWorld(WorldStart beginning);

    [[nodiscard]] const fs::path& root() const { return root_; }

    /// Makes what there is before; the participant that is to die joins, and lives until strike().
    void prepare();
    void strike();

    /// To be looked at between any two steps.
    [[nodiscard]] CacheAudit& audit() { return audit_; }

    // After both have ended, and while they hold their leases.

    /// What the key holds; "" for nothing.
    [[nodiscard]] std::string read_key();
    /// Whether the other key, if there was one, is still there.
    [[nodiscard]] bool neighbour_stands();
    /// One collection, and verify, which may find nothing.
    void collect_beside();

    /// Whether nothing is left in any staging area, of the living or the dead.
    [[nodiscard]] bool staging_is_empty() const;
    /// Whether what was garbage before has been deleted.
    [[nodiscard]] bool garbage_is_gone() const;
    /// Requires: both processes have closed the cache. Throws where one collection leaves more than the live entries (invariant
    /// 6), or verify finds anything. Then empties the root.
    void conclude();

private:
    Bucket bucket();

    WorldStart beginning_;
    TempDir dir_;
    fs::path root_;
    CacheAudit audit_;
    std::optional<Cache> cache_;  ///< open once for all that is looked at in the end
    std::unique_ptr<Child> victim_;
    std::string garbage_id_;
};

}  // namespace larder::testing
