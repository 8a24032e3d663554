/* SPDX-License-Identifier: MIT */
/* Claims in C: a lease, a staging or `busy`, and nothing waits. */
#include <string.h>

#include "support.h"

static void gives_a_staging_once(const larder_bucket* bucket) {
    larder_lease* lease = NULL;
    larder_lease* published = NULL;
    larder_staging* staging = NULL;
    larder_staging* second = NULL;
    larder_error* error = NULL;
    WORKS(larder_bucket_claim(bucket, "k", &lease, &staging, &error));
    CHECK(lease == NULL);
    CHECK(staging != NULL);
    CHECK(strchr(larder_staging_inside(staging), ':') != NULL);
    FAILS_SAYING(LARDER_BUSY, "built by pid ",
                 larder_bucket_claim(bucket, "k", &lease, &second, &error));
    CHECK(second == NULL);

    write_file(below(larder_staging_path(staging), "text"), "built");
    WORKS(larder_bucket_publish(bucket, "k", staging, NULL, &published, &error));
    WORKS(larder_bucket_claim(bucket, "k", &lease, &staging, &error));
    CHECK(staging == NULL);
    CHECK_TEXT(larder_lease_id(published), larder_lease_id(lease));
    larder_lease_free(lease);
    larder_lease_free(published);
}

static void is_given_up_by_free(const larder_bucket* bucket) {
    larder_lease* lease = NULL;
    larder_staging* staging = NULL;
    larder_error* error = NULL;
    WORKS(larder_bucket_claim(bucket, "given up", &lease, &staging, &error));
    larder_staging_free(staging);
    WORKS(larder_bucket_claim(bucket, "given up", &lease, &staging, &error));
    CHECK(staging != NULL);
    larder_staging_free(staging);
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "given up", &lease, &error));
}

static void wants_places_for_both(const larder_bucket* bucket) {
    larder_lease* lease = NULL;
    larder_staging* staging = NULL;
    larder_error* error = NULL;
    FAILS_SAYING(LARDER_INVALID, "lease is NULL",
                 larder_bucket_claim(bucket, "n", NULL, &staging, &error));
    FAILS_SAYING(LARDER_INVALID, "staging is NULL",
                 larder_bucket_claim(bucket, "n", &lease, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "key is NULL",
                 larder_bucket_claim(bucket, NULL, &lease, &staging, &error));
}

void test_claims(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    gives_a_staging_once(bucket);
    is_given_up_by_free(bucket);
    wants_places_for_both(bucket);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
