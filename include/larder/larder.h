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
 * The sections: errors, stopping, handles, events, opening, buckets, getting, making, retiring,
 * pinning, linking, listing, collecting, verifying, installing.
 *
 * Handles. A pointer to an incomplete type is a handle. The caller frees each handle once, by
 * the function that is named after it; that function accepts NULL. Handles may be freed in any
 * order: a lease stays valid after its bucket and its cache were closed.
 *
 * Errors. A function that can fail returns a larder_code. Its last argument is a place for a
 * larder_error with all details; pass NULL if you do not want them.
 *   - After a success the error is NULL.
 *   - After a failure the other results are NULL, unless the function says otherwise.
 *   - If a pointer is NULL but needed, the error is `invalid`, and never a crash.
 *   - If memory has run out, the code is LARDER_SYSTEM and sys_errno is ENOMEM.
 *   - No C++ exception leaves a function.
 *   - A comment lists the errors that a caller may want to act on. Each function that works on the
 *     disk may also fail with `system`, and each one that writes to it with `read_only`.
 *
 * Structs. Each begins with its size, because each may grow at its end in a later version. None has
 * a hole: a field named `reserved` fills one, or keeps a place. It has no meaning yet, and is 0.
 *
 * Options belong to the caller, and are read during the call only.
 *   - Set `size` to sizeof the struct and everything else to zero, which means the default. A
 *     designated initializer does both: {.size = sizeof options, .read_only = 1}. NULL in place of
 *     the struct means all defaults.
 *   - A program that was built for an older version leaves new fields at their defaults.
 *   - A program that was built for a newer version may run with an older library if it sets no
 *     field that is unknown there; otherwise the call is `invalid`.
 *
 * Results belong to the caller too, who frees each one by the function that is named after it.
 *   - That frees all that the struct points to, texts and lists too. Free nothing else of it.
 *   - larder sets `size` to sizeof the struct in the version of the library. Before you read a
 *     field that came in a later version than the oldest one with which you run, check that `size`
 *     includes it.
 *   - A list is an array of pointers, because the structs to which they point may grow. Like every
 *     result, it shows what was so when it was read.
 *
 * Texts end with a zero byte. A text from larder is never NULL, but may be empty. Keys and
 * bucket names are UTF-8. Paths are bytes, as on the system; on Windows they are UTF-8. C++ allows
 * a key that contains a zero byte, but C cannot name it: larder_names leaves it out, and in other
 * structs it ends there.
 *
 * Times are nanoseconds since 1970; 0 means none.
 *
 * Concurrency and crashes are as in the C++ headers, which are the reference. In short:
 *   - All threads may use a cache, a bucket and a stop at once.
 *   - One thread at a time may use a staging or a lease.
 *   - Freeing a handle must be its last use.
 *   - A thread that is inside larder, or inside a callback, must not be cancelled (pthread_cancel)
 *     or left by longjmp.
 *
 * Callbacks run in the thread that called larder, unless the function says otherwise. Each gets the
 * pointer that was given with it, such as `user_data`, which larder only passes on.
 *   - A callback may close the cache, and the call that makes the callback goes on to its end. It
 *     may free no other handle that this call was given.
 *   - A C++ exception that a callback throws ends the call, whose error is LARDER_SYSTEM. It is
 *     dropped if the callback is on_event or on_wait, or belongs to a collection in the
 *     background. */
#ifndef LARDER_LARDER_H
#define LARDER_LARDER_H

#include <stdint.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the version of the library that runs, such as "0.2.0". It may differ from the version
 * that the program was compiled with. The text is a constant of the library. */
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
    LARDER_DAMAGED = 11,    /* something on the disk breaks an invariant: run larder_cache_verify */
    LARDER_SYSTEM = 12      /* the operating system refused; see `sys_errno` and `why` */
} larder_code;

/* Returns the name of a code: "ok", "miss", "busy" and so on; "unknown" if `code` is not a
 * larder_code. The text is a constant of the library. */
const char* larder_code_name(int code);

/* Why a call of the operating system failed. The values are the same on every system, unlike those
 * of errno, so branch on these. A later version may add values. */
typedef enum larder_why {
    LARDER_WHY_NONE = 0,          /* no call of the system failed */
    LARDER_WHY_ABSENT = 1,        /* nothing has this name */
    LARDER_WHY_EXISTS = 2,        /* something has this name already */
    LARDER_WHY_NOT_EMPTY = 3,     /* the directory is not empty */
    LARDER_WHY_NOT_DIRECTORY = 4, /* a directory was needed, and this is something else */
    LARDER_WHY_IS_DIRECTORY = 5,  /* something else was needed, and this is a directory */
    /* This is a symlink, which larder does not follow here, or symlinks lead in a circle. */
    LARDER_WHY_IS_LINK = 6,
    LARDER_WHY_CROSS_DEVICE = 7, /* the two names are on two file systems, or below two mounts */
    LARDER_WHY_DENIED = 8,       /* the permissions of a file or directory forbid it */
    /* This process may not do it at all (its user, its sandbox), or not to a file of this kind. */
    LARDER_WHY_NOT_PERMITTED = 9,
    LARDER_WHY_READ_ONLY = 10,           /* the file system is mounted for reading only */
    LARDER_WHY_NO_SPACE = 11,            /* the disk or the quota is full */
    LARDER_WHY_TOO_MANY_LINKS = 12,      /* the file has all the hard links that it can have */
    LARDER_WHY_TOO_MANY_OPEN_FILES = 13, /* this process, or the machine, can open no more files */
    LARDER_WHY_NAME_TOO_LONG = 14,       /* the system accepts no name, or path, of this length */
    LARDER_WHY_NOT_SUPPORTED = 15,       /* the system or the file system has no such call */
    /* The system does not accept these arguments of the call, or not for this file. */
    LARDER_WHY_INVALID = 16,
    LARDER_WHY_NO_DEVICE = 17,    /* the file is a socket, or a device that does not exist */
    LARDER_WHY_NOT_SEEKABLE = 18, /* the file is a pipe or a terminal, which has no positions */
    LARDER_WHY_BUSY = 19,         /* the system itself uses it: as a mount point, for example */
    LARDER_WHY_SHARING = 20,      /* another program has it open in a way that forbids this */
    LARDER_WHY_WOULD_BLOCK = 21,  /* it can't be done now without waiting */
    LARDER_WHY_INTERRUPTED = 22,  /* a signal interrupted the call */
    LARDER_WHY_NO_MEMORY = 23,    /* memory has run out */
    LARDER_WHY_IO = 24,           /* the device failed */
    LARDER_WHY_OTHER = 25         /* none of these; see `sys_errno` */
} larder_why;

/* Returns the name of a larder_why: "none", "absent", "exists" and so on; "unknown" if `why` is not
 * a larder_why. The text is a constant of the library. */
const char* larder_why_name(int why);

/* An error: what failed, where, and what to do about it. The caller frees it by larder_error_free,
 * and its texts are valid until then. */
typedef struct larder_error {
    uint32_t size;       /* sizeof(larder_error), set by larder */
    int32_t code;        /* a larder_code: what kind of error it is */
    int32_t sys_errno;   /* errno of the system call that failed; 0 if none did */
    int32_t why;         /* the same as a larder_why; LARDER_WHY_NONE if no system call failed */
    const char* step;    /* what larder was doing, such as "publish" */
    const char* path;    /* the file or directory that it was doing this to; may be empty */
    const char* detail;  /* what exactly is wrong, and what to do next; may be empty */
    const char* message; /* all of the above in one line, for people */
} larder_error;

/* Makes the error that a build returns (see larder_build). `path` and `detail` are copied and may
 * be NULL. If `code` is LARDER_OK or not a larder_code, the error gets the code LARDER_BUILD.
 * Never returns NULL: if memory has run out, the result is an error that says so. */
larder_error* larder_error_new(int code, int sys_errno, const char* path, const char* detail);
/* Frees an error and its texts. NULL is ignored. */
void larder_error_free(larder_error* error);

/* ---- stopping ---- */

/* A request to stop, with which one thread ends calls of other threads early. Any number of calls
 * may be given the same stop. Once made, the request stays in force for later calls too. */
typedef struct larder_stop larder_stop;

/* Makes a stop that is not requested yet. Returns NULL if memory has run out. */
larder_stop* larder_stop_new(void);
/* Requests the stop: the calls that were given it end soon. Any thread may call this, but no signal
 * handler may: call it from a thread that waits for signals by sigwait. NULL is ignored. */
void larder_stop_request(larder_stop* stop);
/* Frees the stop. The calls that were given it may still run, but can no longer be stopped. NULL
 * is ignored. */
void larder_stop_free(larder_stop* stop);

/* ---- handles ---- */

/* An open cache, from larder_cache_open. larder_cache_close closes it. */
typedef struct larder_cache larder_cache;
/* One bucket of an open cache: a named set of keys. From larder_cache_bucket; freed by
 * larder_bucket_free. */
typedef struct larder_bucket larder_bucket;
/* The promise that the files of one entry stay where they are. From a get, a publish or a restore;
 * larder_lease_free ends it. */
typedef struct larder_lease larder_lease;
/* A private directory in which an entry is made. From larder_bucket_stage or larder_bucket_claim,
 * or lent to a larder_build. Freed by larder_bucket_publish or larder_staging_free. */
typedef struct larder_staging larder_staging;

/* ---- events ---- */

/* The kinds of events. Each comment names the fields of larder_event that the kind fills in, beside
 * `at_ns`; the others are 0 or empty. A later version may add kinds. */
typedef enum larder_event_kind {
    /* A wait for a lock has lasted a second and continues. `what` is the lock, and `who` is the
     * process that holds it. */
    LARDER_EVENT_WAITING = 0,
    /* A wait for a lock has ended, after `took_ns`. `what` is the lock, and `who` is the process
     * that held it, if that is known. A lock that was free at once is no wait. */
    LARDER_EVENT_WAITED = 1,
    /* A wait for a lock was given up, after `took_ns`, because its time had passed or because it
     * was stopped. `what` and `who` are as above. A build continues without the lock. */
    LARDER_EVENT_GAVE_UP = 2,
    LARDER_EVENT_PUBLISHED = 3, /* an entry was published: `bucket`, `key`, `id` */
    LARDER_EVENT_REMOVED = 4,   /* a key was removed: `bucket`, `key` */
    /* A bucket was refreshed: `bucket`. If only some of its keys were taken out, `what` is the
     * pattern that they match, and `entries` is their number. */
    LARDER_EVENT_REFRESHED = 5,
    LARDER_EVENT_RESTORED = 6,  /* an entry was restored; `id` is that of the new entry */
    LARDER_EVENT_EVICTED = 7,   /* `bucket`, `key`, `id`, `bytes`; `what` is the limit */
    LARDER_EVENT_COLLECTED = 8, /* a collection has deleted `entries` with `bytes`, in `took_ns` */
    LARDER_EVENT_TAKEOVER = 9,  /* this process has cleaned up after a dead one, `who` */
    /* Something that broke an invariant was retired: `what`, and `bucket` and `key` if known. */
    LARDER_EVENT_REPAIRED = 10,
    LARDER_EVENT_REOPENED = 11 /* the root had been deleted or replaced, and was opened again */
} larder_event_kind;

/* Returns the name of a kind: "waiting", "waited" and so on; "unknown" if `kind` is not a
 * larder_event_kind. The text is a constant of the library. */
const char* larder_event_kind_name(int kind);

/* Something that a call did, met or waited for. larder owns it: the struct and its texts are valid
 * until the callback returns. */
typedef struct larder_event {
    uint32_t size;      /* sizeof(larder_event), set by larder */
    int32_t kind;       /* a larder_event_kind, which says what the fields below are about */
    int64_t at_ns;      /* when it happened */
    int64_t took_ns;    /* how long it took, in nanoseconds */
    uint64_t entries;   /* a number of entries or keys */
    uint64_t bytes;     /* the sizes of entries, added up */
    const char* bucket; /* the name of the bucket */
    const char* key;    /* the key; one that contains a zero byte ends there */
    const char* id;     /* the id of the entry */
    const char* what;   /* for people: "bucket wheels-v1", "build numpy-2.1.0", "max-size" */
    const char* who;    /* for people: "pid 4711 (uv pip install), for 3 s" */
    void* reserved;     /* NULL */
} larder_event;

/* ---- opening ---- */

/* What stands in a bucket for each key, and leads to the key's entry. The kind is chosen when the
 * cache is created, and every process uses it from then on. */
typedef enum larder_link_kind {
    /* As an option: larder tries what the file system has, and takes a symlink if it can; on
     * Windows a file. As a result: the cache was NULL. */
    LARDER_LINK_PROBED = 0,
    LARDER_LINK_SYMLINK = 1, /* a symbolic link */
    LARDER_LINK_FILE = 2,    /* a small file that holds the text that a symlink would hold */
    /* A directory junction, which other programs can follow from a key to its entry; on Windows
     * only. It holds the absolute path of the entry: after the cache was moved, larder serves its
     * entries as before, and a verify that repairs sets the junctions again. */
    LARDER_LINK_JUNCTION = 3
} larder_link_kind;

/* What a bucket is on the disk. The kind is chosen when the cache is created, and every process
 * uses it from then on. */
typedef enum larder_bucket_kind {
    /* As an option: a directory, wherever larder can rename one, and otherwise a pointer. As a
     * result: the cache was NULL. */
    LARDER_BUCKET_PROBED = 0,
    LARDER_BUCKET_DIRECTORY = 1, /* the directory that holds the bucket's links */
    /* A link to that directory, which belongs to the bucket until the next refresh. So no refresh
     * renames a directory, which some file systems refuse: overlayfs for one of a lower layer.
     * The default on Windows, where no directory is renamed while a file below it is open. */
    LARDER_BUCKET_POINTER = 2
} larder_bucket_kind;

/* A time to wait, in milliseconds, that means: give up at once. (0 means the default.) */
#define LARDER_NO_WAIT (-1)

/* An algorithm that makes digests: see <larder/content.h>. */
typedef struct larder_digest larder_digest;

/* How a cache is opened. The struct and its texts are copied. What the callbacks use must stay
 * valid until the cache, its buckets, and every call on them have ended. */
typedef struct larder_open_options {
    uint32_t size;     /* set it to sizeof(larder_open_options) */
    int32_t link_kind; /* a larder_link_kind, for a cache that has to be created */
    int32_t read_only; /* not 0: write nothing, not even leases; see larder_lease_is_protected */
    /* Not 0: allow a cache on a network file system. Leases then protect only the processes of this
     * machine. */
    int32_t allow_network;
    /* How long a publish, a remove or a pin may wait for other calls in its bucket. The default is
     * 10 s. */
    int64_t lock_timeout_ms;
    /* How long get_or_build waits for the build of another process. After that it builds without
     * the lock. The publish of what was built waits as long for its bucket. The default is 30
     * min. */
    int64_t build_timeout_ms;
    /* Ends every wait early, with LARDER_INTERRUPTED. NULL if waits need not be stopped. You may
     * free it once larder_cache_open has returned. */
    larder_stop* stop;
    void* on_wait_data; /* passed to on_wait */
    /* Called by the waiting thread once a wait has lasted a second, with a text such as "waiting
     * for pid 4711 (uv pip install), for 3 s", which is valid during the call. It must not call
     * larder. */
    void (*on_wait)(const char* text, void* on_wait_data);
    /* Called for each event by the thread that caused it, so several threads may call it at
     * once. A collection in the background has a thread of its own. The calling thread may hold
     * a lock for which other processes wait, so the function should be quick. It must not call
     * larder. The event is valid during the call. */
    void (*on_event)(const larder_event* event, void* on_event_data);
    void* on_event_data; /* passed to on_event */
    /* The path of a file to which a line is appended for each event; NULL for none. The file is
     * made with mode 0600 if it is missing. Many processes may share it. */
    const char* log;
    int32_t count; /* not 0: count events, for larder_cache_counters */
    /* Not 0: allow a cache that other users may change, because they may write to its directories
     * or own one. They then choose what this process gets. Also allow root to make a cache in a
     * directory of another user, who cannot use it then. */
    int32_t allow_unsafe;
    /* Called by a thread that waits, at least every tenth of a second, so that the program can
     * handle its signals. If it returns 0, the wait ends with LARDER_INTERRUPTED. It must not call
     * larder, and should be quick: the calling thread may hold a lock for which other processes
     * wait. Waits of a tenth of a second at most, as those of an eviction, do not call it. */
    int32_t (*keep_waiting)(void* keep_waiting_data);
    void* keep_waiting_data; /* passed to keep_waiting */
    /* `digest_count` algorithms that this program has. If a power cut may have torn an entry, a get
     * or a restore compares its files with the digests in its manifest. A restore or a verify
     * compares a file that was modified after its entry was published. If the list lacks the
     * algorithm that the manifest names, only names, kinds, modes and sizes are compared. The
     * array is copied. */
    size_t digest_count;
    const larder_digest* const* digests;
    int32_t bucket_kind; /* a larder_bucket_kind, for a cache that has to be created */
    int32_t reserved;    /* 0 */
} larder_open_options;

/* Opens the cache at `root`, and stores a handle in `*cache`. If nothing or an empty directory
 * stands there, creates the cache, with mode 0700, and the directories above it. If the root cannot
 * be written, opens the cache read-only.
 * Errors: `refused` for a newer format, a directory that holds something else, a network file
 * system, or another user's cache. The message says which, and nothing is changed. `system`,
 * also if the log cannot be opened; `no_space`.
 * Crash: the next open completes a root that was created in part. */
larder_code larder_cache_open(const char* root, const larder_open_options* options,
                              larder_cache** cache, larder_error** error);
/* Closes the cache. Its buckets, leases and stagings stay valid. If neither the cache nor a bucket
 * of it is in use after that, this asks a collection in the background to stop, and waits for it:
 * milliseconds, or longer if it settles the cache just then. NULL is ignored. */
void larder_cache_close(larder_cache* cache);
/* Deletes the cache at `root`: the directory with all that is in it, read-only directories too. If
 * the call fails half way, another call deletes the rest. An empty directory is deleted too.
 * Errors: `busy` if a living process uses the cache, collects, or destroys it; the message names
 * the first. No entry is touched then, unless that process destroys the cache. `refused` if
 * `root` is no cache, belongs to another user, or holds something that is not larder's, such as a
 * tree that a failed publish could not move back, and if `root` is a symlink, which would lead
 * nowhere then. `system` if something can't be deleted; all else is gone then.
 * Concurrency: if a process uses the cache, this changes nothing. If one begins to use it during
 * the call, no process can open the cache for an instant, and then it is as before. Otherwise no
 * process can open the cache any more.
 * Crash: the cache is as before, or can't be opened. Then another call deletes the rest; or, if
 * a process uses it, gives it back. A crash at the very end may leave an empty directory. */
larder_code larder_cache_destroy(const char* root, larder_error** error);
/* Makes all the checks that larder_cache_destroy makes before it changes anything, and changes
 * nothing: a dry run. It does not foresee what the system refuses to delete in `root`.
 * Errors: those of larder_cache_destroy, if that would end with `busy` or `refused` now, or with
 * `system` because `root` itself can't be removed. */
larder_code larder_cache_check_destroy(const char* root, larder_error** error);

/* Returns the absolute path of the root, without symlinks. The text is valid as long as the handle.
 * Like every function that only returns a property, it returns NULL for NULL. */
const char* larder_cache_root(const larder_cache* cache);
/* Returns what stands for each key in this cache; LARDER_LINK_PROBED for NULL. */
larder_link_kind larder_cache_link_kind(const larder_cache* cache);
/* Returns what a bucket of this cache is; LARDER_BUCKET_PROBED for NULL. */
larder_bucket_kind larder_cache_bucket_kind(const larder_cache* cache);
/* Returns 1 if the cache is open read-only, because the option says so or because the root cannot
 * be written; otherwise 0, and 0 for NULL. */
int larder_cache_is_read_only(const larder_cache* cache);

/* How often each event has happened since a cache was opened, through it and its buckets. No
 * number ever shrinks. The numbers are read one after the other, so an event during the call may
 * be counted in one of them and not yet in another. Freed by larder_counters_free. */
typedef struct larder_counters {
    uint32_t size;          /* sizeof(larder_counters), set by larder */
    int32_t reserved;       /* 0 */
    uint64_t hits;          /* gets that found the entry; each get_or_build begins with a get */
    uint64_t misses;        /* gets that found none */
    uint64_t published;     /* entries that were published, those of builds included */
    uint64_t removed;       /* keys that were removed */
    uint64_t refreshed;     /* calls that refreshed a bucket, or some of its keys */
    uint64_t restored;      /* entries that were restored */
    uint64_t evicted;       /* entries that a limit or a plan took */
    uint64_t evicted_bytes; /* of these entries, by their records */
    uint64_t collections;   /* collections that have ended */
    uint64_t deleted;       /* entries that collections deleted */
    uint64_t deleted_bytes; /* of these entries, by their records */
    uint64_t waits;         /* waits for locks that were not free at once */
    uint64_t given_up;      /* of these waits, those that ended without the lock */
    uint64_t waited_ns;     /* how long all these waits took, in nanoseconds */
    uint64_t takeovers;     /* dead processes after which this process cleaned up */
    uint64_t repairs;       /* things that broke an invariant and were retired */
    uint64_t reopened;      /* times that the root was opened again */
} larder_counters;
/* Frees what larder_cache_counters returned. NULL is ignored. */
void larder_counters_free(larder_counters* counters);

/* Returns the counters of `cache`. They are zero unless the cache was opened with `count`. A forked
 * child continues from its parent's counters.
 * Concurrency: takes no lock and never waits. */
larder_code larder_cache_counters(const larder_cache* cache, larder_counters** counters,
                                  larder_error** error);

/* A wait of a call, while it lasts. It is valid until the function that gets it returns. */
typedef struct larder_wait {
    uint32_t size;       /* sizeof(larder_wait), set by larder */
    int32_t reserved;    /* 0 */
    const char* what;    /* what the call waits for: "build rich-13.9", "bucket wheels-v1" */
    const char* holders; /* which processes have that: "pid 4711 (uv pip install), for 3 s" */
    int64_t took_ns;     /* how long the wait has lasted, in nanoseconds */
} larder_wait;

/* What ends some calls of a program early. The options of the cache hold as well. */
typedef struct larder_call_options {
    uint32_t size;    /* set it to sizeof(larder_call_options) */
    int32_t reserved; /* 0 */
    /* Ends a wait, the copying of a tree and a partial refresh early, with LARDER_INTERRUPTED. What
     * else ends early by the stop of the cache does so by this, too. NULL for none. You may free it
     * once larder_cache_with or larder_bucket_with has returned; then it can't be requested. */
    larder_stop* stop;
    /* Called by the thread of the call while it waits, at least every tenth of a second. If it
     * returns 0, the wait ends with LARDER_INTERRUPTED. It must not call larder, and should be
     * quick: the calling thread may hold a lock for which other processes wait. Waits of a tenth of
     * a second at most, as those of an eviction, do not call it. NULL for none. */
    int32_t (*on_wait)(const larder_wait* wait, void* on_wait_data);
    void* on_wait_data; /* passed to on_wait */
} larder_call_options;

/* Stores in *with a second handle of the same open cache. The calls with this handle, and with the
 * buckets from it, have these options: so one call can be ended, and no other. It costs no system
 * call, so a program may make one for each call. Close it by larder_cache_close; the cache itself
 * is closed with the last handle. */
larder_code larder_cache_with(const larder_cache* cache, const larder_call_options* options,
                              larder_cache** with, larder_error** error);
/* Does the same for a bucket. Calls with the new handle have these options, and not those that
 * `bucket` may have. So does a staging from it. Free it by larder_bucket_free. */
larder_code larder_bucket_with(const larder_bucket* bucket, const larder_call_options* options,
                               larder_bucket** with, larder_error** error);

/* ---- buckets ---- */

/* A list of names: of buckets, or of keys. Freed by larder_names_free. */
typedef struct larder_names {
    uint32_t size;            /* sizeof(larder_names), set by larder */
    int32_t reserved;         /* 0 */
    size_t count;             /* how many names there are */
    size_t unnameable;        /* how many more were left out, because they contain a zero byte */
    const char* const* names; /* `count` names, in no order; freed with this struct */
    void* reserved_pointer;   /* NULL */
} larder_names;
/* Frees a list of names with its texts. NULL is ignored. */
void larder_names_free(larder_names* names);

/* Lists the buckets that exist now. */
larder_code larder_cache_buckets(const larder_cache* cache, larder_names** names,
                                 larder_error** error);

/* Returns a handle for the bucket of this name. The bucket need not exist, and nothing on the disk
 * is touched: the first publish makes it.
 * Errors: `invalid` if the name is empty, not UTF-8 or too long. */
larder_code larder_cache_bucket(const larder_cache* cache, const char* name, larder_bucket** bucket,
                                larder_error** error);
/* Frees the handle, and changes nothing on the disk. The last handle of a cache ends its collection
 * in the background: see larder_cache_close. NULL is ignored. */
void larder_bucket_free(larder_bucket* bucket);
/* Returns the name that larder_cache_bucket was given. The text is valid as long as the handle. */
const char* larder_bucket_name(const larder_bucket* bucket);

/* ---- getting ---- */

/* Returns a lease on the entry that `key` names now. While the lease lives, the entry is neither
 * moved nor changed nor deleted, whatever any process runs. (The exception is a cache that was
 * opened read-only: see larder_lease_is_protected.) A get that starts after a remove or a refresh
 * has returned never yields an entry that was published before that call began.
 * Errors: `miss` if the key names no entry, or one that is not complete or that a power cut has
 * torn.
 * Concurrency: never waits and takes no lock.
 * Crash: the kernel ends the lease of a process that ends, in whatever way. */
larder_code larder_bucket_get(const larder_bucket* bucket, const char* key, larder_lease** lease,
                              larder_error** error);

/* Returns the absolute path of the entry's tree. Write nothing below it. The text is valid as long
 * as the handle. */
const char* larder_lease_path(const larder_lease* lease);
/* Returns the entry's id, which no other entry ever has. The text is valid as long as the handle
 * is. */
const char* larder_lease_id(const larder_lease* lease);
/* Stores in *metadata what the publisher of the entry gave as larder_publish_options.metadata:
 * `*size` bytes, with a zero byte behind them; an empty text if it gave none. Reads the record of
 * the entry. The text is valid until the next call for the same lease, or until the lease is freed.
 * Errors: `damaged` if the record cannot be read. */
larder_code larder_lease_metadata(larder_lease* lease, const char** metadata, size_t* size,
                                  larder_error** error);
/* Returns 1 if the entry stays as long as the lease lives. Returns 0 for a lease from a cache that
 * was opened read-only: it could not be written down, so a collection by a process that can write
 * may delete the files. Returns 0 for NULL. */
int larder_lease_is_protected(const larder_lease* lease);
/* Makes the lease outlive its handle, and a following execve of this process: the entry then stays
 * until the program that the process becomes has ended. Keep the cache open until the execve.
 * Lease::keep_across_exec in lease.hpp tells why, what else this keeps, and when it ends.
 * Errors: `invalid` if the lease is not protected, or belongs to the parent of a forked child. */
larder_code larder_lease_keep_across_exec(larder_lease* lease, larder_error** error);
/* Ends the lease, unless larder_lease_keep_across_exec has kept it. In a forked child it ends
 * nothing. NULL is ignored. */
void larder_lease_free(larder_lease* lease);

/* ---- making ---- */

/* What a change survives: a publish, a restore, a remove, a refresh, a pin, the end of a pin.
 * Parameters and fields are int32_t, so that any other value is an error and no fault. */
typedef enum larder_durability {
    LARDER_SURVIVES_PROCESS = 0, /* the death of any process, but perhaps not a power cut */
    /* A power cut too: the change is on the disk before the call returns. The tree of an entry is
     * before the link that names it is. */
    LARDER_SURVIVES_POWER = 1
} larder_durability;

/* How an entry is published. */
typedef struct larder_publish_options {
    uint32_t size;      /* set it to sizeof(larder_publish_options) */
    int32_t durability; /* a larder_durability */
    /* The name and version of the program that makes the entry, for its record. It is cut to 200
     * bytes. NULL for none. */
    const char* producer;
    void* reserved; /* leave it NULL */
    /* Makes digests of the files, which the entry's manifest keeps, so that
     * larder_cache_verify_content finds each byte that changes later: larder_sha256() of
     * <larder/content.h>. NULL for none. Files whose digests were not handed in
     * (larder_staging_note) are read once more. */
    const larder_digest* digest;
    /* `metadata_size` bytes of your own for the record of the entry, at most 1,024: a URL, an
     * ETag, a digest. larder_lease_metadata and larder_bucket_info return them. NULL for none. */
    const char* metadata;
    size_t metadata_size;
    /* For an entry that comes from another cache: when it was published there, and when it was last
     * used, in nanoseconds since 1970. Limits evict it, and a refresh by age takes it, as these
     * times say. 0 and a time in the future stand for the time of the publish. */
    int64_t published_ns;
    int64_t last_used_ns;
} larder_publish_options;

/* Returns an empty directory to fill, where the entry will stay. No process can get it before it is
 * published.
 * Errors: `no_space`.
 * Crash: what was staged is deleted by the next process that collects. */
larder_code larder_bucket_stage(const larder_bucket* bucket, larder_staging** staging,
                                larder_error** error);
/* Returns the absolute path of the directory, which was made empty, with mode 0755 less the umask.
 * What is put below it becomes the entry's tree. No process may still write there after publish.
 * The text is valid as long as the handle. */
const char* larder_staging_path(const larder_staging* staging);
/* Fills the directory with a copy of `source`, which is a directory, or a file that becomes the
 * only one in the tree. If `source` itself is a symlink, it is followed; symlinks below it are
 * copied. Kept are modes, modification times, holes, the attributes that users set, and hard links
 * within the tree. Not kept are the set-id bits, the sticky bit, capabilities and access control
 * lists.
 * Errors: `invalid` if `source` lies inside the cache or contains it, or holds a pipe, a socket or
 * a device, and after larder_staging_move_from; `no_space`; `interrupted` before the next file if
 * the stop of larder_bucket_with was requested. What was copied by then is deleted with the
 * staging. */
larder_code larder_staging_copy_from(larder_staging* staging, const char* source,
                                     larder_error** error);
/* Does the same, and brings the files in the way that `mode` names, a larder_link_mode. With hard
 * links the entry shares its files with `source`, so it costs no space, and it keeps the set-id
 * bits. A program that then writes to such a file in place changes the entry:
 * larder_materialize refuses the entry after that, and larder_cache_verify_content finds it.
 * Errors: also `unsupported` if `mode` names a way that does not work between the two places. */
larder_code larder_staging_link_from(larder_staging* staging, const char* source, int32_t mode,
                                     larder_error** error);
/* Renames the directory `source` to the staged directory, which must still be empty. If its owner
 * may not write to `source`, the owner gets that right for the time of the rename.
 *
 * If the tree is not published, because a publish or a build fails or because the staging is freed,
 * it is moved back to where it came from. If something else stands there by then, the tree stays
 * where it is, and no collection deletes it. The error of the publish says where the tree is, and
 * larder_cache_verify finds it.
 * Errors: `invalid` as in larder_staging_copy_from, and if `source` lies in any cache;
 * `unsupported` if it is on another file system. In these cases `source` is untouched.
 * Crash: `source` is either still there or staged. What is staged is deleted. */
larder_code larder_staging_move_from(larder_staging* staging, const char* source,
                                     larder_error** error);
/* Returns a text that tells the programs which a build runs for which builds they work. Give it to
 * them in the environment variable LARDER_INSIDE. Suppose that such a program, or one that it runs,
 * calls larder_bucket_get_or_build, and that builds of several processes then wait for each other
 * in a circle: that call sees the circle and ends it. Without the variable they would wait until
 * build_timeout_ms. The library reads the variable of its own process when it is loaded,
 * before main().
 *
 * The text is valid until the next call for the same staging, or until the staging is freed.
 * Returns NULL if memory has run out.
 * Requires: this thread runs the build, or the staging is from larder_bucket_claim. */
const char* larder_staging_inside(larder_staging* staging);
/* Hands in the digest of a file that was written below the staging's path, so that the publish does
 * not read the file again. `path` is relative to that, `size` is how many bytes the file has, and
 * `digest` points to the `digest_size` bytes that larder_publish_options.digest would return. Call
 * it when the file is complete. A digest is not used if the file has another size at the publish,
 * or if the publish makes no digests.
 * Errors: `invalid` if `path` is absolute, leads out of the tree, or is not in its shortest form,
 * and if `digest` has no bytes or more than 64. */
larder_code larder_staging_note(larder_staging* staging, const char* path, uint64_t size,
                                const void* digest, size_t digest_size, larder_error** error);
/* Deletes what was staged, and moves back what larder_staging_move_from took. A staging that is
 * lent to a build is not touched, nor is any staging in a forked child. NULL is ignored. */
void larder_staging_free(larder_staging* staging);

/* Makes the staged tree the entry of `key`. An entry that the key named before is replaced
 * atomically. Frees `staging` in every case, also after an error. (A staging that was lent to a
 * build is not freed; publishing it is `invalid`.) `lease` may be NULL if you do not want one.
 * Errors: `busy` if another process holds the bucket's lock for longer than lock_timeout_ms;
 * `no_space`. After an error nothing is published.
 * Crash: the key names the old entry or the new one, and that entry is complete. */
larder_code larder_bucket_publish(const larder_bucket* bucket, const char* key,
                                  larder_staging* staging, const larder_publish_options* options,
                                  larder_lease** lease, larder_error** error);

/* A function of the program that makes an entry: it fills `staging`, which larder then publishes.
 * Returns LARDER_OK, or the larder_code of its failure. It may then set *error, which is NULL at
 * first, to an error from larder_error_new or from a call of larder; larder then frees
 * that error.
 *
 * The staging is lent to the function and valid until it returns: to free it does nothing, and to
 * publish it is `invalid`. */
typedef int (*larder_build)(larder_staging* staging, void* user_data, larder_error** error);

/* Returns a lease on the entry of `key`. If there is none, calls `build` in this thread and
 * publishes the result. Among all threads and processes, one builds while the others wait and then
 * get the result. `build` may call this function for other keys. `lease` may be NULL if you do not
 * want one.
 * Errors: any error that `build` returns; then the next waiting process builds. `invalid` if
 * `build` requests its own key.
 * Concurrency: waits while another process builds, for at most build_timeout_ms and never for a
 * dead process. After that it builds without the lock, so that work may be done twice. The publish
 * of the result waits for its bucket for build_timeout_ms, if that is longer than lock_timeout_ms.
 * Crash: the staged files are deleted later, and the next waiting process builds. */
larder_code larder_bucket_get_or_build(const larder_bucket* bucket, const char* key,
                                       larder_build build, void* user_data,
                                       const larder_publish_options* options, larder_lease** lease,
                                       larder_error** error);

/* Does what larder_bucket_get_or_build does, without a wait and without a callback, for programs
 * that build many entries in one thread. If `key` names an entry, sets *lease to a lease on it, and
 * *staging to NULL. Otherwise the caller becomes the only builder of the entry: *lease is NULL, and
 * *staging is what the caller fills, and then gives to larder_bucket_publish with the same key. Or
 * it gives the staging to larder_staging_free, to let another caller build. Until then each other
 * claim of the key is `busy`, and each larder_bucket_get_or_build of it waits. A program may have
 * any number of claims.
 *
 * After `busy`, call it again later, for example every 10 to 100 ms. A program that holds a claim
 * and tries to get another key must not do so for ever: the builder of that key may be waiting for
 * the claim, and no process sees such a circle.
 * Errors: `busy` if another builds the entry, in any thread or process; the error says which
 * process and for how long. `invalid` if this thread runs a build of the same key. `no_space`;
 * those of larder_bucket_get, except `miss`.
 * Concurrency: never waits. Another thread may publish or free the staging.
 * Crash: the key can be claimed again as soon as the process has ended. What it had staged is
 * deleted by a later collection. */
larder_code larder_bucket_claim(const larder_bucket* bucket, const char* key, larder_lease** lease,
                                larder_staging** staging, larder_error** error);

/* ---- retiring ---- */

/* Takes `key` out of the bucket. Its entry can be restored until it is collected, and leases on it
 * stay valid. With LARDER_SURVIVES_POWER the entry does not come back after a power cut; nor does
 * one that was gone already, and for which the result is `miss`.
 * Errors: `miss` if the key names no entry; `busy` as in publish. If the disk fails to sync, the
 * key is taken out, and a power cut may bring it back.
 * Crash: the key is there or it is not. */
larder_code larder_bucket_remove(const larder_bucket* bucket, const char* key, int32_t durability,
                                 larder_error** error);

/* Purges the bucket: takes all its keys out at once, by one rename, however many there are.
 * Leases on their entries stay valid. larder_cache_collect deletes the entries later. A bucket that
 * does not exist is no error. With LARDER_SURVIVES_POWER the purge is not undone by a power cut.
 * Errors: as in remove if the disk fails to sync.
 * Concurrency: never waits, except for the disk if it is to survive a power cut.
 * Crash: all keys are there, or none. */
larder_code larder_bucket_refresh(const larder_bucket* bucket, int32_t durability,
                                  larder_error** error);

/* Which keys of a bucket a refresh takes out: those that match every condition. */
typedef struct larder_refresh_options {
    uint32_t size;   /* set it to sizeof(larder_refresh_options) */
    int32_t dry_run; /* not 0: take nothing out, and report what would be taken */
    /* Matches the entries that were published before this time; 0 matches all. */
    int64_t published_before_ns;
    /* A glob (fnmatch(3)) for the key, in which `*` matches a slash too. NULL and the empty text
     * match every key. */
    const char* pattern;
    void* on_taken_data; /* passed to on_taken */
    /* Called for each key that was taken out, or in a dry run would be. NULL for no call. `key` is
     * valid during the call. */
    void (*on_taken)(const char* key, void* on_taken_data);
    void* reserved;     /* leave it NULL */
    int32_t durability; /* a larder_durability: as in larder_bucket_refresh */
    int32_t reserved_2; /* leave it 0 */
    /* Matches the entries that were published more seconds ago than this; 0 matches all. As all
     * times of larder, this one is the kernel's, also in a process to which a library shows another
     * clock. */
    int64_t older_than_s;
} larder_refresh_options;

/* Takes the keys that match `options` out of the bucket, one after the other. `*taken` becomes
 * their number; `taken` may be NULL.
 * Errors: `busy` as in remove. Some keys may have been taken out by then, and `*taken` is 0.
 * Concurrency: if only a pattern is given, the call never waits. If a time is given, it looks at
 * each entry under the bucket's lock, as remove does.
 * Crash: each key is there or it is not. */
larder_code larder_bucket_refresh_some(const larder_bucket* bucket,
                                       const larder_refresh_options* options, uint64_t* taken,
                                       larder_error** error);

/* ---- pinning ---- */

/* Pins `key`: no limit of a collection evicts its entry, neither the present one nor a later one.
 * Remove, publish and refresh treat a pinned key like any other. The key need not name an entry,
 * and may be pinned already. With LARDER_SURVIVES_POWER the pin survives a power cut.
 * Errors: `busy` as in publish. */
larder_code larder_bucket_pin(const larder_bucket* bucket, const char* key, int32_t durability,
                              larder_error** error);
/* Ends the pin of `key`. With LARDER_SURVIVES_POWER it does not come back after a power cut.
 * Errors: `miss` if the key is not pinned. */
larder_code larder_bucket_unpin(const larder_bucket* bucket, const char* key, int32_t durability,
                                larder_error** error);
/* Sets `*pinned` to 1 if the key is pinned, whether it names an entry or not; otherwise to 0. */
larder_code larder_bucket_is_pinned(const larder_bucket* bucket, const char* key, int* pinned,
                                    larder_error** error);

/* A key that larder_bucket_pin protects, whether it has an entry or not. */
typedef struct larder_pin {
    uint32_t size;      /* sizeof(larder_pin), set by larder */
    int32_t reserved;   /* 0 */
    const char* bucket; /* the name of its bucket */
    const char* key;    /* the pinned key */
} larder_pin;

/* A list of pins. Freed by larder_pins_free. */
typedef struct larder_pins {
    uint32_t size;                 /* sizeof(larder_pins), set by larder */
    int32_t reserved;              /* 0 */
    size_t count;                  /* how many pins there are */
    const larder_pin* const* pins; /* `count` pins, in no order; freed with this struct */
} larder_pins;
/* Frees a list of pins with its texts. NULL is ignored. */
void larder_pins_free(larder_pins* pins);

/* Lists the keys that are pinned, in all buckets. A key that is too long for a file name is missing
 * unless it has an entry, because only the record of an entry holds the whole key. */
larder_code larder_cache_pins(const larder_cache* cache, larder_pins** pins, larder_error** error);

/* ---- linking ---- */

/* Makes `destination` a symlink to the tree of the entry of a key, and keeps the entry for as long
 * as the path leads there: through removes, refreshes, limits, and starts of the machine. The cache
 * writes the path down as a root of the entry. A symlink that stands there is replaced by one
 * rename. With LARDER_SURVIVES_POWER, the entry, its root and the symlink survive a power cut.
 *
 * A collection looks at the path. If it leads elsewhere, or nothing stands there, the entry is kept
 * no more. If the path can't be looked at, because its disk is not mounted, the entry is kept. A
 * path that is moved away or deleted must not be put back by hand: link it again.
 *
 * Errors: `miss` if the key has no entry; `exists` if something other than a symlink stands at the
 * path; `invalid` for a path in a cache, or one without a name; `refused` if the path is on a
 * network file system; `unsupported` on Windows, and in a cache that a larder without roots has
 * made.
 * Concurrency: takes no lock. Several links to one path: the last rename wins.
 * Crash: the path is as before, or leads to the entry, which is kept. */
larder_code larder_cache_link(const larder_cache* cache, const char* bucket, const char* key,
                              const char* destination, int32_t durability, larder_error** error);
/* Ends a link: removes the symlink, if it leads to its entry, and the roots of this path. What else
 * stands there is left alone. Errors: `miss` if no root of the cache names the path; `refused` if
 * the entry itself is mounted there; the system's if the path can't be looked at, and then its
 * roots stay. */
larder_code larder_cache_unlink(const larder_cache* cache, const char* destination,
                                larder_error** error);

/* What a look at the path of a root has found. */
typedef enum larder_root_state {
    LARDER_ROOT_LEADS = 0,       /* it leads to the entry, which is kept */
    LARDER_ROOT_UNREACHABLE = 1, /* it can't be looked at (its disk is not mounted), so it counts */
    LARDER_ROOT_GONE = 2,        /* it leads elsewhere, or nothing is there: it counts no more */
    LARDER_ROOT_UNREADABLE = 3   /* this is no root that this version of larder can read */
} larder_root_state;
/* Returns the name of a state: "leads" and so on, or "unknown". The text is a constant of the
 * library. */
const char* larder_root_state_name(int state);

/* A root: a path outside of the cache that keeps an entry. */
typedef struct larder_root {
    uint32_t size;      /* sizeof(larder_root), set by larder */
    int32_t state;      /* a larder_root_state */
    const char* path;   /* absolute; "" if the root is unreadable */
    const char* id;     /* of the entry */
    const char* bucket; /* under which it was published; "" if its record can't be read */
    const char* key;    /* the same; by now the key may name another entry, or none */
} larder_root;

/* A list of roots. Freed by larder_roots_free. */
typedef struct larder_roots {
    uint32_t size;                   /* sizeof(larder_roots), set by larder */
    int32_t reserved;                /* 0 */
    size_t count;                    /* how many roots there are */
    const larder_root* const* roots; /* `count` roots, in no order; freed with this struct */
} larder_roots;
/* Frees a list of roots with its texts. NULL is ignored. */
void larder_roots_free(larder_roots* roots);

/* Lists all roots. Looks at each path. */
larder_code larder_cache_roots(const larder_cache* cache, larder_roots** roots,
                               larder_error** error);

/* LARDER_PRUNE_DRY_RUN drops nothing, and reports what would be dropped. With
 * LARDER_PRUNE_UNREACHABLE, the roots of paths that can't be looked at go, too: if such a path
 * still leads to its entry, a collection may delete its files. */
typedef enum larder_prune_flag {
    LARDER_PRUNE_DRY_RUN = 1,
    LARDER_PRUNE_UNREACHABLE = 2
} larder_prune_flag;
/* Drops the roots whose paths do not lead to their entries any more, also those of live entries,
 * which no collection asks. `flags` is a sum of larder_prune_flag. `dropped` may be NULL.
 * Errors: `damaged` if a lease table can't be read: then nothing is dropped.
 * Concurrency: takes no lock. A root stays while a process leases its entry. */
larder_code larder_cache_prune_roots(const larder_cache* cache, uint32_t flags,
                                     larder_roots** dropped, larder_error** error);

/* ---- listing ---- */

/* Lists the keys of the bucket that name an entry. A key that is added or removed during the call
 * may be listed or not. A key that is too long for a file name is missing if the record of its
 * entry is damaged, because only the record holds the whole key. */
larder_code larder_bucket_keys(const larder_bucket* bucket, larder_names** names,
                               larder_error** error);
/* Calls `visit` for each key that larder_bucket_keys would list, and keeps no list in memory.
 * `visit` returns 0 to end the call early, without an error, and any other number to go on. `key`
 * is valid until `visit` returns. `visit` may call larder. */
larder_code larder_bucket_visit_keys(const larder_bucket* bucket,
                                     int (*visit)(const char* key, void* user_data),
                                     void* user_data, larder_error** error);

/* What is known of one entry: from its record and, for `last_used_ns`, from its link. */
typedef struct larder_entry_info {
    uint32_t size;        /* sizeof(larder_entry_info), set by larder */
    int32_t durability;   /* a larder_durability: how it was published */
    uint64_t bytes;       /* the sizes of its files, added up */
    uint64_t files;       /* how much its tree holds that is not a directory */
    int64_t published_ns; /* when it was published */
    int64_t last_used_ns; /* when it was last published or got, to the hour; 0 if not known */
    const char* bucket;   /* the bucket and the key that it was published under */
    const char* key;
    const char* id;       /* its id, which no other entry ever has */
    const char* path;     /* of its tree; the files are there as long as the entry is */
    const char* boot;     /* the boot id of the machine when it was published */
    const char* producer; /* the program that published it; may be empty */
    /* What the publisher gave as larder_publish_options.metadata: `metadata_size` bytes, with a
     * zero byte behind them. */
    const char* metadata;
    size_t metadata_size;
} larder_entry_info;
/* Frees what larder_bucket_info returned. Entries of a list are freed with the list. NULL is
 * ignored. */
void larder_entry_info_free(larder_entry_info* info);

/* Returns what is known of the entry of `key`.
 * Errors: `miss` if the key names no entry; `damaged` if its record cannot be read. */
larder_code larder_bucket_info(const larder_bucket* bucket, const char* key,
                               larder_entry_info** info, larder_error** error);

/* Calls `visit` for each entry of the buckets of these names, one bucket after the other, and keeps
 * no list in memory. `buckets` has `bucket_count` names. `visit` returns 0 to end the call early,
 * without an error, and any other number to go on. It gets `entry`, or NULL and the `failure` that
 * keeps the entry from being read. All that it gets is valid until it returns. `visit` may call
 * larder. Passes over a bucket that does not exist, and over what larder_bucket_keys leaves out.
 * For many entries this is faster than larder_bucket_info for each of them, because it reads once
 * what processes have written about their uses. If a part of that can't be read, `last_used_ns`
 * may lack the latest uses, and `unreadable` of larder_cache_status names that part.
 * Errors: `invalid` if no bucket can have one of the names. Goes on after an error, such as that
 * of a bucket which cannot be listed, and returns the first one at its end. */
larder_code larder_cache_visit_entries(const larder_cache* cache, const char* const* buckets,
                                       size_t bucket_count,
                                       int (*visit)(const char* bucket, const char* key,
                                                    const larder_entry_info* entry,
                                                    const larder_error* failure, void* user_data),
                                       void* user_data, larder_error** error);

/* A list of entries. Freed by larder_entries_free. */
typedef struct larder_entries {
    uint32_t size;                           /* sizeof(larder_entries), set by larder */
    int32_t reserved;                        /* 0 */
    size_t count;                            /* how many entries there are */
    const larder_entry_info* const* entries; /* `count` entries, in no order; freed with this */
} larder_entries;
/* Frees a list of entries with its texts. NULL is ignored. */
void larder_entries_free(larder_entries* entries);

/* Lists the trash: the entries that were removed, replaced, refreshed or evicted and are not
 * collected yet. larder_cache_restore brings one back. Any of them may be collected at any time.
 * Fails if the record of one cannot be read; larder_cache_visit_trash visits the rest then. */
larder_code larder_cache_trash(const larder_cache* cache, larder_entries** entries,
                               larder_error** error);
/* Calls `visit` for each entry that larder_cache_trash would list, and keeps no list in memory.
 * `visit` returns 0 to end the call early, without an error, and any other number to go on. `entry`
 * is valid until `visit` returns. `visit` may call larder. Goes on after what cannot be read, and
 * returns the first such error at its end. */
larder_code larder_cache_visit_trash(const larder_cache* cache,
                                     int (*visit)(const larder_entry_info* entry, void* user_data),
                                     void* user_data, larder_error** error);

/* How an entry is brought back from the trash. */
typedef struct larder_restore_options {
    uint32_t size;   /* set it to sizeof the struct */
    int32_t replace; /* not 0: also if the key names an entry again, which is replaced */
    /* A larder_durability: what the new entry survives. One that was published to survive a power
     * cut is restored so in any case. */
    int32_t durability;
    int32_t reserved; /* leave it 0 */
} larder_restore_options;

/* Publishes the files of an entry in the trash once more, under its bucket and key and a new id.
 * The old entry stays in the trash. `lease`, for the new entry, may be NULL if you do not want one.
 * `options` may be NULL.
 * Errors: `miss` if no retired entry has this id, or if it has been collected; `exists` if its
 * key names an entry again and `replace` is 0; `damaged` if it is not as its manifest says, by the
 * rules of larder_cache_verify, or has no manifest; `invalid` if `id` is no id; `busy` while
 * another process collects or verifies.
 * Concurrency: no collection runs during the call. Otherwise as larder_bucket_publish.
 * Crash: the entry is back or it is not. */
larder_code larder_cache_restore(const larder_cache* cache, const char* id,
                                 const larder_restore_options* options, larder_lease** lease,
                                 larder_error** error);

/* What is known of one process that uses the cache: from the header of its lease table. */
typedef struct larder_process_info {
    uint32_t size;        /* sizeof(larder_process_info), set by larder */
    uint32_t participant; /* the number of its lease table, `participants/<number>` */
    int64_t pid;          /* its number in its own pid namespace */
    int64_t since_ns;     /* when it began to use the cache */
    int32_t alive;        /* 0: it has died, and the next collection cleans up after it */
    int32_t here;         /* not 0: `pid` is a number of this process's pid namespace */
    const char* command;  /* its command line, cut to 431 bytes */
    void* reserved;       /* NULL */
    /* Not 0: it can't be told whether it lives, so it counts as alive: see `presume_dead` in
     * larder_collect_options. */
    int32_t untold;
    int32_t reserved_2; /* 0 */
} larder_process_info;

/* A lease that a process holds. */
typedef struct larder_lease_info {
    uint32_t size;                      /* sizeof(larder_lease_info), set by larder */
    int32_t reserved;                   /* 0 */
    const larder_process_info* process; /* who holds it; freed with the report */
    const char* id;                     /* the id of the entry */
    const char* bucket;                 /* its bucket and key; empty if its record can't be read */
    const char* key;
} larder_lease_info;

/* A lock that a process holds or waits for. */
typedef struct larder_lock_info {
    uint32_t size;                      /* sizeof(larder_lock_info), set by larder */
    int32_t waiting;                    /* not 0: it waits for the lock; 0: it holds the lock */
    int64_t thread;                     /* the system's number of the thread that does so */
    int64_t since_ns;                   /* when it began to wait, or took the lock */
    const larder_process_info* process; /* whose thread it is; freed with the report */
    const char* what;                   /* for people: "bucket wheels-v1", "build numpy-2.1.0" */
} larder_lock_info;

/* Who uses a cache. Each list has as many items as the count above it says. larder_status_free
 * frees the report with all its lists. */
typedef struct larder_status {
    uint32_t size;      /* sizeof(larder_status), set by larder */
    int32_t collecting; /* not 0: a process collects, verifies or restores now */
    /* Trees that wait to be deleted. A collection is deleting them now, or was stopped or killed
     * before. */
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
/* Frees a status with its lists and texts. NULL is ignored. */
void larder_status_free(larder_status* status);

/* Returns which processes use the cache now. A table that can't be read is reported, and is no
 * error.
 * Concurrency: takes no lock and writes nothing. The tables are read one after the other, so the
 * report is no picture of one instant. */
larder_code larder_cache_status(const larder_cache* cache, larder_status** status,
                                larder_error** error);

/* ---- collecting ---- */

/* What evicts a live entry: one of the limits, or a plan. */
typedef enum larder_eviction_reason {
    LARDER_EVICTED_BY_AGE = 0,        /* max_age_s */
    LARDER_EVICTED_BY_ENTRIES = 1,    /* max_entries */
    LARDER_EVICTED_BY_SIZE = 2,       /* max_size */
    LARDER_EVICTED_BY_FREE_SPACE = 3, /* min_free */
    LARDER_EVICTED_BY_PLAN = 4        /* larder_cache_evict */
} larder_eviction_reason;

/* A live entry that goes because of a limit or a plan. What on_evict is given is valid until it
 * returns. The caller fills such structs for a plan, from copies of what a dry run has listed. */
typedef struct larder_eviction {
    uint32_t size;        /* sizeof(larder_eviction), set by larder; for a plan set it yourself */
    int32_t reason;       /* a larder_eviction_reason */
    uint64_t bytes;       /* the sizes of its files, by its record */
    int64_t last_used_ns; /* when it was last published or got, to the hour */
    const char* bucket;
    const char* key;
    const char* id;
    void* reserved; /* NULL */
} larder_eviction;

/* The phases of a collection, in their order. A collection may go through them more than once. */
typedef enum larder_collect_phase {
    LARDER_PLANNING = 0,   /* looks at all live entries, and chooses which ones to evict */
    LARDER_EVICTING = 1,   /* takes the links of the chosen entries out of their buckets */
    LARDER_COLLECTING = 2, /* moves the retired entries aside that no process leases */
    LARDER_DELETING = 3    /* deletes the files that were moved aside */
} larder_collect_phase;

/* How far a collection is, for a progress bar. on_progress may read it until it returns. */
typedef struct larder_collect_progress {
    uint32_t size;  /* sizeof(larder_collect_progress), set by larder */
    int32_t phase;  /* a larder_collect_phase */
    uint64_t done;  /* how much of the phase is done: files while it deletes, otherwise entries */
    uint64_t total; /* how much the phase has to do, in the same unit; 0 if that is not known */
    uint64_t bytes; /* of the entries looked at (planning), evicted (evicting), or collected */
} larder_collect_progress;

/* Bits of larder_limits.set: which limits are given. Each has a bit, because 0 is a limit too: it
 * evicts everything. */
#define LARDER_LIMIT_SIZE 1u
#define LARDER_LIMIT_AGE 2u
#define LARDER_LIMIT_ENTRIES 4u
#define LARDER_LIMIT_FREE_SPACE 8u

/* The limits within which a collection keeps a cache. It evicts the entries that were least
 * recently used until every limit is kept. An entry stays, and counts, if it is leased or pinned,
 * if it fits a pattern of `keep`, or if it was used after the collection had chosen it. */
typedef struct larder_limits {
    uint32_t size;        /* set it to sizeof(larder_limits) */
    uint32_t set;         /* LARDER_LIMIT_..., or-ed; a limit given without its bit is `invalid` */
    uint64_t max_size;    /* in bytes: the sizes in the records of all live entries, added up */
    int64_t max_age_s;    /* in seconds: an entry goes if it was not used for longer */
    uint64_t max_entries; /* how many live entries there may be */
    uint64_t min_free; /* bytes that must be free on the disk, and the same share of its inodes */
    /* A percentage. If a limit is passed, the collection goes on until the cache is at this
     * percentage of it, so that not every publish evicts one entry. (For min_free it goes on until
     * min_free is this percentage of the free space.) 0 is the default, 90. */
    uint32_t low_water;
    int32_t reserved; /* leave it 0 */
    /* Glob patterns (fnmatch(3)) for "BUCKET/KEY"; `*` matches a slash too. */
    const char* const* keep;
    size_t keep_count; /* how many patterns there are */
} larder_limits;

/* Evictions that a dry run with limits has listed (see on_evict), to be carried out. */
typedef struct larder_eviction_plan {
    uint32_t size;                           /* set it to sizeof(larder_eviction_plan) */
    int32_t reserved;                        /* leave it 0 */
    const larder_eviction* const* evictions; /* the caller's own; read during the call only */
    size_t eviction_count;                   /* how many evictions there are */
    /* Glob patterns for "BUCKET/KEY": an entry that matches one is not evicted after all. */
    const char* const* keep;
    size_t keep_count; /* how many patterns there are */
} larder_eviction_plan;

/* How a collection works, whatever it evicts. */
typedef struct larder_collect_options {
    uint32_t size;    /* set it to sizeof(larder_collect_options) */
    int32_t dry_run;  /* not 0: report what would go, and change nothing */
    uint32_t threads; /* how many threads delete; 0: one for each processor, four at most */
    /* Not 0: find out how much space the disk gets back. This costs 1 to 3 calls for each file. */
    int32_t count_freed;
    /* Called, under the collector's lock, for each entry that was evicted, or in a dry run would
     * be. What it is given is valid during the call. It may not call larder. */
    void (*on_evict)(const larder_eviction* eviction, void* on_evict_data);
    void* on_evict_data; /* passed to on_evict */
    /* Called now and then, at times from another thread, but never from two at once. What it is
     * given is valid during the call. It may not call larder. */
    void (*on_progress)(const larder_collect_progress* progress, void* on_progress_data);
    void* on_progress_data; /* passed to on_progress */
    larder_stop* stop; /* ends the collection early, without an error; the next one carries on */
    void* reserved;    /* leave it NULL */
    /* Keep what was removed, replaced or refreshed less than this many seconds ago, so that it can
     * still be restored. What is evicted is deleted at once. Any collection without a grace deletes
     * it. */
    int64_t grace_s;
    /* Not 0: also clean up after a process of which it can't be told whether it lives, as if it had
     * ended. If it lives, it loses the files that it uses. See CollectOptions in collect.hpp. */
    int32_t presume_dead;
    /* Not 0: settle the cache at the end, as larder_cache_settle does, if the file system can. */
    int32_t settle;
} larder_collect_options;

/* What a collection has done; in a dry run, what it would do. Each list has as many items as the
 * count above it says. larder_collect_report_free frees the report with all its lists. */
typedef struct larder_collect_report {
    uint32_t size;         /* sizeof(larder_collect_report), set by larder */
    int32_t within_limits; /* 0 if the entries that stay are more than a limit allows */
    int32_t stopped;       /* not 0: it was asked to stop, and something is left */
    int32_t live_known;    /* not 0: a limit had live_entries and live_bytes counted */
    int32_t freed_known;   /* not 0: `freed` was asked for */
    /* Not 0: `freed` is a lower bound: the file system does not tell which blocks some files share,
     * or it is not known what was deleted, because the disk was full or there was an error. */
    int32_t freed_at_least;
    /* Entries that were deleted: also the evicted ones, and those that a killed process has left
     * before it published them. */
    uint64_t entries;
    uint64_t bytes;         /* of these entries, by their records */
    uint64_t reaped;        /* dead processes after which this collection cleaned up */
    uint64_t buckets;       /* refreshed buckets that were taken apart */
    uint64_t evicted;       /* live entries that a limit or a plan took */
    uint64_t evicted_bytes; /* of these entries, by their records */
    /* Entries that stay because they were used, replaced, removed or pinned after they were
     * chosen. */
    uint64_t used_since;
    /* Entries that stay because another process holds their bucket's lock. The next collection
     * tries again. */
    uint64_t held_up;
    uint64_t live_entries; /* live entries that stay; 0 unless live_known */
    uint64_t live_bytes;   /* of these entries, by their records; 0 unless live_known */
    /* The space of the deleted files that had no other hard link, in bytes. 0 unless
     * freed_known. */
    uint64_t freed;
    uint64_t files_left; /* files that were moved aside and are not deleted yet, if known */
    size_t leased_count;
    /* Retired entries that stay for now because they are leased, and who leases them. */
    const larder_lease_info* const* leased;
    size_t spared_count;
    /* Live entries that were chosen, but stay because they are leased, and who leases them. */
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
    size_t rooted_count;
    /* Entries that stay because a root keeps them, each with one of its roots: retired entries, and
     * live ones that a limit or a plan would have taken. */
    const larder_root* const* rooted;
} larder_collect_report;
/* Frees a report with its lists and texts. NULL is ignored. */
void larder_collect_report_free(larder_collect_report* report);

/* Cleans up after dead processes, evicts until `limits` are kept, then deletes what is retired
 * and not leased. `limits` may be NULL, or set no limit: then this deletes garbage alone.
 * `options` and `report` may be NULL.
 *
 * If one thing cannot be read or deleted, the collection does all the rest. It then returns the
 * first such error, and `*report` is a report all the same, with all `failures`. (It is NULL if
 * nothing was done.) So free the report in every case.
 * Errors: `busy` if another collect or verify runs: leave the work to that one. `damaged` if a
 * lease table can't be read: then no entry is deleted. `system` if something can't be deleted.
 * `invalid` if a limit or low_water can't be kept.
 * Concurrency: never waits, except that an eviction waits a tenth of a second for its bucket's
 * lock.
 * Crash: the next collection carries on. */
larder_code larder_cache_collect(const larder_cache* cache, const larder_limits* limits,
                                 const larder_collect_options* options,
                                 larder_collect_report** report, larder_error** error);

/* Does the same as larder_cache_collect, but evicts the entries that `plan` names. An entry stays
 * if it is no longer the entry of its key, if it was used after the plan was made, or if it is
 * leased or pinned. The plan is read during the call only.
 * Errors: as in larder_cache_collect; `invalid` if the plan has something that is no id. */
larder_code larder_cache_evict(const larder_cache* cache, const larder_eviction_plan* plan,
                               const larder_collect_options* options,
                               larder_collect_report** report, larder_error** error);

/* When larder_cache_keep_within collects, for how long, and how. */
typedef struct larder_background_options {
    uint32_t size; /* set it to sizeof(larder_background_options) */
    /* Not 0: never settle the cache. 0: do so after a collection, as larder_cache_settle does, if
     * the cache was not settled for ten minutes. Nothing ends that early, so a program that closes
     * the cache meanwhile waits for it. */
    int32_t no_settle;
    /* All processes of the cache together collect at most once in this time, in seconds. 0 is the
     * default, an hour; less than 0 is as often as can be. */
    int64_t every_s;
    int64_t at_most_ms; /* a collection stops after this time, whatever is left; 0 is 10 s */
    void* on_done_data; /* passed to on_done */
    /* Called with the result of a collection: a report or an error, and the other one is NULL.
     * Both belong to larder and are valid during the call. The collecting thread makes this call
     * and those below. */
    void (*on_done)(const larder_collect_report* report, const larder_error* error,
                    void* on_done_data);
    /* These are as in larder_collect_options, for each of these collections. */
    uint32_t threads;
    int32_t count_freed;
    void (*on_evict)(const larder_eviction* eviction, void* on_evict_data);
    void* on_evict_data;
    void (*on_progress)(const larder_collect_progress* progress, void* on_progress_data);
    void* on_progress_data;
    larder_stop* stop;
    int64_t grace_s;
} larder_background_options;

/* Lets publishes keep the cache within `limits`. From now on a publish through this cache or its
 * buckets may start a collection with these limits, when it has published, in a thread of its own.
 * At most one such collection runs at a time, and it leaves the work to any other collection that
 * already runs. A later call replaces the limits. A call without any limit, or with NULL, ends all
 * this.
 *
 * `limits` and `options` are copied. What the callbacks use must stay valid until the cache and its
 * last bucket are closed.
 * Errors: `invalid` as in larder_cache_collect.
 * Concurrency: publish does not wait for the collection. When the cache and its last bucket are
 * closed, they ask it to stop and wait for it: milliseconds, or longer if it settles the cache
 * just then (larder_background_options.no_settle). A forked child collects nothing
 * until it calls this itself. */
larder_code larder_cache_keep_within(const larder_cache* cache, const larder_limits* limits,
                                     const larder_background_options* options,
                                     larder_error** error);

/* Brings all that has been published so far, by any process, to the disk, with one sync of the
 * whole file system. So it survives a power cut as if it had been published with
 * LARDER_SURVIVES_POWER. Notes in the cache that it is there (a watermark): after a power cut, none
 * of it is compared with its manifest. It waits until the disk has what all programs have written,
 * which may take seconds, and nothing ends that early. No get, publish or collection waits with it.
 * Errors: `unsupported` if the file system has no such sync, as on macOS, or does not say when it
 * is done (FUSE); `read_only`; `system` if the sync fails. Then data may be lost.
 * Concurrency: takes no lock.
 * Crash: nothing, or the sync alone, has happened. */
larder_code larder_cache_settle(const larder_cache* cache, larder_error** error);

/* ---- verifying ---- */

/* What larder_cache_verify can find. All but LARDER_FOUND_FOREIGN make the cache unsound. */
typedef enum larder_finding_kind {
    /* A link to an entry that is missing or not complete. Or a junction that leads into another
     * directory, because the cache was moved or copied. */
    LARDER_FOUND_DANGLING = 0,
    /* A link, a record or a manifest that larder did not write, or not in full. */
    LARDER_FOUND_MALFORMED = 1,
    LARDER_FOUND_MISNAMED = 2,    /* an entry whose record names another key than its link */
    LARDER_FOUND_SHARED = 3,      /* an entry that more than one link names */
    LARDER_FOUND_ORPHAN = 4,      /* an entry that no link names */
    LARDER_FOUND_PARTICIPANT = 5, /* a lease table that cannot be read; nothing can be collected */
    LARDER_FOUND_FOREIGN = 6,     /* a name that larder does not know; it breaks nothing */
    LARDER_FOUND_UNREADABLE = 7,  /* something that cannot be read, and so was not checked */
    /* A name in a live entry that is missing, was added, or is not as the entry's manifest says; a
     * file that was modified after the publish and has no digest; a directory that its owner may
     * not read any more. A hundred are listed for an entry; one more finding counts the others. */
    LARDER_FOUND_CHANGED = 8,
    LARDER_FOUND_BLOCKED = 9 /* something else stands in the place of a link or directory */
} larder_finding_kind;

/* Returns the name of a kind: "dangling", "malformed" and so on; "unknown" if `kind` is not a
 * larder_finding_kind. The text is a constant of the library. */
const char* larder_finding_kind_name(int kind);

/* One thing that a verification has found. */
typedef struct larder_finding {
    uint32_t size;    /* sizeof(larder_finding), set by larder */
    int32_t kind;     /* a larder_finding_kind */
    int32_t repaired; /* not 0: `repair` was set, and it was repaired */
    int32_t reserved; /* 0 */
    const char* path; /* the file or directory that is meant */
    const char* what; /* what is wrong with it, in a few words for people */
} larder_finding;

/* What a verification does with what it finds. */
typedef struct larder_verify_options {
    uint32_t size; /* set it to sizeof(larder_verify_options) */
    /* Not 0: retire each faulty link, so that its key is a miss from then on, and give each entry
     * that no link names a retired link, so that a collection deletes it. */
    int32_t repair;
} larder_verify_options;

/* What a verification has found. Freed by larder_verify_report_free. */
typedef struct larder_verify_report {
    uint32_t size; /* sizeof(larder_verify_report), set by larder */
    /* Not 0: no invariant is broken, or everything was repaired. Foreign names break none. */
    int32_t sound;
    uint64_t entries;                      /* entries that were checked */
    uint64_t live;                         /* of these: those that a key names */
    uint64_t garbage;                      /* of these: retired, waiting for collection */
    size_t finding_count;                  /* how many findings there are */
    const larder_finding* const* findings; /* `finding_count` findings; freed with this struct */
} larder_verify_report;
/* Frees a report with its findings. NULL is ignored. */
void larder_verify_report_free(larder_verify_report* report);

/* Checks every invariant that can be checked while other processes work. Looks at every file of the
 * live entries and compares names, kinds, modes and sizes with the entries' manifests. Reads only
 * files that were modified after the entry was published, and compares them with their digests: see
 * `digests` of larder_open_options. One that can't be compared so counts as changed, because
 * larder_materialize refuses it. Follows no link. `report` must not be NULL: a finding is no error,
 * so the report is the only way to learn of it.
 * Errors: `busy` as in larder_cache_collect. */
larder_code larder_cache_verify(const larder_cache* cache, const larder_verify_options* options,
                                larder_verify_report** report, larder_error** error);

/* Which contents are checked, and what happens to an entry that has changed. */
typedef struct larder_content_options {
    uint32_t size;  /* set it to sizeof(larder_content_options) */
    int32_t repair; /* not 0: take the key of an entry that has changed out of its bucket */
    /* Begins with no further entry after so many milliseconds. 0: no limit. Less than 0: one entry
     * is checked. */
    int64_t budget_ms;
    /* `digest_count` algorithms that this program has. An entry whose manifest has digests of
     * another one is checked by names, kinds, modes, sizes and times. */
    size_t digest_count;
    const larder_digest* const* digests;
    /* The `bucket_count` buckets whose entries are checked; 0: all. */
    size_t bucket_count;
    const char* const* buckets;
} larder_content_options;

/* What a check of contents has found. Freed by larder_content_report_free. */
typedef struct larder_content_report {
    uint32_t size;      /* sizeof(larder_content_report), set by larder */
    int32_t sound;      /* not 0: no entry has changed, or everything was repaired */
    uint64_t entries;   /* live entries that were checked */
    uint64_t unchecked; /* live entries that were left, because the time was over */
    /* Of the entries that were checked: those that have no digests of an algorithm that the program
     * has. */
    uint64_t without_digests;
    uint64_t files;                        /* files and symlinks that were read */
    uint64_t bytes;                        /* their sizes, added up */
    size_t finding_count;                  /* how many findings there are */
    const larder_finding* const* findings; /* `finding_count` findings; freed with this struct */
} larder_content_report;
/* Frees a report with its findings. NULL is ignored. */
void larder_content_report_free(larder_content_report* report);

/* Reads the files of live entries and compares them with the digests in the entries' manifests, and
 * names, kinds, modes and sizes as larder_cache_verify does. Begins with the entries whose check is
 * longest ago. To be looked at is no use of an entry. `report` must not be NULL.
 * Errors: `interrupted` if the `stop` of the cache was requested. A finding is no error.
 * Concurrency: takes no lock, except for a repair, which waits for the lock of a bucket. One entry
 * at a time is leased, so collections leave it alone. */
larder_code larder_cache_verify_content(const larder_cache* cache,
                                        const larder_content_options* options,
                                        larder_content_report** report, larder_error** error);

/* How larder_cache_dedupe works. */
typedef struct larder_dedupe_options {
    uint32_t size; /* set it to sizeof(larder_dedupe_options) */
    /* Begins with no further file after so many milliseconds. 0: no limit. Less than 0: nothing is
     * done. */
    int32_t budget_ms;
    const larder_stop* stop; /* ends the call early, without an error; NULL: none */
} larder_dedupe_options;

/* What larder_cache_dedupe has done. Freed by larder_dedupe_report_free. */
typedef struct larder_dedupe_report {
    uint32_t size;          /* sizeof(larder_dedupe_report), set by larder */
    int32_t ended_early;    /* not 0: the time was over, or a stop was requested */
    uint64_t entries;       /* live entries that were looked at */
    uint64_t files;         /* files that share their blocks since this call */
    uint64_t bytes;         /* the sizes of these files, added up */
    uint64_t shared_before; /* files that have shared their blocks before */
    /* The bytes of blocks that the disk got back. 0 if the file system does not tell. On a disk
     * that compresses, they are the bytes before that. */
    uint64_t freed;
    /* What could not be done, in words. All else was done. Freed with this struct. */
    size_t failure_count;
    const char* const* failures;
} larder_dedupe_report;
/* Frees a report with its texts. NULL is ignored. */
void larder_dedupe_report_free(larder_dedupe_report* report);

/* Lets equal files of live entries share their blocks on the disk, on file systems that can: btrfs,
 * and xfs with reflinks. Takes files of 4,096 bytes and more whose entries were published with a
 * `digest`. The kernel compares the bytes of two files, so no content changes, and neither do modes
 * and times: each file stays a file of its own. Begins with the newest entries. A later call passes
 * over what is shared already. `options` and `report` may be NULL.
 * Errors: `unsupported` on other file systems, if there is anything to share; `read_only`. What
 * fails for one file is no error: see `failures`.
 * Concurrency: takes no lock. One entry at a time is leased, so collections leave it alone.
 * Crash: some files share their blocks, and others do not yet. */
larder_code larder_cache_dedupe(const larder_cache* cache, const larder_dedupe_options* options,
                                larder_dedupe_report** report, larder_error** error);

/* ---- installing ---- */

/* How the files of a tree reach their destination. */
typedef enum larder_link_mode {
    LARDER_MODE_AUTOMATIC = 0, /* tries for each file: clone, then hard link, then copy */
    LARDER_MODE_CLONE = 1,     /* shares the blocks until one side is written (btrfs, xfs, APFS) */
    LARDER_MODE_HARDLINK = 2,  /* shares the file: a program that writes to it changes the cache */
    LARDER_MODE_COPY = 3       /* shares nothing */
} larder_link_mode;

/* How a tree is installed. */
typedef struct larder_materialize_options {
    uint32_t size; /* set it to sizeof(larder_materialize_options) */
    int32_t mode;  /* a larder_link_mode */
    /* Not 0: replace files and symlinks that stand in the way, instead of failing. Directories are
     * never replaced. */
    int32_t replace;
    uint32_t threads;  /* how many threads work; 0: larder chooses by the number of files */
    larder_stop* stop; /* ends the call before the next file, with LARDER_INTERRUPTED */
    /* The algorithms that this program has for digests. A file that was modified after its entry
     * was published is taken if its digest is that of the entry's manifest. */
    size_t digest_count;
    const larder_digest* const* digests;
} larder_materialize_options;

/* How many files arrived in which way. Freed by larder_materialize_report_free. */
typedef struct larder_materialize_report {
    uint32_t size;        /* sizeof(larder_materialize_report), set by larder */
    int32_t reserved;     /* 0 */
    uint64_t cloned;      /* files that share their blocks with the cache */
    uint64_t hardlinked;  /* files that are hard links to files of the cache */
    uint64_t copied;      /* files that were copied */
    uint64_t symlinks;    /* symlinks that were made */
    uint64_t directories; /* directories that were made; not those that existed */
    uint64_t bytes;       /* the sizes of all files, cloned and linked ones too */
    uint64_t inexact;     /* files and directories without their mode, time or all attributes */
} larder_materialize_report;
/* Frees what larder_materialize returned. NULL is ignored. */
void larder_materialize_report_free(larder_materialize_report* report);

/* Makes `destination` hold everything that `tree` holds. A destination that is missing is made by
 * one rename, from a directory beside it, so it is whole or missing. In one that exists, a file
 * gets its name when it is complete. Existing directories are filled, and missing ones are made.
 * Below `destination` no symlink is followed.
 *
 * Clones and copies do not have the set-id bits, the sticky bit, the capabilities and the access
 * control list of their source. If the destination refuses to set a mode, a modification time or an
 * attribute, or an attribute can't be read, that is no error: the report counts it as `inexact`.
 * `report` may be NULL.
 *
 * If `tree` is the whole tree of an entry, a file that was modified after the entry was published
 * is put nowhere, whatever the mode is, unless its digest is that of the manifest: the call ends
 * with `damaged`. So does a call for an entry that has lost its manifest, which tells when that
 * was, whatever its record says; and for a tree that is staged and has none yet. So an edit through
 * a hard link does not reach the next user. The times of modification tell it: see materialize.hpp
 * for what they do not tell.
 *
 * Requires: `tree` does not change during the call. Hold a lease on it.
 * Errors: `exists` if something stands in the way and `replace` is 0; `unsupported` if `mode`
 * names a way that does not work here; `invalid` if `destination` lies inside a cache or
 * contains the cache of `tree`; `damaged` as above; `interrupted` if `stop` was requested. What was
 * written by then into a destination that existed stays; of one that was missing, nothing stays.
 * Crash: leaves a directory `.larder-...` beside a destination that was missing, or a file of such
 * a name in one that existed. The same call, with `replace` if the destination existed, completes
 * what was begun; see materialize.hpp for the modes of directories. The first call of another
 * process that makes a destination in the same place deletes such a directory `.larder-...`, if
 * this is all true:
 *   - the process that filled it has certainly ended, and the machine was not started anew since;
 *   - it belongs to this user, and no user but this one and root can have put it there: if other
 *     users may write to that place, it is sticky (as /tmp is), and they may not write to the
 *     directory.
 * Nothing deletes such a file, nor any other such directory: delete it by hand when no process
 * materializes there.
 * Concurrency: several calls may fill one destination at the same time. One of them may take a
 * right back that another still needs: that one lends it again. */
larder_code larder_materialize(const char* tree, const char* destination,
                               const larder_materialize_options* options,
                               larder_materialize_report** report, larder_error** error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
