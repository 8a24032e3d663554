/* SPDX-License-Identifier: MIT */
/* Builds in C: what they are given, what they may return, and that one of many threads builds. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

struct work {
    const larder_bucket* bucket;
    int calls;
    int code;        /* what the build returns */
    int with_error;  /* whether it also gives an error */
    const char* key; /* the key that it requests itself, or NULL */
};

static int build(larder_staging* staging, void* data, larder_error** error) {
    struct work* const work = data;
    ++work->calls;
    CHECK(*error == NULL);
    write_file(below(larder_staging_path(staging), "text"), "built");
    larder_staging_free(staging); /* the build does not own it, so this does nothing */
    CHECK(exists(larder_staging_path(staging)));
    /* The programs that it runs are told: LOCK:SINCE:ROOT. */
    CHECK(strchr(larder_staging_inside(staging), ':') != NULL);
    CHECK(larder_staging_inside(NULL) == NULL);
    if (work->with_error)
        *error = larder_error_new(LARDER_REFUSED, ENOTDIR, "wheel.whl", "no wheel");
    if (work->key != NULL)
        return (int)larder_bucket_get_or_build(work->bucket, work->key, build, work, NULL, NULL,
                                               error);
    return work->code;
}

static void succeeds(const larder_bucket* bucket) {
    struct work work = {.bucket = bucket};
    larder_lease* first = NULL;
    larder_lease* second = NULL;
    larder_error* error = NULL;
    WORKS(larder_bucket_get_or_build(bucket, "k", build, &work, NULL, &first, &error));
    WORKS(larder_bucket_get_or_build(bucket, "k", build, &work, NULL, &second, &error));
    CHECK_NUMBER(1, work.calls);
    CHECK_TEXT("built", read_file(below(larder_lease_path(second), "text")));
    CHECK_TEXT(larder_lease_id(first), larder_lease_id(second));
    larder_lease_free(first);
    larder_lease_free(second);

    /* A build that succeeds may give an error, which is freed. */
    work.with_error = 1;
    WORKS(larder_bucket_get_or_build(bucket, "got over", build, &work, NULL, NULL, &error));
}

static void says_why_it_fails(const larder_bucket* bucket) {
    struct work work = {.bucket = bucket, .code = LARDER_BUILD};
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    FAILS_SAYING(LARDER_BUILD, "did not say why",
                 larder_bucket_get_or_build(bucket, "f", build, &work, NULL, &lease, &error));
    CHECK(lease == NULL);
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "f", &lease, &error));

    work.code = LARDER_DAMAGED; /* any of the codes is allowed */
    FAILS(LARDER_DAMAGED,
          larder_bucket_get_or_build(bucket, "f", build, &work, NULL, NULL, &error));
    work.code = 4711; /* and any other number */
    FAILS(LARDER_BUILD, larder_bucket_get_or_build(bucket, "f", build, &work, NULL, NULL, &error));
    work.code = -1;
    CHECK_NUMBER(LARDER_BUILD,
                 larder_bucket_get_or_build(bucket, "f", build, &work, NULL, NULL, NULL));

    work.with_error = 1; /* its error is used instead of its code */
    CHECK_NUMBER(LARDER_REFUSED,
                 larder_bucket_get_or_build(bucket, "f", build, &work, NULL, &lease, &error));
    CHECK_NUMBER(LARDER_REFUSED, error->code);
    CHECK_NUMBER(ENOTDIR, error->sys_errno);
    CHECK_TEXT("build", error->step);
    CHECK_TEXT("wheel.whl", error->path);
    CHECK_TEXT("no wheel", error->detail);
    CHECK_TEXT("build wheel.whl: no wheel (Not a directory)", error->message);
    larder_error_free(error);
    error = NULL;
    CHECK_NUMBER(5, work.calls); /* failures are not shared: each call builds again */
}

static int asks_larder(larder_staging* staging, void* data, larder_error** error) {
    (void)data;
    return (int)larder_staging_copy_from(staging, "/nowhere/at/all", error);
}

static int publishes(larder_staging* staging, void* data, larder_error** error) {
    return (int)larder_bucket_publish(data, "p", staging, NULL, NULL, error);
}

static void passes_on(larder_bucket* bucket) {
    struct work work = {.bucket = bucket, .key = "k"};
    larder_error* error = NULL;
    CHECK_NUMBER(LARDER_SYSTEM,
                 larder_bucket_get_or_build(bucket, "f", asks_larder, NULL, NULL, NULL, &error));
    CHECK_NUMBER(ENOENT, error->sys_errno);
    CHECK_TEXT("/nowhere/at/all", error->path);
    CHECK(strcmp("build", error->step) != 0);
    larder_error_free(error);
    error = NULL;
    FAILS_SAYING(LARDER_INVALID, "lent",
                 larder_bucket_get_or_build(bucket, "p", publishes, bucket, NULL, NULL, &error));

    WORKS(larder_bucket_get_or_build(bucket, "another's", build, &work, NULL, NULL, &error));
    work.key = "own";
    FAILS(LARDER_INVALID,
          larder_bucket_get_or_build(bucket, "own", build, &work, NULL, NULL, &error));
    CHECK_NUMBER(2, work.calls);
}

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static int builders, inside, together[2];

/* Returns after all other threads wait, or build as well. */
static int counted(larder_staging* staging, void* data, larder_error** error) {
    char gone;
    (void)staging, (void)data, (void)error;
    pthread_mutex_lock(&counting);
    ++builders;
    pthread_mutex_unlock(&counting);
    return read(together[0], &gone, 1) == 1 ? LARDER_OK : LARDER_SYSTEM;
}

static void* want(void* bucket) {
    larder_lease* lease = NULL;
    pthread_mutex_lock(&counting);
    if (++inside == 4)
        CHECK(write(together[1], "four", 4) == 4); /* one byte for each thread that could build */
    pthread_mutex_unlock(&counting);
    CHECK(larder_bucket_get_or_build(bucket, "wanted by all", counted, NULL, NULL, &lease, NULL) ==
          LARDER_OK);
    return lease;
}

static void is_done_once(larder_bucket* bucket) {
    pthread_t threads[4];
    void* leases[4];
    int i;
    CHECK(pipe(together) == 0);
    for (i = 0; i < 4; ++i) CHECK(pthread_create(&threads[i], NULL, want, bucket) == 0);
    for (i = 0; i < 4; ++i) CHECK(pthread_join(threads[i], &leases[i]) == 0);
    CHECK_NUMBER(1, builders);
    for (i = 0; i < 4; ++i) CHECK_TEXT(larder_lease_id(leases[0]), larder_lease_id(leases[i]));
    for (i = 0; i < 4; ++i) larder_lease_free(leases[i]);
    close(together[0]);
    close(together[1]);
}

void test_builds(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    succeeds(bucket);
    says_why_it_fails(bucket);
    passes_on(bucket);
    is_done_once(bucket);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
