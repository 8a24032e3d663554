/* SPDX-License-Identifier: MIT */
/* Digests of contents. */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <larder/content.h>

#include "support.h"

/* Publishes two files with digests. That of "noted" is handed in: 32 bytes that are wrong. */
static void publish(const larder_bucket* bucket, const char* key) {
    larder_publish_options options = {.size = sizeof options, .digest = larder_sha256()};
    unsigned char digest[32] = {0};
    larder_staging* staging = NULL;
    larder_error* error = NULL;
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    write_file(below(larder_staging_path(staging), "noted"), "x");
    write_file(below(larder_staging_path(staging), "read"), "x");
    FAILS(LARDER_INVALID, larder_staging_note(staging, "/noted", 1, digest, 32, &error));
    FAILS(LARDER_INVALID, larder_staging_note(staging, "noted", 1, digest, 0, &error));
    FAILS(LARDER_INVALID, larder_staging_note(staging, "noted", 1, NULL, 32, &error));
    WORKS(larder_staging_note(staging, "noted", 1, digest, 32, &error));
    WORKS(larder_bucket_publish(bucket, key, staging, &options, NULL, &error));
}

/* Two equal files, which this disk can let share their blocks or not. */
static void test_dedupe(void) {
    larder_dedupe_options options = {.size = sizeof options};
    larder_dedupe_report* report = NULL;
    larder_cache* cache = open_cache(NULL);
    larder_error* error = NULL;
    larder_stop* stop = larder_stop_new();

    WORKS(larder_cache_dedupe(cache, NULL, &report, &error));
    CHECK_NUMBER(sizeof *report, report->size);
    CHECK_NUMBER(0, report->entries);
    CHECK_NUMBER(0, report->files);
    CHECK_NUMBER(0, report->ended_early);
    CHECK_NUMBER(0, report->failure_count);
    larder_dedupe_report_free(report);

    options.budget_ms = -1;
    WORKS(larder_cache_dedupe(cache, &options, &report, &error));
    CHECK_NUMBER(1, report->ended_early);
    larder_dedupe_report_free(report);

    options.budget_ms = 60000;
    options.stop = stop;
    larder_stop_request(stop);
    WORKS(larder_cache_dedupe(cache, &options, &report, &error));
    CHECK_NUMBER(1, report->ended_early);
    larder_dedupe_report_free(report);
    WORKS(larder_cache_dedupe(cache, &options, NULL, &error));
    larder_dedupe_report_free(NULL);
    larder_stop_free(stop);
    larder_cache_close(cache);
}

/* A program that has the algorithm says so when it opens the cache. Entries of this boot are not
 * compared, so all that can be told here is what the option accepts. */
static void opens_with_digests(void) {
    const larder_digest* const digests[] = {larder_sha256(), NULL};
    larder_open_options options = {.size = sizeof options, .digest_count = 1, .digests = digests};
    larder_error* error = NULL;
    larder_cache* cache = open_cache(&options);
    larder_cache* other = NULL;
    larder_bucket* bucket = open_bucket(cache);
    larder_lease* lease = NULL;
    put(bucket, "with digests", "x");
    WORKS(larder_bucket_get(bucket, "with digests", &lease, &error));
    larder_lease_free(lease);
    WORKS(larder_bucket_remove(bucket, "with digests", LARDER_SURVIVES_PROCESS, &error));
    larder_bucket_free(bucket);
    options.digest_count = 2;
    FAILS_SAYING(LARDER_INVALID, "digests",
                 larder_cache_open(larder_cache_root(cache), &options, &other, &error));
    larder_cache_close(cache);
}

/* A file that was modified after its publish can be installed by its digest alone. */
static void installs_by_digests(void) {
    const larder_digest* const digests[] = {larder_sha256(), NULL};
    const struct timespec later[2] = {{0, UTIME_OMIT}, {4000000000, 0}};
    larder_publish_options publish = {.size = sizeof publish, .digest = larder_sha256()};
    larder_materialize_options options = {.size = sizeof options};
    larder_cache* cache = open_cache(NULL);
    larder_bucket* bucket = open_bucket(cache);
    larder_staging* staging = NULL;
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    char to[4096];
    strcpy(to, below(playground(), "by digest"));
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    write_file(below(larder_staging_path(staging), "text"), "1234");
    WORKS(larder_bucket_publish(bucket, "by digest", staging, &publish, &lease, &error));
    CHECK(utimensat(AT_FDCWD, below(larder_lease_path(lease), "text"), later, 0) == 0);
    FAILS_SAYING(LARDER_DAMAGED, "no digest",
                 larder_materialize(larder_lease_path(lease), to, &options, NULL, &error));
    options.digests = digests;
    options.digest_count = 2;
    FAILS_SAYING(LARDER_INVALID, "digests",
                 larder_materialize(larder_lease_path(lease), to, &options, NULL, &error));
    options.digest_count = 1;
    WORKS(larder_materialize(larder_lease_path(lease), to, &options, NULL, &error));
    CHECK_TEXT("1234", read_file(below(to, "text")));
    larder_lease_free(lease);
    WORKS(larder_bucket_remove(bucket, "by digest", LARDER_SURVIVES_PROCESS, &error));
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}

void test_content(void) {
    const larder_digest* const digests[] = {larder_sha256()};
    const char* const buckets[] = {"b"};
    const char* const no_buckets[] = {NULL};
    larder_content_options options = {.size = sizeof options};
    larder_content_report* report = NULL;
    larder_cache* cache = open_cache(NULL);
    larder_bucket* bucket = open_bucket(cache);
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    publish(bucket, "k");
    opens_with_digests();
    installs_by_digests();

    /* Without an algorithm nothing is read. */
    WORKS(larder_cache_verify_content(cache, NULL, &report, &error));
    CHECK_NUMBER(sizeof *report, report->size);
    CHECK_NUMBER(1, report->sound);
    CHECK_NUMBER(1, report->entries);
    CHECK_NUMBER(1, report->without_digests);
    CHECK_NUMBER(0, report->files);
    larder_content_report_free(report);

    options.digests = digests;
    options.digest_count = 1;
    options.buckets = buckets;
    options.bucket_count = 1;
    options.budget_ms = 60000;
    WORKS(larder_cache_verify_content(cache, &options, &report, &error));
    CHECK_NUMBER(0, report->sound);
    CHECK_NUMBER(0, report->without_digests);
    CHECK_NUMBER(2, report->files);
    CHECK_NUMBER(2, report->bytes);
    CHECK_NUMBER(0, report->unchecked);
    CHECK_NUMBER(1, report->finding_count);
    CHECK_NUMBER(LARDER_FOUND_CHANGED, report->findings[0]->kind);
    CHECK(strstr(report->findings[0]->path, "/tree/noted") != NULL);
    larder_content_report_free(report);

    options.repair = 1;
    options.budget_ms = -1;
    WORKS(larder_cache_verify_content(cache, &options, &report, &error));
    CHECK_NUMBER(1, report->sound);
    CHECK_NUMBER(1, report->findings[0]->repaired);
    larder_content_report_free(report);
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "k", &lease, &error));

    options.buckets = no_buckets;
    FAILS_SAYING(LARDER_INVALID, "buckets",
                 larder_cache_verify_content(cache, &options, &report, &error));
    options.digests = NULL;
    FAILS_SAYING(LARDER_INVALID, "digests",
                 larder_cache_verify_content(cache, &options, &report, &error));
    test_dedupe();
    larder_content_report_free(NULL);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
