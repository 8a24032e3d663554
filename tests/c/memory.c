/* SPDX-License-Identifier: MIT */
/* Running out of memory, in every function that can fail. The test repeats each call, and lets the
 * first allocation fail, then the second, and so on, until the call makes fewer allocations than
 * that. It does so twice: one allocation fails, or that one and all later ones. Each time the call
 * must return an error, or succeed without the memory. It must never throw, abort or return half a
 * result, and the cache must be sound. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support.h"
#include "support/failing_memory.h"

static larder_cache* cache;
static larder_bucket* bucket;
static char trash_id[32], live_id[32];

static const char long_key[] = "a key that is too long for a string to keep it in itself";

static larder_code opens(larder_error** error) {
    larder_cache* opened = NULL;
    const larder_code code = larder_cache_open(below(playground(), "cache"), NULL, &opened, error);
    CHECK((opened != NULL) == (code == LARDER_OK));
    larder_cache_close(opened);
    return code;
}

static larder_code names_a_bucket(larder_error** error) {
    larder_bucket* named = NULL;
    const larder_code code = larder_cache_bucket(cache, long_key, &named, error);
    CHECK((named != NULL) == (code == LARDER_OK));
    larder_bucket_free(named);
    return code;
}

static larder_code lists_buckets(larder_error** error) {
    larder_names* names = NULL;
    const larder_code code = larder_cache_buckets(cache, &names, error);
    CHECK((names != NULL) == (code == LARDER_OK));
    larder_names_free(names);
    return code;
}

static larder_code counts(larder_error** error) {
    larder_counters* counters = NULL;
    const larder_code code = larder_cache_counters(cache, &counters, error);
    CHECK((counters != NULL) == (code == LARDER_OK));
    larder_counters_free(counters);
    return code;
}

static larder_code lists_pins(larder_error** error) {
    larder_pins* pins = NULL;
    const larder_code code = larder_cache_pins(cache, &pins, error);
    CHECK((pins != NULL) == (code == LARDER_OK));
    larder_pins_free(pins);
    return code;
}

static larder_code lists_trash(larder_error** error) {
    larder_entries* entries = NULL;
    const larder_code code = larder_cache_trash(cache, &entries, error);
    CHECK((entries != NULL) == (code == LARDER_OK));
    larder_entries_free(entries);
    return code;
}

static int see_all_of_the_trash(const larder_entry_info* entry, void* data) {
    (void)data;
    CHECK(entry->key != NULL);
    return 1;
}
static larder_code visits_the_trash(larder_error** error) {
    return larder_cache_visit_trash(cache, see_all_of_the_trash, NULL, error);
}

static int see_all_entries(const char* name, const char* key, const larder_entry_info* entry,
                           const larder_error* failure, void* data) {
    (void)data;
    CHECK(name != NULL && key != NULL && (entry != NULL) != (failure != NULL));
    return 1;
}
static larder_code visits_entries(larder_error** error) {
    const char* const names[] = {"a bucket that does not exist", larder_bucket_name(bucket)};
    return larder_cache_visit_entries(cache, names, 2, see_all_entries, NULL, error);
}

static int see_all_keys(const char* key, void* data) {
    (void)data;
    CHECK(key != NULL);
    return 1;
}
static larder_code visits_keys(larder_error** error) {
    return larder_bucket_visit_keys(bucket, see_all_keys, NULL, error);
}

static larder_code restores(larder_error** error) {
    const larder_restore_options replacing = {.size = sizeof replacing, .replace = 1};
    larder_lease* lease = NULL;
    const larder_code code = larder_cache_restore(cache, trash_id, &replacing, &lease, error);
    CHECK((lease != NULL) == (code == LARDER_OK));
    larder_lease_free(lease);
    return code;
}

static larder_code gets_key(const char* key, larder_error** error) {
    larder_lease* lease = NULL;
    const larder_code code = larder_bucket_get(bucket, key, &lease, error);
    CHECK((lease != NULL) == (code == LARDER_OK));
    larder_lease_free(lease);
    return code;
}

static larder_code finds(larder_error** error) { return gets_key(long_key, error); }
static larder_code misses(larder_error** error) { return gets_key("not there", error); }

static larder_code hands_on(larder_error** error) {
    larder_lease* lease = NULL;
    larder_code code = larder_bucket_get(bucket, long_key, &lease, error);
    if (code == LARDER_OK) code = larder_lease_keep_across_exec(lease, error);
    larder_lease_free(lease);
    return code;
}

static int fill(larder_staging* staging, void* data, larder_error** error) {
    (void)data;
    return larder_staging_copy_from(staging, below(playground(), "tree"), error);
}

static larder_code builds(larder_error** error) {
    larder_lease* lease = NULL;
    const larder_code code =
        larder_bucket_get_or_build(bucket, "built", fill, NULL, NULL, &lease, error);
    CHECK((lease != NULL) == (code == LARDER_OK));
    larder_lease_free(lease);
    return code;
}

static larder_code stages_and(larder_error** error,
                              larder_code (*fill_it)(larder_staging*, const char*,
                                                     larder_error**)) {
    larder_staging* staging = NULL;
    larder_lease* lease = NULL;
    larder_code code = larder_bucket_stage(bucket, &staging, error);
    CHECK((staging != NULL) == (code == LARDER_OK));
    if (code != LARDER_OK) return code;
    code = fill_it(staging, below(playground(), "tree"), error);
    if (code != LARDER_OK) {
        larder_staging_free(staging);
        return code;
    }
    code = larder_bucket_publish(bucket, long_key, staging, NULL, &lease, error);
    CHECK((lease != NULL) == (code == LARDER_OK));
    larder_lease_free(lease);
    return code;
}

static larder_code copies(larder_error** error) {
    return stages_and(error, larder_staging_copy_from);
}
static larder_code moves(larder_error** error) {
    return stages_and(error, larder_staging_move_from);
}

static larder_code removes(larder_error** error) {
    return larder_bucket_remove(bucket, long_key, LARDER_SURVIVES_PROCESS, error);
}
static larder_code refreshes(larder_error** error) {
    return larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, error);
}

static larder_code refreshes_some(larder_error** error) {
    const larder_refresh_options options = {
        .size = sizeof options, .published_before_ns = INT64_MAX, .pattern = "a key that*"};
    uint64_t taken = 0;
    return larder_bucket_refresh_some(bucket, &options, &taken, error);
}

static larder_code pins(larder_error** error) {
    return larder_bucket_pin(bucket, long_key, LARDER_SURVIVES_PROCESS, error);
}
static larder_code unpins(larder_error** error) {
    return larder_bucket_unpin(bucket, "pinned", LARDER_SURVIVES_PROCESS, error);
}
static larder_code looks_for_a_pin(larder_error** error) {
    int pinned = 0;
    return larder_bucket_is_pinned(bucket, "pinned", &pinned, error);
}

static larder_code lists(larder_error** error) {
    larder_names* names = NULL;
    const larder_code code = larder_bucket_keys(bucket, &names, error);
    CHECK((names != NULL) == (code == LARDER_OK));
    larder_names_free(names);
    return code;
}

static larder_code informs(larder_error** error) {
    larder_entry_info* info = NULL;
    const larder_code code = larder_bucket_info(bucket, long_key, &info, error);
    CHECK((info != NULL) == (code == LARDER_OK));
    larder_entry_info_free(info);
    return code;
}

static larder_code tells_who_is_there(larder_error** error) {
    larder_status* status = NULL;
    const larder_code code = larder_cache_status(cache, &status, error);
    CHECK((status != NULL) == (code == LARDER_OK));
    larder_status_free(status);
    return code;
}

static larder_code verifies(larder_error** error) {
    const larder_verify_options options = {.size = sizeof options, .repair = 1};
    larder_verify_report* report = NULL;
    const larder_code code = larder_cache_verify(cache, &options, &report, error);
    CHECK((report != NULL) == (code == LARDER_OK));
    larder_verify_report_free(report);
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

static const char* const kept[] = {"another bucket/a pattern with a length of its own*"};
static const larder_limits limits = {.size = sizeof limits,
                                     .set = LARDER_LIMIT_SIZE | LARDER_LIMIT_ENTRIES,
                                     .keep = kept,
                                     .keep_count = 1};

static larder_code collects(larder_error** error) {
    larder_collect_report* report = NULL;
    const larder_code code = larder_cache_collect(cache, NULL, NULL, &report, error);
    CHECK((report != NULL) == (code == LARDER_OK));
    larder_collect_report_free(report);
    return code;
}

static larder_code keeps_limits(larder_error** error) {
    larder_collect_report* report = NULL;
    const larder_code code = larder_cache_collect(cache, &limits, NULL, &report, error);
    CHECK((report != NULL) == (code == LARDER_OK));
    larder_collect_report_free(report);
    return code;
}

static larder_code evicts(larder_error** error) {
    const larder_eviction eviction = {
        .size = sizeof eviction, .bucket = "b", .key = long_key, .id = live_id};
    const larder_eviction* const evictions[] = {&eviction};
    const larder_eviction_plan plan = {
        .size = sizeof plan, .evictions = evictions, .eviction_count = 1};
    return larder_cache_evict(cache, &plan, NULL, NULL, error);
}

static larder_code keeps_within(larder_error** error) {
    const larder_background_options options = {.size = sizeof options, .every_s = -1};
    const larder_code code = larder_cache_keep_within(cache, &limits, &options, error);
    return code != LARDER_OK ? code : copies(error);
}

static larder_code makes_an_error(larder_error** error) {
    *error = larder_error_new(LARDER_BUILD, 0,
                              "a path that is too long for a string to keep it in itself",
                              "a text of the same kind, to be copied");
    CHECK(*error != NULL);
    return (larder_code)(*error)->code;
}

/* Opens the cache anew, so that the call under test has to join it, and puts back what a call takes
 * away. */
static void restock(void) {
    larder_entries* entries = NULL;
    larder_entry_info* info = NULL;
    larder_error* error = NULL;
    const char* const tree = below(playground(), "tree");
    if (!exists(tree)) CHECK(mkdir(tree, 0755) == 0);
    if (!exists(below(tree, "below"))) CHECK(mkdir(below(tree, "below"), 0755) == 0);
    write_file(below(tree, "file"), "text");
    write_file(below(tree, "below/file"), "text");
    cache = open_cache(NULL);
    bucket = open_bucket(cache);
    put(bucket, long_key, "text");
    put(bucket, "former", "text");
    WORKS(larder_bucket_remove(bucket, "former", LARDER_SURVIVES_PROCESS, &error));
    WORKS(larder_bucket_pin(bucket, "pinned", LARDER_SURVIVES_PROCESS, &error));
    larder_bucket_unpin(bucket, long_key, LARDER_SURVIVES_PROCESS, NULL);
    larder_bucket_remove(bucket, "built", LARDER_SURVIVES_PROCESS, NULL);
    WORKS(larder_cache_trash(cache, &entries, &error));
    snprintf(trash_id, sizeof trash_id, "%s", entries->entries[0]->id);
    larder_entries_free(entries);
    WORKS(larder_bucket_info(bucket, long_key, &info, &error));
    snprintf(live_id, sizeof live_id, "%s", info->id);
    larder_entry_info_free(info);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    cache = open_cache(NULL);
    bucket = open_bucket(cache);
}

/* Closes the cache, checks that it is sound, and deletes what the call has left. */
static void check_cache(void) {
    larder_verify_report* report = NULL;
    larder_error* error = NULL;
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    cache = open_cache(NULL);
    WORKS(larder_cache_verify(cache, NULL, &report, &error));
    CHECK(report->sound);
    CHECK_NUMBER(0, report->finding_count);
    larder_verify_report_free(report);
    WORKS(larder_cache_collect(cache, NULL, NULL, NULL, &error));
    larder_cache_close(cache);
}

/* Destroys the cache, and ends by a second call what the first one could not. */
static void destroys_without_memory(void) {
    char root[4096];
    int mode;
    snprintf(root, sizeof root, "%s", below(playground(), "cache"));
    for (mode = FAIL_ONCE; mode <= FAIL_FROM_NOW; ++mode) {
        long n, failed = 1;
        int out_of_memory = 0;
        for (n = 0; n < 10000 && failed != 0; ++n) {
            larder_error* error = NULL;
            larder_code code;
            restock();
            larder_bucket_free(bucket);
            larder_cache_close(cache);
            failing_memory_begin(n, (failing_memory_mode)mode);
            code = larder_cache_destroy(root, &error);
            failed = failing_memory_end();
            if (code != LARDER_OK) {
                CHECK_NUMBER(LARDER_SYSTEM, code);
                CHECK_NUMBER(ENOMEM, error->sys_errno);
                ++out_of_memory;
                larder_error_free(error);
                error = NULL;
            }
            if (exists(root)) WORKS(larder_cache_destroy(root, &error));
            CHECK(!exists(root));
        }
        CHECK(failed == 0);
        CHECK(out_of_memory > 0);
    }
}

static void without_memory(const char* name, larder_code (*call)(larder_error**),
                           larder_code usual) {
    int mode;
    for (mode = FAIL_ONCE; mode <= FAIL_FROM_NOW; ++mode) {
        long n, failed = 1;
        int out_of_memory = 0;
        for (n = 0; n < 10000 && failed != 0; ++n) {
            larder_error* error = NULL;
            larder_code code;
            restock();
            failing_memory_begin(n, (failing_memory_mode)mode);
            code = call(&error);
            failed = failing_memory_end();
            if (code == LARDER_SYSTEM) {
                CHECK(error != NULL);
                CHECK_NUMBER(ENOMEM, error->sys_errno);
                CHECK_NUMBER(LARDER_WHY_NO_MEMORY, error->why);
                CHECK(*error->message != '\0');
                ++out_of_memory;
            } else {
                CHECK_NUMBER(usual, code);
            }
            larder_error_free(error);
            check_cache();
        }
        printf("%s: %ld allocations, %d failures\n", name, n - 1, out_of_memory);
        CHECK(failed == 0);
        CHECK(out_of_memory > 0);
    }
}

int main(void) {
    destroys_without_memory(); /* before this process hands a lease on, and so stays a user */
    without_memory("opens", opens, LARDER_OK);
    without_memory("names a bucket", names_a_bucket, LARDER_OK);
    without_memory("lists buckets", lists_buckets, LARDER_OK);
    without_memory("counts", counts, LARDER_OK);
    without_memory("lists pins", lists_pins, LARDER_OK);
    without_memory("lists trash", lists_trash, LARDER_OK);
    without_memory("visits entries", visits_entries, LARDER_OK);
    without_memory("visits the trash", visits_the_trash, LARDER_OK);
    without_memory("restores", restores, LARDER_OK);
    without_memory("finds", finds, LARDER_OK);
    without_memory("misses", misses, LARDER_MISS);
    without_memory("hands on", hands_on, LARDER_OK);
    without_memory("builds", builds, LARDER_OK);
    without_memory("copies", copies, LARDER_OK);
    without_memory("moves", moves, LARDER_OK);
    without_memory("removes", removes, LARDER_OK);
    without_memory("refreshes", refreshes, LARDER_OK);
    without_memory("refreshes some", refreshes_some, LARDER_OK);
    without_memory("pins", pins, LARDER_OK);
    without_memory("unpins", unpins, LARDER_OK);
    without_memory("looks for a pin", looks_for_a_pin, LARDER_OK);
    without_memory("lists", lists, LARDER_OK);
    without_memory("visits keys", visits_keys, LARDER_OK);
    without_memory("informs", informs, LARDER_OK);
    without_memory("tells who is there", tells_who_is_there, LARDER_OK);
    without_memory("verifies", verifies, LARDER_OK);
    without_memory("installs", installs, LARDER_OK);
    without_memory("collects", collects, LARDER_OK);
    without_memory("keeps limits", keeps_limits, LARDER_OK);
    without_memory("evicts", evicts, LARDER_OK);
    without_memory("keeps within", keeps_within, LARDER_OK);
    without_memory("makes an error", makes_an_error, LARDER_BUILD);
    remove_playground();
    return 0;
}
