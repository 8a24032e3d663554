/* SPDX-License-Identifier: MIT */
/* Memory that runs out when a test says so, for tests in C and C++.
 *
 * A program that is linked with this has a malloc of its own in place of glibc's, for operator new
 * and for all its libraries. The tool needs glibc, and does not work with sanitizers, which have a
 * malloc of their own. */
#ifndef LARDER_TESTS_FAILING_MEMORY_H
#define LARDER_TESTS_FAILING_MEMORY_H

#ifdef __cplusplus
extern "C" {
#endif

/* Which allocations fail. */
typedef enum failing_memory_mode {
    FAIL_ONCE,     /* one: memory was short for a moment */
    FAIL_FROM_NOW, /* that one and all later ones: memory has run out */
} failing_memory_mode;

/* From now on `successes` allocations succeed, whichever threads make them. The next one fails. */
void failing_memory_begin(long successes, failing_memory_mode mode);

/* From now on all allocations succeed. Returns how many have failed. */
long failing_memory_end(void);

#ifdef __cplusplus
}
#endif

#endif
