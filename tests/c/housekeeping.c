/* SPDX-License-Identifier: MIT */
/* Collecting, with and without limits, verifying, status and pins. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stddef.h>

#include "support.h"

static void collects(const larder_cache* cache, const larder_bucket* bucket) {
    larder_collect_options options = {.size = sizeof options, .dry_run = 1};
    larder_collect_report* report = NULL;
    larder_status* status = NULL;
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    put(bucket, "leased", "12345");
    put(bucket, "not leased", "1234567");
    WORKS(larder_bucket_get(bucket, "leased", &lease, &error));

    WORKS(larder_cache_status(cache, &status, &error));
    CHECK_NUMBER(sizeof *status, status->size);
    CHECK_NUMBER(0, status->collecting);
    CHECK_NUMBER(1, status->process_count);
    CHECK_NUMBER(getpid(), status->processes[0]->pid);
    CHECK_NUMBER(1, status->processes[0]->alive);
    CHECK_NUMBER(1, status->processes[0]->here);
    CHECK(strstr(status->processes[0]->command, "c_tests") != NULL);
    CHECK(status->processes[0]->since_ns > 0);
    CHECK_NUMBER(1, status->lease_count);
    CHECK_TEXT(larder_lease_id(lease), status->leases[0]->id);
    CHECK_TEXT("b", status->leases[0]->bucket);
    CHECK_TEXT("leased", status->leases[0]->key);
    CHECK_NUMBER(getpid(), status->leases[0]->process->pid);
    CHECK_NUMBER(0, status->lock_count);
    larder_status_free(status);

    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, &error));
    WORKS(larder_cache_collect(cache, NULL, &options, &report, &error));
    CHECK_NUMBER(1, report->entries);
    larder_collect_report_free(report);

    options.dry_run = 0;
    options.count_freed = 1;
    WORKS(larder_cache_collect(cache, NULL, &options, &report, &error));
    CHECK_NUMBER(sizeof *report, report->size);
    CHECK_NUMBER(1, report->entries); /* the dry run deleted nothing */
    CHECK_NUMBER(7, report->bytes);
    CHECK_NUMBER(1, report->freed_known);
    CHECK(report->freed > 0 || report->freed_at_least);
    CHECK_NUMBER(0, report->live_known);
    CHECK_NUMBER(1, report->leased_count);
    CHECK_TEXT(larder_lease_id(lease), report->leased[0]->id);
    CHECK_NUMBER(getpid(), report->leased[0]->process->pid);
    CHECK_NUMBER(1, report->within_limits);
    CHECK_NUMBER(0, report->stopped);
    larder_collect_report_free(report);

    WORKS(larder_cache_settle(cache, &error));
    options.settle = 1;
    WORKS(larder_cache_collect(cache, NULL, &options, NULL, &error));
    FAILS(LARDER_INVALID, larder_cache_settle(NULL, &error));
    CHECK_TEXT("12345", read_file(below(larder_lease_path(lease), "text")));

    larder_lease_free(lease);
    options.grace_s = 3600;
    WORKS(larder_cache_collect(cache, NULL, &options, &report, &error));
    CHECK_NUMBER(0, report->entries);
    CHECK_NUMBER(1, report->in_grace);
    larder_collect_report_free(report);
    /* Programs that were compiled before there was a grace have a shorter struct. */
    options.size = offsetof(larder_collect_options, grace_s);
    WORKS(larder_cache_collect(cache, NULL, &options, &report, &error));
    CHECK_NUMBER(1, report->entries);
    larder_collect_report_free(report);
    put(bucket, "removed", "1234567");
    WORKS(larder_bucket_remove(bucket, "removed", LARDER_SURVIVES_PROCESS, &error));
    WORKS(larder_cache_collect(cache, NULL, NULL, &report, &error));
    CHECK_NUMBER(1, report->entries);
    CHECK_NUMBER(0, report->freed_known);
    CHECK_NUMBER(0, report->leased_count);
    larder_collect_report_free(report);
}

/* A copy of what a dry run reports. A caller can show it, and then execute it as a plan. */
struct plan {
    larder_eviction evictions[8];
    char texts[8][3][64];
    const larder_eviction* pointers[8];
    size_t count;
    int progress;
};

static void keep_eviction(const larder_eviction* eviction, void* data) {
    struct plan* const plan = data;
    larder_eviction* const kept = &plan->evictions[plan->count];
    CHECK_NUMBER(sizeof *eviction, eviction->size);
    CHECK(plan->count < 8);
    *kept = *eviction;
    kept->bucket = strcpy(plan->texts[plan->count][0], eviction->bucket);
    kept->key = strcpy(plan->texts[plan->count][1], eviction->key);
    kept->id = strcpy(plan->texts[plan->count][2], eviction->id);
    plan->pointers[plan->count++] = kept;
}

static void count_progress(const larder_collect_progress* progress, void* data) {
    CHECK_NUMBER(sizeof *progress, progress->size);
    CHECK(progress->phase >= LARDER_PLANNING && progress->phase <= LARDER_DELETING);
    ++((struct plan*)data)->progress;
}

static void evicts(const larder_cache* cache, const larder_bucket* bucket) {
    static const char* const keep[] = {"b/kept*"};
    static struct plan plan;
    larder_limits limits = {.size = sizeof limits};
    larder_eviction_plan planned = {.size = sizeof planned};
    larder_collect_options options = {.size = sizeof options};
    larder_collect_report* report = NULL;
    larder_names* names = NULL;
    larder_error* error = NULL;
    larder_pins* pins = NULL;
    int pinned = 77;
    size_t i;
    put(bucket, "kept", "1");
    put(bucket, "pinned", "22");
    put(bucket, "old", "333");
    WORKS(larder_bucket_is_pinned(bucket, "pinned", &pinned, &error));
    CHECK_NUMBER(0, pinned);
    WORKS(larder_bucket_pin(bucket, "pinned", LARDER_SURVIVES_POWER, &error));
    WORKS(larder_bucket_is_pinned(bucket, "pinned", &pinned, &error));
    CHECK_NUMBER(1, pinned);
    WORKS(larder_cache_pins(cache, &pins, &error));
    CHECK_NUMBER(sizeof *pins, pins->size);
    CHECK_NUMBER(1, pins->count);
    CHECK_TEXT("b", pins->pins[0]->bucket);
    CHECK_TEXT("pinned", pins->pins[0]->key);
    larder_pins_free(pins);

    limits.set = LARDER_LIMIT_ENTRIES; /* max_entries is 0, so everything must go */
    limits.keep = keep;
    limits.keep_count = 1;
    options.dry_run = 1;
    options.on_evict = keep_eviction;
    options.on_evict_data = &plan;
    options.on_progress = count_progress;
    options.on_progress_data = &plan;
    WORKS(larder_cache_collect(cache, &limits, &options, &report, &error));
    CHECK_NUMBER(1, plan.count);
    CHECK_TEXT("old", plan.evictions[0].key);
    CHECK_TEXT("b", plan.evictions[0].bucket);
    CHECK_NUMBER(3, plan.evictions[0].bytes);
    CHECK_NUMBER(LARDER_EVICTED_BY_ENTRIES, plan.evictions[0].reason);
    CHECK_NUMBER(1, report->evicted);
    CHECK_NUMBER(3, report->evicted_bytes);
    CHECK_NUMBER(0, report->within_limits); /* more entries are kept than the limit allows */
    CHECK_NUMBER(1, report->live_known);
    CHECK_NUMBER(2, report->live_entries);
    CHECK_NUMBER(3, report->live_bytes);
    CHECK(plan.progress > 0);
    larder_collect_report_free(report);
    WORKS(larder_bucket_keys(bucket, &names, &error));
    CHECK_NUMBER(3, names->count);
    larder_names_free(names);

    /* An empty plan evicts nothing. The copied plan evicts what it lists. */
    planned.evictions = plan.pointers;
    WORKS(larder_cache_evict(cache, &planned, NULL, &report, &error));
    CHECK_NUMBER(0, report->evicted);
    larder_collect_report_free(report);
    planned.eviction_count = plan.count;
    WORKS(larder_cache_evict(cache, &planned, NULL, &report, &error));
    CHECK_NUMBER(1, report->evicted);
    larder_collect_report_free(report);

    /* Without its pin the entry goes, too. */
    WORKS(larder_bucket_unpin(bucket, "pinned", LARDER_SURVIVES_POWER, &error));
    FAILS(LARDER_MISS, larder_bucket_unpin(bucket, "pinned", LARDER_SURVIVES_PROCESS, &error));
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    limits.set = LARDER_LIMIT_SIZE;
    limits.max_size = 1;
    limits.low_water = 100;
    WORKS(larder_cache_collect(cache, &limits, &options, &report, &error));
    CHECK_NUMBER(1, report->within_limits);
    larder_collect_report_free(report);
    WORKS(larder_bucket_keys(bucket, &names, &error));
    CHECK_NUMBER(1, names->count);
    CHECK_TEXT("kept", names->names[0]);
    larder_names_free(names);

    /* A collection that is stopped before it begins leaves everything to the next one. */
    for (i = 0; i < 3; ++i) put(bucket, "kept", "again");
    options.stop = larder_stop_new();
    CHECK(options.stop != NULL);
    larder_stop_request(options.stop);
    WORKS(larder_cache_collect(cache, &limits, &options, &report, &error));
    CHECK_NUMBER(1, report->stopped);
    CHECK_NUMBER(0, report->entries);
    larder_collect_report_free(report);
    larder_stop_free(options.stop);
    options.stop = NULL;
    limits.set = 0;
    limits.max_size = 0;
    WORKS(larder_cache_collect(cache, &limits, &options, &report, &error));
    CHECK_NUMBER(0, report->stopped);
    CHECK_NUMBER(3, report->entries);
    larder_collect_report_free(report);
}

static void verifies(const larder_cache* cache, const larder_bucket* bucket) {
    larder_verify_options options = {.size = sizeof options};
    larder_verify_report* report = NULL;
    larder_collect_report* collected = NULL;
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    char entry[4096];
    FILE* foreign;
    WORKS(larder_cache_verify(cache, NULL, &report, &error));
    CHECK_NUMBER(sizeof *report, report->size);
    CHECK_NUMBER(1, report->sound);
    CHECK_NUMBER(1, report->live);
    CHECK_NUMBER(1, report->entries);
    CHECK_NUMBER(0, report->finding_count);
    larder_verify_report_free(report);

    /* Damage the cache: delete an entry by hand, and add a file that is not larder's. */
    put(bucket, "victim", "text");
    WORKS(larder_bucket_get(bucket, "victim", &lease, &error));
    snprintf(entry, sizeof entry, "%s", larder_lease_path(lease));
    CHECK(strcmp(strrchr(entry, '/'), "/tree") == 0);
    *strrchr(entry, '/') = '\0';
    CHECK(rename(entry, below(playground(), "taken away")) == 0);
    larder_lease_free(lease);
    foreign = fopen(below(larder_cache_root(cache), "archive/foreign"), "w");
    CHECK(foreign != NULL);
    fclose(foreign);

    WORKS(larder_cache_verify(cache, &options, &report, &error));
    CHECK_NUMBER(0, report->sound);
    CHECK_NUMBER(2, report->finding_count);
    {
        const int first_dangles = report->findings[0]->kind == LARDER_FOUND_DANGLING;
        const larder_finding* const dangling = report->findings[first_dangles ? 0 : 1];
        const larder_finding* const unknown = report->findings[first_dangles ? 1 : 0];
        CHECK_NUMBER(sizeof *dangling, dangling->size);
        CHECK_NUMBER(LARDER_FOUND_DANGLING, dangling->kind);
        CHECK(strstr(dangling->path, "victim") != NULL);
        CHECK(*dangling->what != '\0');
        CHECK_NUMBER(0, dangling->repaired);
        CHECK_NUMBER(LARDER_FOUND_FOREIGN, unknown->kind);
        CHECK(strstr(unknown->path, "archive/foreign") != NULL);
    }
    larder_verify_report_free(report);

    options.repair = 1;
    WORKS(larder_cache_verify(cache, &options, &report, &error));
    CHECK_NUMBER(1, report->sound);
    larder_verify_report_free(report);
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "victim", &lease, &error));

    /* A collection does not touch an unknown file either, and reports its path. */
    foreign = fopen(below(larder_cache_root(cache), "retired/links/foreign"), "w");
    CHECK(foreign != NULL);
    fclose(foreign);
    WORKS(larder_cache_collect(cache, NULL, NULL, &collected, &error));
    CHECK_NUMBER(1, collected->unknown_count);
    CHECK(strstr(collected->unknown[0], "retired/links/foreign") != NULL);
    larder_collect_report_free(collected);
}

static int done[2]; /* a pipe, through which a collection in the background reports its end */

static void links(const larder_cache* cache, const larder_bucket* bucket) {
    larder_collect_report* report = NULL;
    larder_roots* roots = NULL;
    larder_error* error = NULL;
    put(bucket, "linked", "1");
    const char* const path = below(playground(), "linked");
    WORKS(larder_cache_link(cache, "b", "linked", path, LARDER_SURVIVES_PROCESS, &error));
    CHECK(exists(path));
    WORKS(larder_cache_roots(cache, &roots, &error));
    CHECK_NUMBER(sizeof *roots, roots->size);
    CHECK_NUMBER(1, roots->count);
    CHECK_NUMBER(LARDER_ROOT_LEADS, roots->roots[0]->state);
    CHECK_TEXT("linked", roots->roots[0]->key);
    CHECK_TEXT("b", roots->roots[0]->bucket);
    larder_roots_free(roots);
    WORKS(larder_bucket_remove(bucket, "linked", LARDER_SURVIVES_PROCESS, &error));
    WORKS(larder_cache_collect(cache, NULL, NULL, &report, &error));
    CHECK_NUMBER(1, report->rooted_count);
    CHECK_TEXT("linked", report->rooted[0]->key);
    larder_collect_report_free(report);
    WORKS(larder_cache_unlink(cache, below(playground(), "linked"), &error));
    CHECK(!exists(below(playground(), "linked")));
    FAILS_SAYING(LARDER_MISS, "roots ls",
                 larder_cache_unlink(cache, below(playground(), "linked"), &error));
    WORKS(larder_cache_prune_roots(cache, LARDER_PRUNE_DRY_RUN, &roots, &error));
    CHECK_NUMBER(0, roots->count);
    larder_roots_free(roots);
    WORKS(larder_cache_collect(cache, NULL, NULL, &report, &error));
    CHECK_NUMBER(1, report->entries);
    larder_collect_report_free(report);
}

static void tell_done(const larder_collect_report* report, const larder_error* error, void* data) {
    CHECK(data == done);
    CHECK(report != NULL && error == NULL);
    CHECK_NUMBER(sizeof *report, report->size);
    CHECK_NUMBER(1, report->live_known);
    CHECK(write(done[1], "d", 1) == 1);
}

/* keep_within lets a publish start a collection in a thread, until it is called without limits. */
static void keeps_within(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    larder_limits limits = {.size = sizeof limits, .set = LARDER_LIMIT_ENTRIES, .max_entries = 1};
    larder_background_options options = {
        .size = sizeof options, .every_s = -1, .on_done = tell_done, .on_done_data = done};
    larder_error* error = NULL;
    char byte;
    CHECK(pipe(done) == 0);
    WORKS(larder_cache_keep_within(cache, &limits, &options, &error));
    put(bucket, "starts one", "text");
    CHECK(read(done[0], &byte, 1) == 1);
    WORKS(larder_cache_keep_within(cache, NULL, NULL, &error));
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    close(done[1]);
    CHECK(read(done[0], &byte, 1) == 0); /* there was exactly one collection */
    close(done[0]);
}

static void destroys(void) {
    larder_cache* cache = open_cache(NULL);
    larder_bucket* bucket = open_bucket(cache);
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    char root[4096], process[32];
    CHECK(strlen(larder_cache_root(cache)) < sizeof root);
    strcpy(root, larder_cache_root(cache));
    sprintf(process, "pid %ld ", (long)getpid());
    put(bucket, "leased", "12345");
    WORKS(larder_bucket_get(bucket, "leased", &lease, &error));

    /* A cache that is used stays as it is, and the message names the process. */
    FAILS_SAYING(LARDER_BUSY, process, larder_cache_check_destroy(root, &error));
    FAILS_SAYING(LARDER_BUSY, process, larder_cache_destroy(root, &error));
    CHECK_TEXT("12345", read_file(below(larder_lease_path(lease), "text")));
    larder_lease_free(lease);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    cache = open_cache(NULL);
    larder_cache_close(cache);

    /* What is not larder's is not deleted. */
    write_file(below(root, "notes"), "mine");
    FAILS_SAYING(LARDER_REFUSED, "notes", larder_cache_check_destroy(root, &error));
    FAILS_SAYING(LARDER_REFUSED, "notes", larder_cache_destroy(root, &error));
    CHECK_TEXT("mine", read_file(below(root, "notes")));
    CHECK(remove(below(root, "notes")) == 0);

    WORKS(larder_cache_check_destroy(root, &error));
    CHECK(access(root, F_OK) == 0);
    WORKS(larder_cache_destroy(root, &error));
    CHECK(access(root, F_OK) != 0);
    FAILS(LARDER_SYSTEM, larder_cache_destroy(root, &error));
}

void test_housekeeping(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    collects(cache, bucket);
    evicts(cache, bucket);
    verifies(cache, bucket);
    links(cache, bucket);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    keeps_within();
    destroys();
}
