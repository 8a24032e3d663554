// SPDX-License-Identifier: MIT
//! Buckets: get, build, publish, claim, retire, pin, list.

use crate::cache::CallOptions;
use crate::call::{
    c_text, call, cow_of, ns_of, seconds, text_of, texts_of, Keep, Kept, Owned, Panics,
};
use crate::entry::{Lease, Staging};
use crate::error::{BuildError, Code, Error, Result};
use crate::reports::{Durability, EntryInfo};
use larder_sys as sys;
use std::ffi::CString;
use std::ops::ControlFlow;
use std::os::raw::{c_char, c_int, c_void};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{fmt, io};

/// How an entry is published.
#[derive(Clone, Debug, Default)]
pub struct PublishOptions {
    durability: Durability,
    producer: Option<String>,
    #[cfg(feature = "sha256")]
    digests: bool,
    metadata: Vec<u8>,
    published: Option<SystemTime>,
    last_used: Option<SystemTime>,
}

impl PublishOptions {
    /// Returns the defaults: the entry survives the death of any process.
    pub fn new() -> PublishOptions {
        PublishOptions::default()
    }

    /// What the entry survives.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The name and version of the program that makes the entry. It is cut to 200 bytes.
    #[must_use]
    pub fn producer(mut self, producer: impl Into<String>) -> Self {
        self.producer = Some(producer.into());
        self
    }

    /// Makes SHA-256 digests of the files, so that
    /// [`Cache::verify_content`](crate::Cache::verify_content) finds each byte that changes later.
    #[cfg(feature = "sha256")]
    #[must_use]
    pub fn digests(mut self, digests: bool) -> Self {
        self.digests = digests;
        self
    }

    /// At most 1,024 bytes of your own for the record of the entry: a URL, an ETag, a digest.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Into<Vec<u8>>) -> Self {
        self.metadata = metadata.into();
        self
    }

    /// For an entry that comes from another cache: when it was published there.
    #[must_use]
    pub fn published(mut self, time: SystemTime) -> Self {
        self.published = Some(time);
        self
    }

    /// For an entry that comes from another cache: when it was last used there.
    #[must_use]
    pub fn last_used(mut self, time: SystemTime) -> Self {
        self.last_used = Some(time);
        self
    }

    /// Calls a function with the options of C, which are valid during that call.
    fn lend<R>(&self, use_raw: impl FnOnce(&sys::larder_publish_options) -> R) -> Result<R> {
        let producer = match &self.producer {
            Some(producer) => Some(c_text("the producer", producer)?),
            None => None,
        };
        let mut raw = sized!(larder_publish_options);
        raw.durability = self.durability.raw();
        raw.producer = producer.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        #[cfg(feature = "sha256")]
        if self.digests {
            raw.digest = unsafe { sys::larder_sha256() };
        }
        if !self.metadata.is_empty() {
            raw.metadata = self.metadata.as_ptr() as *const c_char;
            raw.metadata_size = self.metadata.len();
        }
        raw.published_ns = ns_of(self.published);
        raw.last_used_ns = ns_of(self.last_used);
        Ok(use_raw(&raw))
    }
}

/// Which keys of a bucket [`Bucket::refresh_some`] takes out: those that match every condition.
#[derive(Clone, Debug, Default)]
pub struct RefreshOptions {
    dry_run: bool,
    pattern: Option<String>,
    published_before: Option<SystemTime>,
    older_than: Duration,
    durability: Durability,
}

impl RefreshOptions {
    /// Returns options that match every key.
    pub fn new() -> RefreshOptions {
        RefreshOptions::default()
    }

    /// Takes nothing out, and reports what would be taken.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// A glob for the key, in which `*` matches a slash too.
    #[must_use]
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// Matches the entries that were published before this time.
    #[must_use]
    pub fn published_before(mut self, time: SystemTime) -> Self {
        self.published_before = Some(time);
        self
    }

    /// Matches the entries that were published longer ago than this, in whole seconds; 0 matches
    /// all.
    #[must_use]
    pub fn older_than(mut self, age: Duration) -> Self {
        self.older_than = age;
        self
    }

    /// What the refresh survives.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}

/// What [`Bucket::claim`] has found.
#[derive(Debug)]
pub enum Claim {
    /// The key names an entry.
    Lease(Lease),
    /// There is none, and the caller is the only builder of the entry. Fill the staging, and give
    /// it to [`Bucket::publish`] with the same key; or drop it, to let another caller build.
    Staging(Staging),
    /// Another builds the entry. The error says which process, and for how long. Claim again later,
    /// for example every 10 to 100 ms.
    Busy(Error),
}

/// One bucket of an open cache: a named set of keys whose entries are purged together.
///
/// All threads may use it at once. A clone is the same handle.
#[derive(Clone)]
pub struct Bucket(Arc<Handle>);

struct Handle {
    raw: NonNull<sys::larder_bucket>,
    keep: Keep,
}

// All threads may use a bucket at once.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { sys::larder_bucket_free(self.raw.as_ptr()) }
    }
}

impl Bucket {
    pub(crate) fn new(owned: Owned<sys::larder_bucket>, keep: Keep) -> Result<Bucket> {
        match owned.take() {
            Some(raw) => Ok(Bucket(Arc::new(Handle { raw, keep }))),
            None => Err(Error::invalid("larder", "returned no bucket")),
        }
    }

    fn raw(&self) -> *mut sys::larder_bucket {
        self.0.raw.as_ptr()
    }

    /// The name that [`Cache::bucket`](crate::Cache::bucket) was given.
    pub fn name(&self) -> String {
        unsafe { text_of(sys::larder_bucket_name(self.raw())) }
    }

    /// Returns a second handle of the same bucket, whose calls have these options: so one call can
    /// be ended, and no other. It costs no system call, so a program may make one for each call.
    pub fn with(&self, options: CallOptions) -> Result<Bucket> {
        let keep = Kept::below(&self.0.keep);
        let raw = options.keep_raw(&keep);
        let mut with = Owned::new(sys::larder_bucket_free);
        call(|error| unsafe { sys::larder_bucket_with(self.raw(), &raw, with.slot(), error) })?;
        Bucket::new(with, keep)
    }

    /// Returns a lease on the entry that `key` names now, or `None` if there is none. Never waits.
    pub fn get(&self, key: &str) -> Result<Option<Lease>> {
        let key = c_key(key)?;
        let mut lease = Owned::new(sys::larder_lease_free);
        let got = call(|error| unsafe {
            sys::larder_bucket_get(self.raw(), key.as_ptr(), lease.slot(), error)
        });
        match got {
            Ok(()) => Lease::new(lease, &self.0.keep).map(Some),
            Err(error) if error.code() == Code::Miss => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns a lease on the entry of `key`. If there is none, calls `build` in this thread to
    /// fill a directory, and publishes the result. Among all threads and processes, one builds,
    /// while the others wait and then get the result.
    ///
    /// `build` may call this function for other keys. If it panics, nothing is published, and the
    /// panic goes on in the caller.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let root = std::env::temp_dir().join(format!("larder-doc-build-{}", std::process::id()));
    /// # let cache = larder::Cache::open(&root)?;
    /// # let bucket = cache.bucket("files-v1")?;
    /// let lease = bucket.get_or_build("two-files", |staging| {
    ///     std::fs::write(staging.path().join("one"), "1")?; // an error of any type
    ///     std::fs::write(staging.path().join("two"), "2")?;
    ///     Ok(())
    /// })?;
    /// assert_eq!(std::fs::read_to_string(lease.join("two"))?, "2");
    /// # drop((lease, bucket, cache));
    /// # larder::destroy(&root)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If `build` returns an error of larder, that one. If it returns another one, `Build`, of
    /// which that one is the [`source`](std::error::Error::source). Then the next waiting process
    /// builds. `Invalid` if `build` requests its own key.
    ///
    /// # Concurrency
    /// Waits while another process builds, for at most
    /// [`OpenOptions::build_timeout`](crate::OpenOptions::build_timeout), and never for a dead
    /// process. After that it builds without the lock, so that work may be done twice.
    pub fn get_or_build<F>(&self, key: &str, build: F) -> Result<Lease>
    where
        F: FnOnce(&Staging) -> Result<(), BuildError>,
    {
        self.get_or_build_with(key, &PublishOptions::new(), build)
    }

    /// Does what [`get_or_build`](Bucket::get_or_build) does, and publishes with these options.
    ///
    /// # Errors
    /// As [`get_or_build`](Bucket::get_or_build).
    pub fn get_or_build_with<F>(
        &self,
        key: &str,
        options: &PublishOptions,
        build: F,
    ) -> Result<Lease>
    where
        F: FnOnce(&Staging) -> Result<(), BuildError>,
    {
        let key = c_key(key)?;
        let mut lease = Owned::new(sys::larder_lease_free);
        let mut job = Build {
            build: Some(build),
            failure: None,
            panics: Panics::default(),
            keep: &self.0.keep,
        };
        let data: *mut Build<'_, F> = &mut job;
        let built = options.lend(|raw| {
            call(|error| unsafe {
                sys::larder_bucket_get_or_build(
                    self.raw(),
                    key.as_ptr(),
                    Some(run_build::<F>),
                    data.cast(),
                    raw,
                    lease.slot(),
                    error,
                )
            })
        })?;
        let Build { failure, panics, .. } = job;
        panics.resume();
        match (built, failure) {
            (Ok(()), _) => Lease::new(lease, &self.0.keep),
            (Err(error), None) => Err(error),
            (Err(error), Some(failure)) => match failure.downcast::<Error>() {
                Ok(own) => Err(*own),
                Err(failure) => Err(error.caused_by(failure)),
            },
        }
    }

    /// Does what [`get_or_build`](Bucket::get_or_build) does, without a wait and without a
    /// callback, for programs that build many entries in one thread, such as those with an event
    /// loop.
    ///
    /// A program may have any number of claims. One that holds a claim and tries to get another key
    /// must not do so for ever: the builder of that key may be waiting for the claim.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let root = std::env::temp_dir().join(format!("larder-doc-claim-{}", std::process::id()));
    /// # let cache = larder::Cache::open(&root)?;
    /// # let bucket = cache.bucket("files-v1")?;
    /// use larder::Claim;
    /// let lease = match bucket.claim("a-file")? {
    ///     Claim::Lease(lease) => lease,
    ///     Claim::Staging(staging) => {
    ///         std::fs::write(staging.path().join("file"), "text")?;
    ///         bucket.publish("a-file", staging)?
    ///     }
    ///     Claim::Busy(error) => return Err(error.into()), // or do other work, and claim again
    /// };
    /// # drop((lease, bucket, cache));
    /// # larder::destroy(&root)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Invalid` if this thread runs a build of the same key; `NoSpace`.
    ///
    /// # Crash
    /// The key can be claimed again as soon as the process has ended.
    pub fn claim(&self, key: &str) -> Result<Claim> {
        let key = c_key(key)?;
        let mut lease = Owned::new(sys::larder_lease_free);
        let mut staging = Owned::new(sys::larder_staging_free);
        let claimed = call(|error| unsafe {
            let (lease, staging) = (lease.slot(), staging.slot());
            sys::larder_bucket_claim(self.raw(), key.as_ptr(), lease, staging, error)
        });
        match claimed {
            Ok(()) if lease.get().is_some() => Lease::new(lease, &self.0.keep).map(Claim::Lease),
            Ok(()) => Staging::new(staging, &self.0.keep).map(Claim::Staging),
            Err(error) if error.code() == Code::Busy => Ok(Claim::Busy(error)),
            Err(error) => Err(error),
        }
    }

    /// Returns an empty directory to fill, where the entry will stay. No process can get it before
    /// it is published.
    pub fn stage(&self) -> Result<Staging> {
        let mut staging = Owned::new(sys::larder_staging_free);
        call(|error| unsafe { sys::larder_bucket_stage(self.raw(), staging.slot(), error) })?;
        Staging::new(staging, &self.0.keep)
    }

    /// Makes the staged tree the entry of `key`. An entry that the key named before is replaced
    /// atomically. After an error nothing is published, and what was staged is deleted.
    ///
    /// # Errors
    /// `Busy` if another process holds the bucket's lock for longer than
    /// [`OpenOptions::lock_timeout`](crate::OpenOptions::lock_timeout); `NoSpace`.
    pub fn publish(&self, key: &str, staging: Staging) -> Result<Lease> {
        self.publish_with(key, staging, &PublishOptions::new())
    }

    /// Does what [`publish`](Bucket::publish) does, with options.
    ///
    /// # Errors
    /// As [`publish`](Bucket::publish).
    pub fn publish_with(
        &self,
        key: &str,
        staging: Staging,
        options: &PublishOptions,
    ) -> Result<Lease> {
        let key = c_key(key)?;
        let mut lease = Owned::new(sys::larder_lease_free);
        options.lend(|raw| {
            call(|error| unsafe {
                let staging = staging.into_raw();
                let key = key.as_ptr();
                sys::larder_bucket_publish(self.raw(), key, staging, raw, lease.slot(), error)
            })
        })??;
        Lease::new(lease, &self.0.keep)
    }

    /// Takes `key` out of the bucket. Returns `false` if it names no entry. The entry can be
    /// restored until it is collected, and leases on it stay valid.
    ///
    /// # Errors
    /// `Busy` as in [`publish`](Bucket::publish).
    pub fn remove(&self, key: &str, durability: Durability) -> Result<bool> {
        let key = c_key(key)?;
        found(call(|error| unsafe {
            sys::larder_bucket_remove(self.raw(), key.as_ptr(), durability.raw(), error)
        }))
    }

    /// Purges the bucket: takes all its keys out at once, by one rename, however many there are.
    /// Leases on their entries stay valid. [`Cache::collect`](crate::Cache::collect) deletes the
    /// entries later. Never waits. A bucket that does not exist is no error.
    pub fn refresh(&self, durability: Durability) -> Result<()> {
        call(|error| unsafe { sys::larder_bucket_refresh(self.raw(), durability.raw(), error) })
    }

    /// Takes the keys that match `options` out of the bucket, one after the other, and returns
    /// them.
    ///
    /// # Errors
    /// `Busy` as in [`remove`](Bucket::remove). Some keys may have been taken out by then.
    pub fn refresh_some(&self, options: &RefreshOptions) -> Result<Vec<String>> {
        let pattern = match &options.pattern {
            Some(pattern) => Some(c_text("the pattern", pattern)?),
            None => None,
        };
        let mut taken: Vec<String> = Vec::new();
        let mut raw = sized!(larder_refresh_options);
        raw.dry_run = options.dry_run.into();
        raw.published_before_ns = ns_of(options.published_before);
        raw.older_than_s = seconds(options.older_than);
        raw.pattern = pattern.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        raw.durability = options.durability.raw();
        raw.on_taken = Some(note_key);
        raw.on_taken_data = &mut taken as *mut Vec<String> as *mut c_void;
        let count = std::ptr::null_mut();
        call(|error| unsafe { sys::larder_bucket_refresh_some(self.raw(), &raw, count, error) })?;
        Ok(taken)
    }

    /// Pins `key`: no limit evicts its entry, neither the present one nor a later one. The key need
    /// not name an entry, and may be pinned already.
    ///
    /// # Errors
    /// `Busy` as in [`publish`](Bucket::publish).
    pub fn pin(&self, key: &str, durability: Durability) -> Result<()> {
        let key = c_key(key)?;
        call(|error| unsafe {
            sys::larder_bucket_pin(self.raw(), key.as_ptr(), durability.raw(), error)
        })
    }

    /// Ends the pin of `key`. Returns `false` if it is not pinned.
    pub fn unpin(&self, key: &str, durability: Durability) -> Result<bool> {
        let key = c_key(key)?;
        found(call(|error| unsafe {
            sys::larder_bucket_unpin(self.raw(), key.as_ptr(), durability.raw(), error)
        }))
    }

    /// Returns whether the key is pinned. It need not name an entry.
    pub fn is_pinned(&self, key: &str) -> Result<bool> {
        let key = c_key(key)?;
        let mut pinned = 0;
        call(|error| unsafe {
            sys::larder_bucket_is_pinned(self.raw(), key.as_ptr(), &mut pinned, error)
        })?;
        Ok(pinned != 0)
    }

    /// Lists the keys of the bucket that name an entry, in no order. A key that contains a zero
    /// byte, which only C++ can name, is left out.
    pub fn keys(&self) -> Result<Vec<String>> {
        let mut names = Owned::new(sys::larder_names_free);
        call(|error| unsafe { sys::larder_bucket_keys(self.raw(), names.slot(), error) })?;
        names.map(|names| unsafe { texts_of(names.names, names.count) })
    }

    /// Calls `visit` for each key that [`keys`](Bucket::keys) would list, and keeps no list in
    /// memory. `visit` may call larder.
    pub fn visit_keys(&self, mut visit: impl FnMut(&str) -> ControlFlow<()>) -> Result<()> {
        let panics = Panics::default();
        let mut visitor = Visitor { visit: &mut visit, panics: &panics };
        let data = &mut visitor as *mut Visitor<'_> as *mut c_void;
        let visited = call(|error| unsafe {
            sys::larder_bucket_visit_keys(self.raw(), Some(visit_key), data, error)
        });
        panics.resume();
        visited
    }

    /// Returns what is known of the entry of `key`, or `None` if there is none.
    ///
    /// # Errors
    /// `Damaged` if its record cannot be read.
    pub fn info(&self, key: &str) -> Result<Option<EntryInfo>> {
        let key = c_key(key)?;
        let mut info = Owned::new(sys::larder_entry_info_free);
        let known = found(call(|error| unsafe {
            sys::larder_bucket_info(self.raw(), key.as_ptr(), info.slot(), error)
        }))?;
        if !known {
            return Ok(None);
        }
        info.map(|info| unsafe { EntryInfo::new(info) }).map(Some)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Bucket").field(&self.name()).finish()
    }
}

fn c_key(key: &str) -> Result<CString> {
    c_text("the key", key)
}

/// Turns a miss into `false`.
fn found(result: Result<()>) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Code::Miss => Ok(false),
        Err(error) => Err(error),
    }
}

/// A build in Rust that larder may call, once.
struct Build<'a, F> {
    build: Option<F>,
    failure: Option<BuildError>,
    panics: Panics,
    keep: &'a Keep,
}

unsafe extern "C" fn run_build<F>(
    staging: *mut sys::larder_staging,
    data: *mut c_void,
    error: *mut *mut sys::larder_error,
) -> c_int
where
    F: FnOnce(&Staging) -> Result<(), BuildError>,
{
    let job = unsafe { &mut *(data as *mut Build<'_, F>) };
    let (build, failure, keep) = (&mut job.build, &mut job.failure, job.keep);
    job.panics.guard(sys::LARDER_BUILD as c_int, || {
        let build = match build.take() {
            Some(build) => build,
            None => return sys::LARDER_BUILD as c_int,
        };
        let lent = unsafe { Staging::lent(staging, keep) };
        match build(&lent) {
            Ok(()) => sys::LARDER_OK as c_int,
            Err(met) => {
                let code = code_of(&met);
                unsafe { *error = error_for(code, &met) };
                *failure = Some(met);
                code
            }
        }
    })
}

/// The code that a failed build returns to larder.
fn code_of(failure: &BuildError) -> c_int {
    failure.downcast_ref::<Error>().map_or(sys::LARDER_BUILD as c_int, |own| own.code().raw())
}

/// Makes the error that a failed build gives to larder, which shows it to others who wait.
fn error_for(code: c_int, failure: &BuildError) -> *mut sys::larder_error {
    let number = failure.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    let text = failure.to_string().replace('\0', "");
    let text = CString::new(text).unwrap_or_default();
    unsafe { sys::larder_error_new(code, number.unwrap_or(0), std::ptr::null(), text.as_ptr()) }
}

struct Visitor<'a> {
    visit: &'a mut dyn FnMut(&str) -> ControlFlow<()>,
    panics: &'a Panics,
}

unsafe extern "C" fn visit_key(key: *const c_char, data: *mut c_void) -> c_int {
    let visitor = unsafe { &mut *(data as *mut Visitor<'_>) };
    let (visit, panics) = (&mut visitor.visit, visitor.panics);
    panics.guard(0, || visit(&unsafe { cow_of(key) }).is_continue().into())
}

unsafe extern "C" fn note_key(key: *const c_char, data: *mut c_void) {
    let keys = unsafe { &mut *(data as *mut Vec<String>) };
    keys.push(unsafe { text_of(key) });
}
