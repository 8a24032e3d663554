// SPDX-License-Identifier: MIT
// Operations that empty a key, indexed by the time at which they may have done so. They are the
// refreshes of a bucket, as its keys see them, or the removes of a key.
//
// A refresh clears every key. A bucket of ten thousand keys that is refreshed a thousand times has
// ten million clears, and nearly all of them happen while the key is idle. Take two neighbouring
// instants at which an operation on the key begins or ends. One clear whose interval lies between
// them stands for all others whose intervals lie there (docs/judge.md, step 4).
#pragma once

#include <cstddef>
#include <vector>

#include "stress/judge/model.hpp"

namespace larder::stress {

class ClearIndex {
public:
    /// Adds a clear. It is certain if it is known to have happened.
    void add(Time from, Time to, bool certain, OpIndex source) {
        all_.push_back({from, to, certain, source});
    }
    /// Builds the index. Requires: no more are added.
    void complete();

    /// Adds to the model the clears that a key can tell apart if its operations begin and end at
    /// `instants`, which are sorted and differ.
    void select(const std::vector<Time>& instants, RegisterModel& model) const;

    /// Returns whether a clear may have taken effect at some instant from `from` to `to`.
    [[nodiscard]] bool any_between(Time from, Time to) const;

private:
    struct Clear {
        Time from, to;
        bool certain;
        OpIndex source;
    };
    /// When the clears below a node of the tree end.
    struct ClearSpan {
        Time earliest = never;
        Time earliest_certain = never;
        Time latest = 0;
    };

    /// Calls `leaf` for the clears with an index in [from, to), until `leaf` returns false. Leaves
    /// out a part of the tree if `enter` returns false for its span. Returns false if `leaf` did.
    template <class Enter, class Leaf>
    bool visit(std::size_t from, std::size_t to, const Enter& enter, const Leaf& leaf) const;
    template <class Enter, class Leaf>
    bool visit(std::size_t node, std::size_t node_from, std::size_t node_to, std::size_t from,
               std::size_t to, const Enter& enter, const Leaf& leaf) const;
    /// Returns the index of the first clear that begins after `time`.
    [[nodiscard]] std::size_t first_after(Time time) const;

    std::vector<Clear> all_;  ///< sorted by their begin
    std::vector<ClearSpan>
        tree_;  ///< over all_: the root is 1, the children of n are 2n and 2n + 1
    std::size_t width_ = 1;
};

}  // namespace larder::stress
