/* SPDX-License-Identifier: MIT */
/* What a compiled program depends on: the sizes of the structs, the offsets of their fields, and
 * the values of the constants. A new field at the end of a struct changes its size here and nothing
 * else. Any other failure of this test breaks programs, and needs another SOVERSION. */
#include <stddef.h>

#include "support.h"

/* These numbers are for pointers of eight bytes. src/c/ checks on every machine that no struct has
 * a hole. */
static void structs(void) {
    if (sizeof(void*) != 8) return;
    CHECK_NUMBER(48, sizeof(larder_error));
    CHECK_NUMBER(4, offsetof(larder_error, code));
    CHECK_NUMBER(8, offsetof(larder_error, sys_errno));
    CHECK_NUMBER(12, offsetof(larder_error, why));
    CHECK_NUMBER(40, offsetof(larder_error, message));

    CHECK_NUMBER(128, sizeof(larder_open_options));
    CHECK_NUMBER(16, offsetof(larder_open_options, lock_timeout_ms));
    CHECK_NUMBER(48, offsetof(larder_open_options, on_wait));
    CHECK_NUMBER(72, offsetof(larder_open_options, log));
    CHECK_NUMBER(88, offsetof(larder_open_options, keep_waiting));
    CHECK_NUMBER(104, offsetof(larder_open_options, digest_count));
    CHECK_NUMBER(120, offsetof(larder_open_options, bucket_kind));
    CHECK_NUMBER(64, sizeof(larder_publish_options));
    CHECK_NUMBER(8, offsetof(larder_publish_options, producer));
    CHECK_NUMBER(24, offsetof(larder_publish_options, digest));
    CHECK_NUMBER(48, offsetof(larder_publish_options, published_ns));
    CHECK_NUMBER(64, sizeof(larder_refresh_options));
    CHECK_NUMBER(32, offsetof(larder_refresh_options, on_taken));
    CHECK_NUMBER(48, offsetof(larder_refresh_options, durability));
    CHECK_NUMBER(56, offsetof(larder_refresh_options, older_than_s));
    CHECK_NUMBER(16, sizeof(larder_restore_options));
    CHECK_NUMBER(8, offsetof(larder_restore_options, durability));
    CHECK_NUMBER(64, sizeof(larder_limits));
    CHECK_NUMBER(40, offsetof(larder_limits, low_water));
    CHECK_NUMBER(40, sizeof(larder_eviction_plan));
    CHECK_NUMBER(8, offsetof(larder_eviction_plan, evictions));
    CHECK_NUMBER(80, sizeof(larder_collect_options));
    CHECK_NUMBER(16, offsetof(larder_collect_options, on_evict));
    CHECK_NUMBER(48, offsetof(larder_collect_options, stop));
    CHECK_NUMBER(72, offsetof(larder_collect_options, presume_dead));
    CHECK_NUMBER(96, sizeof(larder_background_options));
    CHECK_NUMBER(32, offsetof(larder_background_options, on_done));
    CHECK_NUMBER(48, offsetof(larder_background_options, on_evict));
    CHECK_NUMBER(8, sizeof(larder_verify_options));
    CHECK_NUMBER(48, sizeof(larder_content_options));
    CHECK_NUMBER(8, offsetof(larder_content_options, budget_ms));
    CHECK_NUMBER(16, sizeof(larder_dedupe_options));
    CHECK_NUMBER(8, offsetof(larder_dedupe_options, stop));
    CHECK_NUMBER(40, sizeof(larder_materialize_options));
    CHECK_NUMBER(16, offsetof(larder_materialize_options, stop));
    CHECK_NUMBER(24, offsetof(larder_materialize_options, digest_count));

    CHECK_NUMBER(88, sizeof(larder_event));
    CHECK_NUMBER(40, offsetof(larder_event, bucket));
    CHECK_NUMBER(144, sizeof(larder_counters));
    CHECK_NUMBER(8, offsetof(larder_counters, hits));
    CHECK_NUMBER(40, sizeof(larder_names));
    CHECK_NUMBER(24, offsetof(larder_names, names));
    CHECK_NUMBER(104, sizeof(larder_entry_info));
    CHECK_NUMBER(40, offsetof(larder_entry_info, bucket));
    CHECK_NUMBER(24, sizeof(larder_entries));
    CHECK_NUMBER(24, sizeof(larder_pin));
    CHECK_NUMBER(24, sizeof(larder_pins));
    CHECK_NUMBER(40, sizeof(larder_root));
    CHECK_NUMBER(24, sizeof(larder_roots));
    CHECK_NUMBER(56, sizeof(larder_process_info));
    CHECK_NUMBER(32, offsetof(larder_process_info, command));
    CHECK_NUMBER(48, offsetof(larder_process_info, untold));
    CHECK_NUMBER(40, sizeof(larder_lease_info));
    CHECK_NUMBER(40, sizeof(larder_lock_info));
    CHECK_NUMBER(80, sizeof(larder_status));
    CHECK_NUMBER(56, sizeof(larder_eviction));
    CHECK_NUMBER(32, sizeof(larder_collect_progress));
    CHECK_NUMBER(216, sizeof(larder_collect_report));
    CHECK_NUMBER(24, offsetof(larder_collect_report, entries));
    CHECK_NUMBER(120, offsetof(larder_collect_report, leased_count));
    CHECK_NUMBER(192, offsetof(larder_collect_report, untold));
    CHECK_NUMBER(208, offsetof(larder_collect_report, rooted));
    CHECK_NUMBER(32, sizeof(larder_finding));
    CHECK_NUMBER(48, sizeof(larder_verify_report));
    CHECK_NUMBER(64, sizeof(larder_content_report));
    CHECK_NUMBER(64, sizeof(larder_dedupe_report));
    CHECK_NUMBER(64, sizeof(larder_materialize_report));
}

static void codes(void) {
    static const char* const names[] = {
        "ok",       "miss",        "busy",   "interrupted", "invalid", "refused", "read_only",
        "no_space", "unsupported", "exists", "build",       "damaged", "system"};
    int code;
    for (code = 0; code < (int)(sizeof names / sizeof *names); ++code)
        CHECK_TEXT(names[code], larder_code_name(code));
    CHECK_TEXT("unknown", larder_code_name(code));
    CHECK_TEXT("unknown", larder_code_name(-1));
    CHECK_NUMBER(1, LARDER_MISS);
    CHECK_NUMBER(4, LARDER_INVALID);
    CHECK_NUMBER(12, LARDER_SYSTEM);
}

static void event_kinds(void) {
    static const char* const names[] = {"waiting",   "waited",    "gave_up",  "published",
                                        "removed",   "refreshed", "restored", "evicted",
                                        "collected", "takeover",  "repaired", "reopened"};
    int kind;
    for (kind = 0; kind < (int)(sizeof names / sizeof *names); ++kind)
        CHECK_TEXT(names[kind], larder_event_kind_name(kind));
    CHECK_TEXT("unknown", larder_event_kind_name(kind));
    CHECK_TEXT("unknown", larder_event_kind_name(-1));
}

static void kinds(void) {
    static const char* const names[] = {"dangling", "malformed",   "misnamed", "shared",
                                        "orphan",   "participant", "foreign",  "unreadable",
                                        "changed",  "blocked"};
    int kind;
    for (kind = 0; kind < (int)(sizeof names / sizeof *names); ++kind)
        CHECK_TEXT(names[kind], larder_finding_kind_name(kind));
    CHECK_TEXT("unknown", larder_finding_kind_name(kind));
    CHECK_TEXT("unknown", larder_finding_kind_name(-1));
}

static void root_states(void) {
    static const char* const names[] = {"leads", "unreachable", "gone", "unreadable"};
    int state;
    for (state = 0; state < (int)(sizeof names / sizeof *names); ++state)
        CHECK_TEXT(names[state], larder_root_state_name(state));
    CHECK_TEXT("unknown", larder_root_state_name(state));
    CHECK_TEXT("unknown", larder_root_state_name(-1));
    CHECK_NUMBER(1, LARDER_PRUNE_DRY_RUN);
    CHECK_NUMBER(2, LARDER_PRUNE_UNREACHABLE);
}

void test_abi(void) {
    structs();
    codes();
    kinds();
    root_states();
    event_kinds();
    CHECK_TEXT(LARDER_VERSION, larder_version());
}
