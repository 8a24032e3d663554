// SPDX-License-Identifier: MIT
//! Collecting: limits, plans, and how a collection works.

use crate::call::{
    c_text, call, guard_in_background, lock, ns_of, seconds, wait_ms, Kept, Owned, Panics, Texts,
};
use crate::error::{Error, Result};
use crate::reports::{CollectProgress, CollectReport, Eviction};
use crate::stop::{raw_of, Stop};
use larder_sys as sys;
use std::ffi::CString;
use std::fmt;
use std::os::raw::c_void;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The limits within which a collection keeps a cache. It evicts the entries that were least
/// recently used until every limit is kept. An entry stays, and counts, if it is leased or pinned,
/// if it fits a pattern of `keep`, or if it was used after it was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    max_size: Option<u64>,
    max_age: Option<Duration>,
    max_entries: Option<u64>,
    min_free: Option<u64>,
    low_water: u32,
    keep: Vec<String>,
}

impl Limits {
    /// Returns no limit: nothing is evicted.
    pub fn new() -> Limits {
        Limits::default()
    }

    /// The bytes in the records of all live entries, added up.
    #[must_use]
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = Some(bytes);
        self
    }

    /// An entry goes if it was not used for longer, in whole seconds.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// How many live entries there may be.
    #[must_use]
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = Some(entries);
        self
    }

    /// Bytes that must be free on the disk, and the same share of its inodes.
    #[must_use]
    pub fn min_free(mut self, bytes: u64) -> Self {
        self.min_free = Some(bytes);
        self
    }

    /// A percentage: if a limit is passed, the collection goes on until the cache is at this
    /// percentage of it. 0 is the default, 90.
    #[must_use]
    pub fn low_water(mut self, percentage: u32) -> Self {
        self.low_water = percentage;
        self
    }

    /// Adds a glob pattern for "BUCKET/KEY". An entry that matches one is not evicted.
    #[must_use]
    pub fn keep(mut self, pattern: impl Into<String>) -> Self {
        self.keep.push(pattern.into());
        self
    }

    /// Calls a function with the limits of C, which are valid during that call.
    fn lend<R>(&self, use_raw: impl FnOnce(&sys::larder_limits) -> R) -> Result<R> {
        let keep = Texts::new("a pattern", &self.keep)?;
        let mut raw = sized!(larder_limits);
        let mut set = |bit: u32, given: bool| raw.set |= if given { bit } else { 0 };
        set(sys::LARDER_LIMIT_SIZE, self.max_size.is_some());
        set(sys::LARDER_LIMIT_AGE, self.max_age.is_some());
        set(sys::LARDER_LIMIT_ENTRIES, self.max_entries.is_some());
        set(sys::LARDER_LIMIT_FREE_SPACE, self.min_free.is_some());
        raw.max_size = self.max_size.unwrap_or(0);
        raw.max_age_s = self.max_age.map_or(0, seconds);
        raw.max_entries = self.max_entries.unwrap_or(0);
        raw.min_free = self.min_free.unwrap_or(0);
        raw.low_water = self.low_water;
        raw.keep = keep.as_ptr();
        raw.keep_count = keep.len();
        Ok(use_raw(&raw))
    }
}

type Callback<'a, T> = Box<dyn FnMut(&T) + Send + 'a>;

/// How a collection works, whatever it evicts.
#[derive(Default)]
pub struct CollectOptions<'a> {
    dry_run: bool,
    threads: u32,
    count_freed: bool,
    on_evict: Option<Callback<'a, Eviction>>,
    on_progress: Option<Callback<'a, CollectProgress>>,
    stop: Option<Stop>,
    grace: Duration,
    presume_dead: bool,
    settle: bool,
}

impl<'a> CollectOptions<'a> {
    /// Returns the defaults.
    pub fn new() -> CollectOptions<'a> {
        CollectOptions::default()
    }

    /// Reports what would go, and changes nothing.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// How many threads delete. 0, the default: one for each processor, four at most.
    #[must_use]
    pub fn threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// Finds out how much space the disk gets back: [`CollectReport::freed`].
    #[must_use]
    pub fn count_freed(mut self, count: bool) -> Self {
        self.count_freed = count;
        self
    }

    /// Called for each entry that was evicted, or in a dry run would be. It may not call larder.
    #[must_use]
    pub fn on_evict(mut self, on_evict: impl FnMut(&Eviction) + Send + 'a) -> Self {
        self.on_evict = Some(Box::new(on_evict));
        self
    }

    /// Called now and then, at times from another thread, but never from two at once. It may not
    /// call larder.
    #[must_use]
    pub fn on_progress(mut self, on_progress: impl FnMut(&CollectProgress) + Send + 'a) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Ends the collection early, without an error. The next one carries on.
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = Some(stop.clone());
        self
    }

    /// Keeps what was removed, replaced or refreshed less than this long ago, in whole seconds, so
    /// that it can still be restored.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Also cleans up after a process of which it can't be told whether it lives. If it lives, it
    /// loses the files that it uses.
    #[must_use]
    pub fn presume_dead(mut self, presume_dead: bool) -> Self {
        self.presume_dead = presume_dead;
        self
    }

    /// Settles the cache at the end, as [`Cache::settle`](crate::Cache::settle) does.
    #[must_use]
    pub fn settle(mut self, settle: bool) -> Self {
        self.settle = settle;
        self
    }
}

impl fmt::Debug for CollectOptions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("CollectOptions");
        debug.field("dry_run", &self.dry_run).field("grace", &self.grace).finish_non_exhaustive()
    }
}

/// A callback of one collection, and its panic.
struct Hook<'a, T> {
    function: Mutex<Callback<'a, T>>,
    panics: Panics,
}

impl<'a, T> Hook<'a, T> {
    fn new(function: Callback<'a, T>) -> Hook<'a, T> {
        Hook { function: Mutex::new(function), panics: Panics::default() }
    }

    fn run(&self, convert: impl FnOnce() -> T) {
        self.panics.guard((), || lock(&self.function)(&convert()));
    }
}

fn data_of<T>(hook: &Option<T>) -> *mut c_void {
    hook.as_ref().map_or(std::ptr::null_mut(), |hook| hook as *const T as *mut c_void)
}

unsafe extern "C" fn on_evict(eviction: *const sys::larder_eviction, data: *mut c_void) {
    let hook = unsafe { &*(data as *const Hook<'_, Eviction>) };
    hook.run(|| unsafe { Eviction::new(&*eviction) });
}

unsafe extern "C" fn on_progress(progress: *const sys::larder_collect_progress, data: *mut c_void) {
    let hook = unsafe { &*(data as *const Hook<'_, CollectProgress>) };
    hook.run(|| unsafe { CollectProgress::new(&*progress) });
}

/// Runs a collection with the options of C that `options` stand for.
fn run(
    options: CollectOptions<'_>,
    collect: impl FnOnce(
        *const sys::larder_collect_options,
        *mut *mut sys::larder_collect_report,
        *mut *mut sys::larder_error,
    ) -> sys::larder_code,
) -> Result<CollectReport> {
    let (evicted, progress) = (options.on_evict.map(Hook::new), options.on_progress.map(Hook::new));
    let mut raw = sized!(larder_collect_options);
    raw.dry_run = options.dry_run.into();
    raw.threads = options.threads;
    raw.count_freed = options.count_freed.into();
    raw.on_evict = evicted.as_ref().map(|_| on_evict as _);
    raw.on_evict_data = data_of(&evicted);
    raw.on_progress = progress.as_ref().map(|_| on_progress as _);
    raw.on_progress_data = data_of(&progress);
    raw.stop = raw_of(&options.stop);
    raw.grace_s = seconds(options.grace);
    raw.presume_dead = options.presume_dead.into();
    raw.settle = options.settle.into();
    let mut report = Owned::new(sys::larder_collect_report_free);
    let collected = call(|error| collect(&raw, report.slot(), error));
    if let Some(hook) = evicted {
        hook.panics.resume();
    }
    if let Some(hook) = progress {
        hook.panics.resume();
    }
    let report = report.map(|report| unsafe { CollectReport::new(report) });
    match (collected, report) {
        (Ok(()), report) => report,
        (Err(error), Ok(report)) => Err(error.with_report(report)),
        (Err(error), Err(_)) => Err(error),
    }
}

pub(crate) fn collect(
    cache: *const sys::larder_cache,
    limits: &Limits,
    options: CollectOptions<'_>,
) -> Result<CollectReport> {
    limits.lend(|limits| {
        run(options, |options, report, error| unsafe {
            sys::larder_cache_collect(cache, limits, options, report, error)
        })
    })?
}

pub(crate) fn evict(
    cache: *const sys::larder_cache,
    plan: &[Eviction],
    keep: &[&str],
    options: CollectOptions<'_>,
) -> Result<CollectReport> {
    let keep = Texts::new("a pattern", keep)?;
    let texts: Vec<[CString; 3]> = plan
        .iter()
        .map(|one| {
            Ok([
                c_text("the bucket", &one.bucket)?,
                c_text("the key", &one.key)?,
                c_text("the id", &one.id)?,
            ])
        })
        .collect::<Result<_>>()?;
    let evictions: Vec<sys::larder_eviction> = plan
        .iter()
        .zip(&texts)
        .map(|(one, [bucket, key, id])| {
            let mut raw = sized!(larder_eviction);
            raw.reason = one.reason.raw();
            raw.bytes = one.bytes;
            raw.last_used_ns = ns_of(one.last_used);
            raw.bucket = bucket.as_ptr();
            raw.key = key.as_ptr();
            raw.id = id.as_ptr();
            raw
        })
        .collect();
    let pointers: Vec<*const sys::larder_eviction> =
        evictions.iter().map(|eviction| eviction as *const _).collect();
    let mut raw = sized!(larder_eviction_plan);
    raw.evictions = pointers.as_ptr();
    raw.eviction_count = pointers.len();
    raw.keep = keep.as_ptr();
    raw.keep_count = keep.len();
    run(options, |options, report, error| unsafe {
        sys::larder_cache_evict(cache, &raw, options, report, error)
    })
}

type OnDone = Arc<dyn Fn(std::result::Result<&CollectReport, &Error>) + Send + Sync>;
type OnEviction = Arc<dyn Fn(&Eviction) + Send + Sync>;
type OnProgress = Arc<dyn Fn(&CollectProgress) + Send + Sync>;

/// When [`Cache::keep_within`](crate::Cache::keep_within) collects, for how long, and how.
#[derive(Clone, Default)]
pub struct BackgroundOptions {
    no_settle: bool,
    every: Option<Duration>,
    at_most: Duration,
    on_done: Option<OnDone>,
    threads: u32,
    count_freed: bool,
    on_evict: Option<OnEviction>,
    on_progress: Option<OnProgress>,
    stop: Option<Stop>,
    grace: Duration,
}

impl BackgroundOptions {
    /// Returns the defaults: at most once an hour, for 10 seconds.
    pub fn new() -> BackgroundOptions {
        BackgroundOptions::default()
    }

    /// Whether a collection also settles the cache, as [`Cache::settle`](crate::Cache::settle)
    /// does, if that was not done for ten minutes. `true` by default.
    #[must_use]
    pub fn settle(mut self, settle: bool) -> Self {
        self.no_settle = !settle;
        self
    }

    /// All processes of the cache together collect at most once in this time, in whole seconds. An
    /// hour by default; less than a second is as often as can be.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        self.every = Some(time);
        self
    }

    /// A collection stops after this time, whatever is left. 10 s by default, and for 0.
    #[must_use]
    pub fn at_most(mut self, time: Duration) -> Self {
        self.at_most = time;
        self
    }

    /// Called with the result of each collection, by the thread that collects, as are the functions
    /// below. A panic of theirs is printed, and goes nowhere.
    #[must_use]
    pub fn on_done(
        mut self,
        on_done: impl Fn(std::result::Result<&CollectReport, &Error>) + Send + Sync + 'static,
    ) -> Self {
        self.on_done = Some(Arc::new(on_done));
        self
    }

    /// As [`CollectOptions::threads`].
    #[must_use]
    pub fn threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// As [`CollectOptions::count_freed`].
    #[must_use]
    pub fn count_freed(mut self, count: bool) -> Self {
        self.count_freed = count;
        self
    }

    /// As [`CollectOptions::on_evict`].
    #[must_use]
    pub fn on_evict(mut self, on_evict: impl Fn(&Eviction) + Send + Sync + 'static) -> Self {
        self.on_evict = Some(Arc::new(on_evict));
        self
    }

    /// As [`CollectOptions::on_progress`].
    #[must_use]
    pub fn on_progress(
        mut self,
        on_progress: impl Fn(&CollectProgress) + Send + Sync + 'static,
    ) -> Self {
        self.on_progress = Some(Arc::new(on_progress));
        self
    }

    /// As [`CollectOptions::stop`].
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = Some(stop.clone());
        self
    }

    /// As [`CollectOptions::grace`].
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

impl fmt::Debug for BackgroundOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("BackgroundOptions");
        debug.field("every", &self.every).field("at_most", &self.at_most).finish_non_exhaustive()
    }
}

unsafe extern "C" fn on_done(
    report: *const sys::larder_collect_report,
    error: *const sys::larder_error,
    data: *mut c_void,
) {
    let on_done = unsafe { &*(data as *const OnDone) };
    guard_in_background(|| match unsafe { report.as_ref() } {
        Some(report) => on_done(Ok(&unsafe { CollectReport::new(report) })),
        None => on_done(Err(&unsafe { Error::copy(sys::LARDER_SYSTEM, error) })),
    });
}

unsafe extern "C" fn on_evict_kept(eviction: *const sys::larder_eviction, data: *mut c_void) {
    let function = unsafe { &*(data as *const OnEviction) };
    guard_in_background(|| function(&unsafe { Eviction::new(&*eviction) }));
}

unsafe extern "C" fn on_progress_kept(
    progress: *const sys::larder_collect_progress,
    data: *mut c_void,
) {
    let function = unsafe { &*(data as *const OnProgress) };
    guard_in_background(|| function(&unsafe { CollectProgress::new(&*progress) }));
}

/// `keep` must live until the cache and its last bucket are closed.
pub(crate) fn keep_within(
    cache: *const sys::larder_cache,
    limits: &Limits,
    options: &BackgroundOptions,
    keep: &Kept,
) -> Result<()> {
    let mut raw = sized!(larder_background_options);
    raw.no_settle = options.no_settle.into();
    raw.every_s = match options.every.map(seconds) {
        None => 0,
        Some(0) => -1,
        Some(every) => every,
    };
    raw.at_most_ms = wait_ms(Some(options.at_most)).max(0);
    raw.threads = options.threads;
    raw.count_freed = options.count_freed.into();
    raw.grace_s = seconds(options.grace);
    raw.stop = raw_of(&options.stop);
    if let Some(function) = &options.on_done {
        raw.on_done = Some(on_done);
        raw.on_done_data = keep.keep(function.clone());
    }
    if let Some(function) = &options.on_evict {
        raw.on_evict = Some(on_evict_kept);
        raw.on_evict_data = keep.keep(function.clone());
    }
    if let Some(function) = &options.on_progress {
        raw.on_progress = Some(on_progress_kept);
        raw.on_progress_data = keep.keep(function.clone());
    }
    limits.lend(|limits| {
        call(|error| unsafe { sys::larder_cache_keep_within(cache, limits, &raw, error) })
    })?
}
