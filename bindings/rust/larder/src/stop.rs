// SPDX-License-Identifier: MIT
use larder_sys as sys;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// A request to stop, with which one thread ends calls of other threads early.
///
/// Any number of calls may be given the same stop. Its clones are the same stop. Once made, the
/// request stays in force for later calls too. The calls that it ends return
/// [`Code::Interrupted`](crate::Code::Interrupted).
///
/// ```
/// # fn main() -> Result<(), larder::Error> {
/// # let root = std::env::temp_dir().join(format!("larder-doc-stop-{}", std::process::id()));
/// let stop = larder::Stop::new();
/// let cache = larder::Cache::open(&root)?;
/// let bucket = cache.bucket("b")?.with(larder::CallOptions::new().stop(&stop))?;
/// stop.request(); // from any thread
/// let error = bucket.stage()?.copy_from("/usr/share/doc").unwrap_err();
/// assert_eq!(error.code(), larder::Code::Interrupted);
/// # drop((bucket, cache));
/// # larder::destroy(&root)
/// # }
/// ```
#[derive(Clone)]
pub struct Stop(Arc<Handle>);

struct Handle(NonNull<sys::larder_stop>);

// All threads may use a stop at once.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Stop {
    /// Makes a stop that is not requested yet.
    pub fn new() -> Stop {
        match NonNull::new(unsafe { sys::larder_stop_new() }) {
            Some(handle) => Stop(Arc::new(Handle(handle))),
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<usize>()),
        }
    }

    /// Requests the stop: the calls that were given it end soon.
    pub fn request(&self) {
        unsafe { sys::larder_stop_request(self.raw()) }
    }

    pub(crate) fn raw(&self) -> *mut sys::larder_stop {
        self.0 .0.as_ptr()
    }
}

/// The handle for an option of C: null if there is no stop.
pub(crate) fn raw_of(stop: &Option<Stop>) -> *mut sys::larder_stop {
    stop.as_ref().map_or(std::ptr::null_mut(), Stop::raw)
}

impl Default for Stop {
    fn default() -> Stop {
        Stop::new()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stop").finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { sys::larder_stop_free(self.0.as_ptr()) }
    }
}
