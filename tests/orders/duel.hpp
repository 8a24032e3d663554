// SPDX-License-Identifier: MIT
// Two processes that go on one step at a time, each to its next point, in any order that a test
// chooses.
#pragma once

#include <array>
#include <memory>

#include "program.hpp"
#include "world.hpp"

namespace larder::testing {

/// Two programs, and what the key is when they begin.
struct ProgramPair {
    OpProgram a, b;
    KeyState key = KeyState::present;

    [[nodiscard]] std::string name() const;
};

class ProcessDuel {
public:
    explicit ProcessDuel(const ProgramPair& pairing);

    void begin();

    /// Returns whether process 0 or 1 can go on. It can't if it has ended, or if it waits for a
    /// lock and the other process has made no step since.
    [[nodiscard]] bool is_enabled(int process) const;
    [[nodiscard]] bool is_waiting(int process) const { return sides_[index(process)].waiting; }
    [[nodiscard]] bool is_over() const { return sides_[0].ended && sides_[1].ended; }

    /// Lets a process go on to its next point. Returns false if it waited for a lock and still
    /// waits: then nothing has happened. `known` says that an earlier run has come here by the same
    /// steps, so that a glance at the invariants is enough. Throws if an invariant is broken, if a
    /// process waits that must not (invariant 7), or if it waits for a process that has ended.
    [[nodiscard]] bool step(int process, bool known = false);

    /// Checks the end. Requires: both have ended. Throws if the results are impossible, if a lease
    /// does not hold, or if anything is left over.
    void conclude();

    /// Returns the steps so far as a word over A and B.
    [[nodiscard]] const std::string& word() const { return word_; }
    /// Returns a line for each step and for each operation.
    [[nodiscard]] std::string story() const;
    [[nodiscard]] unsigned steps_of(int process) const { return sides_[index(process)].steps; }

private:
    struct DuelSide {
        std::unique_ptr<Child> child;
        bool ended = false, waiting = false, other_has_moved = false;
        unsigned steps = 0;
        std::size_t operation = 0;
        bool in_operation = false;
        unsigned begun = 0;
    };
    static std::size_t index(int process) { return static_cast<std::size_t>(process); }
    [[nodiscard]] const OpProgram& program(int process) const {
        return process == 0 ? pairing_.a : pairing_.b;
    }
    [[nodiscard]] Op operation(int process) const {
        return program(process).operations[sides_[index(process)].operation];
    }
    std::string listen(int process);
    void record(int process, const std::string& result);

    ProgramPair pairing_;
    OrderWorld world_;
    std::array<DuelSide, 2> sides_;
    unsigned now_ = 0;
    std::string word_;
    std::vector<std::string> lines_;
    std::vector<TimedOp> history_;
};

}  // namespace larder::testing
