// SPDX-License-Identifier: MIT
//! What larder reports: entries, processes, leases, findings. All are copies, and need no handle.

use crate::call::{bytes_of, cow_of, duration_of, list_of, path_of, text_of, texts_of, time_of};
use larder_sys as sys;
use std::borrow::Cow;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

c_enum! {
    /// What a change survives: a publish, a restore, a remove, a refresh, a pin.
    pub enum Durability: closed {
        /// The death of any process, but perhaps not a power cut.
        Process = LARDER_SURVIVES_PROCESS,
        /// A power cut too: the change is on the disk before the call returns.
        Power = LARDER_SURVIVES_POWER,
    }
}

c_enum! {
    /// What stands in a bucket for each key. It is chosen when the cache is created.
    pub enum LinkKind: closed {
        /// larder tries what the file system has.
        Probed = LARDER_LINK_PROBED,
        /// A symbolic link.
        Symlink = LARDER_LINK_SYMLINK,
        /// A small file that holds the text that a symlink would hold.
        File = LARDER_LINK_FILE,
        /// A directory junction, on Windows only.
        Junction = LARDER_LINK_JUNCTION,
    }
}

c_enum! {
    /// What a bucket is on the disk. It is chosen when the cache is created.
    pub enum BucketKind: closed {
        /// A directory where larder can rename one, and otherwise a pointer.
        Probed = LARDER_BUCKET_PROBED,
        /// The directory that holds the bucket's links.
        Directory = LARDER_BUCKET_DIRECTORY,
        /// A link to that directory, so that no refresh renames a directory.
        Pointer = LARDER_BUCKET_POINTER,
    }
}

c_enum! {
    /// How the files of a tree reach another place.
    pub enum LinkMode: closed {
        /// Tries for each file: clone, then hard link, then copy.
        Automatic = LARDER_MODE_AUTOMATIC,
        /// Shares the blocks until one side is written (btrfs, xfs, APFS).
        Clone = LARDER_MODE_CLONE,
        /// Shares the file: a program that writes to it changes the cache.
        Hardlink = LARDER_MODE_HARDLINK,
        /// Shares nothing.
        Copy = LARDER_MODE_COPY,
    }
}

c_enum! {
    /// The kinds of events. Each names the fields of [`Event`] that it fills in, beside `at`.
    pub enum EventKind: open {
        /// A wait for a lock has lasted a second and continues: `what`, `who`.
        Waiting = LARDER_EVENT_WAITING,
        /// A wait for a lock has ended: `took`, `what`, `who`.
        Waited = LARDER_EVENT_WAITED,
        /// A wait for a lock was given up: `took`, `what`, `who`.
        GaveUp = LARDER_EVENT_GAVE_UP,
        /// An entry was published: `bucket`, `key`, `id`.
        Published = LARDER_EVENT_PUBLISHED,
        /// A key was removed: `bucket`, `key`.
        Removed = LARDER_EVENT_REMOVED,
        /// A bucket was refreshed: `bucket`; if only in part, `what` is the pattern, and `entries`.
        Refreshed = LARDER_EVENT_REFRESHED,
        /// An entry was restored: `bucket`, `key`, and the `id` of the new entry.
        Restored = LARDER_EVENT_RESTORED,
        /// A limit evicted an entry: `bucket`, `key`, `id`, `bytes`; `what` is the limit.
        Evicted = LARDER_EVENT_EVICTED,
        /// A collection has deleted entries: `entries`, `bytes`, `took`.
        Collected = LARDER_EVENT_COLLECTED,
        /// This process has cleaned up after a dead one: `who`.
        Takeover = LARDER_EVENT_TAKEOVER,
        /// Something that broke an invariant was retired: `what`, perhaps `bucket` and `key`.
        Repaired = LARDER_EVENT_REPAIRED,
        /// The root had been deleted or replaced, and was opened again.
        Reopened = LARDER_EVENT_REOPENED,
    }
}

c_enum! {
    /// What evicts a live entry.
    pub enum EvictionReason: open {
        /// [`Limits::max_age`](crate::Limits::max_age).
        Age = LARDER_EVICTED_BY_AGE,
        /// [`Limits::max_entries`](crate::Limits::max_entries).
        Entries = LARDER_EVICTED_BY_ENTRIES,
        /// [`Limits::max_size`](crate::Limits::max_size).
        Size = LARDER_EVICTED_BY_SIZE,
        /// [`Limits::min_free`](crate::Limits::min_free).
        FreeSpace = LARDER_EVICTED_BY_FREE_SPACE,
        /// [`Cache::evict`](crate::Cache::evict).
        Plan = LARDER_EVICTED_BY_PLAN,
    }
}

c_enum! {
    /// The phases of a collection, in their order.
    pub enum CollectPhase: open {
        /// Looks at all live entries, and chooses which ones to evict.
        Planning = LARDER_PLANNING,
        /// Takes the links of the chosen entries out of their buckets.
        Evicting = LARDER_EVICTING,
        /// Moves the retired entries aside that no process leases.
        Collecting = LARDER_COLLECTING,
        /// Deletes the files that were moved aside.
        Deleting = LARDER_DELETING,
    }
}

c_enum! {
    /// What a verification can find. All but `Foreign` make the cache unsound.
    pub enum FindingKind: open {
        /// A link to an entry that is missing or not complete.
        Dangling = LARDER_FOUND_DANGLING,
        /// A link, a record or a manifest that larder did not write, or not in full.
        Malformed = LARDER_FOUND_MALFORMED,
        /// An entry whose record names another key than its link.
        Misnamed = LARDER_FOUND_MISNAMED,
        /// An entry that more than one link names.
        Shared = LARDER_FOUND_SHARED,
        /// An entry that no link names.
        Orphan = LARDER_FOUND_ORPHAN,
        /// A lease table that cannot be read; nothing can be collected.
        Participant = LARDER_FOUND_PARTICIPANT,
        /// A name that larder does not know; it breaks nothing.
        Foreign = LARDER_FOUND_FOREIGN,
        /// Something that cannot be read, and so was not checked.
        Unreadable = LARDER_FOUND_UNREADABLE,
        /// A file of a live entry that is not as the entry's manifest says.
        Changed = LARDER_FOUND_CHANGED,
        /// Something else stands in the place of a link or directory.
        Blocked = LARDER_FOUND_BLOCKED,
    }
}

c_enum! {
    /// What a look at the path of a root has found.
    pub enum RootState: open {
        /// It leads to the entry, which is kept.
        Leads = LARDER_ROOT_LEADS,
        /// It can't be looked at, because its disk is not mounted; so it counts.
        Unreachable = LARDER_ROOT_UNREACHABLE,
        /// It leads elsewhere, or nothing is there: it counts no more.
        Gone = LARDER_ROOT_GONE,
        /// This is no root that this version of larder can read.
        Unreadable = LARDER_ROOT_UNREADABLE,
    }
}

/// Something that a call did, met or waited for. [`EventKind`] says which fields are filled in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What the fields below are about.
    pub kind: EventKind,
    /// When it happened.
    pub at: Option<SystemTime>,
    /// How long it took.
    pub took: Duration,
    /// A number of entries or keys.
    pub entries: u64,
    /// The sizes of entries, added up.
    pub bytes: u64,
    /// The name of the bucket.
    pub bucket: Cow<'a, str>,
    /// The key.
    pub key: Cow<'a, str>,
    /// The id of the entry.
    pub id: Cow<'a, str>,
    /// For people: "bucket wheels-v1", "build numpy-2.1.0", "max-size".
    pub what: Cow<'a, str>,
    /// For people: "pid 4711 (uv pip install), for 3 s".
    pub who: Cow<'a, str>,
}

impl<'a> Event<'a> {
    /// # Safety
    /// `event` is valid as long as the result.
    pub(crate) unsafe fn new(event: &'a sys::larder_event) -> Event<'a> {
        unsafe {
            Event {
                kind: EventKind::from_raw(event.kind),
                at: time_of(event.at_ns),
                took: duration_of(event.took_ns),
                entries: event.entries,
                bytes: event.bytes,
                bucket: cow_of(event.bucket),
                key: cow_of(event.key),
                id: cow_of(event.id),
                what: cow_of(event.what),
                who: cow_of(event.who),
            }
        }
    }
}

/// A wait of a call, while it lasts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wait<'a> {
    /// What the call waits for: "build rich-13.9", "bucket wheels-v1".
    pub what: Cow<'a, str>,
    /// Which processes have that: "pid 4711 (uv pip install), for 3 s".
    pub holders: Cow<'a, str>,
    /// How long the wait has lasted.
    pub took: Duration,
}

impl<'a> Wait<'a> {
    /// # Safety
    /// `wait` is valid as long as the result.
    pub(crate) unsafe fn new(wait: &'a sys::larder_wait) -> Wait<'a> {
        unsafe {
            Wait {
                what: cow_of(wait.what),
                holders: cow_of(wait.holders),
                took: duration_of(wait.took_ns),
            }
        }
    }
}

/// Declares a struct that is a copy of one of C.
macro_rules! report {
    ($(#[$about:meta])* pub struct $name:ident of $raw:ident as $given:ident {
        $($(#[$doc:meta])* $field:ident: $type:ty = $value:expr,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl $name {
            /// # Safety
            /// `given` is what larder has made.
            #[allow(unused_unsafe)]
            pub(crate) unsafe fn new($given: &larder_sys::$raw) -> $name {
                unsafe { $name { $($field: $value,)* } }
            }
        }
    };
}
report! {
    /// What is known of one entry.
    pub struct EntryInfo of larder_entry_info as given {
        /// How it was published.
        durability: Durability = Durability::from_raw(given.durability),
        /// The sizes of its files, added up.
        bytes: u64 = given.bytes,
        /// How much its tree holds that is not a directory.
        files: u64 = given.files,
        /// When it was published.
        published: Option<SystemTime> = time_of(given.published_ns),
        /// When it was last published or got, to the hour.
        last_used: Option<SystemTime> = time_of(given.last_used_ns),
        /// The bucket that it was published under.
        bucket: String = text_of(given.bucket),
        /// The key that it was published under.
        key: String = text_of(given.key),
        /// Its id, which no other entry ever has.
        id: String = text_of(given.id),
        /// The path of its tree. The files are there as long as the entry is: hold a lease.
        path: PathBuf = path_of(given.path),
        /// The boot id of the machine when it was published.
        boot: String = text_of(given.boot),
        /// The program that published it; may be empty.
        producer: String = text_of(given.producer),
        /// What the publisher gave as
        /// [`PublishOptions::metadata`](crate::PublishOptions::metadata).
        metadata: Vec<u8> = bytes_of(given.metadata, given.metadata_size),
    }
}

report! {
    /// A key that is pinned, whether it has an entry or not.
    pub struct Pin of larder_pin as given {
        /// The name of its bucket.
        bucket: String = text_of(given.bucket),
        /// The pinned key.
        key: String = text_of(given.key),
    }
}

report! {
    /// A root: a path outside of the cache that keeps an entry.
    pub struct Root of larder_root as given {
        /// What a look at the path has found.
        state: RootState = RootState::from_raw(given.state),
        /// The absolute path; empty if the root is unreadable.
        path: PathBuf = path_of(given.path),
        /// The id of the entry.
        id: String = text_of(given.id),
        /// The bucket under which it was published; empty if its record can't be read.
        bucket: String = text_of(given.bucket),
        /// The key under which it was published. By now it may name another entry, or none.
        key: String = text_of(given.key),
    }
}

report! {
    /// One process that uses the cache.
    pub struct ProcessInfo of larder_process_info as given {
        /// The number of its lease table.
        participant: u32 = given.participant,
        /// Its number in its own pid namespace.
        pid: i64 = given.pid,
        /// When it began to use the cache.
        since: Option<SystemTime> = time_of(given.since_ns),
        /// `false` if it has died, and the next collection cleans up after it.
        alive: bool = given.alive != 0,
        /// `pid` is a number of this process's pid namespace.
        here: bool = given.here != 0,
        /// Its command line, cut to 431 bytes.
        command: String = text_of(given.command),
        /// It can't be told whether it lives, so it counts as alive.
        untold: bool = given.untold != 0,
    }
}

/// Copies the process that a lease or a lock belongs to. It is null only if larder breaks its word.
unsafe fn process_of(process: *const sys::larder_process_info) -> Option<ProcessInfo> {
    unsafe { process.as_ref().map(|process| ProcessInfo::new(process)) }
}

report! {
    /// A lease that a process holds.
    pub struct LeaseInfo of larder_lease_info as given {
        /// Who holds it.
        process: Option<ProcessInfo> = process_of(given.process),
        /// The id of the entry.
        id: String = text_of(given.id),
        /// Its bucket; empty if its record can't be read.
        bucket: String = text_of(given.bucket),
        /// Its key; empty if its record can't be read.
        key: String = text_of(given.key),
    }
}

report! {
    /// A lock that a process holds or waits for.
    pub struct LockInfo of larder_lock_info as given {
        /// It waits for the lock; otherwise it holds the lock.
        waiting: bool = given.waiting != 0,
        /// The system's number of the thread that does so.
        thread: i64 = given.thread,
        /// When it began to wait, or took the lock.
        since: Option<SystemTime> = time_of(given.since_ns),
        /// Whose thread it is.
        process: Option<ProcessInfo> = process_of(given.process),
        /// For people: "bucket wheels-v1", "build numpy-2.1.0".
        what: String = text_of(given.what),
    }
}

report! {
    /// Who uses a cache.
    pub struct Status of larder_status as given {
        /// A process collects, verifies or restores now.
        collecting: bool = given.collecting != 0,
        /// Trees that wait to be deleted.
        deleting: u64 = given.deleting,
        /// The processes that use the cache.
        processes: Vec<ProcessInfo> =
            list_of(given.processes, given.process_count, |item| ProcessInfo::new(item)),
        /// The leases that they hold.
        leases: Vec<LeaseInfo> =
            list_of(given.leases, given.lease_count, |item| LeaseInfo::new(item)),
        /// The locks that they hold or wait for.
        locks: Vec<LockInfo> = list_of(given.locks, given.lock_count, |item| LockInfo::new(item)),
        /// A sentence for each lease table that can't be read.
        unreadable: Vec<String> = texts_of(given.unreadable, given.unreadable_count),
    }
}

report! {
    /// How often each event has happened since a cache was opened.
    pub struct Counters of larder_counters as given {
        /// Gets that found the entry. Each get_or_build begins with a get.
        hits: u64 = given.hits,
        /// Gets that found none.
        misses: u64 = given.misses,
        /// Entries that were published, those of builds included.
        published: u64 = given.published,
        /// Keys that were removed.
        removed: u64 = given.removed,
        /// Calls that refreshed a bucket, or some of its keys.
        refreshed: u64 = given.refreshed,
        /// Entries that were restored.
        restored: u64 = given.restored,
        /// Entries that a limit or a plan took.
        evicted: u64 = given.evicted,
        /// The bytes of these entries.
        evicted_bytes: u64 = given.evicted_bytes,
        /// Collections that have ended.
        collections: u64 = given.collections,
        /// Entries that collections deleted.
        deleted: u64 = given.deleted,
        /// The bytes of these entries.
        deleted_bytes: u64 = given.deleted_bytes,
        /// Waits for locks that were not free at once.
        waits: u64 = given.waits,
        /// Of these waits, those that ended without the lock.
        given_up: u64 = given.given_up,
        /// How long all these waits took.
        waited: Duration = Duration::from_nanos(given.waited_ns),
        /// Dead processes after which this process cleaned up.
        takeovers: u64 = given.takeovers,
        /// Things that broke an invariant and were retired.
        repairs: u64 = given.repairs,
        /// Times that the root was opened again.
        reopened: u64 = given.reopened,
    }
}

report! {
    /// A live entry that goes because of a limit or a plan. Those of a dry run make a plan for
    /// [`Cache::evict`](crate::Cache::evict).
    pub struct Eviction of larder_eviction as given {
        /// What evicts it.
        reason: EvictionReason = EvictionReason::from_raw(given.reason),
        /// The sizes of its files, by its record.
        bytes: u64 = given.bytes,
        /// When it was last published or got, to the hour.
        last_used: Option<SystemTime> = time_of(given.last_used_ns),
        /// Its bucket.
        bucket: String = text_of(given.bucket),
        /// Its key.
        key: String = text_of(given.key),
        /// Its id.
        id: String = text_of(given.id),
    }
}

report! {
    /// How far a collection is, for a progress bar.
    pub struct CollectProgress of larder_collect_progress as given {
        /// The phase. A collection may go through them more than once.
        phase: CollectPhase = CollectPhase::from_raw(given.phase),
        /// How much of the phase is done: files while it deletes, otherwise entries.
        done: u64 = given.done,
        /// How much the phase has to do, in the same unit; 0 if that is not known.
        total: u64 = given.total,
        /// Bytes of the entries looked at (planning), evicted (evicting), or collected.
        bytes: u64 = given.bytes,
    }
}

report! {
    /// What a collection has done; in a dry run, what it would do.
    pub struct CollectReport of larder_collect_report as given {
        /// `false` if the entries that stay are more than a limit allows.
        within_limits: bool = given.within_limits != 0,
        /// It was asked to stop, and something is left.
        stopped: bool = given.stopped != 0,
        /// Entries that were deleted: also the evicted ones.
        entries: u64 = given.entries,
        /// The bytes of these entries, by their records.
        bytes: u64 = given.bytes,
        /// Dead processes after which this collection cleaned up.
        reaped: u64 = given.reaped,
        /// Refreshed buckets that were taken apart.
        buckets: u64 = given.buckets,
        /// Live entries that a limit or a plan took.
        evicted: u64 = given.evicted,
        /// The bytes of these entries, by their records.
        evicted_bytes: u64 = given.evicted_bytes,
        /// Entries that stay because they were used, replaced, removed or pinned after they were
        /// chosen.
        used_since: u64 = given.used_since,
        /// Entries that stay because another process holds their bucket's lock.
        held_up: u64 = given.held_up,
        /// Live entries that stay, and their bytes. Known if a limit had them counted.
        live: Option<(u64, u64)> =
            (given.live_known != 0).then_some((given.live_entries, given.live_bytes)),
        /// The space that the disk got back, if it was asked for, in bytes.
        freed: Option<u64> = (given.freed_known != 0).then_some(given.freed),
        /// `freed` is a lower bound.
        freed_at_least: bool = given.freed_at_least != 0,
        /// Files that were moved aside and are not deleted yet, if known.
        files_left: u64 = given.files_left,
        /// Retired entries that stay because they are leased, and who leases them.
        leased: Vec<LeaseInfo> =
            list_of(given.leased, given.leased_count, |item| LeaseInfo::new(item)),
        /// Live entries that were chosen, but stay because they are leased.
        spared: Vec<LeaseInfo> =
            list_of(given.spared, given.spared_count, |item| LeaseInfo::new(item)),
        /// Names that only a newer larder, or another program, can have made. They are left alone.
        unknown: Vec<String> = texts_of(given.unknown, given.unknown_count),
        /// Retired entries that stay because of the grace.
        in_grace: u64 = given.in_grace,
        /// What could not be done, a sentence each. All else was done.
        failures: Vec<String> = texts_of(given.failures, given.failure_count),
        /// Processes of which it can't be told whether they live. What they use stays.
        untold: u64 = given.untold,
        /// Entries that stay because a root keeps them, each with one of its roots.
        rooted: Vec<Root> = list_of(given.rooted, given.rooted_count, |item| Root::new(item)),
    }
}

report! {
    /// One thing that a verification has found.
    pub struct Finding of larder_finding as given {
        /// Its kind.
        kind: FindingKind = FindingKind::from_raw(given.kind),
        /// It was repaired.
        repaired: bool = given.repaired != 0,
        /// The file or directory that is meant.
        path: PathBuf = path_of(given.path),
        /// What is wrong with it, in a few words for people.
        what: String = text_of(given.what),
    }
}

report! {
    /// What a verification has found.
    pub struct VerifyReport of larder_verify_report as given {
        /// No invariant is broken, or everything was repaired.
        sound: bool = given.sound != 0,
        /// Entries that were checked.
        entries: u64 = given.entries,
        /// Of these: those that a key names.
        live: u64 = given.live,
        /// Of these: retired, waiting for collection.
        garbage: u64 = given.garbage,
        /// What was found.
        findings: Vec<Finding> =
            list_of(given.findings, given.finding_count, |item| Finding::new(item)),
    }
}

report! {
    /// What a check of contents has found.
    pub struct ContentReport of larder_content_report as given {
        /// No entry has changed, or everything was repaired.
        sound: bool = given.sound != 0,
        /// Live entries that were checked.
        entries: u64 = given.entries,
        /// Live entries that were left, because the time was over.
        unchecked: u64 = given.unchecked,
        /// Of the entries that were checked: those without digests that this program can make.
        without_digests: u64 = given.without_digests,
        /// Files and symlinks that were read.
        files: u64 = given.files,
        /// Their sizes, added up.
        bytes: u64 = given.bytes,
        /// What was found.
        findings: Vec<Finding> =
            list_of(given.findings, given.finding_count, |item| Finding::new(item)),
    }
}

report! {
    /// What [`Cache::dedupe`](crate::Cache::dedupe) has done.
    pub struct DedupeReport of larder_dedupe_report as given {
        /// The time was over, or a stop was requested.
        ended_early: bool = given.ended_early != 0,
        /// Live entries that were looked at.
        entries: u64 = given.entries,
        /// Files that share their blocks since this call.
        files: u64 = given.files,
        /// The sizes of these files, added up.
        bytes: u64 = given.bytes,
        /// Files that have shared their blocks before.
        shared_before: u64 = given.shared_before,
        /// The bytes of blocks that the disk got back. 0 if the file system does not tell.
        freed: u64 = given.freed,
        /// What could not be done, in words. All else was done.
        failures: Vec<String> = texts_of(given.failures, given.failure_count),
    }
}

report! {
    /// How many files arrived in which way.
    pub struct MaterializeReport of larder_materialize_report as given {
        /// Files that share their blocks with the cache.
        cloned: u64 = given.cloned,
        /// Files that are hard links to files of the cache.
        hardlinked: u64 = given.hardlinked,
        /// Files that were copied.
        copied: u64 = given.copied,
        /// Symlinks that were made.
        symlinks: u64 = given.symlinks,
        /// Directories that were made; not those that existed.
        directories: u64 = given.directories,
        /// The sizes of all files, cloned and linked ones too.
        bytes: u64 = given.bytes,
        /// Files and directories without their mode, time or all attributes.
        inexact: u64 = given.inexact,
    }
}
