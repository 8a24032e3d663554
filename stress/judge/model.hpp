// SPDX-License-Identifier: MIT
// The operations on one key, as what must fit together.
//
// Every version is written once, so a version that was read ties its put and its gets together. Let `first` be the earliest end
// among them and `last` the latest begin. If first < last, the version stood there from `first` to `last` at least: a hold. If
// not, all of them can be put at one instant between `last` and `first`: a fill (the zones of Gibbons and Korach, "Testing
// Shared Memories", 1997). Nothing is lost by either: in any order the put can be delayed to `first`, or to `last`, and its
// gets with it, since nothing but they stands in between.
//
// A part of a model is a *demand*: something that must be explained. The others may help to explain it (an unclear put may have
// happened). Taking demands away never makes a model worse, which is what shrink.cpp rests on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stress/judge/sweep.hpp"

namespace larder::stress {

using OpIndex = std::uint32_t;  ///< of an operation in History::operations

class RegisterModel {
public:
    /// A version that may be read. `certain`: it was written also if nobody has read it.
    std::size_t add_write(Time from, Time to, bool certain, OpIndex source);
    void add_read(std::size_t write, Time from, Time to, OpIndex source);
    void add(const BitOp& op, OpIndex source);
    void clear();

    struct Demand {
        enum class Kind : std::uint8_t { write, read, op };
        Kind kind;
        OpIndex source;
        Time from, to;
        std::size_t index;  ///< among the writes, reads or letters
    };
    [[nodiscard]] std::vector<Demand> demands() const;

    [[nodiscard]] bool has_order(BitHistory& bits);
    /// Whether these demands, and no others, can be met.
    [[nodiscard]] bool has_order(std::span<const Demand> demands, BitHistory& bits);
    /// From now on what begins later than `time` is no help either.
    void forget_after(Time time) { horizon_ = time; }

    /// The operations that may have changed the key at some instant from `from` to `to`.
    [[nodiscard]] std::vector<OpIndex> changes_between(Time from, Time to) const;
    /// The one among those which ended before `time` that ended last.
    [[nodiscard]] std::optional<OpIndex> last_change_before(Time time) const;
    [[nodiscard]] OpIndex source_of(std::size_t write) const { return writes_[write].source; }
    [[nodiscard]] OpIndex source_of_read(std::size_t read) const {
        return source_of(reads_[read].write);
    }
    [[nodiscard]] const BitOp& op(std::size_t index) const { return ops_[index].op; }

private:
    struct ModelWrite {
        Time from, to;
        bool certain, wanted;
        OpIndex source;
        Time first, last;  ///< of what is being solved
        bool is_read;
    };
    struct ModelRead {
        Time from, to;
        bool wanted;
        OpIndex source;
        std::size_t write;
    };
    struct ModelOp {
        BitOp op;
        bool wanted;
        OpIndex source;
    };

    void want(bool wanted);
    [[nodiscard]] bool solve(BitHistory& bits);
    template <class Visit>
    void for_each_change(const Visit& visit) const;

    std::vector<ModelWrite> writes_;
    std::vector<ModelRead> reads_;
    std::vector<ModelOp> ops_;
    Time horizon_ = never;
};

}  // namespace larder::stress
