// SPDX-License-Identifier: MIT
// Two processes that go on one step at a time, each to its next point, in whatever order they are told.
#pragma once

#include <array>
#include <memory>

#include "program.hpp"
#include "world.hpp"

namespace larder::testing {

/// Two programs and the cache they begin with.
struct ProgramPair {
    OpProgram a, b;
    KeyState key = KeyState::present;

    [[nodiscard]] std::string name() const;
};

class ProcessDuel {
public:
    explicit ProcessDuel(const ProgramPair& pairing);

    void begin();

    /// Whether process 0 or 1 can go on: it has not ended, and does not wait for a lock which the other one has had no step to
    /// let go of.
    [[nodiscard]] bool is_enabled(int process) const;
    [[nodiscard]] bool is_waiting(int process) const { return sides_[index(process)].waiting; }
    [[nodiscard]] bool is_over() const { return sides_[0].ended && sides_[1].ended; }

    /// Lets it go on to its next point. False where it waited for a lock, and waits still: nothing has happened then.
    /// Throws where an invariant is broken, where somebody waits who must not (invariant 7), or waits for a process that has
    /// ended.
    /// `known` says that an earlier run has come here by the same steps, so that a glance at the invariants will do.
    [[nodiscard]] bool step(int process, bool known = false);

    /// After both have ended. Throws where the results can't be, a lease does not hold, or anything is left.
    void conclude();

    [[nodiscard]] const std::string& word() const { return word_; }
    /// One line for each step, and one for each operation.
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
