/* SPDX-License-Identifier: MIT */
/* Waiting for the build of another thread: time limits, stops and callbacks. One thread builds for
 * as long as the test wants. Another one, with a cache and options of its own, requests the same
 * key. */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static int begun[2],
    finish[2]; /* pipes: the build reports that it has begun, and ends when the test says so */

static int held_up(larder_staging* staging, void* data, larder_error** error) {
    char byte = 'b';
    (void)staging, (void)data, (void)error;
    CHECK(write(begun[1], &byte, 1) == 1);
    CHECK(read(finish[0], &byte, 1) == 1);
    return LARDER_OK;
}

static void* build_slowly(void* bucket) {
    CHECK(larder_bucket_get_or_build(bucket, "k", held_up, NULL, NULL, NULL, NULL) == LARDER_OK);
    return NULL;
}

static void let_it_finish(void) { CHECK(write(finish[1], "f", 1) == 1); }

static pthread_t start_building(larder_bucket* bucket) {
    pthread_t thread;
    char byte;
    CHECK(pthread_create(&thread, NULL, build_slowly, bucket) == 0);
    CHECK(read(begun[0], &byte, 1) == 1);
    return thread;
}

static int quick(larder_staging* staging, void* built, larder_error** error) {
    (void)staging, (void)error;
    *(int*)built = 1;
    return LARDER_OK;
}

/* A caller that does not wait builds without the lock. */
static void has_a_limit(larder_bucket* bucket) {
    larder_open_options options = {.size = sizeof options, .build_timeout_ms = LARDER_NO_WAIT};
    larder_cache* const cache = open_cache(&options);
    larder_bucket* const own = open_bucket(cache);
    larder_error* error = NULL;
    const pthread_t builder = start_building(bucket);
    int built = 0;
    WORKS(larder_bucket_get_or_build(own, "k", quick, &built, NULL, NULL, &error));
    CHECK_NUMBER(1, built);
    let_it_finish();
    CHECK(pthread_join(builder, NULL) == 0);
    larder_bucket_free(own);
    larder_cache_close(cache);
}

static void can_be_stopped(larder_bucket* bucket) {
    larder_open_options options = {.size = sizeof options};
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    larder_cache* cache;
    larder_bucket* own;
    pthread_t builder;
    int built = 0;
    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, &error));
    options.stop = larder_stop_new();
    CHECK(options.stop != NULL);
    cache = open_cache(&options);
    own = open_bucket(cache);
    builder = start_building(bucket);
    larder_stop_request(options.stop);
    larder_stop_free(options.stop); /* the cache still has the request */
    FAILS(LARDER_INTERRUPTED,
          larder_bucket_get_or_build(own, "k", quick, &built, NULL, &lease, &error));
    CHECK_NUMBER(0, built);
    let_it_finish();
    CHECK(pthread_join(builder, NULL) == 0);
    larder_bucket_free(own);
    larder_cache_close(cache);
}

static int32_t stop_at_third(void* asked) { return ++*(int*)asked < 3; }

static int32_t always(void* asked) {
    if (++*(int*)asked == 3) let_it_finish();
    return 1;
}

/* A wait asks its caller whether it goes on. */
static void asks(larder_bucket* bucket) {
    larder_open_options options = {.size = sizeof options};
    larder_error* error = NULL;
    larder_cache* cache;
    larder_bucket* own;
    pthread_t builder;
    int built = 0, asked = 0;
    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, &error));
    options.keep_waiting = stop_at_third;
    options.keep_waiting_data = &asked;
    cache = open_cache(&options);
    own = open_bucket(cache);
    builder = start_building(bucket);
    FAILS(LARDER_INTERRUPTED,
          larder_bucket_get_or_build(own, "k", quick, &built, NULL, NULL, &error));
    CHECK_NUMBER(3, asked);
    larder_bucket_free(own);
    larder_cache_close(cache);

    asked = 0;
    options.keep_waiting = always;
    cache = open_cache(&options);
    own = open_bucket(cache);
    WORKS(larder_bucket_get_or_build(own, "k", quick, &built, NULL, NULL, &error));
    CHECK(asked >= 3);
    CHECK_NUMBER(0, built);
    CHECK(pthread_join(builder, NULL) == 0);
    larder_bucket_free(own);
    larder_cache_close(cache);
}

struct told {
    int times;
    char what[100];
    char holders[200];
};

static int32_t end_at_third(const larder_wait* wait, void* data) {
    struct told* const told = data;
    CHECK_NUMBER(sizeof *wait, wait->size);
    CHECK(wait->took_ns > 0);
    strncpy(told->what, wait->what, sizeof told->what - 1);
    strncpy(told->holders, wait->holders, sizeof told->holders - 1);
    return ++told->times < 3;
}

/* A call with options of its own is told of its wait, and can be ended by itself. */
static void ends_by_itself(larder_cache* cache, larder_bucket* bucket) {
    struct told told = {0};
    larder_call_options options = {.size = sizeof options};
    larder_error* error = NULL;
    larder_bucket* own = NULL;
    larder_bucket* stopped = NULL;
    larder_cache* second = NULL;
    pthread_t builder;
    int built = 0;
    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, &error));
    options.on_wait = end_at_third;
    options.on_wait_data = &told;
    WORKS(larder_bucket_with(bucket, &options, &own, &error));
    CHECK_TEXT(larder_bucket_name(bucket), larder_bucket_name(own));
    options.on_wait = NULL;
    options.stop = larder_stop_new();
    WORKS(larder_cache_with(cache, &options, &second, &error));
    WORKS(larder_cache_bucket(second, "b", &stopped, &error));

    builder = start_building(bucket);
    FAILS(LARDER_INTERRUPTED,
          larder_bucket_get_or_build(own, "k", quick, &built, NULL, NULL, &error));
    CHECK_NUMBER(3, told.times);
    CHECK_TEXT("build k", told.what);
    CHECK(strstr(told.holders, "pid ") == told.holders);
    larder_stop_request(options.stop);
    FAILS(LARDER_INTERRUPTED,
          larder_bucket_get_or_build(stopped, "k", quick, &built, NULL, NULL, &error));
    CHECK_NUMBER(0, built);
    let_it_finish();
    WORKS(larder_bucket_get_or_build(bucket, "k", quick, &built, NULL, NULL, &error));
    CHECK(pthread_join(builder, NULL) == 0);

    larder_bucket_free(own);

    options.size = 4;
    FAILS_SAYING(LARDER_INVALID, "size is 4", larder_bucket_with(bucket, &options, &own, &error));
    CHECK(own == NULL);
    larder_stop_free(options.stop);
    larder_bucket_free(stopped);
    larder_cache_close(second);
}

static void hear(const char* text, void* heard) {
    if (*(char*)heard != '\0') return;
    strncpy(heard, text, 199);
    let_it_finish(); /* if the wait ends, it is because of this call */
}

static void is_told(larder_bucket* bucket) {
    static char heard[200];
    larder_open_options options = {.size = sizeof options, .on_wait = hear, .on_wait_data = heard};
    larder_cache* const cache = open_cache(&options);
    larder_bucket* const own = open_bucket(cache);
    larder_error* error = NULL;
    pthread_t builder;
    int built = 0;
    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, &error));
    builder = start_building(bucket);
    WORKS(larder_bucket_get_or_build(own, "k", quick, &built, NULL, NULL, &error));
    CHECK_NUMBER(0, built);
    CHECK(strstr(heard, "waiting for ") != NULL);
    CHECK(pthread_join(builder, NULL) == 0);
    larder_bucket_free(own);
    larder_cache_close(cache);
}

void test_waits(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    CHECK(pipe(begun) == 0 && pipe(finish) == 0);
    has_a_limit(bucket);
    can_be_stopped(bucket);
    is_told(bucket);
    asks(bucket);
    ends_by_itself(cache, bucket);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
