// SPDX-License-Identifier: MIT
// What the programs of this folder share. Each takes steps of the protocol as operations of several
// threads, and has mutants, which make the orders of some operations weaker.
//
// Relacy runs some threads in all orders of their operations, or in many random ones, and lets each
// load return every value that the memory model of C++ allows, however strong the machine is. It
// reports a failed assertion, a race of two plain accesses, and a wait without an end.
#pragma once

// The headers of Relacy define macros with the names of the standard library.
#include <cstring>
#include <iostream>
#include <relacy/relacy.hpp>

// As macros, these names would stand for two arguments.
#undef memory_order_relaxed
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_seq_cst

namespace larder::weak {

using rl::mo_acquire, rl::mo_relaxed, rl::mo_release, rl::mo_seq_cst;

/// A word that several processes use.
using Word = rl::atomic<unsigned>;

/// Makes a fence; none if the order is relaxed, as a mutant wants it.
inline void fence(rl::memory_order order) {
    if (order != mo_relaxed) rl::atomic_thread_fence(order, $);
}

/// Searches the random executions of a test. Prints a line, and the execution that has broken a
/// test which is no mutant. Returns whether Relacy found what is expected.
template <class Test>
bool search(const char* name, bool is_mutant, rl::iteration_t executions) {
    std::ostream silent(nullptr);
    rl::test_params params;
    params.search_type = rl::sched_random;
    params.iteration_count = executions;
    params.output_stream = params.progress_stream = &silent;
    const bool passed = rl::simulate<Test>(params);
    const bool is_right = passed != is_mutant;
    std::cout << (is_right ? passed ? "passed" : "caught" : "FAILED") << "  "
              << params.stop_iteration << " executions  " << name << std::endl;
    if (!passed && !is_mutant) {
        params.output_stream = &std::cout;
        (void)rl::simulate<Test>(params);
    }
    return is_right;
}

}  // namespace larder::weak
