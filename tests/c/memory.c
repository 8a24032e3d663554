/* SPDX-License-Identifier: MIT */
/* Running out of memory. The test repeats each call, and lets the first allocation fail, then the
 * second, and so on, until the call makes fewer allocations than that. Each time the call must
 * return an error, or succeed without the memory. It must never throw, abort or return half a
 * result. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support.h"

/* glibc's malloc. This program defines another malloc above it, which its libraries use, too. */
extern void* __libc_malloc(size_t size);

static long until_failure = -1; /* how many allocations succeed; if negative, all do */
static int has_failed;

void* malloc(size_t size) {
    if (until_failure >= 0 && until_failure-- == 0) {
        has_failed = 1;
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

static larder_cache* cache;
static larder_bucket* bucket;

static int fill(larder_staging* staging, void* data, larder_error** error) {
    (void)staging, (void)data, (void)error;
    return LARDER_OK;
}

static larder_code opens(larder_error** error) {
    larder_cache* opened = NULL;
    const larder_code code = larder_cache_open(larder_cache_root(cache), NULL, &opened, error);
    CHECK((opened != NULL) == (code == LARDER_OK));
    larder_cache_close(opened);
    return code;
}

static larder_code finds(larder_error** error) {
    larder_lease* lease = NULL;
    const larder_code code = larder_bucket_get(
        bucket, "a key that is too long for a string to keep it in itself", &lease, error);
    CHECK((lease != NULL) == (code == LARDER_OK));
    larder_lease_free(lease);
    return code;
}

static larder_code builds(larder_error** error) {
    larder_lease* lease = NULL;
    const larder_code code =
        larder_bucket_get_or_build(bucket, "built", fill, NULL, NULL, &lease, error);
    CHECK((lease != NULL) == (code == LARDER_OK));
    larder_lease_free(lease);
    if (code == LARDER_OK) CHECK(larder_bucket_remove(bucket, "built", NULL) == LARDER_OK);
    return code;
}

static larder_code lists(larder_error** error) {
    larder_names* names = NULL;
    const larder_code code = larder_bucket_keys(bucket, &names, error);
    CHECK((names != NULL) == (code == LARDER_OK));
    if (names != NULL) CHECK_NUMBER(1, names->count);
    larder_names_free(names);
    return code;
}

static larder_code tells_who_is_there(larder_error** error) {
    larder_status* status = NULL;
    const larder_code code = larder_cache_status(cache, &status, error);
    CHECK((status != NULL) == (code == LARDER_OK));
    if (status != NULL) CHECK_NUMBER(1, status->process_count);
    larder_status_free(status);
    return code;
}

static larder_code misses(larder_error** error) {
    larder_lease* lease = NULL;
    const larder_code code = larder_bucket_get(bucket, "not there", &lease, error);
    CHECK(lease == NULL);
    return code;
}

static larder_code installs(larder_error** error) {
    const larder_materialize_options options = {
        .size = sizeof options, .mode = LARDER_MODE_COPY, .replace = 1};
    larder_materialize_report* report = NULL;
    const larder_code code = larder_materialize(
        below(playground(), "tree"), below(playground(), "installed"), &options, &report, error);
    CHECK((report != NULL) == (code == LARDER_OK));
    larder_materialize_report_free(report);
    return code;
}

static larder_code collects(larder_error** error) {
    const long n = until_failure;
    larder_collect_report* report = NULL;
    larder_code code;
    until_failure = -1;
    CHECK(larder_cache_collect(cache, NULL, NULL, NULL, NULL) ==
          LARDER_OK); /* deletes what the last round left */
    put(bucket, "garbage", "text");
    CHECK(larder_bucket_remove(bucket, "garbage", NULL) == LARDER_OK);
    until_failure = n;
    code = larder_cache_collect(cache, NULL, NULL, &report, error);
    CHECK((report != NULL) == (code == LARDER_OK));
    larder_collect_report_free(report);
    return code;
}

static larder_code makes_an_error(larder_error** error) {
    *error = larder_error_new(LARDER_BUILD, 0,
                              "a path that is too long for a string to keep it in itself",
                              "a text of the same kind, to be copied");
    CHECK(*error != NULL);
    return (larder_code)(*error)->code;
}

static void without_memory(const char* name, larder_code (*call)(larder_error**),
                           larder_code usual) {
    long n;
    int out_of_memory = 0;
    for (n = 0; n < 10000; ++n) {
        larder_error* error = NULL;
        larder_code code;
        has_failed = 0;
        until_failure = n;
        code = call(&error);
        until_failure = -1;
        if (code == LARDER_SYSTEM) {
            CHECK(error != NULL);
            CHECK_NUMBER(ENOMEM, error->sys_errno);
            CHECK(*error->message != '\0');
            ++out_of_memory;
        } else {
            CHECK_NUMBER(usual, code);
        }
        larder_error_free(error);
        if (!has_failed) break;
    }
    printf("%s: %ld allocations, %d failures\n", name, n, out_of_memory);
    CHECK(!has_failed);
    CHECK(out_of_memory > 0);
}

int main(void) {
    cache = open_cache(NULL);
    bucket = open_bucket(cache);
    put(bucket, "a key that is too long for a string to keep it in itself", "text");
    CHECK(mkdir(below(playground(), "tree"), 0755) == 0 &&
          mkdir(below(playground(), "tree/below"), 0755) == 0);
    write_file(below(playground(), "tree/file"), "text");
    write_file(below(playground(), "tree/below/file"), "text");
    without_memory("opens", opens, LARDER_OK);
    without_memory("finds", finds, LARDER_OK);
    without_memory("misses", misses, LARDER_MISS);
    without_memory("builds", builds, LARDER_OK);
    without_memory("installs", installs, LARDER_OK);
    without_memory("collects", collects, LARDER_OK);
    without_memory("lists", lists, LARDER_OK);
    without_memory("tells who is there", tells_who_is_there, LARDER_OK);
    without_memory("makes an error", makes_an_error, LARDER_BUILD);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    remove_playground();
    return 0;
}
