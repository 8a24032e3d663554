// SPDX-License-Identifier: MIT
// What one of the two processes does: a short program of operations on one key, run as often as it is told to.
#pragma once

#include "history.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"

namespace larder::testing {

struct OpProgram {
    std::string name;
    std::vector<Op> operations;
    bool finds_dead = false;  ///< somebody has died and is to be cleaned up after

    [[nodiscard]] bool has(Op operation) const;
};

/// What the `index`th operation of process A or B puts, if it puts.
[[nodiscard]] std::string content_by(int process, std::size_t index);

inline constexpr const char* the_key = "k";
inline constexpr const char* the_bucket = "b";

/// A tree of one file, since there are some for each schedule; of that file every byte.
void fill_small(const fs::path& tree, const std::string& content);
[[nodiscard]] std::string read_small(const Lease& lease);

/// The points at which no process stops, because what comes before such a point and what comes after it are one step for
/// everybody else: either side of it touches only what is private, or nothing at all.
[[nodiscard]] bool is_private(const std::string& point);

/// The life of a worker, which never ends by itself. Each round is
///     wait; open the cache, and join it unless the program is to adopt; say "ready"; wait
///     for each operation: do it; at each point on the way say "at POINT" and wait; say "did RESULT"; between two operations
///     stop "at next" say "at end"; wait; say "leases good" if every lease that was obtained still holds, byte for byte; wait;
///     let go of all, and close; say "closed"
void work(Child& child, const fs::path& root, const OpProgram& program, int process);

}  // namespace larder::testing
