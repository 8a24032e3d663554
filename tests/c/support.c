/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ftw.h>

void fail_check(const char* file, int line, const char* what) {
    fprintf(stderr, "%s:%d: is not true: %s\n", file, line, what);
    exit(1);
}

void check_text(const char* file, int line, const char* what, const char* expected,
                const char* actual) {
    if (actual != NULL && strcmp(expected, actual) == 0) return;
    fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", file, line, what,
            actual != NULL ? actual : "(NULL)", expected);
    exit(1);
}

void check_number(const char* file, int line, const char* what, long long expected,
                  long long actual) {
    if (expected == actual) return;
    fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, actual, expected);
    exit(1);
}

void check_code(const char* file, int line, const char* what, larder_code expected,
                larder_code actual, larder_error** error) {
    check_message(file, line, what, expected, actual, error, "");
}

void check_message(const char* file, int line, const char* what, larder_code expected,
                   larder_code actual, larder_error** error, const char* words) {
    const char* const message = *error != NULL ? (*error)->message : "";
    if (actual != expected || strstr(message, words) == NULL) {
        fprintf(stderr, "%s:%d: %s gave %s (%s), not %s%s%s\n", file, line, what,
                larder_code_name((int)actual), message, larder_code_name((int)expected),
                *words != '\0' ? " with " : "", words);
        exit(1);
    }
    if (expected == LARDER_OK
            ? *error != NULL
            : *error == NULL || (*error)->code != (int)expected || *message == '\0') {
        fprintf(stderr, "%s:%d: %s gave %s, and an error that does not say so\n", file, line, what,
                larder_code_name((int)actual));
        exit(1);
    }
    larder_error_free(*error);
    *error = NULL;
}

static char directory[4096];

const char* playground(void) {
    if (*directory == '\0') {
        const char* parent = getenv("LARDER_TEST_DIR");
        if (parent == NULL) parent = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/larder-c-XXXXXX",
                 parent != NULL ? parent : "/tmp");
        CHECK(mkdtemp(directory) != NULL);
    }
    return directory;
}

static int remove_one(const char* path, const struct stat* status, int type, struct FTW* where) {
    (void)status, (void)type, (void)where;
    return remove(path);
}

void remove_playground(void) {
    if (*directory != '\0') CHECK(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* Returns eight buffers in turn, so that a few texts can be used at once. One thread only. */
static char* next_text(void) {
    static char texts[8][8192];
    static unsigned next;
    return texts[next++ % 8];
}

const char* below(const char* parent, const char* name) {
    char* const path = next_text();
    CHECK(snprintf(path, 8192, "%s/%s", parent, name) < 8192);
    return path;
}

void write_file(const char* path, const char* text) {
    FILE* const file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
}

const char* read_file(const char* path) {
    char* const text = next_text();
    FILE* const file = fopen(path, "r");
    *text = '\0';
    if (file == NULL) return text;
    text[fread(text, 1, 8191, file)] = '\0';
    fclose(file);
    return text;
}

int exists(const char* path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

larder_cache* open_cache(const larder_open_options* options) {
    larder_cache* cache = NULL;
    larder_error* error = NULL;
    WORKS(larder_cache_open(below(playground(), "cache"), options, &cache, &error));
    CHECK(cache != NULL);
    return cache;
}

larder_bucket* open_bucket(const larder_cache* cache) {
    larder_bucket* bucket = NULL;
    larder_error* error = NULL;
    WORKS(larder_cache_bucket(cache, "b", &bucket, &error));
    CHECK(bucket != NULL);
    return bucket;
}

void put(const larder_bucket* bucket, const char* key, const char* text) {
    larder_staging* staging = NULL;
    larder_error* error = NULL;
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    write_file(below(larder_staging_path(staging), "text"), text);
    WORKS(larder_bucket_publish(bucket, key, staging, NULL, NULL, &error));
}
