/* SPDX-License-Identifier: MIT */
/* Uses larder from C, as main.cpp does from C++. */
#include <stdio.h>
#include <string.h>

#include <larder/larder.h>

static int greet(larder_staging* staging, void* word, larder_error** error) {
    char path[4096];
    FILE* file;
    (void)error;
    snprintf(path, sizeof path, "%s/hello", larder_staging_path(staging));
    file = fopen(path, "w");
    if (file == NULL) return LARDER_BUILD;
    fputs(word, file);
    return fclose(file) == 0 ? LARDER_OK : LARDER_BUILD;
}

int main(int argc, char** arguments) {
    larder_cache* cache = NULL;
    larder_bucket* bucket = NULL;
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    char word[16] = "";
    if (argc == 2 && larder_cache_open(arguments[1], NULL, &cache, &error) == LARDER_OK &&
        larder_cache_bucket(cache, "consumer-v1", &bucket, &error) == LARDER_OK &&
        larder_bucket_get_or_build(bucket, "greeting", greet, "hello", NULL, &lease, &error) ==
            LARDER_OK) {
        char path[4096];
        FILE* file;
        snprintf(path, sizeof path, "%s/hello", larder_lease_path(lease));
        file = fopen(path, "r");
        if (file != NULL) {
            if (fgets(word, sizeof word, file) == NULL) *word = '\0';
            fclose(file);
        }
    }
    if (error != NULL) fprintf(stderr, "%s\n", error->message);
    larder_error_free(error);
    larder_lease_free(lease);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
    return strcmp(word, "hello") == 0 ? 0 : 1;
}
