// SPDX-License-Identifier: MIT
// The operations on one key, turned into operations on one bit (see sweep.hpp, and docs/judge.md,
// section 2).
//
// Every version is written once, so a version that was read ties its put and its gets together. Let
// `first` be the earliest end among them and `last` the latest begin. If first < last, the version
// stood there from `first` to `last` at least: a hold. If not, all of them can have taken effect at
// one instant between `last` and `first`: a fill. These are the zones of Gibbons and Korach
// ("Testing Shared Memories", 1997). The change loses nothing. In every order the put can be
// delayed to `first`, or to `last`, and its gets with it, since no other operation takes effect in
// between.
//
// Some parts of a model are *demands*: they must be explained. The other parts may help to explain
// them; an unclear put, for example, may have happened. If demands are taken away from a model that
// has an order, it still has one. shrink.cpp relies on this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stress/judge/sweep.hpp"

namespace larder::stress {

/// The index of an operation in History::operations.
using OpIndex = std::uint32_t;

class RegisterModel {
public:
    /// Adds the write of a version, and returns its index. A write that is not certain has happened
    /// only if the version was read.
    std::size_t add_write(Time from, Time to, bool certain, OpIndex source);
    /// Adds a read of that version.
    void add_read(std::size_t write, Time from, Time to, OpIndex source);
    void add(const BitOp& op, OpIndex source);
    void clear();

    struct Demand {
        enum class Kind : std::uint8_t { write, read, op };
        Kind kind;
        OpIndex source;
        Time from, to;
        std::size_t index;  ///< among the writes, the reads or the other operations
    };
    [[nodiscard]] std::vector<Demand> demands() const;

    /// Returns whether all demands can be met. `bits` lends its memory.
    [[nodiscard]] bool has_order(BitHistory& bits);
    /// Returns whether these demands can be met, if nothing else is demanded.
    [[nodiscard]] bool has_order(std::span<const Demand> demands, BitHistory& bits);
    /// Lets has_order ignore what begins after `time` and is not demanded.
    void forget_after(Time time) { horizon_ = time; }

    /// Returns the operations that may have changed the key at some instant from `from` to `to`.
    [[nodiscard]] std::vector<OpIndex> changes_between(Time from, Time to) const;
    /// Returns, of the operations that may have changed the key and ended before `time`, the one
    /// that ended last; nullopt if there is none.
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
        Time first, last;  ///< see above; of what is being solved
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
