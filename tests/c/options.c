/* SPDX-License-Identifier: MIT */
/* Options: structs of other versions, and values that are not valid. */
#include <string.h>

#include "support.h"

/* The struct of a program that was compiled with a later larder, in which it has grown. */
struct later {
    larder_verify_options options;
    uint64_t added;
    void* added_later;
};

static void grow(const larder_cache* cache) {
    struct later later;
    larder_verify_report* report = NULL;
    larder_error* error = NULL;
    memset(&later, 0, sizeof later);
    FAILS_SAYING(
        LARDER_INVALID, "sizeof",
        larder_cache_verify(cache, &later.options, &report, &error)); /* the size was not set */
    later.options.size = sizeof(uint32_t);
    FAILS_SAYING(
        LARDER_INVALID, "sizeof",
        larder_cache_verify(cache, &later.options, &report, &error)); /* no version was so small */
    CHECK(report == NULL);

    later.options.size = sizeof later; /* a later program that uses nothing new */
    WORKS(larder_cache_verify(cache, &later.options, &report, &error));
    larder_verify_report_free(report);
    later.added_later = &later; /* a later program that uses something new */
    FAILS_SAYING(LARDER_INVALID, "newer larder",
                 larder_cache_verify(cache, &later.options, &report, &error));
    later.options.size = sizeof later.options; /* the library looks at no more than this */
    WORKS(larder_cache_verify(cache, &later.options, &report, &error));
    larder_verify_report_free(report);
}

static int unused(larder_staging* staging, void* data, larder_error** error) {
    (void)staging, (void)data, (void)error;
    return LARDER_OK;
}

static void must_be_known(const larder_cache* cache, const larder_bucket* bucket) {
    larder_open_options open = {.size = sizeof open};
    larder_publish_options publish = {.size = sizeof publish};
    larder_refresh_options refresh = {.size = sizeof refresh};
    larder_restore_options restore = {.size = sizeof restore};
    larder_collect_options collect = {.size = sizeof collect};
    larder_materialize_options materialize = {.size = sizeof materialize};
    larder_cache* opened = NULL;
    larder_staging* staging = NULL;
    larder_error* error = NULL;
    const char* const fresh = below(playground(), "fresh");

    open.link_kind = 4;
    FAILS_SAYING(LARDER_INVALID, "link_kind", larder_cache_open(fresh, &open, &opened, &error));
    open.link_kind = -1;
    FAILS_SAYING(LARDER_INVALID, "link_kind", larder_cache_open(fresh, &open, &opened, &error));
    open.link_kind = 0;
    open.bucket_kind = 3;
    FAILS_SAYING(LARDER_INVALID, "bucket_kind", larder_cache_open(fresh, &open, &opened, &error));
    open.bucket_kind = 0;
    open.reserved = 1;
    FAILS_SAYING(LARDER_INVALID, "reserved", larder_cache_open(fresh, &open, &opened, &error));
    open.reserved = 0;
    open.log = "/";
    FAILS_SAYING(LARDER_SYSTEM, "log", larder_cache_open(fresh, &open, &opened, &error));
    open.log = NULL;
    open.size = offsetof(larder_open_options, keep_waiting) - 1;
    FAILS_SAYING(LARDER_INVALID, "size", larder_cache_open(fresh, &open, &opened, &error));
    CHECK(opened == NULL && !exists(fresh));

    publish.durability = 2;
    FAILS_SAYING(LARDER_INVALID, "durability",
                 larder_bucket_get_or_build(bucket, "k", unused, NULL, &publish, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "durability",
                 larder_bucket_remove(bucket, "k", (larder_durability)2, &error));
    FAILS_SAYING(LARDER_INVALID, "durability",
                 larder_bucket_refresh(bucket, (larder_durability)2, &error));
    FAILS_SAYING(LARDER_INVALID, "durability",
                 larder_bucket_pin(bucket, "k", (larder_durability)2, &error));
    FAILS_SAYING(LARDER_INVALID, "durability",
                 larder_bucket_unpin(bucket, "k", (larder_durability)2, &error));
    restore.durability = 2;
    FAILS_SAYING(LARDER_INVALID, "durability",
                 larder_cache_restore(cache, "id", &restore, NULL, &error));
    restore.durability = 0;
    restore.reserved = 1;
    FAILS_SAYING(LARDER_INVALID, "reserved",
                 larder_cache_restore(cache, "id", &restore, NULL, &error));
    publish.durability = 0;
    publish.reserved = &publish;
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    FAILS_SAYING(LARDER_INVALID, "reserved",
                 larder_bucket_publish(bucket, "k", staging, &publish, NULL, &error));

    refresh.reserved = &refresh;
    FAILS_SAYING(LARDER_INVALID, "reserved",
                 larder_bucket_refresh_some(bucket, &refresh, NULL, &error));
    refresh.reserved = NULL;
    refresh.reserved_2 = 1;
    FAILS_SAYING(LARDER_INVALID, "reserved_2",
                 larder_bucket_refresh_some(bucket, &refresh, NULL, &error));
    refresh.reserved_2 = 0;
    refresh.durability = 2;
    FAILS_SAYING(LARDER_INVALID, "durability",
                 larder_bucket_refresh_some(bucket, &refresh, NULL, &error));
    refresh.size = offsetof(larder_refresh_options, durability) - 1;
    FAILS_SAYING(LARDER_INVALID, "size",
                 larder_bucket_refresh_some(bucket, &refresh, NULL, &error));
    /* A program of the version before the durability. */
    refresh.size = offsetof(larder_refresh_options, durability);
    WORKS(larder_bucket_refresh_some(bucket, &refresh, NULL, &error));

    materialize.mode = 4;
    FAILS_SAYING(LARDER_INVALID, "mode",
                 larder_materialize("/", fresh, &materialize, NULL, &error));

    collect.reserved = &collect;
    FAILS_SAYING(LARDER_INVALID, "reserved",
                 larder_cache_collect(cache, NULL, &collect, NULL, &error));
}

static void limits_need_their_bits(const larder_cache* cache) {
    larder_limits limits = {.size = sizeof limits};
    larder_error* error = NULL;
    limits.max_size = 1;
    FAILS_SAYING(LARDER_INVALID, "LARDER_LIMIT_SIZE",
                 larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.max_size = 0;
    limits.max_age_s = 1;
    FAILS_SAYING(LARDER_INVALID, "LARDER_LIMIT_AGE",
                 larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.max_age_s = 0;
    limits.max_entries = 1;
    FAILS_SAYING(LARDER_INVALID, "LARDER_LIMIT_ENTRIES",
                 larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.max_entries = 0;
    limits.min_free = 1;
    FAILS_SAYING(LARDER_INVALID, "LARDER_LIMIT_FREE_SPACE",
                 larder_cache_keep_within(cache, &limits, NULL, &error));
    limits.min_free = 0;
    limits.set = 16;
    FAILS_SAYING(LARDER_INVALID, "set", larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.set = LARDER_LIMIT_AGE;
    limits.max_age_s = -1;
    FAILS_SAYING(LARDER_INVALID, "max_age_s",
                 larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.max_age_s = INT64_MAX; /* no entry is so old */
    WORKS(larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.low_water = 101;
    FAILS(LARDER_INVALID, larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.low_water = 0;
    limits.reserved = 1;
    FAILS_SAYING(LARDER_INVALID, "reserved",
                 larder_cache_collect(cache, &limits, NULL, NULL, &error));
}

static void arrays_need_their_texts(const larder_cache* cache) {
    static const char* const hole[] = {"b/*", NULL};
    larder_eviction incomplete = {.size = sizeof incomplete, .bucket = "b", .key = "k"};
    const larder_eviction* evictions[2];
    larder_limits limits = {.size = sizeof limits};
    larder_eviction_plan plan = {.size = sizeof plan};
    larder_error* error = NULL;
    evictions[0] = &incomplete;
    evictions[1] = NULL;
    limits.keep_count = 1;
    FAILS_SAYING(LARDER_INVALID, "keep is NULL",
                 larder_cache_collect(cache, &limits, NULL, NULL, &error));
    limits.keep = hole;
    limits.keep_count = 2;
    FAILS_SAYING(LARDER_INVALID, "keep[1]",
                 larder_cache_collect(cache, &limits, NULL, NULL, &error));
    plan.eviction_count = 1;
    FAILS_SAYING(LARDER_INVALID, "evictions is NULL",
                 larder_cache_evict(cache, &plan, NULL, NULL, &error));
    plan.evictions = evictions;
    FAILS_SAYING(LARDER_INVALID, "evictions[0] lacks",
                 larder_cache_evict(cache, &plan, NULL, NULL, &error));
    incomplete.id = "id";
    incomplete.reason = 5;
    FAILS_SAYING(LARDER_INVALID, "reason", larder_cache_evict(cache, &plan, NULL, NULL, &error));
    incomplete.reason = LARDER_EVICTED_BY_PLAN;
    plan.eviction_count = 2;
    FAILS_SAYING(LARDER_INVALID, "evictions[1]",
                 larder_cache_evict(cache, &plan, NULL, NULL, &error));
    plan.eviction_count = 0;
    plan.keep_count = 1;
    FAILS_SAYING(LARDER_INVALID, "keep is NULL",
                 larder_cache_evict(cache, &plan, NULL, NULL, &error));
}

void test_options(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    grow(cache);
    must_be_known(cache, bucket);
    limits_need_their_bits(cache);
    arrays_need_their_texts(cache);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
