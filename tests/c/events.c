/* SPDX-License-Identifier: MIT */
/* Events, counters and the log. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <string.h>

#include "support.h"

struct heard {
    int count;
    char kinds[4][16];
    char bucket[16], key[16], id[32], what[16], who[16];
    int64_t at_ns;
    uint32_t size;
};

static void hear(const larder_event* event, void* data) {
    struct heard* const heard = data;
    CHECK(heard->count < 4);
    snprintf(heard->kinds[heard->count++], sizeof *heard->kinds, "%s",
             larder_event_kind_name(event->kind));
    snprintf(heard->bucket, sizeof heard->bucket, "%s", event->bucket);
    snprintf(heard->key, sizeof heard->key, "%s", event->key);
    snprintf(heard->id, sizeof heard->id, "%s", event->id);
    snprintf(heard->what, sizeof heard->what, "%s", event->what);
    snprintf(heard->who, sizeof heard->who, "%s", event->who);
    heard->at_ns = event->at_ns;
    heard->size = event->size;
}

static void tells(void) {
    static struct heard heard;
    const char* const log = below(playground(), "log");
    larder_open_options options = {
        .size = sizeof options, .on_event = hear, .on_event_data = &heard, .log = log, .count = 1};
    larder_cache* const cache = open_cache(&options);
    larder_bucket* const bucket = open_bucket(cache);
    larder_entry_info* info = NULL;
    larder_counters* counters = NULL;
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    put(bucket, "k", "text");
    CHECK_NUMBER(1, heard.count);
    CHECK_TEXT("published", heard.kinds[0]);
    CHECK_TEXT("b", heard.bucket);
    CHECK_TEXT("k", heard.key);
    CHECK_TEXT("", heard.what);
    CHECK_TEXT("", heard.who);
    CHECK(heard.at_ns > 0);
    CHECK_NUMBER(sizeof(larder_event), heard.size);
    WORKS(larder_bucket_info(bucket, "k", &info, &error));
    CHECK_TEXT(info->id, heard.id);
    larder_entry_info_free(info);
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "none", &lease, &error));
    WORKS(larder_bucket_get(bucket, "k", &lease, &error));
    larder_lease_free(lease);
    WORKS(larder_bucket_remove(bucket, "k", LARDER_SURVIVES_PROCESS, &error));
    CHECK_TEXT("removed", heard.kinds[1]);
    CHECK(strstr(read_file(below(playground(), "log")),
                 " event=removed bucket=\"b\" key=\"k\"\n") != NULL);

    WORKS(larder_cache_counters(cache, &counters, &error));
    CHECK_NUMBER(sizeof *counters, counters->size);
    CHECK_NUMBER(1, counters->hits);
    CHECK_NUMBER(1, counters->misses);
    CHECK_NUMBER(1, counters->published);
    CHECK_NUMBER(1, counters->removed);
    CHECK_NUMBER(0, counters->waits);
    larder_counters_free(counters);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}

static void counts_only_where_asked(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    larder_counters* counters = NULL;
    larder_error* error = NULL;
    put(bucket, "k", "text");
    WORKS(larder_cache_counters(cache, &counters, &error));
    CHECK_NUMBER(0, counters->published);
    larder_counters_free(counters);
    FAILS_SAYING(LARDER_INVALID, "cache", larder_cache_counters(NULL, &counters, &error));
    CHECK(counters == NULL);
    FAILS_SAYING(LARDER_INVALID, "counters", larder_cache_counters(cache, NULL, &error));
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}

void test_events(void) {
    tells();
    counts_only_where_asked();
}
