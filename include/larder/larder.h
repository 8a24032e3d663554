/* SPDX-License-Identifier: MIT */
/* larder from C, and from whatever can call C: all that the C++ headers beside this file offer, in C99.
 *
 *     larder_cache* cache = NULL;
 *     larder_bucket* wheels = NULL;
 *     larder_lease* lease = NULL;
 *     larder_error* error = NULL;
 *     if (larder_cache_open("/home/me/.cache/installer", NULL, &cache, &error) == LARDER_OK &&
 *         larder_cache_bucket(cache, "wheels-v1", &wheels, &error) == LARDER_OK &&
 *         larder_bucket_get_or_build(wheels, "numpy-2.1.0", unzip, "numpy-2.1.0.whl", NULL, &lease, &error) == LARDER_OK) {
 *         puts(larder_lease_path(lease));    // nobody's purge or collection takes these files from us
 *     } else {
 *         fprintf(stderr, "%s\n", error->message);
 *     }
 *     larder_error_free(error);
 *     larder_lease_free(lease);
 *     larder_bucket_free(wheels);
 *     larder_cache_close(cache);
 *
 * Handles. A pointer to an incomplete type is a handle. Who gets one from larder frees it, once, by the function that is named with it;
 * NULL is accepted there. They may be freed in any order: a lease is good after its bucket and its cache were closed.
 *
 * Errors. What can fail returns a larder_code and takes, last, a place for a larder_error with the whole story; NULL where it is not
 * wanted. It is set to NULL on success. What a function would have given is NULL after a failure. A handle, text or place that is needed
 * and NULL is `invalid`, never a crash. No C++ exception comes out: where memory has run out the code is LARDER_SYSTEM, with ENOMEM.
 *
 * Structs. Each begins with its size, since each may grow, at its end, in a later version; none has a hole in it.
 *     Options are yours. Set `size` to sizeof the struct and the rest to zero, which means the default everywhere, or use a
 *     designated initializer: `larder_open_options options = {.size = sizeof options, .read_only = 1};` NULL is all defaults. A
 *     program built for an older version leaves the new fields at their defaults; one built for a newer version may run with an older
 *     library as long as it sets no field that that one does not know: else the call is `invalid`. (Functions that set one field each would
 *     be as stable, but would have to be called, could fail, and would be hidden from the compiler and from debuggers.)
 *     Results are larder's: read, and then freed, by the function that is named with them; all that they point to goes with them. Lists
 *     are arrays of pointers, since what they point to may grow. Before reading a field that came in a later version than the one you
 *     run with at the least, see that `size` reaches so far.
 *
 * Texts end with a zero byte; what larder gives is never NULL, but empty. Keys and bucket names are UTF-8; paths are bytes, as the system has them.
 * A key that holds a zero byte, which C++ allows, can't be named here.
 *
 * Times are nanoseconds since 1970, and 0 is "none".
 *
 * Concurrency: what the C++ headers say, which is also the reference for what a Crash leaves. In short: a cache, a bucket and a stop may be used by
 * all threads at once, a staging and a lease by one at a time; freeing any of them must be the last use. Callbacks run in the thread that called
 * larder unless told otherwise. A thread inside larder must not be cancelled (pthread_cancel) or left by longjmp, from callbacks either.
 */
#ifndef LARDER_LARDER_H
#define LARDER_LARDER_H

#include <stdint.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the version of the library that runs, such as "0.2.0". A program may have been compiled
 * with another one. */
const char* larder_version(void);

/* ---- errors ---- */

/* One code for each different thing that a caller can do about it. Numbers are never given a new meaning; there may be more. */
typedef enum larder_code {
    LARDER_OK = 0,
    LARDER_MISS = 1, /* no such entry: build it, or tell the user */
    LARDER_BUSY =
        2, /* somebody else is at it, and the wait's limit has passed: try again; the message names the holder */
    LARDER_INTERRUPTED = 3, /* your own larder_stop asked the wait to end */
    LARDER_INVALID =
        4, /* a key, name, path, option or argument that can never work: mend the call */
    LARDER_REFUSED =
        5, /* this cache must not be used like that (newer format, network, foreign owner, not a cache) */
    LARDER_READ_ONLY = 6, /* the cache can be read here, and nothing else */
    LARDER_NO_SPACE = 7, /* the disk or the quota is full: remove, refresh and collect still work */
    LARDER_UNSUPPORTED =
        8, /* this file system can't do what was asked for by name: ask for another way */
    LARDER_EXISTS =
        9, /* something stands where the result should go: move it, or allow its replacement */
    LARDER_BUILD = 10, /* for your own builds to return: what they were to make could not be made */
    LARDER_DAMAGED = 11, /* what is on the disk breaks an invariant: run verify */
    LARDER_SYSTEM = 12   /* the operating system refused; `sys_errno` says why */
} larder_code;

/* "ok", "miss", "busy", …; "unknown" for what is no code. */
const char* larder_code_name(int code);

/* The system's reason as a word, the same on every system. Branch on this rather than on `sys_errno`.
 * There may be more words in a later version. */
typedef enum larder_why {
    LARDER_WHY_NONE = 0,          /* no call of the system failed */
    LARDER_WHY_ABSENT = 1,        /* nothing stands there */
    LARDER_WHY_EXISTS = 2,        /* something stands there already */
    LARDER_WHY_NOT_EMPTY = 3,     /* the directory still holds something */
    LARDER_WHY_NOT_DIRECTORY = 4, /* a directory was needed, and something else stands there */
    LARDER_WHY_IS_DIRECTORY = 5,  /* something else was needed, and a directory stands there */
    LARDER_WHY_IS_LINK =
        6, /* a symlink stands there and is not followed, or links lead in a circle */
    LARDER_WHY_CROSS_DEVICE = 7, /* two file systems, or two mounts */
    LARDER_WHY_DENIED = 8,       /* the permissions of a file or directory forbid it */
    LARDER_WHY_NOT_PERMITTED =
        9,                     /* this kind of process may not do it, or not to this kind of file */
    LARDER_WHY_READ_ONLY = 10, /* the file system is mounted for reading only */
    LARDER_WHY_NO_SPACE = 11,  /* the disk or the quota is full */
    LARDER_WHY_TOO_MANY_LINKS = 12,      /* the file has all the hard links that it can have */
    LARDER_WHY_TOO_MANY_OPEN_FILES = 13, /* this process, or the machine, can open no more */
    LARDER_WHY_NAME_TOO_LONG = 14,       /* the name or the path is longer than the system takes */
    LARDER_WHY_NOT_SUPPORTED = 15,       /* the system or the file system has no such call */
    LARDER_WHY_INVALID = 16,   /* the system does not understand the call, or not for this file */
    LARDER_WHY_NO_DEVICE = 17, /* a socket, or a device that is not there */
    LARDER_WHY_NOT_SEEKABLE = 18, /* a pipe or terminal, which has no positions */
    LARDER_WHY_BUSY = 19, /* the system itself uses it: something is mounted there, for example */
    LARDER_WHY_SHARING = 20,     /* another program has it open in a way that forbids this */
    LARDER_WHY_WOULD_BLOCK = 21, /* it can't be done now without waiting */
    LARDER_WHY_INTERRUPTED = 22, /* a signal came between */
    LARDER_WHY_NO_MEMORY = 23,   /* memory has run out */
    LARDER_WHY_IO = 24,          /* the device failed */
    LARDER_WHY_OTHER = 25        /* a reason without a word; see `sys_errno` */
} larder_why;

/* "none", "absent", "exists", …; "unknown" for what is no reason. */
const char* larder_why_name(int why);

/* What went wrong, in which step, and where. */
typedef struct larder_error {
    uint32_t size;
    int32_t code;        /* a larder_code */
    int32_t sys_errno;   /* the system's reason, or 0 */
    int32_t why;         /* the same as a word: a larder_why */
    const char* step;    /* what was being done */
    const char* path;    /* where; may be empty */
    const char* detail;  /* why, and what to do about it; may be empty */
    const char* message; /* all of it in one line for people */
} larder_error;

/* An error of your own, for a build to give. `path` and `detail` are copied and may be NULL. Never fails: where memory has run out it is that error.
 * A code that is none, or LARDER_OK, is taken for LARDER_BUILD. */
larder_error* larder_error_new(int code, int sys_errno, const char* path, const char* detail);
void larder_error_free(larder_error* error);

/* ---- stopping ---- */

/* Something by which another thread ends what this one waits for. Any number of calls may be given one; once asked, it stays asked. */
typedef struct larder_stop larder_stop;

/* NULL where memory has run out. */
larder_stop* larder_stop_new(void);
/* From any thread; not from a signal handler (ask from a thread that sigwait()s). NULL is ignored. */
void larder_stop_request(larder_stop* stop);
/* May be freed while calls that were given it are under way; they can't be stopped any more. */
void larder_stop_free(larder_stop* stop);

/* ---- the cache ---- */

typedef struct larder_cache larder_cache;
typedef struct larder_bucket larder_bucket;
typedef struct larder_lease larder_lease;
typedef struct larder_staging larder_staging;

/* How a cache names an entry by a key. Chosen when the cache is created, honoured by everyone after. */
typedef enum larder_link_kind {
    LARDER_LINK_PROBED = 0,  /* as an option: what a probe of the file system finds to work */
    LARDER_LINK_SYMLINK = 1, /* a symbolic link (the default wherever it works) */
    LARDER_LINK_FILE = 2,    /* a small file that holds the text a symlink would */
    LARDER_LINK_JUNCTION = 3 /* a directory junction; Windows only */
} larder_link_kind;

/* What an event is about. There may be more. */
typedef enum larder_event_kind {
    LARDER_EVENT_WAITING =
        0, /* a wait for a lock has lasted a second and goes on: `what`, and `who` holds it */
    LARDER_EVENT_WAITED =
        1, /* a wait that was not over at once is over: `what`, `took_ns`, and `who` where that had been looked up */
    LARDER_EVENT_GAVE_UP =
        2, /* the same, but it was given up: its time had passed, or it was stopped; a build goes on without the lock */
    LARDER_EVENT_PUBLISHED = 3, /* `bucket`, `key`, `id` */
    LARDER_EVENT_REMOVED = 4,   /* `bucket`, `key` */
    LARDER_EVENT_REFRESHED =
        5, /* `bucket`; of only some keys: `what` is their pattern, and `entries` how many went */
    LARDER_EVENT_RESTORED = 6, /* `id` of the new entry */
    LARDER_EVENT_EVICTED = 7,  /* `bucket`, `key`, `id`, `bytes`; `what` is the limit */
    LARDER_EVENT_COLLECTED =
        8, /* a collection is done: `entries` and `bytes` that it deleted, and `took_ns` */
    LARDER_EVENT_TAKEOVER = 9, /* what a dead process, `who`, had left was cleaned up */
    LARDER_EVENT_REPAIRED =
        10, /* what broke an invariant was retired: `what`, as far as it is known `bucket` and `key` */
    LARDER_EVENT_REOPENED =
        11 /* the cache's directory had been deleted or replaced, and was opened again */
} larder_event_kind;

/* "waiting", …; "unknown" for what is no kind. */
const char* larder_event_kind_name(int kind);

/* Something that a call did, met or had to wait for. */
typedef struct larder_event {
    uint32_t size;
    int32_t kind; /* a larder_event_kind */
    int64_t at_ns;
    int64_t took_ns; /* how long; no time of a clock */
    uint64_t entries;
    uint64_t bytes;
    const char* bucket;
    const char* key; /* up to a zero byte in it, if it has one */
    const char* id;
    const char* what;
    const char* who; /* "pid 4711 (uv pip install), for 3 s": for people */
    void* reserved;
} larder_event;

/* As a limit of a wait, in place of milliseconds: give up at once. (0 is the default.) */
#define LARDER_NO_WAIT (-1)

typedef struct larder_open_options {
    uint32_t size;
    int32_t link_kind; /* wanted for a cache that has to be created: a larder_link_kind */
    int32_t read_only; /* not 0: never write, not even leases; see larder_lease_is_protected */
    int32_t
        allow_network; /* not 0: use a cache on a network file system, where leases protect this machine's processes only */
    int64_t
        lock_timeout_ms; /* how long a publish or a remove may wait for others in its bucket; the default is 10 s */
    int64_t
        build_timeout_ms; /* how long get_or_build waits for another's build, and then builds without the lock; the default is 30 min */
    larder_stop*
        stop; /* ends every wait early, with LARDER_INTERRUPTED; may be freed once this has returned */
    void* on_wait_data;
    /* Called, from the thread that waits, once a wait has lasted a second: "waiting for pid 4711 (uv pip install), for 3 s". May not call larder. */
    void (*on_wait)(const char* text, void* on_wait_data);
    /* Called for each event, from the thread that met it (a collection's own thread among them), so by several at once. That may hold a build's, the
     * collector's or a gate's lock then, or hold up threads that join the cache: it should be quick. May not call larder. The event lasts for the call. */
    void (*on_event)(const larder_event* event, void* on_event_data);
    void* on_event_data;
    const char*
        log; /* a file to which a line is appended for each event, made (mode 0600) where it is missing; many processes may share it */
    int32_t count; /* not 0: see larder_cache_counters */
    int32_t reserved;
} larder_open_options;

/* Opens the cache at `root`, and creates it (mode 0700, with the directories above it) where there is nothing or an empty directory. Where
 * the root can't be written, opens it for reading.
 * Errors: `refused` for a newer format, a directory that holds something else, a network file system, another user's cache; each says so and
 * changes nothing. `system`, also for a log that can't be opened; `no_space`.
 * Crash: a root created in part is completed by the next open. */
larder_code larder_cache_open(const char* root, const larder_open_options* options,
                              larder_cache** cache, larder_error** error);
void larder_cache_close(larder_cache* cache);

/* The root's absolute path, with no symlinks in it; as long as the handle lives. NULL for NULL, as in all functions that only tell. */
const char* larder_cache_root(const larder_cache* cache);
/* LARDER_LINK_PROBED for NULL. */
larder_link_kind larder_cache_link_kind(const larder_cache* cache);
/* Not 0 where it is; 0 for NULL. */
int larder_cache_is_read_only(const larder_cache* cache);

/* A list of texts. */
typedef struct larder_names {
    uint32_t size;
    int32_t reserved;
    size_t count;
    size_t unnameable; /* how many were left out, since they hold a zero byte */
    const char* const* names;
    void* reserved_pointer;
} larder_names;
void larder_names_free(larder_names* names);

/* The buckets that exist now, in no order. */
larder_code larder_cache_buckets(const larder_cache* cache, larder_names** names,
                                 larder_error** error);

/* A way to a bucket; touches nothing on the disk.
 * Errors: `invalid` for a name that is empty, not UTF-8 or too long. */
larder_code larder_cache_bucket(const larder_cache* cache, const char* name, larder_bucket** bucket,
                                larder_error** error);
void larder_bucket_free(larder_bucket* bucket);
const char* larder_bucket_name(const larder_bucket* bucket);

/* ---- getting ---- */

/* Leases the entry that `key` names now: while the lease lives the entry is neither moved nor changed nor deleted, whatever anyone runs.
 * Errors: `miss` where there is none.
 * Concurrency: waits for nobody and takes no lock. One that starts after a remove or a refresh has returned never yields what was published before it
 * began. */
larder_code larder_bucket_get(const larder_bucket* bucket, const char* key, larder_lease** lease,
                              larder_error** error);

/* The entry's tree, an absolute path, below which nothing may be written; and its id, which no other entry has ever had. As long as the handle lives. */
const char* larder_lease_path(const larder_lease* lease);
const char* larder_lease_id(const larder_lease* lease);
/* 0 for a lease from a cache opened for reading only: nothing could be written down, so that a collection run by somebody who can write may take
 * the files. */
int larder_lease_is_protected(const larder_lease* lease);
/* After success the lease outlives a following execve of this process: see Lease::keep_across_exec in lease.hpp. */
larder_code larder_lease_keep_across_exec(larder_lease* lease, larder_error** error);
/* Lets go of the entry. In a forked child it lets go of nothing. Crash: the kernel lets go, however the process ends. */
void larder_lease_free(larder_lease* lease);

/* ---- making ---- */

/* What a published entry survives. */
typedef enum larder_durability {
    LARDER_SURVIVES_PROCESS = 0, /* the death of any process */
    LARDER_SURVIVES_POWER =
        1 /* also a power cut: the tree is on the disk before its link is, and the link before publish returns */
} larder_durability;

typedef struct larder_publish_options {
    uint32_t size;
    int32_t durability; /* a larder_durability */
    const char*
        producer; /* who made the entry, for its record: a program's name and version. Cut to 200 bytes */
    void* reserved;
} larder_publish_options;

/* A private directory to fill, which nobody else sees.
 * Crash: what was staged is reaped by the next process that collects, or that adopts the dead one's participant. */
larder_code larder_bucket_stage(const larder_bucket* bucket, larder_staging** staging,
                                larder_error** error);
/* An empty directory of mode 0755 (less the umask), as an absolute path. Leave no process behind that still writes here after publish. */
const char* larder_staging_path(const larder_staging* staging);
/* Fills it with a copy of `source`, a directory, or a file that becomes the only one in the tree.
 * Errors: `invalid` where source lies inside the cache or contains it, or holds something that can't be copied; `no_space`. */
larder_code larder_staging_copy_from(larder_staging* staging, const char* source,
                                     larder_error** error);
/* Moves `source`, a directory, here by renaming it; the staging must be empty.
 * Errors: `invalid` as above, and where source lies in any cache; `unsupported` where it is on another file system, and is then untouched. */
larder_code larder_staging_move_from(larder_staging* staging, const char* source,
                                     larder_error** error);
/* Deletes what was staged. In a forked child it touches nothing. */
void larder_staging_free(larder_staging* staging);

/* Makes the staged tree the entry of `key`, atomically, in place of any other. `staging` is freed whatever happens (but not one that was lent to a
 * build, which is `invalid`). `lease` may be NULL where none is wanted.
 * Errors: `busy` where another process holds the bucket's lock for longer than lock_timeout_ms; `no_space`. Nothing is then published.
 * Crash: the key names the old entry or the new one, complete. */
larder_code larder_bucket_publish(const larder_bucket* bucket, const char* key,
                                  larder_staging* staging, const larder_publish_options* options,
                                  larder_lease** lease, larder_error** error);

/* Fills `staging`, which is lent: freeing it does nothing, and publishing it is the caller's part. Returns LARDER_OK, or a code and, in *error,
 * which is NULL at first, an error from larder_error_new or from a call of larder's; without one, the code has to do. */
typedef int (*larder_build)(larder_staging* staging, void* user_data, larder_error** error);

/* Leases the entry of `key`; where there is none, calls `build` and publishes what it made. Among all threads and processes one builds while the
 * others wait and then look again. `build` may do the same for other keys. `lease` may be NULL, as above.
 * Errors: whatever `build` returns, and the next one who waits then builds in its turn. `invalid` where build asks for its own key.
 * Concurrency: waits for another's build, for at most build_timeout_ms, never for a dead one, and builds without the lock after that.
 * Crash: the staged files are reaped, and the next one who waits builds. */
larder_code larder_bucket_get_or_build(const larder_bucket* bucket, const char* key,
                                       larder_build build, void* user_data,
                                       const larder_publish_options* options, larder_lease** lease,
                                       larder_error** error);

/* ---- retiring ---- */

/* Takes `key` out of the bucket. Leases on its entry stay good.
 * Errors: `miss` where there is none; `busy` as in publish. */
larder_code larder_bucket_remove(const larder_bucket* bucket, const char* key,
                                 larder_error** error);

/* Takes every key out of the bucket at once: one rename, whatever their number. Deleting is left to larder_cache_collect. No error where the bucket
 * does not exist.
 * Concurrency: waits for nobody. Leases stay good.
 * Crash: all keys are there, or none. */
larder_code larder_bucket_refresh(const larder_bucket* bucket, larder_error** error);

/* Which keys of a bucket a refresh takes: all that fit every condition. */
typedef struct larder_refresh_options {
    uint32_t size;
    int32_t dry_run;             /* not 0: take nothing, and report what would go */
    int64_t published_before_ns; /* 0: whenever published */
    const char*
        pattern; /* glob (fnmatch(3)) for the key; `*` matches a slash too. NULL or empty: every key */
    void* on_taken_data;
    void (*on_taken)(const char* key, void* on_taken_data); /* called for each key that was taken */
    void* reserved;
} larder_refresh_options;

/* The same for some keys, one after the other; `taken`, which may be NULL, is how many.
 * Concurrency: by pattern alone it waits for nobody. By age it looks at each entry under the bucket's lock, as remove does.
 * Errors: `busy` as in remove; some keys may have been taken by then. */
larder_code larder_bucket_refresh_some(const larder_bucket* bucket,
                                       const larder_refresh_options* options, uint64_t* taken,
                                       larder_error** error);

/* From now on no limit of a collection takes the entry of `key`, this one or a later one. The entry need not exist. No error where it is pinned. */
larder_code larder_bucket_pin(const larder_bucket* bucket, const char* key, larder_error** error);
/* Errors: `miss` where the key is not pinned. */
larder_code larder_bucket_unpin(const larder_bucket* bucket, const char* key, larder_error** error);
/* `pinned` becomes 1 or 0. */
larder_code larder_bucket_is_pinned(const larder_bucket* bucket, const char* key, int* pinned,
                                    larder_error** error);

/* ---- looking ---- */

/* The keys that can be listed, in no order. A key that comes or goes meanwhile may be missing or listed. */
larder_code larder_bucket_keys(const larder_bucket* bucket, larder_names** names,
                               larder_error** error);

/* An entry, as its record and its link tell it. */
typedef struct larder_entry_info {
    uint32_t size;
    int32_t durability; /* a larder_durability */
    uint64_t bytes;     /* the sum of the files' sizes */
    uint64_t files;     /* everything in the tree that is not a directory */
    int64_t published_ns;
    int64_t last_used_ns; /* published or got, to the hour; 0 where it is not known */
    const char* bucket;
    const char* key;
    const char* id;
    const char* path; /* of the tree; valid for as long as the entry lives */
    const char* boot; /* which boot of which machine published it */
    const char* producer;
} larder_entry_info;
void larder_entry_info_free(larder_entry_info* info);

/* What the record of `key` says. Errors: `miss`; `damaged` where the record can't be read. */
larder_code larder_bucket_info(const larder_bucket* bucket, const char* key,
                               larder_entry_info** info, larder_error** error);

typedef struct larder_entries {
    uint32_t size;
    int32_t reserved;
    size_t count;
    const larder_entry_info* const* entries; /* freed with the list, and only so */
} larder_entries;
void larder_entries_free(larder_entries* entries);

/* Lists the entries that were removed, replaced, refreshed or evicted and are not collected yet, in no order.
 * larder_cache_restore brings one back. Any of them may be collected at any time. */
larder_code larder_cache_trash(const larder_cache* cache, larder_entries** entries,
                               larder_error** error);

/* Publishes the files of such an entry once more, under its bucket and key and a new id. `lease` may be NULL.
 * Errors: `miss` where it was never retired, or has been collected; `exists` where its key has an entry again and `replace` is 0; `invalid` for what
 * is no id; `busy` while somebody collects or verifies. */
larder_code larder_cache_restore(const larder_cache* cache, const char* id, int replace,
                                 larder_lease** lease, larder_error** error);

/* One process, as its participant's header tells it. */
typedef struct larder_process_info {
    uint32_t size;
    uint32_t participant; /* the number of its table in `participants/` */
    int64_t pid;
    int64_t since_ns; /* when it began to use the cache */
    int32_t alive;    /* 0: it ended without saying so, and is reaped by the next collection */
    int32_t here;     /* not 0: its pid means something in this pid namespace */
    const char* command;
    void* reserved;
} larder_process_info;

typedef struct larder_lease_info {
    uint32_t size;
    int32_t reserved;
    const larder_process_info* process;
    const char* id;
    const char* bucket; /* empty where the entry's record can't be read */
    const char* key;
} larder_lease_info;

/* A lock that a process holds, or waits for. */
typedef struct larder_lock_info {
    uint32_t size;
    int32_t waiting;
    int64_t thread;
    int64_t since_ns;
    const larder_process_info* process;
    const char* what; /* "bucket wheels-v1", "build numpy-2.1.0" */
} larder_lock_info;

typedef struct larder_status {
    uint32_t size;
    int32_t collecting; /* somebody holds the collector's lock */
    /* Trees in `deleting/`: a collection is deleting them now, or was stopped or killed before it was done. */
    uint64_t deleting;
    size_t process_count;
    const larder_process_info* const* processes;
    size_t lease_count;
    const larder_lease_info* const* leases;
    size_t lock_count;
    const larder_lock_info* const* locks;
} larder_status;
void larder_status_free(larder_status* status);

/* Who uses the cache now. Takes no lock; writes nothing. */
larder_code larder_cache_status(const larder_cache* cache, larder_status** status,
                                larder_error** error);

/* How often what has happened since a cache was opened, through it and its buckets. Each number only grows. They are read one after the other: what
 * happens meanwhile may be in one and not yet in another. */
typedef struct larder_counters {
    uint32_t size;
    int32_t reserved;
    uint64_t hits;   /* gets, also the one with which a get_or_build begins */
    uint64_t misses; /* the same */
    uint64_t published;
    uint64_t removed;
    uint64_t refreshed;
    uint64_t restored;
    uint64_t evicted;
    uint64_t evicted_bytes;
    uint64_t collections;
    uint64_t deleted; /* entries */
    uint64_t deleted_bytes;
    uint64_t waits;    /* for locks: those that were not over at once */
    uint64_t given_up; /* of those */
    uint64_t waited_ns;
    uint64_t takeovers;
    uint64_t repairs;
    uint64_t reopened;
} larder_counters;
void larder_counters_free(larder_counters* counters);

/* What was done through `cache` by now. Takes no lock and waits for nobody.
 * All zero unless the cache was opened with `count`. */
larder_code larder_cache_counters(const larder_cache* cache, larder_counters** counters,
                                  larder_error** error);

/* ---- housekeeping ---- */

/* Why a live entry is evicted: by which limit. */
typedef enum larder_eviction_reason {
    LARDER_EVICTED_BY_AGE = 0,
    LARDER_EVICTED_BY_ENTRIES = 1,
    LARDER_EVICTED_BY_SIZE = 2,
    LARDER_EVICTED_BY_FREE_SPACE = 3,
    LARDER_EVICTED_BY_PLAN = 4
} larder_eviction_reason;

/* A live entry that goes because of a limit. */
typedef struct larder_eviction {
    uint32_t size;
    int32_t reason; /* a larder_eviction_reason */
    uint64_t bytes;
    int64_t last_used_ns;
    const char* bucket;
    const char* key;
    const char* id;
    void* reserved;
} larder_eviction;

typedef enum larder_collect_phase {
    LARDER_PLANNING = 0,
    LARDER_EVICTING = 1,
    LARDER_COLLECTING = 2,
    LARDER_DELETING = 3
} larder_collect_phase;

/* What a collection is at, for whoever shows it. */
typedef struct larder_collect_progress {
    uint32_t size;
    int32_t phase; /* a larder_collect_phase */
    uint64_t done; /* planning: entries looked at; evicting, collecting: entries; deleting: files */
    uint64_t total; /* 0 where it is not known */
    uint64_t bytes; /* planning: looked at; evicting: evicted; then: of what is deleted */
} larder_collect_progress;

/* The limits that are set in larder_limits. Each has a bit, because 0 is a limit too: it evicts
 * everything. */
#define LARDER_LIMIT_SIZE 1u
#define LARDER_LIMIT_AGE 2u
#define LARDER_LIMIT_ENTRIES 4u
#define LARDER_LIMIT_FREE_SPACE 8u

/* What a collection keeps a cache within. It evicts the entries that were least recently used until
 * every limit is kept. An entry stays, and counts, if it is leased or pinned, if it fits a pattern of
 * `keep`, or if it was used after the collection had chosen it. */
typedef struct larder_limits {
    uint32_t size;
    uint32_t set; /* LARDER_LIMIT_..., or-ed; a limit that is given without its bit is `invalid` */
    uint64_t max_size; /* bytes, as the records of the live entries add them up */
    int64_t max_age_s; /* entries that were not used for longer go, whatever the other limits */
    uint64_t max_entries;
    uint64_t min_free; /* bytes that are to be free on the disk */
    /* If a limit is passed, the collection goes on until this percentage of it is kept. 0 is the
     * default, 90. */
    uint32_t low_water;
    int32_t reserved;
    const char* const*
        keep; /* glob patterns (fnmatch(3)) for "BUCKET/KEY"; `*` matches a slash too */
    size_t keep_count;
} larder_limits;

/* Evictions that a dry run with limits has listed (see `on_evict`). */
typedef struct larder_eviction_plan {
    uint32_t size;
    int32_t reserved;
    const larder_eviction* const* evictions;
    size_t eviction_count;
    const char* const*
        keep; /* glob patterns for "BUCKET/KEY": what fits is not evicted after all */
    size_t keep_count;
} larder_eviction_plan;

/* How a collection works, whatever it evicts. */
typedef struct larder_collect_options {
    uint32_t size;
    int32_t dry_run;  /* not 0: report what would go, and change nothing */
    uint32_t threads; /* that delete; 0 takes one for each processor, four at most */
    int32_t
        count_freed; /* not 0: find out what the disk gets back; costs 1 to 3 calls for each file */
    /* Called, under the collector's lock, for each entry that was evicted, or in a dry run would be.
     * What it is given lasts for the call. It may not call larder. */
    void (*on_evict)(const larder_eviction* eviction, void* on_evict_data);
    void* on_evict_data;
    /* Called now and then, at times from another thread, but never from two at once. It may not call
     * larder. */
    void (*on_progress)(const larder_collect_progress* progress, void* on_progress_data);
    void* on_progress_data;
    larder_stop* stop; /* ends the collection early, without an error; the next one carries on */
    void* reserved;
} larder_collect_options;

typedef struct larder_collect_report {
    uint32_t size;
    int32_t within_limits; /* 0 where what is spared is more than a limit allows */
    int32_t stopped;       /* it was asked to stop, and something is left */
    int32_t live_known;    /* a limit had the live entries counted: live_entries, live_bytes */
    int32_t freed_known;   /* it was asked for: freed */
    int32_t
        freed_at_least; /* some files may have shared blocks, and could not be looked at: it was so much, or more */
    uint64_t entries; /* deleted, the evicted ones included (with dry_run: would be deleted) */
    uint64_t bytes;   /* what their records say they held */
    uint64_t reaped;  /* dead participants cleaned up after */
    uint64_t buckets; /* refreshed buckets taken apart */
    uint64_t evicted; /* live entries that a limit took */
    uint64_t evicted_bytes;
    uint64_t
        used_since; /* that stay because they were used, replaced, removed or pinned after they were chosen */
    uint64_t
        held_up; /* that stay because somebody holds their bucket's lock: the next collection tries again */
    uint64_t live_entries; /* that stay */
    uint64_t live_bytes;
    uint64_t freed; /* the space of the deleted files that had no other hard link, in bytes */
    uint64_t
        files_left; /* of what was taken apart when it was stopped: files that are not deleted yet, as far as it is known */
    size_t leased_count;
    const larder_lease_info* const* leased; /* retired entries that stay for now, and for whom */
    size_t spared_count;
    const larder_lease_info* const*
        spared; /* live entries whose turn it was and that stay because of a lease, and whose that is */
    size_t unknown_count;
    const char* const*
        unknown; /* names that only a newer larder, or a foreign hand, can have put there: left alone */
} larder_collect_report;
void larder_collect_report_free(larder_collect_report* report);

/* Cleans up after dead processes, evicts until `limits` are kept, then deletes what is retired and not
 * leased. `limits` may be NULL, or set no limit: then this deletes garbage alone. `options` and `report`
 * may be NULL.
 * Errors: `busy` if another collect or verify runs: leave the work to that one. `damaged` if a lease
 * table can't be read: nothing is then collected. `system`, after everything else is gone, if something
 * can't be deleted.
 * Concurrency: never waits, except that an eviction waits a tenth of a second for its bucket's lock.
 * Crash: the next collection carries on. */
larder_code larder_cache_collect(const larder_cache* cache, const larder_limits* limits,
                                 const larder_collect_options* options,
                                 larder_collect_report** report, larder_error** error);

/* Does the same, but evicts what `plan` names. An entry stays if it is no longer the entry of its key,
 * if it was used after the plan was made, or if it is leased or pinned. */
larder_code larder_cache_evict(const larder_cache* cache, const larder_eviction_plan* plan,
                               const larder_collect_options* options,
                               larder_collect_report** report, larder_error** error);

/* When larder_cache_keep_within collects, for how long, and how. */
typedef struct larder_background_options {
    uint32_t size;
    int32_t reserved;
    /* All processes of the cache together collect at most once in this time. 0 is the default, an hour;
     * less than 0 is as often as can be. */
    int64_t every_s;
    int64_t at_most_ms; /* a collection stops after this time, whatever is left; 0 is 10 s */
    void* on_done_data;
    /* Called with what came of a collection: a report or an error, and the other one is NULL. They last
     * for the call. The collecting thread makes this call and those below. */
    void (*on_done)(const larder_collect_report* report, const larder_error* error,
                    void* on_done_data);
    /* As in larder_collect_options, for each of these collections. */
    uint32_t threads;
    int32_t count_freed;
    void (*on_evict)(const larder_eviction* eviction, void* on_evict_data);
    void* on_evict_data;
    void (*on_progress)(const larder_collect_progress* progress, void* on_progress_data);
    void* on_progress_data;
    larder_stop* stop;
} larder_background_options;

/* From now on a publish through this cache or its buckets may start, when it has published, a collection
 * with these limits by a thread of its own. At most one runs at a time, and leaves the work to any other
 * collection that already runs. A later call replaces the limits. A call without any limit, or with NULL,
 * ends all this. `limits` and `options` are copied, but not what the callbacks are given.
 * Errors: `invalid` as in collect.
 * Concurrency: publish does not wait for the collection. When the cache and its last bucket are closed,
 * they ask it to stop and wait for it: milliseconds. A forked child collects nothing until it calls this
 * itself. */
larder_code larder_cache_keep_within(const larder_cache* cache, const larder_limits* limits,
                                     const larder_background_options* options,
                                     larder_error** error);

typedef enum larder_finding_kind {
    LARDER_FOUND_DANGLING = 0,  /* a link to an entry that is not there, or not complete */
    LARDER_FOUND_MALFORMED = 1, /* a link or a record that larder did not write, or not in full */
    LARDER_FOUND_MISNAMED =
        2, /* an entry whose record names another key than the link that leads to it */
    LARDER_FOUND_SHARED = 3,      /* an entry that more than one link names */
    LARDER_FOUND_ORPHAN = 4,      /* an entry that no link names */
    LARDER_FOUND_PARTICIPANT = 5, /* a lease table that can't be read: nothing can be collected */
    LARDER_FOUND_FOREIGN = 6      /* a name that larder does not know: left alone, breaks nothing */
} larder_finding_kind;

/* "dangling", …; "unknown" for what is no kind. */
const char* larder_finding_kind_name(int kind);

/* One thing that verify found. */
typedef struct larder_finding {
    uint32_t size;
    int32_t kind; /* a larder_finding_kind */
    int32_t repaired;
    int32_t reserved;
    const char* path;
    const char* what;
} larder_finding;

typedef struct larder_verify_options {
    uint32_t size;
    int32_t
        repair; /* not 0: retire what is broken, and list what no link names, so that a collection deletes it */
} larder_verify_options;

typedef struct larder_verify_report {
    uint32_t size;
    int32_t
        sound; /* no invariant is broken (foreign names break none), or all that was has been repaired */
    uint64_t entries; /* looked at */
    uint64_t live;    /* named by a key */
    uint64_t garbage; /* retired, waiting for collection */
    size_t finding_count;
    const larder_finding* const* findings;
} larder_verify_report;
void larder_verify_report_free(larder_verify_report* report);

/* Checks every invariant that can be checked while others work. Follows no link.
 * Errors: `busy` as in collect. What it finds is no error: see `sound`. */
larder_code larder_cache_verify(const larder_cache* cache, const larder_verify_options* options,
                                larder_verify_report** report, larder_error** error);

/* ---- installing ---- */

/* How the files of a tree reach their destination. */
typedef enum larder_link_mode {
    LARDER_MODE_AUTOMATIC = 0, /* for each file the first that works of: clone, hard link, copy */
    LARDER_MODE_CLONE = 1,     /* share the blocks until one side is written (btrfs, xfs, APFS) */
    LARDER_MODE_HARDLINK = 2,  /* share the file: who writes to it in place changes the cache */
    LARDER_MODE_COPY = 3
} larder_link_mode;

typedef struct larder_materialize_options {
    uint32_t size;
    int32_t mode; /* a larder_link_mode */
    int32_t
        replace; /* not 0: replace files that stand in the way (never directories) instead of failing */
    uint32_t threads; /* 0 takes what the number of files is worth */
} larder_materialize_options;

/* How many files went which way. */
typedef struct larder_materialize_report {
    uint32_t size;
    int32_t reserved;
    uint64_t cloned;
    uint64_t hardlinked;
    uint64_t copied;
    uint64_t symlinks;
    uint64_t directories; /* made anew */
    uint64_t bytes;       /* in files, whichever way they went */
} larder_materialize_report;
void larder_materialize_report_free(larder_materialize_report* report);

/* Afterwards `destination` holds everything that `tree` holds. Directories that exist are filled, others are made; below `destination` no symlink is
 * followed. `report` may be NULL.
 * Requires: `tree` does not change meanwhile: hold a lease.
 * Errors: `exists` where a file stands in the way and `replace` is 0; `unsupported` where a mode asked for by name does not work here; `invalid`
 * where destination lies inside a cache, or contains the tree's cache. What was written until then stays.
 * Concurrency: several calls may fill one destination at the same time. */
larder_code larder_materialize(const char* tree, const char* destination,
                               const larder_materialize_options* options,
                               larder_materialize_report** report, larder_error** error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
