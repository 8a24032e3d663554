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

using Place = std::uint32_t;  ///< of an operation in History::operations

class Model {
public:
    /// A version that may be read. `certain`: it was written also if nobody has read it.
    std::size_t add_write(Time from, Time to, bool certain, Place source);
    void add_read(std::size_t write, Time from, Time to, Place source);
    void add(const Letter& letter, Place source);
    void clear();

    struct Demand {
        enum class Kind : std::uint8_t { write, read, letter };
        Kind kind;
        Place source;
        Time from, to;
        std::size_t index;  ///< among the writes, reads or letters
    };
    [[nodiscard]] std::vector<Demand> demands() const;

    [[nodiscard]] bool has_order(Puzzle& puzzle);
    /// Whether these demands, and no others, can be met.
    [[nodiscard]] bool has_order(std::span<const Demand> demands, Puzzle& puzzle);
    /// From now on what begins later than `time` is no help either.
    void forget_after(Time time) { horizon_ = time; }

    /// The operations that may have changed the key at some instant from `from` to `to`.
    [[nodiscard]] std::vector<Place> changes_between(Time from, Time to) const;
    /// The one among those which ended before `time` that ended last.
    [[nodiscard]] std::optional<Place> last_change_before(Time time) const;
    [[nodiscard]] Place source_of(std::size_t write) const { return writes_[write].source; }
    [[nodiscard]] Place source_of_read(std::size_t read) const {
        return source_of(reads_[read].write);
    }
    [[nodiscard]] const Letter& letter(std::size_t index) const { return letters_[index].letter; }

private:
    struct Write {
        Time from, to;
        bool certain, wanted;
        Place source;
        Time first, last;  ///< of what is being solved
        bool is_read;
    };
    struct Read {
        Time from, to;
        bool wanted;
        Place source;
        std::size_t write;
    };
    struct Other {
        Letter letter;
        bool wanted;
        Place source;
    };

    void want(bool wanted);
    [[nodiscard]] bool solve(Puzzle& puzzle);
    template <class Visit>
    void for_each_change(const Visit& visit) const;

    std::vector<Write> writes_;
    std::vector<Read> reads_;
    std::vector<Other> letters_;
    Time horizon_ = never;
};

}  // namespace larder::stress
