/* SPDX-License-Identifier: MIT */
/* Errors as values: arguments that are NULL, values that never work, and the texts of errors. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "support.h"

static int unused(larder_staging* staging, void* data, larder_error** error) {
    (void)staging, (void)data, (void)error;
    return LARDER_OK;
}

/* If an argument that is needed is NULL, the code is `invalid` and the message names it. */
static void refuses_null(const larder_cache* cache, larder_bucket* bucket) {
    larder_cache* opened = NULL;
    larder_bucket* named = NULL;
    larder_lease* lease = NULL;
    larder_staging* staging = NULL;
    larder_names* names = NULL;
    larder_entries* entries = NULL;
    larder_status* status = NULL;
    larder_verify_report* verified = NULL;
    larder_entry_info* info = NULL;
    larder_pins* pins = NULL;
    larder_roots* roots = NULL;
    larder_error* error = NULL;
    int pinned = 77;

    FAILS_SAYING(LARDER_INVALID, "root is NULL", larder_cache_open(NULL, NULL, &opened, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL",
                 larder_cache_open(below(playground(), "unmade"), NULL, NULL, &error));
    CHECK(!exists(below(playground(), "unmade")));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_bucket(NULL, "b", &named, &error));
    FAILS_SAYING(LARDER_INVALID, "name is NULL", larder_cache_bucket(cache, NULL, &named, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL", larder_cache_bucket(cache, "b", NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_buckets(NULL, &names, &error));
    FAILS_SAYING(LARDER_INVALID, "names is NULL", larder_cache_buckets(cache, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_status(NULL, &status, &error));
    FAILS_SAYING(LARDER_INVALID, "status is NULL", larder_cache_status(cache, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_pins(NULL, &pins, &error));
    FAILS_SAYING(LARDER_INVALID, "pins is NULL", larder_cache_pins(cache, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_roots(NULL, &roots, &error));
    FAILS_SAYING(LARDER_INVALID, "roots is NULL", larder_cache_roots(cache, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_prune_roots(NULL, 0, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "flags has", larder_cache_prune_roots(cache, 4, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL",
                 larder_cache_link(NULL, "b", "k", "x", LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_cache_link(cache, NULL, "k", "x", LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL",
                 larder_cache_link(cache, "b", NULL, "x", LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "destination is NULL",
                 larder_cache_link(cache, "b", "k", NULL, LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_unlink(NULL, "x", &error));
    FAILS_SAYING(LARDER_INVALID, "destination is NULL", larder_cache_unlink(cache, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL", larder_cache_trash(NULL, &entries, &error));
    FAILS_SAYING(LARDER_INVALID, "entries is NULL", larder_cache_trash(cache, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL",
                 larder_cache_restore(NULL, "id", NULL, &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "id is NULL",
                 larder_cache_restore(cache, NULL, NULL, &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL",
                 larder_cache_collect(NULL, NULL, NULL, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "root is NULL", larder_cache_destroy(NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "root is NULL", larder_cache_check_destroy(NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "plan is NULL",
                 larder_cache_evict(cache, NULL, NULL, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL",
                 larder_cache_keep_within(NULL, NULL, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "cache is NULL",
                 larder_cache_verify(NULL, NULL, &verified, &error));
    FAILS_SAYING(LARDER_INVALID, "report is NULL", larder_cache_verify(cache, NULL, NULL, &error));

    FAILS_SAYING(LARDER_INVALID, "bucket is NULL", larder_bucket_get(NULL, "k", &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL", larder_bucket_get(bucket, NULL, &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "lease is NULL", larder_bucket_get(bucket, "k", NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_get_or_build(NULL, "k", unused, NULL, NULL, &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL",
                 larder_bucket_get_or_build(bucket, NULL, unused, NULL, NULL, &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "build is NULL",
                 larder_bucket_get_or_build(bucket, "k", NULL, NULL, NULL, &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL", larder_bucket_stage(NULL, &staging, &error));
    FAILS_SAYING(LARDER_INVALID, "staging is NULL", larder_bucket_stage(bucket, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "staging is NULL", larder_staging_copy_from(NULL, "/", &error));
    FAILS_SAYING(LARDER_INVALID, "staging is NULL", larder_staging_move_from(NULL, "/", &error));
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    FAILS_SAYING(LARDER_INVALID, "source is NULL", larder_staging_copy_from(staging, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "source is NULL", larder_staging_move_from(staging, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "staging is NULL",
                 larder_bucket_publish(bucket, "k", NULL, NULL, &lease, &error));
    {
        const char* const path = below(larder_staging_path(staging), ".");
        FAILS_SAYING(LARDER_INVALID, "key is NULL",
                     larder_bucket_publish(bucket, NULL, staging, NULL, &lease, &error));
        CHECK(!exists(path)); /* publish frees it even if it fails */
    }
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_publish(NULL, "k", staging, NULL, &lease, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_remove(NULL, "k", LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL",
                 larder_bucket_remove(bucket, NULL, LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_refresh(NULL, LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_refresh_some(NULL, NULL, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_pin(NULL, "k", LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL",
                 larder_bucket_pin(bucket, NULL, LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_unpin(NULL, "k", LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL",
                 larder_bucket_unpin(bucket, NULL, LARDER_SURVIVES_PROCESS, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL",
                 larder_bucket_is_pinned(NULL, "k", &pinned, &error));
    CHECK_NUMBER(0, pinned);
    FAILS_SAYING(LARDER_INVALID, "key is NULL",
                 larder_bucket_is_pinned(bucket, NULL, &pinned, &error));
    FAILS_SAYING(LARDER_INVALID, "pinned is NULL",
                 larder_bucket_is_pinned(bucket, "k", NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL", larder_bucket_keys(NULL, &names, &error));
    FAILS_SAYING(LARDER_INVALID, "names is NULL", larder_bucket_keys(bucket, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "bucket is NULL", larder_bucket_info(NULL, "k", &info, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL", larder_bucket_info(bucket, NULL, &info, &error));
    FAILS_SAYING(LARDER_INVALID, "info is NULL", larder_bucket_info(bucket, "k", NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "lease is NULL", larder_lease_keep_across_exec(NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "tree is NULL", larder_materialize(NULL, "d", NULL, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "destination is NULL",
                 larder_materialize("t", NULL, NULL, NULL, &error));
    CHECK_NUMBER(LARDER_INVALID,
                 larder_bucket_remove(NULL, NULL, LARDER_SURVIVES_PROCESS,
                                      NULL)); /* the pointer to the error may be NULL */
}

static void tells_of_null(void) {
    CHECK(larder_cache_root(NULL) == NULL);
    CHECK_NUMBER(LARDER_LINK_PROBED, larder_cache_link_kind(NULL));
    CHECK_NUMBER(LARDER_BUCKET_PROBED, larder_cache_bucket_kind(NULL));
    CHECK_NUMBER(0, larder_cache_is_read_only(NULL));
    CHECK(larder_bucket_name(NULL) == NULL);
    CHECK(larder_lease_path(NULL) == NULL);
    CHECK(larder_lease_id(NULL) == NULL);
    CHECK_NUMBER(0, larder_lease_is_protected(NULL));
    CHECK(larder_staging_path(NULL) == NULL);
    larder_stop_request(NULL);
}

static void frees_null(void) {
    larder_error_free(NULL);
    larder_stop_free(NULL);
    larder_cache_close(NULL);
    larder_bucket_free(NULL);
    larder_lease_free(NULL);
    larder_staging_free(NULL);
    larder_names_free(NULL);
    larder_entry_info_free(NULL);
    larder_entries_free(NULL);
    larder_pins_free(NULL);
    larder_roots_free(NULL);
    larder_status_free(NULL);
    larder_collect_report_free(NULL);
    larder_verify_report_free(NULL);
    larder_materialize_report_free(NULL);
}

static void refuses_names(const larder_cache* cache, const larder_bucket* bucket) {
    static char long_key[5000];
    larder_bucket* named = NULL;
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    FAILS(LARDER_INVALID, larder_cache_bucket(cache, "", &named, &error));
    FAILS(LARDER_INVALID, larder_cache_bucket(cache, "\xff\xfe", &named, &error));
    CHECK(named == NULL);
    memset(long_key, 'k', sizeof long_key - 1);
    FAILS(LARDER_INVALID, larder_bucket_get(bucket, long_key, &lease, &error));
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "", &lease, &error)); /* the empty key is valid */
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "../../escape", &lease, &error));
}

static void says_what_and_where(void) {
    larder_cache* cache = NULL;
    larder_error* error = NULL;
    const char* const full = below(playground(), "full");
    CHECK(mkdir(full, 0755) == 0);
    write_file(below(full, "something"), "else");
    FAILS(LARDER_REFUSED, larder_cache_open(full, NULL, &cache, &error));
    CHECK_NUMBER(LARDER_REFUSED, larder_cache_open(full, NULL, &cache, &error));
    CHECK_NUMBER(sizeof *error, error->size);
    CHECK(strstr(error->path, "/full") != NULL);
    CHECK(strstr(error->message, error->step) == error->message);
    CHECK(strstr(error->message, error->path) != NULL);
    CHECK(strstr(error->message, error->detail) != NULL);
    larder_error_free(error);

    error = NULL;
    CHECK(larder_cache_open(below(full, "something/cache"), NULL, &cache, &error) != LARDER_OK);
    CHECK_NUMBER(ENOTDIR, error->sys_errno);
    CHECK_NUMBER(LARDER_WHY_NOT_DIRECTORY, error->why);
    larder_error_free(error);
}

/* larder_error_new never returns LARDER_OK or NULL, and its texts may be NULL. */
static void makes_errors(void) {
    larder_error* error = larder_error_new(LARDER_NO_SPACE, ENOSPC, NULL, NULL);
    CHECK_NUMBER(LARDER_NO_SPACE, error->code);
    CHECK_NUMBER(LARDER_WHY_NO_SPACE, error->why);
    CHECK_TEXT("", error->path);
    CHECK_TEXT("", error->detail);
    CHECK_TEXT("build: No space left on device", error->message);
    larder_error_free(error);
    error = larder_error_new(LARDER_OK, 0, NULL, "text");
    CHECK_NUMBER(LARDER_BUILD, error->code);
    CHECK_NUMBER(LARDER_WHY_NONE, error->why);
    CHECK_TEXT("build: text", error->message);
    larder_error_free(error);
}

static void names_reasons(void) {
    CHECK_TEXT("none", larder_why_name(LARDER_WHY_NONE));
    CHECK_TEXT("absent", larder_why_name(LARDER_WHY_ABSENT));
    CHECK_TEXT("other", larder_why_name(LARDER_WHY_OTHER));
    CHECK_TEXT("unknown", larder_why_name(-1));
    CHECK_TEXT("unknown", larder_why_name(LARDER_WHY_OTHER + 1));
}

void test_errors(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    refuses_null(cache, bucket);
    tells_of_null();
    frees_null();
    refuses_names(cache, bucket);
    says_what_and_where();
    makes_errors();
    names_reasons();
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
