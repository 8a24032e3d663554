/* SPDX-License-Identifier: MIT */
/* Publishing, getting, listing and retiring entries. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <time.h>

#include "support.h"

static void opens(void) {
    larder_cache* cache = open_cache(NULL);
    larder_bucket* bucket = open_bucket(cache);
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    larder_open_options options = {.size = sizeof options};
    CHECK(strstr(larder_cache_root(cache), "/cache") != NULL);
    CHECK_NUMBER(0, larder_cache_is_read_only(cache));
    CHECK_NUMBER(LARDER_LINK_SYMLINK, larder_cache_link_kind(cache));
    CHECK_TEXT("b", larder_bucket_name(bucket));
    put(bucket, "k", "one");
    WORKS(larder_bucket_get(bucket, "k", &lease, &error));
    CHECK_NUMBER(1, larder_lease_is_protected(lease));
    larder_lease_free(lease);
    larder_bucket_free(bucket);
    larder_cache_close(cache);

    options.read_only = 1;
    cache = open_cache(&options);
    bucket = open_bucket(cache);
    CHECK_NUMBER(1, larder_cache_is_read_only(cache));
    WORKS(larder_bucket_get(bucket, "k", &lease, &error));
    CHECK_NUMBER(0, larder_lease_is_protected(lease));
    CHECK_TEXT("one", read_file(below(larder_lease_path(lease), "text")));
    FAILS(LARDER_INVALID, larder_lease_keep_across_exec(lease, &error));
    FAILS(LARDER_READ_ONLY, larder_bucket_remove(bucket, "k", LARDER_SURVIVES_PROCESS, &error));
    larder_lease_free(lease);
    larder_bucket_free(bucket);
    larder_cache_close(cache);

    options.read_only = 0;
    options.link_kind = LARDER_LINK_FILE;
    WORKS(larder_cache_open(below(playground(), "files"), &options, &cache, &error));
    CHECK_NUMBER(LARDER_LINK_FILE, larder_cache_link_kind(cache));
    CHECK_NUMBER(LARDER_BUCKET_DIRECTORY, larder_cache_bucket_kind(cache));
    larder_cache_close(cache);

    options.bucket_kind = LARDER_BUCKET_POINTER;
    WORKS(larder_cache_open(below(playground(), "pointers"), &options, &cache, &error));
    CHECK_NUMBER(LARDER_BUCKET_POINTER, larder_cache_bucket_kind(cache));
    bucket = open_bucket(cache);
    put(bucket, "k", "one");
    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, &error));
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "k", &lease, &error));
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}

static void publishes_and_gets(const larder_bucket* bucket) {
    larder_publish_options options = {
        .size = sizeof options, .durability = LARDER_SURVIVES_POWER, .producer = "c_tests 1"};
    static char metadata[] = "etag\0 1";
    const char* read = NULL;
    size_t size = 0;
    larder_staging* staging = NULL;
    larder_lease* made = NULL;
    larder_lease* got = NULL;
    larder_entry_info* info = NULL;
    larder_error* error = NULL;
    const char* const source = below(playground(), "source");
    const long long before = (long long)time(NULL) - 1;

    options.metadata = metadata;
    options.metadata_size = sizeof metadata - 1;
    CHECK(mkdir(source, 0755) == 0);
    write_file(below(source, "file"), "from a copy");
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    WORKS(larder_staging_copy_from(staging, source, &error));
    WORKS(larder_bucket_publish(bucket, "copied", staging, &options, &made, &error));
    CHECK_TEXT("from a copy", read_file(below(source, "file")));

    WORKS(larder_bucket_get(bucket, "copied", &got, &error));
    CHECK_TEXT(larder_lease_id(made), larder_lease_id(got));
    CHECK_TEXT(larder_lease_path(made), larder_lease_path(got));
    CHECK_TEXT("from a copy", read_file(below(larder_lease_path(got), "file")));

    WORKS(larder_bucket_info(bucket, "copied", &info, &error));
    CHECK_NUMBER(sizeof *info, info->size);
    CHECK_TEXT("b", info->bucket);
    CHECK_TEXT("copied", info->key);
    CHECK_TEXT(larder_lease_id(got), info->id);
    CHECK_TEXT(larder_lease_path(got), info->path);
    CHECK_TEXT("c_tests 1", info->producer);
    CHECK_NUMBER(sizeof metadata - 1, info->metadata_size);
    CHECK(memcmp(info->metadata, metadata, sizeof metadata) == 0);
    WORKS(larder_lease_metadata(got, &read, &size, &error));
    CHECK_NUMBER(sizeof metadata - 1, size);
    CHECK(memcmp(read, metadata, sizeof metadata) == 0);
    CHECK_NUMBER(LARDER_SURVIVES_POWER, info->durability);
    CHECK_NUMBER(strlen("from a copy"), info->bytes);
    CHECK_NUMBER(1, info->files);
    CHECK(info->published_ns / 1000000000 >= before &&
          info->published_ns / 1000000000 <= (long long)time(NULL) + 1);
    CHECK(*info->boot != '\0');
    larder_entry_info_free(info);
    larder_lease_free(made);
    larder_lease_free(got);

    WORKS(larder_bucket_stage(bucket, &staging, &error));
    WORKS(larder_staging_move_from(staging, source, &error));
    CHECK(!exists(source));
    WORKS(larder_bucket_publish(bucket, "moved", staging, NULL, &made, &error));
    CHECK_TEXT("from a copy", read_file(below(larder_lease_path(made), "file")));
    larder_lease_free(made);

    /* A staging area that is not published is deleted with its handle. */
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    {
        const char* const path = below(larder_staging_path(staging), ".");
        CHECK(exists(path));
        larder_staging_free(staging);
        CHECK(!exists(path));
    }
}

static int has(const larder_names* names, const char* name) {
    size_t i;
    for (i = 0; i < names->count; ++i) {
        if (strcmp(names->names[i], name) == 0) return 1;
    }
    return 0;
}

/* Counts the keys, or entries of the trash, that were seen, and wants `most` of them. */
struct visited {
    int seen, most;
    char key[16], id[32];
};

static int see_key(const char* key, void* data) {
    struct visited* const visited = data;
    snprintf(visited->key, sizeof visited->key, "%s", key);
    return ++visited->seen < visited->most;
}

static int see_entry(const larder_entry_info* entry, void* data) {
    struct visited* const visited = data;
    snprintf(visited->id, sizeof visited->id, "%s", entry->id);
    return see_key(entry->key, data);
}

static int see_named_entry(const char* name, const char* key, const larder_entry_info* entry,
                           const larder_error* failure, void* data) {
    CHECK(failure == NULL);
    CHECK_TEXT(name, entry->bucket);
    CHECK_TEXT(key, entry->key);
    return see_entry(entry, data);
}

static int see_failure(const char* name, const char* key, const larder_entry_info* entry,
                       const larder_error* failure, void* data) {
    CHECK(entry == NULL);
    CHECK_TEXT("b", name);
    CHECK_NUMBER(LARDER_DAMAGED, failure->code);
    return see_key(key, data);
}

static void visits_entries(const larder_cache* cache) {
    larder_error* error = NULL;
    struct visited visited = {0, 10, "", ""};
    const char* const names[] = {"another", "b", NULL};
    WORKS(larder_cache_visit_entries(cache, names, 2, see_named_entry, &visited, &error));
    CHECK_NUMBER(4, visited.seen);
    visited = (struct visited){0, 1, "", ""};
    WORKS(larder_cache_visit_entries(cache, names, 2, see_named_entry, &visited, &error));
    CHECK_NUMBER(1, visited.seen);
    FAILS_SAYING(LARDER_INVALID, "visit is NULL",
                 larder_cache_visit_entries(cache, names, 2, NULL, NULL, &error));
    FAILS_SAYING(LARDER_INVALID, "buckets has a NULL before bucket_count",
                 larder_cache_visit_entries(cache, names, 3, see_named_entry, &visited, &error));
}

/* The record of an entry is lost: the entry is visited with an error. */
static void visits_a_damaged_entry(const larder_cache* cache, const larder_bucket* bucket) {
    const char* const names[] = {"b"};
    larder_error* error = NULL;
    larder_lease* lease = NULL;
    struct visited visited = {0, 10, "", ""};
    put(bucket, "damaged", "text");
    WORKS(larder_bucket_get(bucket, "damaged", &lease, &error));
    CHECK_NUMBER(0, remove(below(larder_lease_path(lease), "../record")));
    larder_lease_free(lease);
    WORKS(larder_cache_visit_entries(cache, names, 1, see_failure, &visited, &error));
    CHECK_NUMBER(1, visited.seen);
    CHECK_TEXT("damaged", visited.key);
}

static void visits_keys(const larder_bucket* bucket, int most, int expected) {
    larder_error* error = NULL;
    struct visited visited = {0, most, "", ""};
    WORKS(larder_bucket_visit_keys(bucket, see_key, &visited, &error));
    CHECK_NUMBER(expected, visited.seen);
    FAILS_SAYING(LARDER_INVALID, "visit is NULL",
                 larder_bucket_visit_keys(bucket, NULL, NULL, &error));
}

static void lists_and_retires(const larder_cache* cache, const larder_bucket* bucket) {
    larder_names* names = NULL;
    larder_entries* trash = NULL;
    larder_entry_info* info = NULL;
    larder_lease* lease = NULL;
    larder_lease* none = NULL;
    larder_lease* again = NULL;
    larder_error* error = NULL;
    struct visited visited = {0, 10, "", ""};
    larder_restore_options replacing = {
        .size = sizeof replacing, .replace = 1, .durability = LARDER_SURVIVES_POWER};
    put(bucket, "k", "one");
    put(bucket, "l/\xc3\xa4", "two");

    WORKS(larder_bucket_keys(bucket, &names, &error));
    CHECK_NUMBER(4, names->count);
    CHECK_NUMBER(0, names->unnameable);
    CHECK(has(names, "k") && has(names, "l/\xc3\xa4") && has(names, "copied") &&
          has(names, "moved"));
    larder_names_free(names);
    visits_keys(bucket, 10, 4);
    visits_keys(bucket, 2, 2);
    visits_entries(cache);
    WORKS(larder_cache_buckets(cache, &names, &error));
    CHECK_NUMBER(1, names->count);
    CHECK_TEXT("b", names->names[0]);
    larder_names_free(names);

    /* A leased entry stays, even without its key, its bucket and its cache. */
    WORKS(larder_bucket_get(bucket, "k", &lease, &error));
    WORKS(larder_bucket_remove(bucket, "k", LARDER_SURVIVES_POWER, &error));
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "k", &none, &error));
    CHECK(none == NULL);
    FAILS(LARDER_MISS, larder_bucket_remove(bucket, "k", LARDER_SURVIVES_PROCESS, &error));
    FAILS(LARDER_MISS, larder_bucket_info(bucket, "k", &info, &error));
    CHECK(info == NULL);
    CHECK_TEXT("one", read_file(below(larder_lease_path(lease), "text")));

    /* A retired entry can be restored. */
    WORKS(larder_cache_trash(cache, &trash, &error));
    CHECK_NUMBER(1, trash->count);
    CHECK_TEXT("k", trash->entries[0]->key);
    CHECK_TEXT(larder_lease_id(lease), trash->entries[0]->id);
    WORKS(larder_cache_visit_trash(cache, see_entry, &visited, &error));
    CHECK_NUMBER(1, visited.seen);
    CHECK_TEXT("k", visited.key);
    CHECK_TEXT(larder_lease_id(lease), visited.id);
    FAILS_SAYING(LARDER_INVALID, "visit is NULL",
                 larder_cache_visit_trash(cache, NULL, NULL, &error));
    WORKS(larder_cache_restore(cache, trash->entries[0]->id, NULL, NULL, &error));
    FAILS(LARDER_EXISTS, larder_cache_restore(cache, trash->entries[0]->id, NULL, NULL, &error));
    WORKS(larder_cache_restore(cache, trash->entries[0]->id, &replacing, &again, &error));
    CHECK_TEXT("one", read_file(below(larder_lease_path(again), "text")));
    CHECK(strcmp(larder_lease_id(lease), larder_lease_id(again)) != 0);
    WORKS(larder_bucket_info(bucket, "k", &info, &error));
    CHECK_NUMBER(LARDER_SURVIVES_POWER, info->durability);
    larder_entry_info_free(info);
    info = NULL;
    FAILS(LARDER_INVALID, larder_cache_restore(cache, "no id", NULL, NULL, &error));
    larder_entries_free(trash);
    larder_lease_free(lease);
    larder_lease_free(again);
}

static void count_key(const char* key, void* count) {
    CHECK(strncmp(key, "s/", 2) == 0);
    ++*(int*)count;
}

static void refreshes(const larder_bucket* bucket) {
    larder_refresh_options options = {
        .size = sizeof options, .pattern = "s/*", .on_taken = count_key};
    larder_lease* lease = NULL;
    larder_names* names = NULL;
    larder_error* error = NULL;
    uint64_t taken = 77;
    int called = 0;
    options.on_taken_data = &called;
    put(bucket, "s/1", "1");
    put(bucket, "s/2", "2");
    put(bucket, "t", "3");

    options.dry_run = 1;
    WORKS(larder_bucket_refresh_some(bucket, &options, &taken, &error));
    CHECK_NUMBER(2, taken);
    options.dry_run = 0;
    options.published_before_ns = 1; /* long ago, so it takes none */
    called = 0;
    WORKS(larder_bucket_refresh_some(bucket, &options, &taken, &error));
    CHECK_NUMBER(0, taken);
    CHECK_NUMBER(0, called);
    options.published_before_ns = 0;
    options.older_than_s = 3600;
    WORKS(larder_bucket_refresh_some(bucket, &options, &taken, &error));
    CHECK_NUMBER(0, taken);
    options.older_than_s = -1;
    FAILS_SAYING(LARDER_INVALID, "older_than_s is negative",
                 larder_bucket_refresh_some(bucket, &options, &taken, &error));
    options.older_than_s = 0;
    options.durability = LARDER_SURVIVES_POWER;
    WORKS(larder_bucket_refresh_some(bucket, &options, &taken, &error));
    CHECK_NUMBER(2, taken);
    CHECK_NUMBER(2, called);
    FAILS(LARDER_MISS, larder_bucket_get(bucket, "s/1", &lease, &error));
    WORKS(larder_bucket_get(bucket, "t", &lease, &error));

    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_POWER, &error));
    WORKS(larder_bucket_keys(bucket, &names, &error));
    CHECK_NUMBER(0, names->count);
    larder_names_free(names);
    CHECK_TEXT("3", read_file(below(larder_lease_path(lease), "text")));
    larder_lease_free(lease);
}

/* Handles may be closed in any order. */
static void closes(larder_cache* cache, larder_bucket* bucket) {
    larder_lease* lease = NULL;
    larder_staging* staging = NULL;
    larder_error* error = NULL;
    put(bucket, "k", "still here");
    WORKS(larder_bucket_get(bucket, "k", &lease, &error));
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    larder_cache_close(cache);
    put(bucket, "l", "after its cache was closed");
    larder_bucket_free(bucket);
    CHECK_TEXT("still here", read_file(below(larder_lease_path(lease), "text")));
    write_file(below(larder_staging_path(staging), "text"), "");
    larder_staging_free(staging);
    WORKS(larder_lease_keep_across_exec(lease, &error));
    larder_lease_free(lease);
}

static unsigned long long inode_of(const char* path) {
    struct stat status;
    CHECK(stat(path, &status) == 0);
    return status.st_ino;
}

/* As a program does that takes entries over from another cache. */
static void imports(const larder_bucket* bucket) {
    const larder_publish_options options = {.size = sizeof options,
                                            .published_ns = 1000000000LL * 1700000000,
                                            .last_used_ns = 1000000000LL * 1710000000 + 5};
    const char* const source = below(playground(), "elsewhere");
    larder_staging* staging = NULL;
    larder_lease* made = NULL;
    larder_entry_info* info = NULL;
    larder_error* error = NULL;

    CHECK(mkdir(source, 0755) == 0);
    write_file(below(source, "file"), "from another cache");
    WORKS(larder_bucket_stage(bucket, &staging, &error));
    FAILS(LARDER_INVALID, larder_staging_link_from(staging, source, 9, &error));
    WORKS(larder_staging_link_from(staging, source, LARDER_MODE_HARDLINK, &error));
    WORKS(larder_bucket_publish(bucket, "linked", staging, &options, &made, &error));
    WORKS(larder_bucket_info(bucket, "linked", &info, &error));
    CHECK_NUMBER(options.published_ns, info->published_ns);
    CHECK_NUMBER(options.last_used_ns, info->last_used_ns);
    CHECK(inode_of(below(source, "file")) == inode_of(below(larder_lease_path(made), "file")));
    larder_entry_info_free(info);
    larder_lease_free(made);
}

void test_entries(void) {
    larder_error* error = NULL;
    larder_cache* cache;
    larder_bucket* bucket;
    opens();
    cache = open_cache(NULL);
    bucket = open_bucket(cache);
    WORKS(larder_bucket_refresh(bucket, LARDER_SURVIVES_PROCESS, &error));
    WORKS(larder_cache_collect(cache, NULL, NULL, NULL, &error));
    publishes_and_gets(bucket);
    lists_and_retires(cache, bucket);
    refreshes(bucket);
    visits_a_damaged_entry(cache, bucket);
    imports(bucket);
    closes(cache, bucket);
}
