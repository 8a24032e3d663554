/* SPDX-License-Identifier: MIT */
/* Runs the part of the tests that its argument names. */
#include <stdio.h>
#include <string.h>

#include "support.h"

void test_abi(void);
void test_builds(void);
void test_callbacks(void);
void test_claims(void);
void test_content(void);
void test_entries(void);
void test_errors(void);
void test_events(void);
void test_housekeeping(void);
void test_install(void);
void test_options(void);
void test_waits(void);

static const struct {
    const char* name;
    void (*run)(void);
} parts[] = {
    {"abi", test_abi},         {"builds", test_builds},   {"callbacks", test_callbacks},
    {"claims", test_claims},   {"content", test_content}, {"entries", test_entries},
    {"errors", test_errors},   {"events", test_events},   {"housekeeping", test_housekeeping},
    {"install", test_install}, {"options", test_options}, {"waits", test_waits},
};

int main(int argc, char** argv) {
    size_t i;
    for (i = 0; i < sizeof parts / sizeof *parts; ++i) {
        if (argc != 2 || strcmp(argv[1], parts[i].name) != 0) continue;
        parts[i].run();
        remove_playground();
        return 0;
    }
    fprintf(stderr, "usage: %s PART\n", argv[0]);
    return 2;
}
