/* SPDX-License-Identifier: MIT */
/* What every test of the C interface needs: a directory to play in, files, and a way to say what must hold. */
#ifndef LARDER_TESTS_C_SUPPORT_H
#define LARDER_TESTS_C_SUPPORT_H

#include <larder/larder.h>

/* Says where something does not hold, and ends the program. */
#define CHECK(condition)                                              \
    do {                                                              \
        if (!(condition)) fail_check(__FILE__, __LINE__, #condition); \
    } while (0)
#define CHECK_TEXT(expected, actual) check_text(__FILE__, __LINE__, #actual, (expected), (actual))
#define CHECK_NUMBER(expected, actual) \
    check_number(__FILE__, __LINE__, #actual, (long long)(expected), (long long)(actual))

/* The call returns LARDER_OK. `error` has to be the place it was given. */
#define WORKS(call) check_code(__FILE__, __LINE__, #call, LARDER_OK, (call), &error)
/* The call returns `code`, gives an error that says so, and that is freed. */
#define FAILS(code, call) check_code(__FILE__, __LINE__, #call, (code), (call), &error)
/* The same, and the error's message has `words` in it. */
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

/* A new directory, below LARDER_TEST_DIR or TMPDIR, that is gone when the program ends well. */
const char* playground(void);
void remove_playground(void);

/* "DIRECTORY/NAME"; freed by the next call but seven, which is more than any expression here has. */
const char* below(const char* directory, const char* name);
void write_file(const char* path, const char* text);
/* The file's text; empty where there is none. As long as `below`'s. */
const char* read_file(const char* path);
int exists(const char* path);

/* The cache "cache" in the playground, and its bucket "b". */
larder_cache* open_cache(const larder_open_options* options);
larder_bucket* open_bucket(const larder_cache* cache);
/* Publishes an entry with one file, "text", that says `text`. */
void put(const larder_bucket* bucket, const char* key, const char* text);

#endif
