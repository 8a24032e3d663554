/* SPDX-License-Identifier: MIT */
/* What every test of the C interface needs: a directory to work in, files, and checks. */
#ifndef LARDER_TESTS_C_SUPPORT_H
#define LARDER_TESTS_C_SUPPORT_H

#include <larder/larder.h>

/* Ends the program if the condition is false, and prints where. */
#define CHECK(condition)                                              \
    do {                                                              \
        if (!(condition)) fail_check(__FILE__, __LINE__, #condition); \
    } while (0)
#define CHECK_TEXT(expected, actual) check_text(__FILE__, __LINE__, #actual, (expected), (actual))
#define CHECK_NUMBER(expected, actual) \
    check_number(__FILE__, __LINE__, #actual, (long long)(expected), (long long)(actual))

/* Checks that a call returns LARDER_OK. The call must have been given `&error`. */
#define WORKS(call) check_code(__FILE__, __LINE__, #call, LARDER_OK, (call), &error)
/* Checks that a call returns `code` and an error with this code. Frees the error. */
#define FAILS(code, call) check_code(__FILE__, __LINE__, #call, (code), (call), &error)
/* Also checks that the message of the error contains `words`. */
#define FAILS_SAYING(code, words, call) \
    check_message(__FILE__, __LINE__, #call, (code), (call), &error, (words))

void fail_check(const char* file, int line, const char* what);
void check_text(const char* file, int line, const char* what, const char* expected,
                const char* actual);
void check_number(const char* file, int line, const char* what, long long expected,
                  long long actual);
void check_code(const char* file, int line, const char* what, larder_code expected,
                larder_code actual, larder_error** error);
void check_message(const char* file, int line, const char* what, larder_code expected,
                   larder_code actual, larder_error** error, const char* words);

/* Returns a new directory below LARDER_TEST_DIR or TMPDIR. It is deleted if all checks pass. */
const char* playground(void);
void remove_playground(void);

/* Returns "DIRECTORY/NAME". The text is valid for seven more calls, which is more than any
 * expression here makes. */
const char* below(const char* directory, const char* name);
void write_file(const char* path, const char* text);
/* Returns the text of a file, or "" if there is none. It is valid for as long as below()'s. */
const char* read_file(const char* path);
int exists(const char* path);

/* Open the cache "cache" in the playground, and its bucket "b". */
larder_cache* open_cache(const larder_open_options* options);
larder_bucket* open_bucket(const larder_cache* cache);
/* Publishes an entry with one file, "text", that holds `text`. */
void put(const larder_bucket* bucket, const char* key, const char* text);

#endif
