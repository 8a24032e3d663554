// SPDX-License-Identifier: MIT
// Get, remove and collect by the memory model of C++: "Why a lease holds" in docs/protocol.md.
//
// A key's link is a word: the id that it names, or 0. The kernel renames a link under locks that a
// listing takes, too. A lookup takes none, so it may come from a state before the rename.
#include "weak.hpp"

namespace larder::weak {
namespace {

/// What a mutant makes weaker.
enum class Mutant { none, no_fence_in_get, no_fence_in_collect, weak_clear, weak_look, link_first };

template <Mutant mutant>
struct Lease : rl::test_suite<Lease<mutant>, 3> {
    static constexpr unsigned old_id = 1, new_id = 2;

    Word link;              // of the key
    Word retired[3];        // by id: whether `retired/links` has its link
    Word high, low;         // the slot of the getter
    rl::var<int> files[3];  // by id: the entry's files, which a collection deletes

    void before() {
        link.store(old_id, mo_relaxed, $);
        high.store(0, mo_relaxed, $);
        low.store(0, mo_relaxed, $);
        for (unsigned id = 1; id < 3; ++id) {
            retired[id].store(0, mo_relaxed, $);
            files[id]($) = 1;
        }
    }

    void thread(unsigned number) {
        if (number == 0) get();
        if (number == 1) replace_and_remove();
        if (number == 2) collect();
    }

    void store_in_slot(unsigned id) {
        high.store(id, mo_relaxed, $);
        low.store(id, mo_relaxed, $);
        fence(mutant == Mutant::no_fence_in_get ? mo_relaxed : mo_seq_cst);
    }

    /// LeaseTable::store, and confirm in protocol/get.cpp.
    void get() {
        unsigned id = old_id;  // a guess
        unsigned seen = 0;
        if (mutant == Mutant::link_first) seen = link.load(mo_acquire, $);
        for (;;) {
            store_in_slot(id);
            if (mutant != Mutant::link_first) seen = link.load(mo_acquire, $);
            if (seen == id || seen == 0) break;
            id = seen;
        }
        if (seen == id) RL_ASSERT(files[id]($) == 1);
        // LeaseTable::clear.
        const auto order = mutant == Mutant::weak_clear ? mo_relaxed : mo_release;
        high.store(0, order, $);
        low.store(0, order, $);
    }

    /// Two renames, each of which takes a link out of its bucket and into retired/ in one step that
    /// a listing sees whole.
    void replace_and_remove() {
        link.store(new_id, mo_release, $);
        retired[old_id].store(1, mo_release, $);
        link.store(0, mo_release, $);
        retired[new_id].store(1, mo_release, $);
    }

    /// Steps 4 and 5 of a collection.
    void collect() {
        unsigned listed[3] = {};
        for (unsigned id = 1; id < 3; ++id) listed[id] = retired[id].load(mo_acquire, $);
        fence(mutant == Mutant::no_fence_in_collect ? mo_relaxed : mo_seq_cst);
        const unsigned leased_high = high.load(mo_relaxed, $);
        const unsigned leased_low = low.load(mo_relaxed, $);
        fence(mutant == Mutant::weak_look ? mo_relaxed : mo_acquire);
        for (unsigned id = 1; id < 3; ++id) {
            if (listed[id] == 1 && (leased_high != id || leased_low != id)) files[id]($) = 0;
        }
    }
};

}  // namespace
}  // namespace larder::weak

int main() {
    using namespace larder::weak;
    using enum Mutant;
    constexpr rl::iteration_t executions = 200'000;
    bool right = search<Lease<none>>("get, replace, remove, collect", false, executions);
    right = search<Lease<no_fence_in_get>>("no_fence_in_get", true, executions) && right;
    right = search<Lease<no_fence_in_collect>>("no_fence_in_collect", true, executions) && right;
    right = search<Lease<weak_clear>>("weak_clear", true, executions) && right;
    right = search<Lease<weak_look>>("weak_look", true, executions) && right;
    right = search<Lease<link_first>>("link_first", true, executions) && right;
    return right ? 0 : 1;
}
