/* SPDX-License-Identifier: MIT */
/* Materializing. */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static nlink_t links_of(const char* path) {
    struct stat status;
    CHECK(lstat(path, &status) == 0);
    return status.st_nlink;
}

void test_install(void) {
    larder_cache* const cache = open_cache(NULL);
    larder_bucket* const bucket = open_bucket(cache);
    larder_materialize_options options = {.size = sizeof options, .mode = LARDER_MODE_COPY};
    larder_materialize_report* report = NULL;
    larder_staging* staging = NULL;
    larder_lease* lease = NULL;
    larder_error* error = NULL;
    char copied[4096], linked[4096];
    strcpy(copied, below(playground(), "copied"));
    strcpy(linked, below(playground(), "linked"));

    WORKS(larder_bucket_stage(bucket, &staging, &error));
    CHECK(mkdir(below(larder_staging_path(staging), "sub"), 0755) == 0);
    write_file(below(larder_staging_path(staging), "sub/file"), "123456");
    write_file(below(larder_staging_path(staging), "text"), "1234");
    CHECK(symlink("text", below(larder_staging_path(staging), "link")) == 0);
    WORKS(larder_bucket_publish(bucket, "tree", staging, NULL, &lease, &error));

    larder_stop* const stop = larder_stop_new();
    larder_stop_request(stop);
    options.stop = stop;
    CHECK_NUMBER(LARDER_INTERRUPTED,
                 larder_materialize(larder_lease_path(lease), copied, &options, &report, &error));
    CHECK(report == NULL);
    CHECK(access(copied, F_OK) != 0);
    larder_error_free(error);
    error = NULL;
    options.stop = NULL;
    larder_stop_free(stop);

    WORKS(larder_materialize(larder_lease_path(lease), copied, &options, &report, &error));
    CHECK_NUMBER(sizeof *report, report->size);
    CHECK_NUMBER(2, report->copied);
    CHECK_NUMBER(0, report->cloned + report->hardlinked);
    CHECK_NUMBER(1, report->symlinks);
    CHECK_NUMBER(2, report->directories);
    CHECK_NUMBER(10, report->bytes);
    CHECK_NUMBER(0, report->inexact);
    larder_materialize_report_free(report);
    CHECK_TEXT("123456", read_file(below(copied, "sub/file")));
    CHECK_TEXT("1234", read_file(below(copied, "link")));
    CHECK_NUMBER(1, links_of(below(copied, "text")));

    options.mode = LARDER_MODE_HARDLINK;
    WORKS(larder_materialize(larder_lease_path(lease), linked, &options, &report, &error));
    CHECK_NUMBER(2, report->hardlinked);
    larder_materialize_report_free(report);
    CHECK_NUMBER(2, links_of(below(linked, "text")));

    /* A file that is in the way stays, unless it may be replaced. */
    write_file(below(copied, "text"), "edited");
    FAILS(LARDER_EXISTS,
          larder_materialize(larder_lease_path(lease), copied, &options, &report, &error));
    CHECK(report == NULL);
    CHECK_TEXT("edited", read_file(below(copied, "text")));
    options.replace = 1;
    WORKS(larder_materialize(larder_lease_path(lease), copied, &options, NULL, &error));
    CHECK_TEXT("1234", read_file(below(copied, "text")));

    FAILS(LARDER_INVALID,
          larder_materialize(larder_lease_path(lease), below(larder_cache_root(cache), "inside"),
                             NULL, NULL, &error));
    larder_lease_free(lease);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
