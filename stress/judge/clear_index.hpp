// SPDX-License-Identifier: MIT
// Operations that empty a key, found by when they may have done so: the refreshes of a bucket, as its keys see them, or the
// removes of a key.
//
// A refresh clears every key, so a bucket of ten thousand keys that is refreshed a thousand times has ten million clears,
// nearly all of them while nothing happens to the key. Between two neighbouring instants at which an operation on the key
// begins or ends, one refresh that lies there altogether stands for all of them: whatever else takes effect there could as well
// do so before the first or after the last of them, and what came between two of them would have found the key empty, as it
// does after the last.
#pragma once

#include <cstddef>
#include <vector>

#include "stress/judge/model.hpp"

namespace larder::stress {

class ClearIndex {
public:
    /// `certain`: it happened.
    void add(Time from, Time to, bool certain, OpIndex source) {
        all_.push_back({from, to, certain, source});
    }
    /// Requires: no more are added.
    void complete();

    /// Adds to the model those that a key can tell apart whose operations begin and end at `instants`, which are in order and
    /// differ.
    void select(const std::vector<Time>& instants, RegisterModel& model) const;

    /// Whether one may have taken effect at some instant from `from` to `to`.
    [[nodiscard]] bool any_between(Time from, Time to) const;

private:
    struct Clear {
        Time from, to;
        bool certain;
        OpIndex source;
    };
    /// What is known of a stretch of them.
    struct ClearSpan {
        Time earliest = never;
        Time earliest_certain = never;
        Time latest = 0;
    };

    /// Calls `leaf` with each place in [from, to) whose Ends, and those of the stretches around it, `enter` likes; until it
    /// says no.
    template <class Enter, class Leaf>
    bool visit(std::size_t from, std::size_t to, const Enter& enter, const Leaf& leaf) const;
    template <class Enter, class Leaf>
    bool visit(std::size_t node, std::size_t node_from, std::size_t node_to, std::size_t from,
               std::size_t to, const Enter& enter, const Leaf& leaf) const;
    [[nodiscard]] std::size_t first_after(Time time) const;

    std::vector<Clear> all_;  ///< by their begin
    std::vector<ClearSpan>
        tree_;  ///< over all_: the root is 1, the children of n are 2n and 2n + 1
    std::size_t width_ = 1;
};

}  // namespace larder::stress
