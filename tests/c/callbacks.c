/* SPDX-License-Identifier: MIT */
/* Callbacks that close the cache. */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>

#include "support.h"

/* A cache that a callback closes, once. */
struct closed {
    larder_cache* cache;
    int calls;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

static void close_it(struct closed* closed) {
    pthread_mutex_lock(&closed->mutex);
    ++closed->calls;
    larder_cache_close(closed->cache);
    closed->cache = NULL;
    pthread_cond_signal(&closed->changed);
    pthread_mutex_unlock(&closed->mutex);
}

static void close_at_eviction(const larder_eviction* eviction, void* data) {
    (void)eviction;
    close_it(data);
}

static void close_at_event(const larder_event* event, void* data) {
    (void)event;
    close_it(data);
}

static void close_when_done(const larder_collect_report* report, const larder_error* error,
                            void* data) {
    CHECK(report != NULL && error == NULL);
    close_it(data);
}

static int close_in_build(larder_staging* staging, void* data, larder_error** error) {
    (void)staging, (void)error;
    close_it(data);
    return LARDER_OK;
}

static const larder_limits no_entries = {.size = sizeof no_entries, .set = LARDER_LIMIT_ENTRIES};

static void while_collecting(void) {
    struct closed closed = {NULL, 0, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
    const larder_collect_options options = {
        .size = sizeof options, .on_evict = close_at_eviction, .on_evict_data = &closed};
    const larder_open_options telling = {
        .size = sizeof telling, .on_event = close_at_event, .on_event_data = &closed};
    larder_collect_report* report = NULL;
    larder_error* error = NULL;
    larder_cache* cache = open_cache(NULL);
    larder_bucket* bucket = open_bucket(cache);
    put(bucket, "k", "text");
    larder_bucket_free(bucket);
    closed.cache = cache;
    WORKS(larder_cache_collect(cache, &no_entries, &options, &report, &error));
    CHECK_NUMBER(1, closed.calls);
    CHECK_NUMBER(1, report->entries);
    larder_collect_report_free(report);

    cache = closed.cache = open_cache(&telling);
    WORKS(larder_cache_collect(cache, NULL, NULL, NULL, &error));
    CHECK_NUMBER(2, closed.calls);
}

static void in_the_background(void) {
    struct closed closed = {NULL, 0, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
    const larder_background_options options = {
        .size = sizeof options, .every_s = -1, .on_done = close_when_done, .on_done_data = &closed};
    larder_error* error = NULL;
    larder_bucket* bucket;
    closed.cache = open_cache(NULL);
    bucket = open_bucket(closed.cache);
    WORKS(larder_cache_keep_within(closed.cache, &no_entries, &options, &error));
    pthread_mutex_lock(&closed.mutex); /* the callback waits until the bucket is freed */
    put(bucket, "k", "text");
    larder_bucket_free(bucket);
    while (closed.calls == 0) pthread_cond_wait(&closed.changed, &closed.mutex);
    pthread_mutex_unlock(&closed.mutex);
}

static void in_a_build(void) {
    struct closed closed = {NULL, 0, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
    larder_error* error = NULL;
    larder_lease* lease = NULL;
    larder_bucket* bucket;
    closed.cache = open_cache(NULL);
    bucket = open_bucket(closed.cache);
    WORKS(
        larder_bucket_get_or_build(bucket, "built", close_in_build, &closed, NULL, &lease, &error));
    CHECK_NUMBER(1, closed.calls);
    CHECK(exists(larder_lease_path(lease)));
    larder_lease_free(lease);
    larder_bucket_free(bucket);
}

void test_callbacks(void) {
    while_collecting();
    in_the_background();
    in_a_build();
}
