/* SPDX-License-Identifier: MIT */
/* Opens a cache, and finds nothing in it. */
#include <stdio.h>

#include <larder/larder.h>

int main(int argc, char** arguments) {
    larder_cache* cache = NULL;
    larder_bucket* bucket = NULL;
    larder_lease* lease = NULL;
    larder_code code = larder_cache_open(argc > 1 ? arguments[1] : NULL, NULL, &cache, NULL);
    if (code == LARDER_OK) code = larder_cache_bucket(cache, "test-v1", &bucket, NULL);
    if (code == LARDER_OK) code = larder_bucket_get(bucket, "nothing", &lease, NULL);
    printf("larder %s: %s\n", larder_version(), larder_code_name((int)code));
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    return code == LARDER_MISS ? 0 : 1;
}
