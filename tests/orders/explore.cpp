// SPDX-License-Identifier: MIT
#include "explore.hpp"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <stdexcept>

namespace larder::testing {

namespace {

/// A point in a schedule: the processes that could go on, and the one that did.
struct ScheduleChoice {
    std::vector<int> options;
    std::size_t taken = 0;
};

/// Returns how many words have n letters A and m letters B, but at most `limit + 1`.
std::uint64_t count_words(std::uint64_t n, std::uint64_t m, std::uint64_t limit) {
    std::uint64_t words = 1;
    for (std::uint64_t i = 1; i <= m; ++i) {
        words = words * (n + i) / i;
        if (words > limit) return limit + 1;
    }
    return words;
}

/// Keeps the driver and its two processes on one processor. Only one of them runs at a time, and
/// there each takes over from the other at once. On a busy machine this halved the time.
void stay_on_one_processor() {
#ifdef __linux__
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
    (void)::sched_setaffinity(0, sizeof here, &here);
#endif
}

class Explorer {
public:
    Explorer(ProcessDuel& duel, std::optional<unsigned> bound) : duel_(duel), bound_(bound) {}

    /// Searches depth first: changes the last choice that has another option.
    Explored run() {
        do {
            run_one();
            ++explored_.schedules;
            for (const int process : {0, 1})
                explored_.steps[process] =
                    std::max(explored_.steps[process], duel_.steps_of(process));
        } while (next());
        if (held_back_) explored_.preemptions = bound_;
        return explored_;
    }

private:
    void run_one() {
        duel_.begin();
        int current = -1;
        unsigned preemptions = 0;
        for (std::size_t depth = 0; !duel_.is_over(); ++depth) {
            if (depth == path_.size()) path_.push_back({options(current, preemptions), 0});
            const bool could_go_on = current >= 0 && duel_.is_enabled(current);
            const int chosen = go_on(path_[depth], depth < known_);
            if (chosen != current && could_go_on) ++preemptions;
            current = chosen;
        }
        duel_.conclude();
    }

    /// Returns the processes that may go on. A process that waits comes first: if it still waits
    /// nothing has happened, and the other one goes on instead.
    [[nodiscard]] std::vector<int> options(int current, unsigned preemptions) {
        std::vector<int> found;
        for (const int process : {0, 1}) {
            const bool preempts = current >= 0 && process != current && duel_.is_enabled(current);
            if (!duel_.is_enabled(process)) continue;
            if (preempts && bound_ && preemptions >= *bound_) {
                held_back_ = true;
            } else {
                found.push_back(process);
            }
        }
        std::stable_partition(found.begin(), found.end(),
                              [&](int process) { return duel_.is_waiting(process); });
        return found;
    }

    int go_on(ScheduleChoice& choice, bool known) {
        const int first = choice.options[choice.taken];
        if (duel_.step(first, known)) return first;
        const int other = 1 - first;
        choice = {{other}, 0};
        if (!duel_.step(other)) throw std::runtime_error("each waits for the other");
        return other;
    }

    bool next() {
        while (!path_.empty() && path_.back().taken + 1 == path_.back().options.size())
            path_.pop_back();
        if (path_.empty()) return false;
        ++path_.back().taken;
        known_ = path_.size() - 1;
        return true;
    }

    ProcessDuel& duel_;
    std::optional<unsigned> bound_;
    std::vector<ScheduleChoice> path_;
    std::size_t known_ = 0;   ///< as many steps are the same as in the last schedule
    bool held_back_ = false;  ///< the bound has left out an order
    Explored explored_;
};

}  // namespace

Explored explore(const ProgramPair& pairing, std::uint64_t limit, unsigned preemptions) {
    stay_on_one_processor();
    ProcessDuel duel(pairing);
    try {
        // The two orders without a preemption show how many steps there are.
        const Explored few = Explorer(duel, 0).run();
        const bool all = count_words(few.steps[0], few.steps[1], limit) <= limit;
        return Explorer(duel, all ? std::optional<unsigned>() : preemptions).run();
    } catch (const std::exception& exception) {
        throw std::runtime_error(pairing.name() + ": " + exception.what() +
                                 "\nto run it again: LARDER_TEST_ORDER='" + pairing.name() + ", " +
                                 duel.word() + "' order_tests '[.order]'\n" + duel.story());
    }
}

std::string replay(const ProgramPair& pairing, const std::string& word) {
    ProcessDuel duel(pairing);
    try {
        duel.begin();
        int current = 0;
        for (std::size_t i = 0; !duel.is_over(); ++i) {
            const int wanted = i < word.size() ? word[i] - 'A' : current;
            current = duel.is_enabled(wanted) ? wanted : 1 - wanted;
            if (!duel.step(current) && !duel.step(current = 1 - current))
                throw std::runtime_error("each waits for the other");
        }
        duel.conclude();
    } catch (const std::exception& exception) {
        throw std::runtime_error(std::string(exception.what()) + "\n" + duel.story());
    }
    return duel.story();
}

}  // namespace larder::testing
