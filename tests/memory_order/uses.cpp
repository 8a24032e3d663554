// SPDX-License-Identifier: MIT
// The ring of uses by the memory model of C++: "Uses" in docs/protocol.md. A use travels from the
// slot of its get to the ring, and from there to the time of the link, and is read in that order.
#include "weak.hpp"

namespace larder::weak {
namespace {

/// What a mutant makes weaker.
enum class Mutant {
    none,
    weak_head,
    weak_clear,
    weak_settled,
    look_without_first_fence,
    weak_read_of_head,
};

template <Mutant mutant>
struct Uses : rl::test_suite<Uses<mutant>, 3> {
    static constexpr unsigned id = 1, in_use = 1, cleared = 2;  // cleared is 0 in a table

    Word slot, use_high, use_low, head, settled;  // of the process that uses the entry
    Word time;                                    // of the link: how often it was set

    void before() {
        for (Word* word : {&slot, &use_high, &use_low, &head, &settled, &time})
            word->store(0, mo_relaxed, $);
    }

    void thread(unsigned number) {
        if (number == 0) use();
        if (number == 1) look();
        if (number == 2) plan();
    }

    static constexpr rl::memory_order weak_in(Mutant one, rl::memory_order order) {
        return mutant == one ? mo_relaxed : order;
    }

    /// A get, and the settling of its use.
    void use() {
        slot.store(in_use, mo_relaxed, $);
        fence(mo_seq_cst);
        // UseRing::write.
        use_high.store(id, mo_relaxed, $);
        use_low.store(id, mo_relaxed, $);
        head.store(1, weak_in(Mutant::weak_head, mo_release), $);
        // LeaseTable::clear.
        slot.store(cleared, weak_in(Mutant::weak_clear, mo_release), $);
        // settle_oldest_uses or settle_own_uses, and UseRing::show_settled.
        time.store(1, mo_relaxed, $);
        settled.store(1, weak_in(Mutant::weak_settled, mo_release), $);
    }

    bool names_the_entry() {
        return use_high.load(mo_relaxed, $) == id && use_low.load(mo_relaxed, $) == id;
    }

    /// The look before an eviction, by a plan that has read the head 0. If the get has ended, its
    /// use is found.
    void look() {
        const unsigned leased = slot.load(mo_relaxed, $);
        fence(weak_in(Mutant::look_without_first_fence, mo_seq_cst));
        const bool is_new = head.load(mo_relaxed, $) != 0;
        fence(weak_in(Mutant::weak_read_of_head, mo_acquire));
        const bool found = is_new && names_the_entry();
        RL_ASSERT(leased != cleared || found);
    }

    /// A plan. What counts as settled is in the time of the link, and what does not is in the ring.
    void plan() {
        const unsigned settled_now = settled.load(mo_relaxed, $);
        const unsigned head_now = head.load(mo_relaxed, $);
        fence(weak_in(Mutant::weak_read_of_head, mo_acquire));
        const bool found = head_now != settled_now && names_the_entry();
        if (head_now == 1 && settled_now == 0) RL_ASSERT(found);
        if (settled_now == 1 && !found) RL_ASSERT(time.load(mo_relaxed, $) == 1);
    }
};

}  // namespace
}  // namespace larder::weak

int main() {
    using namespace larder::weak;
    using enum Mutant;
    constexpr rl::iteration_t executions = 200'000;
    bool right = search<Uses<none>>("use, settle, look, plan", false, executions);
    right = search<Uses<weak_head>>("weak_head", true, executions) && right;
    right = search<Uses<weak_clear>>("weak_clear", true, executions) && right;
    right = search<Uses<weak_settled>>("weak_settled", true, executions) && right;
    right = search<Uses<look_without_first_fence>>("look_without_first_fence", true, executions) &&
            right;
    right = search<Uses<weak_read_of_head>>("weak_read_of_head", true, executions) && right;
    return right ? 0 : 1;
}
