// SPDX-License-Identifier: MIT
// What one of the two processes does: a short program of operations on one key, which it runs as
// often as it is told to.
#pragma once

#include "history.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"

namespace larder::testing {

struct OpProgram {
    std::string name;
    std::vector<Op> operations;
    /// A process has died at this point, and left what must be cleaned up. Empty: none has.
    std::string died_at = {};
    bool lacks_exchange = false;  ///< no two names can be exchanged

    [[nodiscard]] bool finds_dead() const { return !died_at.empty(); }

    [[nodiscard]] bool has(Op operation) const;
};

/// Returns what a put puts that is operation `index` of process A or B.
[[nodiscard]] std::string content_by(int process, std::size_t index);

inline constexpr const char* the_key = "k";
inline constexpr const char* the_bucket = "b";

/// Fills a tree with one file, and reads it. Trees are small, since every schedule makes some.
void fill_small(const fs::path& tree, const std::string& content);
[[nodiscard]] std::string read_small(const Lease& lease);

/// Returns whether no process stops at a point. For other processes, what comes before such a point
/// and what comes after it are one step, because one of the two touches only what is private, or
/// nothing.
[[nodiscard]] bool is_private(const std::string& point);

/// Lives the life of a worker, which never ends by itself. Each round is:
///     1. Wait. Open the cache, and join it unless the program is to adopt. Say "ready" and wait.
///     2. For each operation: do it, and at each point on the way say "at POINT" and wait. Say "did
///        RESULT". Between two operations say "at next" and wait.
///     3. Say "at end" and wait. Say "leases good" if every lease that was obtained still holds,
///        byte for byte, and wait.
///     4. Release everything and close the cache. Say "closed".
void work(Child& child, const fs::path& root, const OpProgram& program, int process);

}  // namespace larder::testing
