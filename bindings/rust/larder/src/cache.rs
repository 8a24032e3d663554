// SPDX-License-Identifier: MIT
//! An open cache, and how it is opened.

use crate::bucket::Bucket;
use crate::call::{
    c_path, c_text, call, cow_of, guard, list_of, path_of, texts_of, wait_ms, Keep, Kept, Owned,
    Panics, Texts,
};
use crate::collect::{self, BackgroundOptions, CollectOptions, Limits};
use crate::entry::Lease;
use crate::error::{Code, Error, Result};
use crate::reports::{
    BucketKind, CollectReport, ContentReport, Counters, DedupeReport, Durability, EntryInfo, Event,
    Eviction, LinkKind, Pin, Root, Status, VerifyReport, Wait,
};
use crate::stop::{raw_of, Stop};
use larder_sys as sys;
use std::ffi::CString;
use std::fmt;
use std::ops::ControlFlow;
use std::os::raw::{c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

type OnText = Arc<dyn Fn(&str) + Send + Sync>;
type OnEvent = Arc<dyn Fn(&Event<'_>) + Send + Sync>;
type KeepWaiting = Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>;
type OnWait = Arc<dyn Fn(&Wait<'_>) -> ControlFlow<()> + Send + Sync>;

/// How a cache is opened.
///
/// ```
/// # fn main() -> Result<(), larder::Error> {
/// # let root = std::env::temp_dir().join(format!("larder-doc-open-{}", std::process::id()));
/// use std::time::Duration;
/// let cache = larder::OpenOptions::new()
///     .lock_timeout(Duration::from_secs(60))
///     .on_event(|event| println!("{:?} {}", event.kind, event.key))
///     .open(&root)?;
/// # drop(cache);
/// # larder::destroy(&root)
/// # }
/// ```
#[derive(Clone, Default)]
pub struct OpenOptions {
    link_kind: LinkKind,
    bucket_kind: BucketKind,
    read_only: bool,
    allow_network: bool,
    allow_unsafe: bool,
    lock_timeout: Option<Duration>,
    build_timeout: Option<Duration>,
    stop: Option<Stop>,
    on_wait: Option<OnText>,
    on_event: Option<OnEvent>,
    keep_waiting: Option<KeepWaiting>,
    log: Option<PathBuf>,
    count: bool,
}

impl OpenOptions {
    /// Returns the defaults.
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// What stands for each key, in a cache that has to be created.
    #[must_use]
    pub fn link_kind(mut self, kind: LinkKind) -> Self {
        self.link_kind = kind;
        self
    }

    /// What a bucket is, in a cache that has to be created.
    #[must_use]
    pub fn bucket_kind(mut self, kind: BucketKind) -> Self {
        self.bucket_kind = kind;
        self
    }

    /// Writes nothing, not even leases: see [`Lease::is_protected`].
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Allows a cache on a network file system. Leases then protect only the processes of this
    /// machine.
    #[must_use]
    pub fn allow_network(mut self, allow: bool) -> Self {
        self.allow_network = allow;
        self
    }

    /// Allows a cache that other users may change. They then choose what this process gets.
    #[must_use]
    pub fn allow_unsafe(mut self, allow: bool) -> Self {
        self.allow_unsafe = allow;
        self
    }

    /// How long a publish, a remove or a pin may wait for other calls in its bucket. 10 s by
    /// default; less than a millisecond is no wait.
    #[must_use]
    pub fn lock_timeout(mut self, time: Duration) -> Self {
        self.lock_timeout = Some(time);
        self
    }

    /// How long [`Bucket::get_or_build`] waits for the build of another process. After that it
    /// builds without the lock. 30 min by default.
    #[must_use]
    pub fn build_timeout(mut self, time: Duration) -> Self {
        self.build_timeout = Some(time);
        self
    }

    /// Ends every wait early, with [`Code::Interrupted`].
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = Some(stop.clone());
        self
    }

    /// Called by the waiting thread once a wait has lasted a second, with a text such as "waiting
    /// for pid 4711 (uv pip install), for 3 s". It must not call larder.
    #[must_use]
    pub fn on_wait(mut self, on_wait: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_wait = Some(Arc::new(on_wait));
        self
    }

    /// Called for each event by the thread that caused it, so several threads may call it at once.
    /// The thread may hold a lock, so the function should be quick. It must not call larder.
    #[must_use]
    pub fn on_event(mut self, on_event: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(on_event));
        self
    }

    /// Called by a thread that waits, at least every tenth of a second. `Break` ends the wait with
    /// [`Code::Interrupted`]. It must not call larder, and should be quick.
    #[must_use]
    pub fn keep_waiting(
        mut self,
        keep_waiting: impl Fn() -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.keep_waiting = Some(Arc::new(keep_waiting));
        self
    }

    /// A file to which a line is appended for each event.
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Counts events, for [`Cache::counters`].
    #[must_use]
    pub fn count(mut self, count: bool) -> Self {
        self.count = count;
        self
    }

    /// Opens the cache at `root`. If nothing or an empty directory stands there, creates the cache,
    /// with mode 0700, and the directories above it. If the root cannot be written, opens the cache
    /// read-only.
    ///
    /// # Errors
    /// `Refused` for a newer format, a directory that holds something else, a network file system,
    /// or another user's cache; the message says which, and nothing is changed. `System`;
    /// `NoSpace`.
    pub fn open(&self, root: impl AsRef<Path>) -> Result<Cache> {
        let root = c_path(root.as_ref())?;
        let log = match &self.log {
            Some(log) => Some(c_path(log)?),
            None => None,
        };
        let keep: Keep = Arc::new(Kept::default());
        let digests = crate::digests();
        let mut raw = sized!(larder_open_options);
        raw.link_kind = self.link_kind.raw();
        raw.bucket_kind = self.bucket_kind.raw();
        raw.read_only = self.read_only.into();
        raw.allow_network = self.allow_network.into();
        raw.allow_unsafe = self.allow_unsafe.into();
        raw.lock_timeout_ms = wait_ms(self.lock_timeout);
        raw.build_timeout_ms = wait_ms(self.build_timeout);
        raw.stop = raw_of(&self.stop);
        raw.log = log.as_ref().map_or(std::ptr::null(), |log| log.as_ptr());
        raw.count = self.count.into();
        raw.digest_count = digests.len();
        raw.digests = digests.as_ptr();
        if let Some(function) = &self.on_wait {
            raw.on_wait = Some(on_wait_text);
            raw.on_wait_data = keep.keep(function.clone());
        }
        if let Some(function) = &self.on_event {
            raw.on_event = Some(on_event);
            raw.on_event_data = keep.keep(function.clone());
        }
        if let Some(function) = &self.keep_waiting {
            raw.keep_waiting = Some(keep_waiting);
            raw.keep_waiting_data = keep.keep(function.clone());
        }
        let mut cache = Owned::new(sys::larder_cache_close);
        call(|error| unsafe { sys::larder_cache_open(root.as_ptr(), &raw, cache.slot(), error) })?;
        Cache::new(cache, keep)
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("OpenOptions");
        debug.field("read_only", &self.read_only).field("log", &self.log).finish_non_exhaustive()
    }
}

unsafe extern "C" fn on_wait_text(text: *const c_char, data: *mut c_void) {
    let function = unsafe { &*(data as *const OnText) };
    guard((), || function(&unsafe { cow_of(text) }));
}

unsafe extern "C" fn on_event(event: *const sys::larder_event, data: *mut c_void) {
    let function = unsafe { &*(data as *const OnEvent) };
    guard((), || function(&unsafe { Event::new(&*event) }));
}

unsafe extern "C" fn keep_waiting(data: *mut c_void) -> i32 {
    let function = unsafe { &*(data as *const KeepWaiting) };
    guard(0, || function().is_continue().into())
}

unsafe extern "C" fn on_wait(wait: *const sys::larder_wait, data: *mut c_void) -> i32 {
    let function = unsafe { &*(data as *const OnWait) };
    guard(0, || function(&unsafe { Wait::new(&*wait) }).is_continue().into())
}

/// What ends some calls of a program early: see [`Cache::with`] and [`Bucket::with`].
#[derive(Clone, Default)]
pub struct CallOptions {
    stop: Option<Stop>,
    on_wait: Option<OnWait>,
}

impl CallOptions {
    /// Returns options that end nothing.
    pub fn new() -> CallOptions {
        CallOptions::default()
    }

    /// Ends a wait, the copying of a tree and a partial refresh early, with [`Code::Interrupted`].
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = Some(stop.clone());
        self
    }

    /// Called by the thread of the call while it waits, at least every tenth of a second. `Break`
    /// ends the wait with [`Code::Interrupted`]. It must not call larder, and should be quick.
    #[must_use]
    pub fn on_wait(
        mut self,
        on_wait: impl Fn(&Wait<'_>) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.on_wait = Some(Arc::new(on_wait));
        self
    }

    /// Returns the options of C. What their callback uses lives in `keep`.
    pub(crate) fn keep_raw(self, keep: &Kept) -> sys::larder_call_options {
        let mut raw = sized!(larder_call_options);
        raw.stop = raw_of(&self.stop);
        if let Some(function) = self.on_wait {
            raw.on_wait = Some(on_wait);
            raw.on_wait_data = keep.keep(function);
        }
        raw
    }
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallOptions").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// How an entry is brought back by [`Cache::restore`].
#[derive(Clone, Debug, Default)]
pub struct RestoreOptions {
    replace: bool,
    durability: Durability,
}

impl RestoreOptions {
    /// Returns the defaults.
    pub fn new() -> RestoreOptions {
        RestoreOptions::default()
    }

    /// Also if the key names an entry again, which is replaced.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// What the new entry survives.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}

/// Which contents [`Cache::verify_content`] checks, and what happens to an entry that has changed.
#[derive(Clone, Debug, Default)]
pub struct ContentOptions {
    repair: bool,
    budget: Option<Duration>,
    buckets: Vec<String>,
}

impl ContentOptions {
    /// Returns the defaults: all entries are checked, and nothing is changed.
    pub fn new() -> ContentOptions {
        ContentOptions::default()
    }

    /// Takes the key of an entry that has changed out of its bucket.
    #[must_use]
    pub fn repair(mut self, repair: bool) -> Self {
        self.repair = repair;
        self
    }

    /// Begins with no further entry after this time. Less than a millisecond: one entry is checked.
    #[must_use]
    pub fn budget(mut self, time: Duration) -> Self {
        self.budget = Some(time);
        self
    }

    /// Adds a bucket whose entries are checked. Without any, all are.
    #[must_use]
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.buckets.push(name.into());
        self
    }
}

/// How [`Cache::dedupe`] works.
#[derive(Clone, Debug, Default)]
pub struct DedupeOptions {
    budget: Option<Duration>,
    stop: Option<Stop>,
}

impl DedupeOptions {
    /// Returns the defaults: no limit.
    pub fn new() -> DedupeOptions {
        DedupeOptions::default()
    }

    /// Begins with no further file after this time. Less than a millisecond: nothing is done.
    #[must_use]
    pub fn budget(mut self, time: Duration) -> Self {
        self.budget = Some(time);
        self
    }

    /// Ends the call early, without an error.
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = Some(stop.clone());
        self
    }
}

/// An open cache.
///
/// All threads may use it at once. A clone is the same handle. Its buckets, leases and stagings
/// stay valid after it was dropped.
#[derive(Clone)]
pub struct Cache(Arc<Handle>);

struct Handle {
    raw: NonNull<sys::larder_cache>,
    keep: Keep,
}

// All threads may use a cache at once.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { sys::larder_cache_close(self.raw.as_ptr()) }
    }
}

impl Cache {
    fn new(owned: Owned<sys::larder_cache>, keep: Keep) -> Result<Cache> {
        match owned.take() {
            Some(raw) => Ok(Cache(Arc::new(Handle { raw, keep }))),
            None => Err(Error::invalid("larder", "returned no cache")),
        }
    }

    fn raw(&self) -> *mut sys::larder_cache {
        self.0.raw.as_ptr()
    }

    /// Opens the cache at `root` with the default options, and creates it if it does not exist.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub fn open(root: impl AsRef<Path>) -> Result<Cache> {
        OpenOptions::new().open(root)
    }

    /// The absolute path of the root, without symlinks.
    pub fn root(&self) -> PathBuf {
        unsafe { path_of(sys::larder_cache_root(self.raw())) }
    }

    /// What stands for each key in this cache.
    pub fn link_kind(&self) -> LinkKind {
        LinkKind::from_raw(unsafe { sys::larder_cache_link_kind(self.raw()) } as i32)
    }

    /// What a bucket of this cache is.
    pub fn bucket_kind(&self) -> BucketKind {
        BucketKind::from_raw(unsafe { sys::larder_cache_bucket_kind(self.raw()) } as i32)
    }

    /// Returns `true` if the cache is open read-only, because the option says so or because the
    /// root cannot be written.
    pub fn is_read_only(&self) -> bool {
        unsafe { sys::larder_cache_is_read_only(self.raw()) != 0 }
    }

    /// Returns how often each event has happened. All are zero unless the cache was opened with
    /// [`OpenOptions::count`].
    pub fn counters(&self) -> Result<Counters> {
        let mut counters = Owned::new(sys::larder_counters_free);
        call(|error| unsafe { sys::larder_cache_counters(self.raw(), counters.slot(), error) })?;
        counters.map(|counters| unsafe { Counters::new(counters) })
    }

    /// Returns a second handle of the same open cache. Its calls, and those of buckets from it,
    /// have these options: so one call can be ended, and no other. It costs no system call, so a
    /// program may make one for each call.
    pub fn with(&self, options: CallOptions) -> Result<Cache> {
        let keep = Kept::below(&self.0.keep);
        let raw = options.keep_raw(&keep);
        let mut with = Owned::new(sys::larder_cache_close);
        call(|error| unsafe { sys::larder_cache_with(self.raw(), &raw, with.slot(), error) })?;
        Cache::new(with, keep)
    }

    /// Returns the bucket of this name. It need not exist, and nothing on the disk is touched: the
    /// first publish makes it. Give the name a version, such as "wheels-v1".
    ///
    /// # Errors
    /// `Invalid` if the name is empty or too long, or contains a zero byte.
    pub fn bucket(&self, name: &str) -> Result<Bucket> {
        let name = c_text("the name of the bucket", name)?;
        let mut bucket = Owned::new(sys::larder_bucket_free);
        call(|error| unsafe {
            sys::larder_cache_bucket(self.raw(), name.as_ptr(), bucket.slot(), error)
        })?;
        Bucket::new(bucket, self.0.keep.clone())
    }

    /// Lists the buckets that exist now, in no order.
    pub fn buckets(&self) -> Result<Vec<String>> {
        let mut names = Owned::new(sys::larder_names_free);
        call(|error| unsafe { sys::larder_cache_buckets(self.raw(), names.slot(), error) })?;
        names.map(|names| unsafe { texts_of(names.names, names.count) })
    }

    /// Lists the keys that are pinned, in all buckets.
    pub fn pins(&self) -> Result<Vec<Pin>> {
        let mut pins = Owned::new(sys::larder_pins_free);
        call(|error| unsafe { sys::larder_cache_pins(self.raw(), pins.slot(), error) })?;
        pins.map(|pins| unsafe { list_of(pins.pins, pins.count, |pin| Pin::new(pin)) })
    }

    /// Makes `destination` a symlink to the tree of the entry of a key, and keeps the entry for as
    /// long as the path leads there: through removes, refreshes, limits, and starts of the machine.
    /// A symlink that stands there is replaced by one rename. A path that is moved away or deleted
    /// must not be put back by hand: link it again.
    ///
    /// # Errors
    /// `Miss` if the key has no entry; `Exists` if something other than a symlink stands at the
    /// path; `Invalid` for a path in a cache; `Refused` on a network file system; `Unsupported` on
    /// Windows.
    pub fn link(
        &self,
        bucket: &str,
        key: &str,
        destination: impl AsRef<Path>,
        durability: Durability,
    ) -> Result<()> {
        let (bucket, key) = (c_text("the name of the bucket", bucket)?, c_text("the key", key)?);
        let (path, durability) = (c_path(destination.as_ref())?, durability.raw());
        call(|error| unsafe {
            let (bucket, key, path) = (bucket.as_ptr(), key.as_ptr(), path.as_ptr());
            sys::larder_cache_link(self.raw(), bucket, key, path, durability, error)
        })
    }

    /// Ends a link: removes the symlink, if it leads to its entry, and the roots of this path.
    /// Returns `false` if no root of the cache names the path.
    pub fn unlink(&self, destination: impl AsRef<Path>) -> Result<bool> {
        let path = c_path(destination.as_ref())?;
        let ended =
            call(|error| unsafe { sys::larder_cache_unlink(self.raw(), path.as_ptr(), error) });
        match ended {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Code::Miss => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lists all roots: the paths outside of the cache that keep entries. Looks at each path.
    pub fn roots(&self) -> Result<Vec<Root>> {
        let mut roots = Owned::new(sys::larder_roots_free);
        call(|error| unsafe { sys::larder_cache_roots(self.raw(), roots.slot(), error) })?;
        roots.map(|roots| unsafe { list_of(roots.roots, roots.count, |root| Root::new(root)) })
    }

    /// Drops the roots whose paths do not lead to their entries any more, and returns them. A dry
    /// run drops none. With `unreachable`, the roots of paths that can't be looked at go, too: if
    /// such a path still leads to its entry, a collection may delete its files.
    ///
    /// # Errors
    /// `Damaged` if a lease table can't be read: then nothing is dropped.
    pub fn prune_roots(&self, dry_run: bool, unreachable: bool) -> Result<Vec<Root>> {
        let flag = |set: bool, flag: sys::larder_prune_flag| if set { flag as u32 } else { 0 };
        let flags = flag(dry_run, sys::LARDER_PRUNE_DRY_RUN)
            | flag(unreachable, sys::LARDER_PRUNE_UNREACHABLE);
        let mut roots = Owned::new(sys::larder_roots_free);
        call(|error| unsafe {
            sys::larder_cache_prune_roots(self.raw(), flags, roots.slot(), error)
        })?;
        roots.map(|roots| unsafe { list_of(roots.roots, roots.count, |root| Root::new(root)) })
    }

    /// Calls `visit` for each entry of the buckets of these names, and keeps no list in memory. It
    /// gets the bucket, the key, and the entry, or the error that keeps the entry from being read.
    /// `visit` may call larder.
    ///
    /// # Errors
    /// `Invalid` if no bucket can have one of the names. Goes on after an error, such as that of a
    /// bucket which cannot be listed, and returns the first one at its end.
    pub fn visit_entries<T: AsRef<str>>(
        &self,
        buckets: &[T],
        mut visit: impl FnMut(&str, &str, Result<EntryInfo>) -> ControlFlow<()>,
    ) -> Result<()> {
        let names = Texts::new("the name of a bucket", buckets)?;
        let panics = Panics::default();
        let mut visitor = EntryVisitor { visit: &mut visit, panics: &panics };
        let data = &mut visitor as *mut EntryVisitor<'_> as *mut c_void;
        let visited = call(|error| unsafe {
            let (list, count) = (names.as_ptr(), names.len());
            sys::larder_cache_visit_entries(self.raw(), list, count, Some(visit_entry), data, error)
        });
        panics.resume();
        visited
    }

    /// Lists the trash: the entries that were removed, replaced, refreshed or evicted and are not
    /// collected yet. [`restore`](Cache::restore) brings one back.
    ///
    /// # Errors
    /// Fails if the record of one cannot be read; [`visit_trash`](Cache::visit_trash) visits the
    /// rest then.
    pub fn trash(&self) -> Result<Vec<EntryInfo>> {
        let mut entries = Owned::new(sys::larder_entries_free);
        call(|error| unsafe { sys::larder_cache_trash(self.raw(), entries.slot(), error) })?;
        entries
            .map(|list| unsafe { list_of(list.entries, list.count, |entry| EntryInfo::new(entry)) })
    }

    /// Calls `visit` for each entry that [`trash`](Cache::trash) would list. `visit` may call
    /// larder.
    ///
    /// # Errors
    /// Goes on after what cannot be read, and returns the first such error at its end.
    pub fn visit_trash(&self, mut visit: impl FnMut(EntryInfo) -> ControlFlow<()>) -> Result<()> {
        let panics = Panics::default();
        let mut visitor = TrashVisitor { visit: &mut visit, panics: &panics };
        let data = &mut visitor as *mut TrashVisitor<'_> as *mut c_void;
        let visited = call(|error| unsafe {
            sys::larder_cache_visit_trash(self.raw(), Some(visit_trash), data, error)
        });
        panics.resume();
        visited
    }

    /// Publishes the files of an entry in the trash once more, under its bucket and key and a new
    /// id.
    ///
    /// # Errors
    /// `Miss` if no retired entry has this id, or if it has been collected; `Exists` if its key
    /// names an entry again; `Damaged` if it is not as its manifest says; `Invalid` if `id` is no
    /// id; `Busy` while another process collects or verifies.
    pub fn restore(&self, id: &str, options: &RestoreOptions) -> Result<Lease> {
        let id = c_text("the id", id)?;
        let mut raw = sized!(larder_restore_options);
        raw.replace = options.replace.into();
        raw.durability = options.durability.raw();
        let mut lease = Owned::new(sys::larder_lease_free);
        call(|error| unsafe {
            sys::larder_cache_restore(self.raw(), id.as_ptr(), &raw, lease.slot(), error)
        })?;
        Lease::new(lease, &self.0.keep)
    }

    /// Returns which processes use the cache now, and what they hold and wait for.
    pub fn status(&self) -> Result<Status> {
        let mut status = Owned::new(sys::larder_status_free);
        call(|error| unsafe { sys::larder_cache_status(self.raw(), status.slot(), error) })?;
        status.map(|status| unsafe { Status::new(status) })
    }

    /// Cleans up after dead processes, evicts until `limits` are kept, then deletes what is retired
    /// and not leased. Never waits, except that an eviction waits a tenth of a second.
    ///
    /// ```
    /// # fn main() -> Result<(), larder::Error> {
    /// # let root = std::env::temp_dir().join(format!("larder-doc-gc-{}", std::process::id()));
    /// # let cache = larder::Cache::open(&root)?;
    /// use larder::{CollectOptions, Limits};
    /// let limits = Limits::new().max_size(10 << 30).keep("wheels-v1/numpy-*");
    /// let report = cache.collect(&limits, CollectOptions::new())?;
    /// println!("deleted {} entries with {} bytes", report.entries, report.bytes);
    /// # drop(cache);
    /// # larder::destroy(&root)
    /// # }
    /// ```
    ///
    /// # Errors
    /// If one thing cannot be read or deleted, does all the rest, and returns the first such error;
    /// it has a [`report`](Error::collect_report). `Busy` if another collection runs: leave the
    /// work to that one. `Damaged` if a lease table can't be read: then no entry is deleted.
    pub fn collect(&self, limits: &Limits, options: CollectOptions<'_>) -> Result<CollectReport> {
        collect::collect(self.raw(), limits, options)
    }

    /// Does the same, but evicts the entries of a plan: those that
    /// [`CollectOptions::on_evict`] got in a dry run. One that was used since then stays, and one
    /// that matches a pattern of `keep` ("BUCKET/KEY").
    ///
    /// # Errors
    /// As [`collect`](Cache::collect).
    pub fn evict(
        &self,
        plan: &[Eviction],
        keep: &[&str],
        options: CollectOptions<'_>,
    ) -> Result<CollectReport> {
        collect::evict(self.raw(), plan, keep, options)
    }

    /// Lets publishes keep the cache within `limits`: from now on a publish through this cache may
    /// start a collection in a thread of its own. A later call replaces the limits, and a call
    /// without any limit ends all this. What the callbacks use is freed after the cache and its
    /// last bucket were dropped.
    ///
    /// # Errors
    /// `Invalid` as in [`collect`](Cache::collect).
    pub fn keep_within(&self, limits: &Limits, options: &BackgroundOptions) -> Result<()> {
        collect::keep_within(self.raw(), limits, options, self.0.keep.root())
    }

    /// Brings all that has been published so far, by any process, to the disk, with one sync of the
    /// whole file system, so that it survives a power cut. This may take seconds.
    ///
    /// # Errors
    /// `Unsupported` if the file system has no such sync; `ReadOnly`; `System` if it fails.
    pub fn settle(&self) -> Result<()> {
        call(|error| unsafe { sys::larder_cache_settle(self.raw(), error) })
    }

    /// Checks every invariant that can be checked while other processes work. Changes nothing.
    ///
    /// # Errors
    /// `Busy` as in [`collect`](Cache::collect). A finding is no error.
    pub fn verify(&self) -> Result<VerifyReport> {
        self.verify_with(false)
    }

    /// Checks as [`verify`](Cache::verify) does. Retires each faulty link, so that its key is a
    /// miss from then on, and each entry that no link names, so that a collection deletes it.
    ///
    /// # Errors
    /// As [`verify`](Cache::verify).
    pub fn repair(&self) -> Result<VerifyReport> {
        self.verify_with(true)
    }

    fn verify_with(&self, repair: bool) -> Result<VerifyReport> {
        let mut raw = sized!(larder_verify_options);
        raw.repair = repair.into();
        let mut report = Owned::new(sys::larder_verify_report_free);
        call(|error| unsafe { sys::larder_cache_verify(self.raw(), &raw, report.slot(), error) })?;
        report.map(|report| unsafe { VerifyReport::new(report) })
    }

    /// Reads the files of live entries and compares them with their digests, and with what
    /// [`verify`](Cache::verify) looks at. Begins with the entries whose check is longest ago.
    /// Without the feature `sha256`, digests are not compared.
    ///
    /// # Errors
    /// `Interrupted` if the stop of the cache was requested. A finding is no error.
    pub fn verify_content(&self, options: &ContentOptions) -> Result<ContentReport> {
        let buckets = Texts::new("the name of a bucket", &options.buckets)?;
        let digests = crate::digests();
        let mut raw = sized!(larder_content_options);
        raw.repair = options.repair.into();
        raw.budget_ms = wait_ms(options.budget);
        raw.digest_count = digests.len();
        raw.digests = digests.as_ptr();
        raw.bucket_count = buckets.len();
        raw.buckets = buckets.as_ptr();
        let mut report = Owned::new(sys::larder_content_report_free);
        call(|error| unsafe {
            sys::larder_cache_verify_content(self.raw(), &raw, report.slot(), error)
        })?;
        report.map(|report| unsafe { ContentReport::new(report) })
    }

    /// Lets equal files of live entries share their blocks, on file systems that can: btrfs, and
    /// xfs with reflinks. Takes files of entries that were published with digests. No content
    /// changes.
    ///
    /// # Errors
    /// `Unsupported` on other file systems, if there is anything to share; `ReadOnly`.
    pub fn dedupe(&self, options: &DedupeOptions) -> Result<DedupeReport> {
        let mut raw = sized!(larder_dedupe_options);
        raw.budget_ms = i32::try_from(wait_ms(options.budget)).unwrap_or(i32::MAX);
        raw.stop = raw_of(&options.stop);
        let mut report = Owned::new(sys::larder_dedupe_report_free);
        call(|error| unsafe { sys::larder_cache_dedupe(self.raw(), &raw, report.slot(), error) })?;
        report.map(|report| unsafe { DedupeReport::new(report) })
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Cache").field(&self.root()).finish()
    }
}

/// Deletes the cache at `root`: the directory with all that is in it.
///
/// # Errors
/// `Busy` if a living process uses the cache, this one too; no entry is touched then. `Refused` if
/// `root` is no cache, belongs to another user, or holds something that is not larder's. `System`
/// if something can't be deleted; all else is gone then.
pub fn destroy(root: impl AsRef<Path>) -> Result<()> {
    let root: CString = c_path(root.as_ref())?;
    call(|error| unsafe { sys::larder_cache_destroy(root.as_ptr(), error) })
}

/// Makes all the checks that [`destroy`] makes before it changes anything, and changes nothing.
///
/// # Errors
/// Those of [`destroy`], if that would end with `Busy` or `Refused` now.
pub fn check_destroy(root: impl AsRef<Path>) -> Result<()> {
    let root: CString = c_path(root.as_ref())?;
    call(|error| unsafe { sys::larder_cache_check_destroy(root.as_ptr(), error) })
}

type VisitEntry<'a> = dyn FnMut(&str, &str, Result<EntryInfo>) -> ControlFlow<()> + 'a;

struct EntryVisitor<'a> {
    visit: &'a mut VisitEntry<'a>,
    panics: &'a Panics,
}

unsafe extern "C" fn visit_entry(
    bucket: *const c_char,
    key: *const c_char,
    entry: *const sys::larder_entry_info,
    failure: *const sys::larder_error,
    data: *mut c_void,
) -> c_int {
    let visitor = unsafe { &mut *(data as *mut EntryVisitor<'_>) };
    let (visit, panics) = (&mut visitor.visit, visitor.panics);
    panics.guard(0, || {
        let got = match unsafe { entry.as_ref() } {
            Some(entry) => Ok(unsafe { EntryInfo::new(entry) }),
            None => Err(unsafe { Error::copy(sys::LARDER_DAMAGED, failure) }),
        };
        visit(&unsafe { cow_of(bucket) }, &unsafe { cow_of(key) }, got).is_continue().into()
    })
}

type VisitTrash<'a> = dyn FnMut(EntryInfo) -> ControlFlow<()> + 'a;

struct TrashVisitor<'a> {
    visit: &'a mut VisitTrash<'a>,
    panics: &'a Panics,
}

unsafe extern "C" fn visit_trash(entry: *const sys::larder_entry_info, data: *mut c_void) -> c_int {
    let visitor = unsafe { &mut *(data as *mut TrashVisitor<'_>) };
    let (visit, panics) = (&mut visitor.visit, visitor.panics);
    panics.guard(0, || visit(unsafe { EntryInfo::new(&*entry) }).is_continue().into())
}
