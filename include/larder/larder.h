/* SPDX-License-Identifier: MIT */
/* larder from C, and from every language that can call C. It offers all that the C++ headers
 * beside this file offer, in C99.
 *
 *     larder_cache* cache = NULL;
 *     larder_bucket* wheels = NULL;
 *     larder_lease* lease = NULL;
 *     larder_error* error = NULL;
 *     if (larder_cache_open("/home/me/.cache/installer", NULL, &cache, &error) == LARDER_OK &&
 *         larder_cache_bucket(cache, "wheels-v1", &wheels, &error) == LARDER_OK &&
 *         larder_bucket_get_or_build(wheels, "numpy-2.1.0", unzip, "numpy-2.1.0.whl", NULL, &lease,
 *                                    &error) == LARDER_OK) {
 *         puts(larder_lease_path(lease));    // no purge or collection takes these files from us
 *     } else {
 *         fprintf(stderr, "%s\n", error->message);
 *     }
 *     larder_error_free(error);
 *     larder_lease_free(lease);
 *     larder_bucket_free(wheels);
 *     larder_cache_close(cache);
 *
 * Handles. A pointer to an incomplete type is a handle. The caller frees each handle once, by
 * the function that is named after it; that function accepts NULL. Handles may be freed in any
 * order: a lease stays valid after its bucket and its cache were closed.
 *
 * Errors. A function that can fail returns a larder_code. Its last argument is a place for a
 * larder_error with all details; pass NULL if you do not want them. On success the place is set
 * to NULL. After a failure, the other results are NULL. If a handle, a text or a place is NULL
 * but needed, the error is `invalid` and never a crash. No C++ exception comes out. If memory
 * has run out, the code is LARDER_SYSTEM with ENOMEM.
 *
 * Structs. Each begins with its size, because each may grow at its end in a later version. None
 * has a hole. A field `reserved` has no meaning yet and is 0: it fills a hole or keeps a place.
 *     Options are yours. Set `size` to sizeof the struct and everything else to zero, which
 *     means the default, or use a designated initializer, as in {.size = sizeof options,
 *     .read_only = 1}. NULL means all defaults. A program that was built for an older version
 *     leaves new fields at their defaults. A program that was built for a newer version may run
 *     with an older library if it sets no field that is unknown there; otherwise the call is
 *     `invalid`. (Functions that set one field each would be as stable, but each could fail, and
 *     compilers and debuggers would not see the fields.)
 *     Results are larder's. larder sets `size` to sizeof the struct as the library knows it. Read
 *     a result and then free it by the function that is named after it; all that it points to,
 *     texts and lists too, is freed with it and in no other way. A list is an array of pointers,
 *     because what they point to may grow. Before you read a field that came in a later version
 *     than the oldest one with which you run, check that `size` includes it.
 *
 * Texts end with a zero byte. A text from larder is never NULL, but may be empty. Keys and
 * bucket names are UTF-8; paths are bytes, as on the system. C++ allows a key with a zero byte,
 * but C cannot name it.
 *
 * Times are nanoseconds since 1970; 0 means none.
 *
 * Concurrency and crashes are as in the C++ headers, which are the reference. In short: all
 * threads may use a cache, a bucket and a stop at once; one thread at a time may use a staging
 * or a lease. To free a handle must be its last use. Callbacks run in the thread that called
 * larder, unless the function says otherwise. A callback may close the cache, and the call that
 * makes the callback goes on to its end. It may free no other handle that this call was given. A
 * C++ exception that a callback throws ends the call, whose error is LARDER_SYSTEM; it is dropped
 * if the callback is on_event or on_wait, or belongs to a collection in the background. A thread
 * inside larder, or inside a callback, must not be cancelled (pthread_cancel) or left by
 * longjmp. */
#ifndef LARDER_LARDER_H
#define LARDER_LARDER_H

#include <stdint.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the version of the library that runs, such as "0.2.0". It may differ from the version
 * that the program was compiled with. */
const char* larder_version(void);

/* ---- errors ---- */

/* The codes of errors. There is one code for each different thing that a caller can do. A number
 * never gets a new meaning; a later version may add numbers. */
typedef enum larder_code {
    LARDER_OK = 0,
    LARDER_MISS = 1, /* there is no such entry: build it, or tell the user */
    /* Another process holds the lock, and the time to wait has passed: try again. The message
     * names the holder. */
    LARDER_BUSY = 2,
    LARDER_INTERRUPTED = 3, /* your own larder_stop ended the wait or the work */
    /* a key, name, path, option or argument that can never work: correct the call */
    LARDER_INVALID = 4,
    /* This cache must not be used in this way (newer format, network, another owner, no cache). */
    LARDER_REFUSED = 5,
    LARDER_READ_ONLY = 6, /* the cache can only be read here */
    LARDER_NO_SPACE = 7, /* the disk or the quota is full; remove, refresh and collect still work */
    LARDER_UNSUPPORTED = 8, /* this file system cannot do what was asked for: ask for another way */
    LARDER_EXISTS = 9,      /* something stands in the way: move it, or allow its replacement */
    LARDER_BUILD = 10,      /* for your own builds to return: the entry could not be made */
    LARDER_DAMAGED = 11,    /* something on the disk breaks an invariant: run verify */
    LARDER_SYSTEM = 12      /* the operating system refused; `sys_errno` gives the reason */
} larder_code;

/* Returns "ok", "miss", "busy", …; "unknown" if `code` is none. */
const char* larder_code_name(int code);

/* The system's reason as a word, the same on every system. Branch on this rather than on
 * `sys_errno`. There may be more words in a later version. */
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
    LARDER_WHY_INTERRUPTED = 22, /* a signal interrupted the call */
    LARDER_WHY_NO_MEMORY = 23,   /* memory has run out */
    LARDER_WHY_IO = 24,          /* the device failed */
    LARDER_WHY_OTHER = 25        /* a reason without a word; see `sys_errno` */
} larder_why;

/* "none", "absent", "exists", …; "unknown" for what is no reason. */
const char* larder_why_name(int why);

/* What went wrong, in which step, and where. */
typedef struct larder_error {
    uint32_t size;       /* of the struct */
    int32_t code;        /* a larder_code */
    int32_t sys_errno;   /* the system's reason, or 0 */
    int32_t why;         /* the same as a word: a larder_why */
    const char* step;    /* what was being done */
    const char* path;    /* where; may be empty */
    const char* detail;  /* why, and what to do about it; may be empty */
    const char* message; /* all of it in one line for people */
} larder_error;

/* Makes an error that a build returns. `path` and `detail` are copied and may be NULL. Never
 * fails: if memory has run out, the result is the error that says so. LARDER_OK, or a number
 * that is no code, is taken for LARDER_BUILD. */
larder_error* larder_error_new(int code, int sys_errno, const char* path, const char* detail);
void larder_error_free(larder_error* error);

/* ---- stopping ---- */

/* Lets another thread end what this one waits for. Any number of calls may be given the same
 * stop. A request stays in force. */
typedef struct larder_stop larder_stop;

/* Returns NULL if memory has run out. */
larder_stop* larder_stop_new(void);
/* Requests the stop. Any thread may call it, but no signal handler: call it from a thread that
 * sigwait()s. NULL is ignored. */
void larder_stop_request(larder_stop* stop);
/* Frees the stop. Calls that were given it may still run, but can no longer be stopped. */
void larder_stop_free(larder_stop* stop);

/* ---- the cache ---- */

typedef struct larder_cache larder_cache;
typedef struct larder_bucket larder_bucket;
typedef struct larder_lease larder_lease;
typedef struct larder_staging larder_staging;

/* What a key is on disk. The kind is chosen when the cache is created, and every process uses it
 * from then on. */
typedef enum larder_link_kind {
    LARDER_LINK_PROBED = 0,  /* as an option: a probe of the file system decides */
    LARDER_LINK_SYMLINK = 1, /* a symbolic link (the default wherever it works) */
    LARDER_LINK_FILE = 2,    /* a small file that holds the text a symlink would */
    LARDER_LINK_JUNCTION = 3 /* a directory junction; Windows only */
} larder_link_kind;

/* The kinds of events. A later version may add kinds. */
typedef enum larder_event_kind {
    /* A wait for a lock has lasted a second and continues: `what`, and `who` holds the lock. */
    LARDER_EVENT_WAITING = 0,
    /* A wait for a lock has ended: `what`, `took_ns`, and `who` held the lock if that is known.
     * A lock that was free at once is no wait. */
    LARDER_EVENT_WAITED = 1,
    /* A wait was given up because its time had passed or it was stopped: `what`, `took_ns`,
     * `who`. A build continues without the lock. */
    LARDER_EVENT_GAVE_UP = 2,
    LARDER_EVENT_PUBLISHED = 3, /* `bucket`, `key`, `id` */
    LARDER_EVENT_REMOVED = 4,   /* `bucket`, `key` */
    /* `bucket`. If only some keys were taken out: `what` is their pattern, `entries` their
     * number. */
    LARDER_EVENT_REFRESHED = 5,
    LARDER_EVENT_RESTORED = 6,  /* `id` of the new entry */
    LARDER_EVENT_EVICTED = 7,   /* `bucket`, `key`, `id`, `bytes`; `what` is the limit */
    LARDER_EVENT_COLLECTED = 8, /* `entries` and `bytes` that a collection deleted, and `took_ns` */
    LARDER_EVENT_TAKEOVER = 9,  /* this process has cleaned up after a dead one, `who` */
    /* Something that broke an invariant was retired: `what`, and `bucket` and `key` if known. */
    LARDER_EVENT_REPAIRED = 10,
    LARDER_EVENT_REOPENED = 11 /* the root had been deleted or replaced, and was opened again */
} larder_event_kind;

/* Returns "waiting", …; "unknown" if `kind` is none. */
const char* larder_event_kind_name(int kind);

/* Something that a call did, met or waited for. The texts are valid during the callback only. */
typedef struct larder_event {
    uint32_t size;   /* of the struct */
    int32_t kind;    /* a larder_event_kind */
    int64_t at_ns;   /* when it happened */
    int64_t took_ns; /* how long it took */
    uint64_t entries;
    uint64_t bytes;
    const char* bucket;
    const char* key; /* up to a zero byte in it, if it has one */
    const char* id;
    const char* what;
    const char* who; /* "pid 4711 (uv pip install), for 3 s": for people */
    void* reserved;  /* 0 */
} larder_event;

/* In place of milliseconds to wait: give up at once. (0 means the default.) */
#define LARDER_NO_WAIT (-1)

/* How a cache is opened. */
typedef struct larder_open_options {
    uint32_t size;     /* set it to sizeof the struct */
    int32_t link_kind; /* for a cache that has to be created: a larder_link_kind */
    int32_t read_only; /* not 0: write nothing, not even leases; see larder_lease_is_protected */
    /* Not 0: allow a cache on a network file system. Leases then protect only the processes of this
     * machine. */
    int32_t allow_network;
    /* How long a publish or a remove may wait for other calls in its bucket. The default is 10
     * s. */
    int64_t lock_timeout_ms;
    /* How long get_or_build waits for the build of another process. After that it builds without
     * the lock. The publish of what was built waits as long for its bucket. The default is 30
     * min. */
    int64_t build_timeout_ms;
    /* Ends every wait early, with LARDER_INTERRUPTED. You may free it once this call has
     * returned. */
    larder_stop* stop;
    void* on_wait_data;
    /* Called by the waiting thread once a wait has lasted a second, with a text such as "waiting
     * for pid 4711 (uv pip install), for 3 s". It must not call larder. */
    void (*on_wait)(const char* text, void* on_wait_data);
    /* Called for each event by the thread that caused it, so several threads may call it at
     * once. A collection in the background has a thread of its own. The calling thread may hold
     * the lock of a build or a gate, so the function should be quick. It must not call larder.
     * The event is valid during the call. */
    void (*on_event)(const larder_event* event, void* on_event_data);
    void* on_event_data;
    /* A file to which a line is appended for each event. It is made with mode 0600 if it is
     * missing. Many processes may share it. */
    const char* log;
    int32_t count; /* not 0: see larder_cache_counters */
    /* Not 0: allows a cache that other users may change, because they may write to its directories
     * or own one. They then choose what this process gets. Also allows root to make a cache in a
     * directory of another user, who cannot use it then. */
    int32_t allow_unsafe;
    /* Called by a thread that waits, at least every tenth of a second, so that the program can see
     * to its signals. If it returns 0, the wait ends with LARDER_INTERRUPTED. It must not call
     * larder, and should be quick: the calling thread may hold the lock of a build or a gate. Waits
     * that last a tenth of a second at most, as those of an eviction, do not call it. */
    int32_t (*keep_waiting)(void* keep_waiting_data);
    void* keep_waiting_data;
} larder_open_options;

/* Opens the cache at `root`. If nothing or an empty directory stands there, creates the cache,
 * with mode 0700, and the directories above it. If the root cannot be written, opens it
 * read-only.
 * Errors: `refused` for a newer format, a directory that holds something else, a network file
 * system, or another user's cache. The message says which, and nothing is changed. `system`,
 * also if the log cannot be opened; `no_space`.
 * Crash: the next open completes a root that was created in part. */
larder_code larder_cache_open(const char* root, const larder_open_options* options,
                              larder_cache** cache, larder_error** error);
/* Deletes the cache at `root`, with the directory itself, and read-only directories in it. Another
 * call completes one that was interrupted.
 * Errors: `busy` if a living process uses the cache, which the message names; `refused` if `root`
 * is no cache, belongs to another user, or holds something that is not larder's; `system` if
 * something can't be deleted, after all else is gone. */
larder_code larder_cache_destroy(const char* root, larder_error** error);

void larder_cache_close(larder_cache* cache);

/* Returns the absolute path of the root, without symlinks. It is valid as long as the handle.
 * NULL for NULL, as in all functions that only return a property. */
const char* larder_cache_root(const larder_cache* cache);
/* Returns LARDER_LINK_PROBED for NULL. */
larder_link_kind larder_cache_link_kind(const larder_cache* cache);
/* Returns not 0 if the cache is open read-only; 0 for NULL. */
int larder_cache_is_read_only(const larder_cache* cache);

/* A list of texts. */
typedef struct larder_names {
    uint32_t size;    /* of the struct */
    int32_t reserved; /* 0 */
    size_t count;
    size_t unnameable;        /* how many were left out because they hold a zero byte */
    const char* const* names; /* `count` of them; freed with this struct */
    void* reserved_pointer;   /* 0 */
} larder_names;
void larder_names_free(larder_names* names);

/* Lists the buckets that exist now, in no order. */
larder_code larder_cache_buckets(const larder_cache* cache, larder_names** names,
                                 larder_error** error);

/* Returns the bucket of this name. It need not exist, and nothing on the disk is touched.
 * Errors: `invalid` if the name is empty, not UTF-8 or too long. */
larder_code larder_cache_bucket(const larder_cache* cache, const char* name, larder_bucket** bucket,
                                larder_error** error);
void larder_bucket_free(larder_bucket* bucket);
const char* larder_bucket_name(const larder_bucket* bucket);

/* ---- getting ---- */

/* Returns a lease on the entry that `key` names now. While the lease lives, the entry is neither
 * moved nor changed nor deleted, whatever any process runs. A get that starts after a remove or
 * a refresh has returned never yields an entry that was published before that call began.
 * Errors: `miss` if the key names no entry.
 * Concurrency: never waits and takes no lock. */
larder_code larder_bucket_get(const larder_bucket* bucket, const char* key, larder_lease** lease,
                              larder_error** error);

/* Return the absolute path of the entry's tree, below which nothing may be written, and the
 * entry's id, which no other entry ever has. Both are valid as long as the handle. */
const char* larder_lease_path(const larder_lease* lease);
const char* larder_lease_id(const larder_lease* lease);
/* Returns 0 for a lease from a cache that was opened read-only. Such a lease could not be
 * written down, so a collection by a process that can write may delete the files. */
int larder_lease_is_protected(const larder_lease* lease);
/* Makes the lease outlive a following execve of this process: see Lease::keep_across_exec in
 * lease.hpp. */
larder_code larder_lease_keep_across_exec(larder_lease* lease, larder_error** error);
/* Releases the lease. In a forked child it releases nothing.
 * Crash: the kernel releases the lease, however the process ends. */
void larder_lease_free(larder_lease* lease);

/* ---- making ---- */

/* What a published entry survives. */
typedef enum larder_durability {
    LARDER_SURVIVES_PROCESS = 0, /* the death of any process */
    /* Also a power cut: the tree is on the disk before its link, and the link is before publish
     * returns. */
    LARDER_SURVIVES_POWER = 1
} larder_durability;

/* How an entry is published. */
typedef struct larder_publish_options {
    uint32_t size;      /* set it to sizeof the struct */
    int32_t durability; /* a larder_durability */
    /* The name and version of the program that makes the entry, for its record. Cut to 200
     * bytes. */
    const char* producer;
    void* reserved; /* leave it 0 */
} larder_publish_options;

/* Returns an empty private directory to fill. No other process sees it.
 * Crash: what was staged is reaped by the next process that collects, or that adopts the lease
 * table of the dead process. */
larder_code larder_bucket_stage(const larder_bucket* bucket, larder_staging** staging,
                                larder_error** error);
/* Returns the absolute path of the directory, which was made empty, with mode 0755 less the
 * umask. No process may still write into it after publish. */
const char* larder_staging_path(const larder_staging* staging);
/* Returns a text that tells the programs which a build runs for which builds they work. Give it to
 * them in the environment variable LARDER_INSIDE. If such a program, or one that it runs, calls
 * larder_bucket_get_or_build, and builds of several processes wait for each other in a circle, that
 * call then sees the circle. Without the variable they would wait until build_timeout_ms.
 * The text is valid as long as the staging area is. Returns NULL if memory has run out. Call it
 * from the thread that runs the build. The library reads the variable of its own process when the
 * first cache is opened. */
const char* larder_staging_inside(larder_staging* staging);
/* Fills it with a copy of `source`, which is a directory, or a file that becomes the only one in
 * the tree. If `source` is a symlink, it is followed. Modes, modification times, holes, the
 * attributes that users set, and hard links within the tree are kept. Set-id bits, the sticky bit,
 * capabilities and access control lists are not.
 * Errors: `invalid` if `source` lies inside the cache or contains it, or holds a pipe, a socket or
 * a device, and after larder_staging_move_from; `no_space`. */
larder_code larder_staging_copy_from(larder_staging* staging, const char* source,
                                     larder_error** error);
/* Renames the directory `source` to it; it must still be empty. If its owner may not write to
 * `source`, the owner gets that right for the time of the rename. If the tree is not published,
 * because a publish or a build fails or because the staging is freed, it is moved back to where it
 * came from. If that cannot be done, because something else stands there by then, the tree stays in
 * the cache's staging area as `k-<id>/tree`, and no collection deletes it. The error of the publish
 * says where the tree is, and larder_cache_verify finds it.
 * Errors: `invalid` as above, and if `source` lies in any cache; `unsupported` if it is on
 * another file system. In these cases `source` is untouched. */
larder_code larder_staging_move_from(larder_staging* staging, const char* source,
                                     larder_error** error);
/* Deletes what was staged, and moves back what larder_staging_move_from took. In a forked child it
 * touches nothing. */
void larder_staging_free(larder_staging* staging);

/* Makes the staged tree the entry of `key`. An entry that the key named before is replaced
 * atomically. `staging` is always freed, except that a staging that was lent to a build is
 * `invalid`. `lease` may be NULL if you do not want one.
 * Errors: `busy` if another process holds the bucket's lock for longer than lock_timeout_ms;
 * `no_space`. After an error nothing is published.
 * Crash: the key names the old entry or the new one, and that entry is complete. */
larder_code larder_bucket_publish(const larder_bucket* bucket, const char* key,
                                  larder_staging* staging, const larder_publish_options* options,
                                  larder_lease** lease, larder_error** error);

/* Fills `staging`. It is lent: to free it does nothing, and larder publishes it. Returns
 * LARDER_OK, or a code. With a code, *error, which is NULL at first, may be set to an error from
 * larder_error_new or from a call of larder. */
typedef int (*larder_build)(larder_staging* staging, void* user_data, larder_error** error);

/* Returns a lease on the entry of `key`. If there is none, calls `build` and publishes the
 * result. Among all threads and processes, one builds while the others wait and then get the
 * result. `build` may do the same for other keys. `lease` may be NULL, as above.
 * Errors: any error that `build` returns; then the next waiting process builds. `invalid` if
 * `build` requests its own key.
 * Concurrency: waits while another process builds, for at most build_timeout_ms and never for a
 * dead process. After that it builds without the lock. The publish of the result waits for its
 * bucket for build_timeout_ms, if that is longer than lock_timeout_ms.
 * Crash: the staged files are reaped, and the next waiting process builds. */
larder_code larder_bucket_get_or_build(const larder_bucket* bucket, const char* key,
                                       larder_build build, void* user_data,
                                       const larder_publish_options* options, larder_lease** lease,
                                       larder_error** error);

/* ---- retiring ---- */

/* Takes `key` out of the bucket. Leases on its entry stay valid.
 * Errors: `miss` if the key names no entry; `busy` as in publish. */
larder_code larder_bucket_remove(const larder_bucket* bucket, const char* key,
                                 larder_error** error);

/* Purges the bucket: takes all its keys out at once, by one rename, however many there are.
 * Leases stay valid. larder_cache_collect deletes the entries later. A bucket that does not
 * exist is no error.
 * Concurrency: never waits.
 * Crash: all keys are there, or none. */
larder_code larder_bucket_refresh(const larder_bucket* bucket, larder_error** error);

/* Which keys of a bucket a refresh takes out: those that match every condition. */
typedef struct larder_refresh_options {
    uint32_t size;               /* set it to sizeof the struct */
    int32_t dry_run;             /* not 0: take nothing out and report what would be taken */
    int64_t published_before_ns; /* 0: at any time */
    /* A glob (fnmatch(3)) for the key, in which `*` matches a slash too. If NULL or empty, every
     * key matches. */
    const char* pattern;
    void* on_taken_data;
    /* Called for each key that was taken out. */
    void (*on_taken)(const char* key, void* on_taken_data);
    void* reserved; /* leave it 0 */
} larder_refresh_options;

/* Takes the keys that match `options` out of the bucket, one after the other. `taken`, which may
 * be NULL, becomes their number.
 * Errors: `busy` as in remove. Some keys may have been taken out by then.
 * Concurrency: if only a pattern is given, the call never waits. If an age is given, it looks at
 * each entry under the bucket's lock, as remove does. */
larder_code larder_bucket_refresh_some(const larder_bucket* bucket,
                                       const larder_refresh_options* options, uint64_t* taken,
                                       larder_error** error);

/* Pins `key`: no limit of a collection evicts its entry, neither the present one nor a later
 * one. The key need not name an entry, and may be pinned already. */
larder_code larder_bucket_pin(const larder_bucket* bucket, const char* key, larder_error** error);
/* Ends a pin. Errors: `miss` if the key is not pinned. */
larder_code larder_bucket_unpin(const larder_bucket* bucket, const char* key, larder_error** error);
/* Sets `pinned` to 1 or 0. */
larder_code larder_bucket_is_pinned(const larder_bucket* bucket, const char* key, int* pinned,
                                    larder_error** error);

/* ---- looking ---- */

/* Lists the keys, in no order. A key that is added or removed during the call may be listed or
 * not. */
larder_code larder_bucket_keys(const larder_bucket* bucket, larder_names** names,
                               larder_error** error);
/* Calls `visit` for each of these keys, and keeps no list in memory. Ends early if `visit` returns
 * 0. `key` is valid during the call of `visit`, which may call larder. A key with a zero byte is
 * left out. */
larder_code larder_bucket_visit_keys(const larder_bucket* bucket,
                                     int (*visit)(const char* key, void* user_data),
                                     void* user_data, larder_error** error);

/* What is known of one entry: from its record and, for `last_used_ns`, from its link. */
typedef struct larder_entry_info {
    uint32_t size;      /* of the struct */
    int32_t durability; /* a larder_durability */
    uint64_t bytes;     /* the sum of the files' sizes */
    uint64_t files;     /* everything in the tree that is not a directory */
    int64_t published_ns;
    int64_t last_used_ns; /* when it was published or got, to the hour; 0 if not known */
    const char* bucket;
    const char* key;
    const char* id;
    const char* path; /* of the tree; valid as long as the entry lives */
    const char* boot; /* the boot of the machine that published it */
    const char* producer;
} larder_entry_info;
void larder_entry_info_free(larder_entry_info* info);

/* Returns what the record of the entry of `key` says. Errors: `miss`; `damaged` if the record
 * cannot be read. */
larder_code larder_bucket_info(const larder_bucket* bucket, const char* key,
                               larder_entry_info** info, larder_error** error);

/* A list of entries. */
typedef struct larder_entries {
    uint32_t size;    /* of the struct */
    int32_t reserved; /* 0 */
    size_t count;
    const larder_entry_info* const* entries; /* `count` of them; freed with this struct */
} larder_entries;
void larder_entries_free(larder_entries* entries);

/* A key that larder_bucket_pin protects, whether it has an entry or not. */
typedef struct larder_pin {
    uint32_t size;    /* of the struct */
    int32_t reserved; /* 0 */
    const char* bucket;
    const char* key;
} larder_pin;

/* A list of pins. */
typedef struct larder_pins {
    uint32_t size;    /* of the struct */
    int32_t reserved; /* 0 */
    size_t count;
    const larder_pin* const* pins; /* `count` of them; freed with this struct */
} larder_pins;
void larder_pins_free(larder_pins* pins);

/* Lists the keys that are pinned, in all buckets and in no order. A key that is too long for a
 * file name is missing unless it has an entry. */
larder_code larder_cache_pins(const larder_cache* cache, larder_pins** pins, larder_error** error);

/* Lists the entries that were removed, replaced, refreshed or evicted and are not collected yet,
 * in no order. larder_cache_restore brings one back. Any of them may be collected at any time. */
larder_code larder_cache_trash(const larder_cache* cache, larder_entries** entries,
                               larder_error** error);
/* Calls `visit` for each of these entries, and keeps no list in memory. Ends early if `visit`
 * returns 0. `entry` is valid during the call of `visit`, which may call larder. */
larder_code larder_cache_visit_trash(const larder_cache* cache,
                                     int (*visit)(const larder_entry_info* entry, void* user_data),
                                     void* user_data, larder_error** error);

/* Publishes the files of an entry in the trash once more, under its bucket and key and a new id.
 * `lease` may be NULL.
 * Errors: `miss` if no retired entry has this id, or if it has been collected; `exists` if its
 * key names an entry again and `replace` is 0; `damaged` if the number or the sizes of its files
 * differ from its record; `invalid` if `id` is no id; `busy` while another process collects or
 * verifies. */
larder_code larder_cache_restore(const larder_cache* cache, const char* id, int replace,
                                 larder_lease** lease, larder_error** error);

/* What is known of one process that uses the cache: from the header of its lease table. */
typedef struct larder_process_info {
    uint32_t size;        /* of the struct */
    uint32_t participant; /* the number of its table in `participants/` */
    int64_t pid;
    int64_t since_ns; /* when it began to use the cache */
    int32_t alive;    /* 0: it has died, and the next collection reaps it */
    int32_t here;     /* not 0: its pid is one of this pid namespace */
    const char* command;
    void* reserved; /* 0 */
    /* Not 0: it can't be told whether it lives, so it counts as alive: see `presume_dead` in
     * larder_collect_options. */
    int32_t untold;
    int32_t reserved_2; /* 0 */
} larder_process_info;

/* A lease that a process holds. */
typedef struct larder_lease_info {
    uint32_t size;    /* of the struct */
    int32_t reserved; /* 0 */
    const larder_process_info* process;
    const char* id;
    const char* bucket; /* empty if the record of the entry cannot be read */
    const char* key;
} larder_lease_info;

/* A lock that a process holds or waits for. */
typedef struct larder_lock_info {
    uint32_t size;    /* of the struct */
    int32_t waiting;  /* not 0: waits for it; 0: holds it */
    int64_t thread;   /* the system's number of the thread */
    int64_t since_ns; /* when it began to wait, or took the lock */
    const larder_process_info* process;
    const char* what; /* "bucket wheels-v1", "build numpy-2.1.0" */
} larder_lock_info;

/* Who uses a cache. Each list has as many items as the count above it says, and is freed with this
 * struct. */
typedef struct larder_status {
    uint32_t size;      /* of the struct */
    int32_t collecting; /* a process holds the collector's lock */
    /* Trees in `deleting/`. A collection is deleting them now, or was stopped or killed before. */
    uint64_t deleting;
    size_t process_count;
    const larder_process_info* const* processes;
    size_t lease_count;
    const larder_lease_info* const* leases;
    size_t lock_count;
    const larder_lock_info* const* locks;
    /* A sentence for each lease table that can't be read. Who has it, and what it leases, is
     * unknown; all else is reported. */
    size_t unreadable_count;
    const char* const* unreadable;
} larder_status;
void larder_status_free(larder_status* status);

/* Returns which processes use the cache now. Takes no lock and writes nothing. */
larder_code larder_cache_status(const larder_cache* cache, larder_status** status,
                                larder_error** error);

/* How often each event has happened since a cache was opened, through it and its buckets. No
 * number ever shrinks. The numbers are read one after the other, so an event during the call may
 * be counted in one of them and not yet in another. */
typedef struct larder_counters {
    uint32_t size;    /* of the struct */
    int32_t reserved; /* 0 */
    uint64_t hits;    /* of gets; each get_or_build begins with a get */
    uint64_t misses;
    uint64_t published;
    uint64_t removed;
    uint64_t refreshed;
    uint64_t restored;
    uint64_t evicted;
    uint64_t evicted_bytes;
    uint64_t collections;
    uint64_t deleted; /* entries */
    uint64_t deleted_bytes;
    uint64_t waits;    /* for locks that were not free at once */
    uint64_t given_up; /* of these waits */
    uint64_t waited_ns;
    uint64_t takeovers;
    uint64_t repairs;
    uint64_t reopened;
} larder_counters;
void larder_counters_free(larder_counters* counters);

/* Returns the counters of `cache`. They are zero unless the cache was opened with `count`. Takes
 * no lock and never waits. */
larder_code larder_cache_counters(const larder_cache* cache, larder_counters** counters,
                                  larder_error** error);

/* ---- housekeeping ---- */

/* The limit by which a live entry is evicted, or the plan. */
typedef enum larder_eviction_reason {
    LARDER_EVICTED_BY_AGE = 0,
    LARDER_EVICTED_BY_ENTRIES = 1,
    LARDER_EVICTED_BY_SIZE = 2,
    LARDER_EVICTED_BY_FREE_SPACE = 3,
    LARDER_EVICTED_BY_PLAN = 4
} larder_eviction_reason;

/* A live entry that goes because of a limit. */
typedef struct larder_eviction {
    uint32_t size;  /* of the struct */
    int32_t reason; /* a larder_eviction_reason */
    uint64_t bytes;
    int64_t last_used_ns;
    const char* bucket;
    const char* key;
    const char* id;
    void* reserved; /* 0 */
} larder_eviction;

/* What a collection is doing. */
typedef enum larder_collect_phase {
    LARDER_PLANNING = 0,
    LARDER_EVICTING = 1,
    LARDER_COLLECTING = 2,
    LARDER_DELETING = 3
} larder_collect_phase;

/* How far a collection is, for a progress bar. */
typedef struct larder_collect_progress {
    uint32_t size;  /* of the struct */
    int32_t phase;  /* a larder_collect_phase */
    uint64_t done;  /* planning: entries examined; evicting, collecting: entries; deleting: files */
    uint64_t total; /* 0 if not known */
    uint64_t bytes; /* planning: of examined entries; evicting: evicted; then: of what is deleted */
} larder_collect_progress;

/* The limits that are set in larder_limits. Each has a bit, because 0 is a limit too: it evicts
 * everything. */
#define LARDER_LIMIT_SIZE 1u
#define LARDER_LIMIT_AGE 2u
#define LARDER_LIMIT_ENTRIES 4u
#define LARDER_LIMIT_FREE_SPACE 8u

/* The limits within which a collection keeps a cache. It evicts the entries that were least
 * recently used until every limit is kept. An entry stays, and counts, if it is leased or pinned,
 * if it fits a pattern of `keep`, or if it was used after the collection had chosen it. */
typedef struct larder_limits {
    uint32_t size; /* set it to sizeof the struct */
    uint32_t set;  /* LARDER_LIMIT_..., or-ed; a limit that is given without its bit is `invalid` */
    uint64_t max_size; /* bytes, as the records of the live entries add them up */
    int64_t max_age_s; /* entries that were not used for longer go, whatever the other limits */
    uint64_t max_entries;
    uint64_t min_free; /* bytes that are to be free on the disk, and the same share of its inodes */
    /* If a limit is passed, the collection goes on until the cache is at this percentage of it.
     * (For min_free it goes on until min_free is this percentage of the free space.) 0 is the
     * default, 90. */
    uint32_t low_water;
    int32_t reserved; /* leave it 0 */
    /* Glob patterns (fnmatch(3)) for "BUCKET/KEY"; `*` matches a slash too. */
    const char* const* keep;
    size_t keep_count;
} larder_limits;

/* Evictions that a dry run with limits has listed (see `on_evict`). */
typedef struct larder_eviction_plan {
    uint32_t size;                           /* set it to sizeof the struct */
    int32_t reserved;                        /* leave it 0 */
    const larder_eviction* const* evictions; /* yours: read during the call only */
    size_t eviction_count;
    /* Glob patterns for "BUCKET/KEY": an entry that matches one is not evicted after all. */
    const char* const* keep;
    size_t keep_count;
} larder_eviction_plan;

/* How a collection works, whatever it evicts. */
typedef struct larder_collect_options {
    uint32_t size;    /* set it to sizeof the struct */
    int32_t dry_run;  /* not 0: report what would go, and change nothing */
    uint32_t threads; /* that delete; 0 takes one for each processor, four at most */
    /* Not 0: find out how much space the disk gets back. This costs 1 to 3 calls for each file. */
    int32_t count_freed;
    /* Called, under the collector's lock, for each entry that was evicted, or in a dry run would
     * be. What it is given lasts for the call. It may not call larder. */
    void (*on_evict)(const larder_eviction* eviction, void* on_evict_data);
    void* on_evict_data;
    /* Called now and then, at times from another thread, but never from two at once. It may not
     * call larder. */
    void (*on_progress)(const larder_collect_progress* progress, void* on_progress_data);
    void* on_progress_data;
    larder_stop* stop; /* ends the collection early, without an error; the next one carries on */
    void* reserved;    /* leave it 0 */
    /* Keeps what was removed, replaced or refreshed less than this many seconds ago, so that it can
     * still be restored. What is evicted is deleted at once. Any collection without a grace deletes
     * it. */
    int64_t grace_s;
    /* Not 0: clean up also after a process of which it can't be told whether it lives: see
     * CollectOptions in collect.hpp. If it lives, it loses the files that it uses. */
    int32_t presume_dead;
    int32_t reserved_2; /* leave it 0 */
} larder_collect_options;

/* What a collection has done. Each list has as many items as the count above it says, and is freed
 * with this struct. */
typedef struct larder_collect_report {
    uint32_t size;         /* of the struct */
    int32_t within_limits; /* 0 if the entries that stay are more than a limit allows */
    int32_t stopped;       /* not 0: it was asked to stop, and something is left */
    int32_t live_known;    /* not 0: a limit had live_entries and live_bytes counted */
    int32_t freed_known;   /* not 0: `freed` was asked for */
    /* Not 0: `freed` is a lower bound, because the file system does not tell which blocks some
     * files share. */
    int32_t freed_at_least;
    uint64_t entries; /* deleted, the evicted ones included; in a dry run: that would be */
    uint64_t bytes;   /* of these entries, by their records */
    uint64_t reaped;  /* dead processes after which this collection cleaned up */
    uint64_t buckets; /* refreshed buckets that were taken apart */
    uint64_t evicted; /* live entries that a limit or a plan took */
    uint64_t evicted_bytes;
    /* Entries that stay because they were used, replaced, removed or pinned after they were
     * chosen. */
    uint64_t used_since;
    /* Entries that stay because another process holds their bucket's lock. The next collection
     * tries again. */
    uint64_t held_up;
    uint64_t live_entries; /* that stay */
    uint64_t live_bytes;
    uint64_t freed;      /* the space of the deleted files that had no other hard link, in bytes */
    uint64_t files_left; /* files that were moved aside and are not deleted yet, if known */
    size_t leased_count;
    /* retired entries that stay for now, and who uses them */
    const larder_lease_info* const* leased;
    size_t spared_count;
    /* Live entries that were chosen, but stay because they are leased, and who uses them. */
    const larder_lease_info* const* spared;
    size_t unknown_count;
    /* Names that only a newer larder, or another program, can have made. They are left alone. */
    const char* const* unknown;
    uint64_t in_grace; /* retired entries that stay because of larder_collect_options.grace_s */
    /* What could not be done, a sentence each: a file that can't be deleted, a record or a lease
     * table that can't be read. All else was done. The first hundred, without repetition. */
    size_t failure_count;
    const char* const* failures;
    /* Processes of which it can't be told whether they live. What they use stays. */
    uint64_t untold;
} larder_collect_report;
void larder_collect_report_free(larder_collect_report* report);

/* Cleans up after dead processes, evicts until `limits` are kept, then deletes what is retired
 * and not leased. `limits` may be NULL, or set no limit: then this deletes garbage alone.
 * `options` and `report` may be NULL.
 * Errors: `busy` if another collect or verify runs: leave the work to that one. An error that
 * concerns one thing stops nothing else: the first one is returned when all else is done, and
 * `*report` is a report then as well, with all `failures`. (It is NULL if nothing was done. So free
 * it in every case.) `damaged` if a lease table can't be read: then no entry is deleted. `system`
 * if something can't be deleted.
 * Concurrency: never waits, except that an eviction waits a tenth of a second for its bucket's
 * lock.
 * Crash: the next collection carries on. */
larder_code larder_cache_collect(const larder_cache* cache, const larder_limits* limits,
                                 const larder_collect_options* options,
                                 larder_collect_report** report, larder_error** error);

/* Does the same, but evicts what `plan` names. An entry stays if it is no longer the entry of
 * its key, if it was used after the plan was made, or if it is leased or pinned. */
larder_code larder_cache_evict(const larder_cache* cache, const larder_eviction_plan* plan,
                               const larder_collect_options* options,
                               larder_collect_report** report, larder_error** error);

/* When larder_cache_keep_within collects, for how long, and how. */
typedef struct larder_background_options {
    uint32_t size;    /* set it to sizeof the struct */
    int32_t reserved; /* leave it 0 */
    /* All processes of the cache together collect at most once in this time. 0 is the default,
     * an hour; less than 0 is as often as can be. */
    int64_t every_s;
    int64_t at_most_ms; /* a collection stops after this time, whatever is left; 0 is 10 s */
    void* on_done_data;
    /* Called with the result of a collection: a report or an error, and the other one is NULL.
     * They last for the call. The collecting thread makes this call and those below. */
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
    int64_t grace_s;
} larder_background_options;

/* From now on a publish through this cache or its buckets may start, when it has published, a
 * collection with these limits by a thread of its own. At most one runs at a time, and leaves
 * the work to any other collection that already runs. A later call replaces the limits. A call
 * without any limit, or with NULL, ends all this. `limits` and `options` are copied, but not
 * what the callbacks are given.
 * Errors: `invalid` as in collect.
 * Concurrency: publish does not wait for the collection. When the cache and its last bucket are
 * closed, they ask it to stop and wait for it: milliseconds. A forked child collects nothing
 * until it calls this itself. */
larder_code larder_cache_keep_within(const larder_cache* cache, const larder_limits* limits,
                                     const larder_background_options* options,
                                     larder_error** error);

typedef enum larder_finding_kind {
    LARDER_FOUND_DANGLING = 0,    /* a link to an entry that is missing or not complete */
    LARDER_FOUND_MALFORMED = 1,   /* a link or a record that larder did not write, or not in full */
    LARDER_FOUND_MISNAMED = 2,    /* an entry whose record names another key than its link */
    LARDER_FOUND_SHARED = 3,      /* an entry that more than one link names */
    LARDER_FOUND_ORPHAN = 4,      /* an entry that no link names */
    LARDER_FOUND_PARTICIPANT = 5, /* a lease table that cannot be read; nothing can be collected */
    LARDER_FOUND_FOREIGN = 6,     /* a name that larder does not know; it breaks nothing */
    LARDER_FOUND_UNREADABLE = 7,  /* something that cannot be read, and so was not checked */
    /* A live entry whose files are more, fewer, larger or smaller than its record says. */
    LARDER_FOUND_CHANGED = 8,
    LARDER_FOUND_BLOCKED = 9 /* something that is no link stands where only a link may stand */
} larder_finding_kind;

/* Returns "dangling", …; "unknown" if `kind` is none. */
const char* larder_finding_kind_name(int kind);

/* One thing that verify found. */
typedef struct larder_finding {
    uint32_t size;    /* of the struct */
    int32_t kind;     /* a larder_finding_kind */
    int32_t repaired; /* not 0: `repair` was set, and it was repaired */
    int32_t reserved; /* 0 */
    const char* path; /* where it stands */
    const char* what; /* what is wrong with it, in a few words for people */
} larder_finding;

/* What a verification does with what it finds. */
typedef struct larder_verify_options {
    uint32_t size; /* set it to sizeof the struct */
    /* Not 0: retire faulty links, and give entries that no link names a retired link, so that a
     * collection deletes them. */
    int32_t repair;
} larder_verify_options;

/* What a verification has found. */
typedef struct larder_verify_report {
    uint32_t size; /* of the struct */
    /* Not 0: no invariant is broken, or everything was repaired. Foreign names break none. */
    int32_t sound;
    uint64_t entries; /* that were checked */
    uint64_t live;    /* of these: named by a key */
    uint64_t garbage; /* of these: retired, waiting for collection */
    size_t finding_count;
    const larder_finding* const* findings; /* `finding_count` of them; freed with this struct */
} larder_verify_report;
void larder_verify_report_free(larder_verify_report* report);

/* Checks every invariant that can be checked while other processes work. Follows no link.
 * Errors: `busy` as in collect. A finding is no error: see `sound`. */
larder_code larder_cache_verify(const larder_cache* cache, const larder_verify_options* options,
                                larder_verify_report** report, larder_error** error);

/* ---- installing ---- */

/* How the files of a tree reach their destination. */
typedef enum larder_link_mode {
    LARDER_MODE_AUTOMATIC = 0, /* tries for each file: clone, then hard link, then copy */
    LARDER_MODE_CLONE = 1,     /* shares the blocks until one side is written (btrfs, xfs, APFS) */
    LARDER_MODE_HARDLINK = 2,  /* shares the file: a program that writes to it changes the cache */
    LARDER_MODE_COPY = 3
} larder_link_mode;

/* How a tree is installed. */
typedef struct larder_materialize_options {
    uint32_t size; /* set it to sizeof the struct */
    int32_t mode;  /* a larder_link_mode */
    /* Not 0: replace files and symlinks that stand in the way, instead of failing. Never
     * directories. */
    int32_t replace;
    uint32_t threads;  /* how many work; 0 lets larder choose by the number of files */
    larder_stop* stop; /* ends the call before the next file, with `interrupted` */
} larder_materialize_options;

/* How many files arrived in which way. */
typedef struct larder_materialize_report {
    uint32_t size;    /* of the struct */
    int32_t reserved; /* 0 */
    uint64_t cloned;
    uint64_t hardlinked;
    uint64_t copied;
    uint64_t symlinks;
    uint64_t directories; /* made by this call */
    uint64_t bytes;       /* the sizes of all files, cloned and linked ones too */
    uint64_t inexact;     /* files and directories without their mode or time: it was refused */
} larder_materialize_report;
void larder_materialize_report_free(larder_materialize_report* report);

/* Makes `destination` hold everything that `tree` holds. Existing directories are filled, and
 * missing ones are made. Below `destination` no symlink is followed. A destination that is missing
 * is made by one rename, from a directory beside it. In one that exists, a file gets its name when
 * it is complete. Clones and copies do not have the set-id bits, the sticky bit, the capabilities
 * and the access control list of their source. If the destination refuses to set a mode or a
 * modification time, that is no error: the report counts it as `inexact`. `report` may be NULL.
 * Requires: `tree` does not change during the call. Hold a lease on it.
 * Errors: `exists` if something stands in the way and `replace` is 0; `unsupported` if `mode`
 * names a way that does not work here; `invalid` if `destination` lies inside a cache or
 * contains the cache of `tree`. What was written by then into a destination that existed stays.
 * Crash: the same call, with `replace` if the destination existed, completes what was begun.
 * Concurrency: several calls may fill one destination at the same time. */
larder_code larder_materialize(const char* tree, const char* destination,
                               const larder_materialize_options* options,
                               larder_materialize_report** report, larder_error** error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
