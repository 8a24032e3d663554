// SPDX-License-Identifier: MIT
// bindings/rust/generate has made this file from larder.h and content.h.
// Their declarations: 4da852de0c4513fde63135935bff3e663a25b6d677e6c242e57a98153614bd34

pub const LARDER_NO_WAIT: i32 = -1;
pub const LARDER_LIMIT_SIZE: u32 = 1;
pub const LARDER_LIMIT_AGE: u32 = 2;
pub const LARDER_LIMIT_ENTRIES: u32 = 4;
pub const LARDER_LIMIT_FREE_SPACE: u32 = 8;
pub const LARDER_OK: larder_code = 0;
pub const LARDER_MISS: larder_code = 1;
pub const LARDER_BUSY: larder_code = 2;
pub const LARDER_INTERRUPTED: larder_code = 3;
pub const LARDER_INVALID: larder_code = 4;
pub const LARDER_REFUSED: larder_code = 5;
pub const LARDER_READ_ONLY: larder_code = 6;
pub const LARDER_NO_SPACE: larder_code = 7;
pub const LARDER_UNSUPPORTED: larder_code = 8;
pub const LARDER_EXISTS: larder_code = 9;
pub const LARDER_BUILD: larder_code = 10;
pub const LARDER_DAMAGED: larder_code = 11;
pub const LARDER_SYSTEM: larder_code = 12;
pub type larder_code = ::std::os::raw::c_uint;
pub const LARDER_WHY_NONE: larder_why = 0;
pub const LARDER_WHY_ABSENT: larder_why = 1;
pub const LARDER_WHY_EXISTS: larder_why = 2;
pub const LARDER_WHY_NOT_EMPTY: larder_why = 3;
pub const LARDER_WHY_NOT_DIRECTORY: larder_why = 4;
pub const LARDER_WHY_IS_DIRECTORY: larder_why = 5;
pub const LARDER_WHY_IS_LINK: larder_why = 6;
pub const LARDER_WHY_CROSS_DEVICE: larder_why = 7;
pub const LARDER_WHY_DENIED: larder_why = 8;
pub const LARDER_WHY_NOT_PERMITTED: larder_why = 9;
pub const LARDER_WHY_READ_ONLY: larder_why = 10;
pub const LARDER_WHY_NO_SPACE: larder_why = 11;
pub const LARDER_WHY_TOO_MANY_LINKS: larder_why = 12;
pub const LARDER_WHY_TOO_MANY_OPEN_FILES: larder_why = 13;
pub const LARDER_WHY_NAME_TOO_LONG: larder_why = 14;
pub const LARDER_WHY_NOT_SUPPORTED: larder_why = 15;
pub const LARDER_WHY_INVALID: larder_why = 16;
pub const LARDER_WHY_NO_DEVICE: larder_why = 17;
pub const LARDER_WHY_NOT_SEEKABLE: larder_why = 18;
pub const LARDER_WHY_BUSY: larder_why = 19;
pub const LARDER_WHY_SHARING: larder_why = 20;
pub const LARDER_WHY_WOULD_BLOCK: larder_why = 21;
pub const LARDER_WHY_INTERRUPTED: larder_why = 22;
pub const LARDER_WHY_NO_MEMORY: larder_why = 23;
pub const LARDER_WHY_IO: larder_why = 24;
pub const LARDER_WHY_OTHER: larder_why = 25;
pub type larder_why = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_error {
    pub size: u32,
    pub code: i32,
    pub sys_errno: i32,
    pub why: i32,
    pub step: *const ::std::os::raw::c_char,
    pub path: *const ::std::os::raw::c_char,
    pub detail: *const ::std::os::raw::c_char,
    pub message: *const ::std::os::raw::c_char,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_stop {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_cache {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_bucket {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_lease {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_staging {
    _unused: [u8; 0],
}
pub const LARDER_EVENT_WAITING: larder_event_kind = 0;
pub const LARDER_EVENT_WAITED: larder_event_kind = 1;
pub const LARDER_EVENT_GAVE_UP: larder_event_kind = 2;
pub const LARDER_EVENT_PUBLISHED: larder_event_kind = 3;
pub const LARDER_EVENT_REMOVED: larder_event_kind = 4;
pub const LARDER_EVENT_REFRESHED: larder_event_kind = 5;
pub const LARDER_EVENT_RESTORED: larder_event_kind = 6;
pub const LARDER_EVENT_EVICTED: larder_event_kind = 7;
pub const LARDER_EVENT_COLLECTED: larder_event_kind = 8;
pub const LARDER_EVENT_TAKEOVER: larder_event_kind = 9;
pub const LARDER_EVENT_REPAIRED: larder_event_kind = 10;
pub const LARDER_EVENT_REOPENED: larder_event_kind = 11;
pub type larder_event_kind = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_event {
    pub size: u32,
    pub kind: i32,
    pub at_ns: i64,
    pub took_ns: i64,
    pub entries: u64,
    pub bytes: u64,
    pub bucket: *const ::std::os::raw::c_char,
    pub key: *const ::std::os::raw::c_char,
    pub id: *const ::std::os::raw::c_char,
    pub what: *const ::std::os::raw::c_char,
    pub who: *const ::std::os::raw::c_char,
    pub reserved: *mut ::std::os::raw::c_void,
}
pub const LARDER_LINK_PROBED: larder_link_kind = 0;
pub const LARDER_LINK_SYMLINK: larder_link_kind = 1;
pub const LARDER_LINK_FILE: larder_link_kind = 2;
pub const LARDER_LINK_JUNCTION: larder_link_kind = 3;
pub type larder_link_kind = ::std::os::raw::c_uint;
pub const LARDER_BUCKET_PROBED: larder_bucket_kind = 0;
pub const LARDER_BUCKET_DIRECTORY: larder_bucket_kind = 1;
pub const LARDER_BUCKET_POINTER: larder_bucket_kind = 2;
pub type larder_bucket_kind = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_digest {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_open_options {
    pub size: u32,
    pub link_kind: i32,
    pub read_only: i32,
    pub allow_network: i32,
    pub lock_timeout_ms: i64,
    pub build_timeout_ms: i64,
    pub stop: *mut larder_stop,
    pub on_wait_data: *mut ::std::os::raw::c_void,
    pub on_wait: ::std::option::Option<
        unsafe extern "C" fn(
            text: *const ::std::os::raw::c_char,
            on_wait_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub on_event: ::std::option::Option<
        unsafe extern "C" fn(
            event: *const larder_event,
            on_event_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub on_event_data: *mut ::std::os::raw::c_void,
    pub log: *const ::std::os::raw::c_char,
    pub count: i32,
    pub allow_unsafe: i32,
    pub keep_waiting: ::std::option::Option<
        unsafe extern "C" fn(keep_waiting_data: *mut ::std::os::raw::c_void) -> i32,
    >,
    pub keep_waiting_data: *mut ::std::os::raw::c_void,
    pub digest_count: usize,
    pub digests: *const *const larder_digest,
    pub bucket_kind: i32,
    pub reserved: i32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_counters {
    pub size: u32,
    pub reserved: i32,
    pub hits: u64,
    pub misses: u64,
    pub published: u64,
    pub removed: u64,
    pub refreshed: u64,
    pub restored: u64,
    pub evicted: u64,
    pub evicted_bytes: u64,
    pub collections: u64,
    pub deleted: u64,
    pub deleted_bytes: u64,
    pub waits: u64,
    pub given_up: u64,
    pub waited_ns: u64,
    pub takeovers: u64,
    pub repairs: u64,
    pub reopened: u64,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_wait {
    pub size: u32,
    pub reserved: i32,
    pub what: *const ::std::os::raw::c_char,
    pub holders: *const ::std::os::raw::c_char,
    pub took_ns: i64,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_call_options {
    pub size: u32,
    pub reserved: i32,
    pub stop: *mut larder_stop,
    pub on_wait: ::std::option::Option<
        unsafe extern "C" fn(
            wait: *const larder_wait,
            on_wait_data: *mut ::std::os::raw::c_void,
        ) -> i32,
    >,
    pub on_wait_data: *mut ::std::os::raw::c_void,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_names {
    pub size: u32,
    pub reserved: i32,
    pub count: usize,
    pub unnameable: usize,
    pub names: *const *const ::std::os::raw::c_char,
    pub reserved_pointer: *mut ::std::os::raw::c_void,
}
pub const LARDER_SURVIVES_PROCESS: larder_durability = 0;
pub const LARDER_SURVIVES_POWER: larder_durability = 1;
pub type larder_durability = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_publish_options {
    pub size: u32,
    pub durability: i32,
    pub producer: *const ::std::os::raw::c_char,
    pub reserved: *mut ::std::os::raw::c_void,
    pub digest: *const larder_digest,
    pub metadata: *const ::std::os::raw::c_char,
    pub metadata_size: usize,
    pub published_ns: i64,
    pub last_used_ns: i64,
}
pub type larder_build = ::std::option::Option<
    unsafe extern "C" fn(
        staging: *mut larder_staging,
        user_data: *mut ::std::os::raw::c_void,
        error: *mut *mut larder_error,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_refresh_options {
    pub size: u32,
    pub dry_run: i32,
    pub published_before_ns: i64,
    pub pattern: *const ::std::os::raw::c_char,
    pub on_taken_data: *mut ::std::os::raw::c_void,
    pub on_taken: ::std::option::Option<
        unsafe extern "C" fn(
            key: *const ::std::os::raw::c_char,
            on_taken_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub reserved: *mut ::std::os::raw::c_void,
    pub durability: i32,
    pub reserved_2: i32,
    pub older_than_s: i64,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_pin {
    pub size: u32,
    pub reserved: i32,
    pub bucket: *const ::std::os::raw::c_char,
    pub key: *const ::std::os::raw::c_char,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_pins {
    pub size: u32,
    pub reserved: i32,
    pub count: usize,
    pub pins: *const *const larder_pin,
}
pub const LARDER_ROOT_LEADS: larder_root_state = 0;
pub const LARDER_ROOT_UNREACHABLE: larder_root_state = 1;
pub const LARDER_ROOT_GONE: larder_root_state = 2;
pub const LARDER_ROOT_UNREADABLE: larder_root_state = 3;
pub type larder_root_state = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_root {
    pub size: u32,
    pub state: i32,
    pub path: *const ::std::os::raw::c_char,
    pub id: *const ::std::os::raw::c_char,
    pub bucket: *const ::std::os::raw::c_char,
    pub key: *const ::std::os::raw::c_char,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_roots {
    pub size: u32,
    pub reserved: i32,
    pub count: usize,
    pub roots: *const *const larder_root,
}
pub const LARDER_PRUNE_DRY_RUN: larder_prune_flag = 1;
pub const LARDER_PRUNE_UNREACHABLE: larder_prune_flag = 2;
pub type larder_prune_flag = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_entry_info {
    pub size: u32,
    pub durability: i32,
    pub bytes: u64,
    pub files: u64,
    pub published_ns: i64,
    pub last_used_ns: i64,
    pub bucket: *const ::std::os::raw::c_char,
    pub key: *const ::std::os::raw::c_char,
    pub id: *const ::std::os::raw::c_char,
    pub path: *const ::std::os::raw::c_char,
    pub boot: *const ::std::os::raw::c_char,
    pub producer: *const ::std::os::raw::c_char,
    pub metadata: *const ::std::os::raw::c_char,
    pub metadata_size: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_entries {
    pub size: u32,
    pub reserved: i32,
    pub count: usize,
    pub entries: *const *const larder_entry_info,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_restore_options {
    pub size: u32,
    pub replace: i32,
    pub durability: i32,
    pub reserved: i32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_process_info {
    pub size: u32,
    pub participant: u32,
    pub pid: i64,
    pub since_ns: i64,
    pub alive: i32,
    pub here: i32,
    pub command: *const ::std::os::raw::c_char,
    pub reserved: *mut ::std::os::raw::c_void,
    pub untold: i32,
    pub reserved_2: i32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_lease_info {
    pub size: u32,
    pub reserved: i32,
    pub process: *const larder_process_info,
    pub id: *const ::std::os::raw::c_char,
    pub bucket: *const ::std::os::raw::c_char,
    pub key: *const ::std::os::raw::c_char,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_lock_info {
    pub size: u32,
    pub waiting: i32,
    pub thread: i64,
    pub since_ns: i64,
    pub process: *const larder_process_info,
    pub what: *const ::std::os::raw::c_char,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_status {
    pub size: u32,
    pub collecting: i32,
    pub deleting: u64,
    pub process_count: usize,
    pub processes: *const *const larder_process_info,
    pub lease_count: usize,
    pub leases: *const *const larder_lease_info,
    pub lock_count: usize,
    pub locks: *const *const larder_lock_info,
    pub unreadable_count: usize,
    pub unreadable: *const *const ::std::os::raw::c_char,
}
pub const LARDER_EVICTED_BY_AGE: larder_eviction_reason = 0;
pub const LARDER_EVICTED_BY_ENTRIES: larder_eviction_reason = 1;
pub const LARDER_EVICTED_BY_SIZE: larder_eviction_reason = 2;
pub const LARDER_EVICTED_BY_FREE_SPACE: larder_eviction_reason = 3;
pub const LARDER_EVICTED_BY_PLAN: larder_eviction_reason = 4;
pub type larder_eviction_reason = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_eviction {
    pub size: u32,
    pub reason: i32,
    pub bytes: u64,
    pub last_used_ns: i64,
    pub bucket: *const ::std::os::raw::c_char,
    pub key: *const ::std::os::raw::c_char,
    pub id: *const ::std::os::raw::c_char,
    pub reserved: *mut ::std::os::raw::c_void,
}
pub const LARDER_PLANNING: larder_collect_phase = 0;
pub const LARDER_EVICTING: larder_collect_phase = 1;
pub const LARDER_COLLECTING: larder_collect_phase = 2;
pub const LARDER_DELETING: larder_collect_phase = 3;
pub type larder_collect_phase = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_collect_progress {
    pub size: u32,
    pub phase: i32,
    pub done: u64,
    pub total: u64,
    pub bytes: u64,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_limits {
    pub size: u32,
    pub set: u32,
    pub max_size: u64,
    pub max_age_s: i64,
    pub max_entries: u64,
    pub min_free: u64,
    pub low_water: u32,
    pub reserved: i32,
    pub keep: *const *const ::std::os::raw::c_char,
    pub keep_count: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_eviction_plan {
    pub size: u32,
    pub reserved: i32,
    pub evictions: *const *const larder_eviction,
    pub eviction_count: usize,
    pub keep: *const *const ::std::os::raw::c_char,
    pub keep_count: usize,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_collect_options {
    pub size: u32,
    pub dry_run: i32,
    pub threads: u32,
    pub count_freed: i32,
    pub on_evict: ::std::option::Option<
        unsafe extern "C" fn(
            eviction: *const larder_eviction,
            on_evict_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub on_evict_data: *mut ::std::os::raw::c_void,
    pub on_progress: ::std::option::Option<
        unsafe extern "C" fn(
            progress: *const larder_collect_progress,
            on_progress_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub on_progress_data: *mut ::std::os::raw::c_void,
    pub stop: *mut larder_stop,
    pub reserved: *mut ::std::os::raw::c_void,
    pub grace_s: i64,
    pub presume_dead: i32,
    pub settle: i32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_collect_report {
    pub size: u32,
    pub within_limits: i32,
    pub stopped: i32,
    pub live_known: i32,
    pub freed_known: i32,
    pub freed_at_least: i32,
    pub entries: u64,
    pub bytes: u64,
    pub reaped: u64,
    pub buckets: u64,
    pub evicted: u64,
    pub evicted_bytes: u64,
    pub used_since: u64,
    pub held_up: u64,
    pub live_entries: u64,
    pub live_bytes: u64,
    pub freed: u64,
    pub files_left: u64,
    pub leased_count: usize,
    pub leased: *const *const larder_lease_info,
    pub spared_count: usize,
    pub spared: *const *const larder_lease_info,
    pub unknown_count: usize,
    pub unknown: *const *const ::std::os::raw::c_char,
    pub in_grace: u64,
    pub failure_count: usize,
    pub failures: *const *const ::std::os::raw::c_char,
    pub untold: u64,
    pub rooted_count: usize,
    pub rooted: *const *const larder_root,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_background_options {
    pub size: u32,
    pub no_settle: i32,
    pub every_s: i64,
    pub at_most_ms: i64,
    pub on_done_data: *mut ::std::os::raw::c_void,
    pub on_done: ::std::option::Option<
        unsafe extern "C" fn(
            report: *const larder_collect_report,
            error: *const larder_error,
            on_done_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub threads: u32,
    pub count_freed: i32,
    pub on_evict: ::std::option::Option<
        unsafe extern "C" fn(
            eviction: *const larder_eviction,
            on_evict_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub on_evict_data: *mut ::std::os::raw::c_void,
    pub on_progress: ::std::option::Option<
        unsafe extern "C" fn(
            progress: *const larder_collect_progress,
            on_progress_data: *mut ::std::os::raw::c_void,
        ),
    >,
    pub on_progress_data: *mut ::std::os::raw::c_void,
    pub stop: *mut larder_stop,
    pub grace_s: i64,
}
pub const LARDER_FOUND_DANGLING: larder_finding_kind = 0;
pub const LARDER_FOUND_MALFORMED: larder_finding_kind = 1;
pub const LARDER_FOUND_MISNAMED: larder_finding_kind = 2;
pub const LARDER_FOUND_SHARED: larder_finding_kind = 3;
pub const LARDER_FOUND_ORPHAN: larder_finding_kind = 4;
pub const LARDER_FOUND_PARTICIPANT: larder_finding_kind = 5;
pub const LARDER_FOUND_FOREIGN: larder_finding_kind = 6;
pub const LARDER_FOUND_UNREADABLE: larder_finding_kind = 7;
pub const LARDER_FOUND_CHANGED: larder_finding_kind = 8;
pub const LARDER_FOUND_BLOCKED: larder_finding_kind = 9;
pub type larder_finding_kind = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_finding {
    pub size: u32,
    pub kind: i32,
    pub repaired: i32,
    pub reserved: i32,
    pub path: *const ::std::os::raw::c_char,
    pub what: *const ::std::os::raw::c_char,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_verify_options {
    pub size: u32,
    pub repair: i32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_verify_report {
    pub size: u32,
    pub sound: i32,
    pub entries: u64,
    pub live: u64,
    pub garbage: u64,
    pub finding_count: usize,
    pub findings: *const *const larder_finding,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_content_options {
    pub size: u32,
    pub repair: i32,
    pub budget_ms: i64,
    pub digest_count: usize,
    pub digests: *const *const larder_digest,
    pub bucket_count: usize,
    pub buckets: *const *const ::std::os::raw::c_char,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_content_report {
    pub size: u32,
    pub sound: i32,
    pub entries: u64,
    pub unchecked: u64,
    pub without_digests: u64,
    pub files: u64,
    pub bytes: u64,
    pub finding_count: usize,
    pub findings: *const *const larder_finding,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_dedupe_options {
    pub size: u32,
    pub budget_ms: i32,
    pub stop: *const larder_stop,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_dedupe_report {
    pub size: u32,
    pub ended_early: i32,
    pub entries: u64,
    pub files: u64,
    pub bytes: u64,
    pub shared_before: u64,
    pub freed: u64,
    pub failure_count: usize,
    pub failures: *const *const ::std::os::raw::c_char,
}
pub const LARDER_MODE_AUTOMATIC: larder_link_mode = 0;
pub const LARDER_MODE_CLONE: larder_link_mode = 1;
pub const LARDER_MODE_HARDLINK: larder_link_mode = 2;
pub const LARDER_MODE_COPY: larder_link_mode = 3;
pub type larder_link_mode = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_materialize_options {
    pub size: u32,
    pub mode: i32,
    pub replace: i32,
    pub threads: u32,
    pub stop: *mut larder_stop,
    pub digest_count: usize,
    pub digests: *const *const larder_digest,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct larder_materialize_report {
    pub size: u32,
    pub reserved: i32,
    pub cloned: u64,
    pub hardlinked: u64,
    pub copied: u64,
    pub symlinks: u64,
    pub directories: u64,
    pub bytes: u64,
    pub inexact: u64,
}
extern "C" {
    pub fn larder_version() -> *const ::std::os::raw::c_char;
    pub fn larder_code_name(code: ::std::os::raw::c_int) -> *const ::std::os::raw::c_char;
    pub fn larder_why_name(why: ::std::os::raw::c_int) -> *const ::std::os::raw::c_char;
    pub fn larder_error_new(
        code: ::std::os::raw::c_int,
        sys_errno: ::std::os::raw::c_int,
        path: *const ::std::os::raw::c_char,
        detail: *const ::std::os::raw::c_char,
    ) -> *mut larder_error;
    pub fn larder_error_free(error: *mut larder_error);
    pub fn larder_stop_new() -> *mut larder_stop;
    pub fn larder_stop_request(stop: *mut larder_stop);
    pub fn larder_stop_free(stop: *mut larder_stop);
    pub fn larder_event_kind_name(kind: ::std::os::raw::c_int) -> *const ::std::os::raw::c_char;
    pub fn larder_cache_open(
        root: *const ::std::os::raw::c_char,
        options: *const larder_open_options,
        cache: *mut *mut larder_cache,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_close(cache: *mut larder_cache);
    pub fn larder_cache_destroy(
        root: *const ::std::os::raw::c_char,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_check_destroy(
        root: *const ::std::os::raw::c_char,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_root(cache: *const larder_cache) -> *const ::std::os::raw::c_char;
    pub fn larder_cache_link_kind(cache: *const larder_cache) -> larder_link_kind;
    pub fn larder_cache_bucket_kind(cache: *const larder_cache) -> larder_bucket_kind;
    pub fn larder_cache_is_read_only(cache: *const larder_cache) -> ::std::os::raw::c_int;
    pub fn larder_counters_free(counters: *mut larder_counters);
    pub fn larder_cache_counters(
        cache: *const larder_cache,
        counters: *mut *mut larder_counters,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_with(
        cache: *const larder_cache,
        options: *const larder_call_options,
        with: *mut *mut larder_cache,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_with(
        bucket: *const larder_bucket,
        options: *const larder_call_options,
        with: *mut *mut larder_bucket,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_names_free(names: *mut larder_names);
    pub fn larder_cache_buckets(
        cache: *const larder_cache,
        names: *mut *mut larder_names,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_bucket(
        cache: *const larder_cache,
        name: *const ::std::os::raw::c_char,
        bucket: *mut *mut larder_bucket,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_free(bucket: *mut larder_bucket);
    pub fn larder_bucket_name(bucket: *const larder_bucket) -> *const ::std::os::raw::c_char;
    pub fn larder_bucket_get(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        lease: *mut *mut larder_lease,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_lease_path(lease: *const larder_lease) -> *const ::std::os::raw::c_char;
    pub fn larder_lease_id(lease: *const larder_lease) -> *const ::std::os::raw::c_char;
    pub fn larder_lease_metadata(
        lease: *mut larder_lease,
        metadata: *mut *const ::std::os::raw::c_char,
        size: *mut usize,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_lease_is_protected(lease: *const larder_lease) -> ::std::os::raw::c_int;
    pub fn larder_lease_keep_across_exec(
        lease: *mut larder_lease,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_lease_free(lease: *mut larder_lease);
    pub fn larder_bucket_stage(
        bucket: *const larder_bucket,
        staging: *mut *mut larder_staging,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_staging_path(staging: *const larder_staging) -> *const ::std::os::raw::c_char;
    pub fn larder_staging_copy_from(
        staging: *mut larder_staging,
        source: *const ::std::os::raw::c_char,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_staging_link_from(
        staging: *mut larder_staging,
        source: *const ::std::os::raw::c_char,
        mode: i32,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_staging_move_from(
        staging: *mut larder_staging,
        source: *const ::std::os::raw::c_char,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_staging_inside(staging: *mut larder_staging) -> *const ::std::os::raw::c_char;
    pub fn larder_staging_note(
        staging: *mut larder_staging,
        path: *const ::std::os::raw::c_char,
        size: u64,
        digest: *const ::std::os::raw::c_void,
        digest_size: usize,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_staging_free(staging: *mut larder_staging);
    pub fn larder_bucket_publish(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        staging: *mut larder_staging,
        options: *const larder_publish_options,
        lease: *mut *mut larder_lease,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_get_or_build(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        build: larder_build,
        user_data: *mut ::std::os::raw::c_void,
        options: *const larder_publish_options,
        lease: *mut *mut larder_lease,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_claim(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        lease: *mut *mut larder_lease,
        staging: *mut *mut larder_staging,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_remove(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        durability: i32,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_refresh(
        bucket: *const larder_bucket,
        durability: i32,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_refresh_some(
        bucket: *const larder_bucket,
        options: *const larder_refresh_options,
        taken: *mut u64,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_pin(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        durability: i32,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_unpin(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        durability: i32,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_is_pinned(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        pinned: *mut ::std::os::raw::c_int,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_pins_free(pins: *mut larder_pins);
    pub fn larder_cache_pins(
        cache: *const larder_cache,
        pins: *mut *mut larder_pins,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_link(
        cache: *const larder_cache,
        bucket: *const ::std::os::raw::c_char,
        key: *const ::std::os::raw::c_char,
        destination: *const ::std::os::raw::c_char,
        durability: i32,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_unlink(
        cache: *const larder_cache,
        destination: *const ::std::os::raw::c_char,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_root_state_name(state: ::std::os::raw::c_int) -> *const ::std::os::raw::c_char;
    pub fn larder_roots_free(roots: *mut larder_roots);
    pub fn larder_cache_roots(
        cache: *const larder_cache,
        roots: *mut *mut larder_roots,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_prune_roots(
        cache: *const larder_cache,
        flags: u32,
        dropped: *mut *mut larder_roots,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_keys(
        bucket: *const larder_bucket,
        names: *mut *mut larder_names,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_bucket_visit_keys(
        bucket: *const larder_bucket,
        visit: ::std::option::Option<
            unsafe extern "C" fn(
                key: *const ::std::os::raw::c_char,
                user_data: *mut ::std::os::raw::c_void,
            ) -> ::std::os::raw::c_int,
        >,
        user_data: *mut ::std::os::raw::c_void,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_entry_info_free(info: *mut larder_entry_info);
    pub fn larder_bucket_info(
        bucket: *const larder_bucket,
        key: *const ::std::os::raw::c_char,
        info: *mut *mut larder_entry_info,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_visit_entries(
        cache: *const larder_cache,
        buckets: *const *const ::std::os::raw::c_char,
        bucket_count: usize,
        visit: ::std::option::Option<
            unsafe extern "C" fn(
                bucket: *const ::std::os::raw::c_char,
                key: *const ::std::os::raw::c_char,
                entry: *const larder_entry_info,
                failure: *const larder_error,
                user_data: *mut ::std::os::raw::c_void,
            ) -> ::std::os::raw::c_int,
        >,
        user_data: *mut ::std::os::raw::c_void,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_entries_free(entries: *mut larder_entries);
    pub fn larder_cache_trash(
        cache: *const larder_cache,
        entries: *mut *mut larder_entries,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_visit_trash(
        cache: *const larder_cache,
        visit: ::std::option::Option<
            unsafe extern "C" fn(
                entry: *const larder_entry_info,
                user_data: *mut ::std::os::raw::c_void,
            ) -> ::std::os::raw::c_int,
        >,
        user_data: *mut ::std::os::raw::c_void,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_restore(
        cache: *const larder_cache,
        id: *const ::std::os::raw::c_char,
        options: *const larder_restore_options,
        lease: *mut *mut larder_lease,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_status_free(status: *mut larder_status);
    pub fn larder_cache_status(
        cache: *const larder_cache,
        status: *mut *mut larder_status,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_collect_report_free(report: *mut larder_collect_report);
    pub fn larder_cache_collect(
        cache: *const larder_cache,
        limits: *const larder_limits,
        options: *const larder_collect_options,
        report: *mut *mut larder_collect_report,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_evict(
        cache: *const larder_cache,
        plan: *const larder_eviction_plan,
        options: *const larder_collect_options,
        report: *mut *mut larder_collect_report,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_keep_within(
        cache: *const larder_cache,
        limits: *const larder_limits,
        options: *const larder_background_options,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_cache_settle(
        cache: *const larder_cache,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_finding_kind_name(kind: ::std::os::raw::c_int) -> *const ::std::os::raw::c_char;
    pub fn larder_verify_report_free(report: *mut larder_verify_report);
    pub fn larder_cache_verify(
        cache: *const larder_cache,
        options: *const larder_verify_options,
        report: *mut *mut larder_verify_report,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_content_report_free(report: *mut larder_content_report);
    pub fn larder_cache_verify_content(
        cache: *const larder_cache,
        options: *const larder_content_options,
        report: *mut *mut larder_content_report,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_dedupe_report_free(report: *mut larder_dedupe_report);
    pub fn larder_cache_dedupe(
        cache: *const larder_cache,
        options: *const larder_dedupe_options,
        report: *mut *mut larder_dedupe_report,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_materialize_report_free(report: *mut larder_materialize_report);
    pub fn larder_materialize(
        tree: *const ::std::os::raw::c_char,
        destination: *const ::std::os::raw::c_char,
        options: *const larder_materialize_options,
        report: *mut *mut larder_materialize_report,
        error: *mut *mut larder_error,
    ) -> larder_code;
    pub fn larder_sha256() -> *const larder_digest;
}
