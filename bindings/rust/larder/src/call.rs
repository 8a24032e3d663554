// SPDX-License-Identifier: MIT
//! How Rust calls larder, and how larder calls Rust.
//!
//! A panic must not pass through C++. Each function that larder calls catches it. It is carried to
//! the end of the call of larder, and goes on from there. It travels in one of two ways:
//!
//! - A callback that belongs to one call has a [`Panics`] beside it.
//! - A callback that belongs to a cache notes it for its thread, and [`call`] looks there. What
//!   panics in a thread of larder's own has no caller. The panic hook has printed it, and it ends.

use crate::error::{Error, Result};
use larder_sys as sys;
use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type Payload = Box<dyn Any + Send>;

thread_local! {
    static NOTED: RefCell<Option<Payload>> = const { RefCell::new(None) };
}

/// Calls a function of larder that can fail. If a callback has panicked meanwhile in this thread,
/// goes on with that panic. The results are in an [`Owned`] by then, so none leaks.
pub(crate) fn call(
    function: impl FnOnce(*mut *mut sys::larder_error) -> sys::larder_code,
) -> Result<()> {
    let mut error = std::ptr::null_mut();
    let code = function(&mut error);
    let result =
        if code == sys::LARDER_OK { Ok(()) } else { Err(unsafe { Error::take(code, error) }) };
    let noted = NOTED.try_with(|noted| noted.borrow_mut().take());
    if let Some(payload) = noted.unwrap_or(None) {
        resume_unwind(payload);
    }
    result
}

/// Runs a callback that belongs to a cache. Returns `otherwise` if it panics, or if another one has
/// panicked before during this call.
pub(crate) fn guard<R>(otherwise: R, callback: impl FnOnce() -> R) -> R {
    let has_panicked = |slot: &RefCell<Option<Payload>>| slot.borrow().is_some();
    if NOTED.try_with(has_panicked).unwrap_or(true) {
        return otherwise;
    }
    catch_unwind(AssertUnwindSafe(callback)).unwrap_or_else(|payload| {
        let mut payload = Some(payload);
        let _ = NOTED.try_with(|noted| *noted.borrow_mut() = payload.take());
        otherwise
    })
}

/// Runs a callback in a thread of larder's own. Its panic ends here.
pub(crate) fn guard_in_background(callback: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(callback)) {
        std::mem::forget(payload); // because its own drop may panic
    }
}

/// The first panic of the callbacks that belong to one call, in any thread.
#[derive(Default)]
pub(crate) struct Panics(Mutex<Option<Payload>>);

impl Panics {
    /// Runs a callback. Returns `otherwise` if it panics, or if one has panicked before.
    pub(crate) fn guard<R>(&self, otherwise: R, callback: impl FnOnce() -> R) -> R {
        let has_noted = NOTED.try_with(|noted| noted.borrow().is_some()).unwrap_or(true);
        if has_noted || lock(&self.0).is_some() {
            return otherwise;
        }
        catch_unwind(AssertUnwindSafe(callback)).unwrap_or_else(|payload| {
            *lock(&self.0) = Some(payload);
            otherwise
        })
    }

    /// Goes on with the panic, if there was one.
    pub(crate) fn resume(self) {
        if let Some(payload) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(payload);
        }
    }
}

/// Locks a mutex whose value is sound even if a thread has panicked with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the callbacks of an open cache use. It lives as long as each handle that may call them.
#[derive(Default)]
pub(crate) struct Kept {
    parent: Option<Keep>,
    items: Mutex<Vec<Box<dyn Any + Send + Sync>>>,
}

pub(crate) type Keep = Arc<Kept>;

impl Kept {
    /// Returns a place for the callbacks of a handle that larder has made from another one.
    pub(crate) fn below(parent: &Keep) -> Keep {
        Arc::new(Kept { parent: Some(parent.clone()), items: Mutex::default() })
    }

    /// The place that lives as long as the cache and all its buckets.
    pub(crate) fn root(&self) -> &Kept {
        self.parent.as_ref().map_or(self, |parent| parent.root())
    }

    /// Keeps an item, and returns a pointer to it that stays valid.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, item: T) -> *mut std::os::raw::c_void {
        let item = Box::new(item);
        let pointer: *const T = &*item;
        lock(&self.items).push(item);
        pointer as *mut _
    }
}

/// A result of larder, which is freed unless it is taken.
pub(crate) struct Owned<T> {
    pointer: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    pub(crate) fn new(free: unsafe extern "C" fn(*mut T)) -> Owned<T> {
        Owned { pointer: std::ptr::null_mut(), free }
    }

    /// The place to which a function of larder writes its result. It is called once.
    pub(crate) fn slot(&mut self) -> *mut *mut T {
        &mut self.pointer
    }

    pub(crate) fn get(&self) -> Option<&T> {
        unsafe { self.pointer.as_ref() }
    }

    pub(crate) fn as_ptr(&self) -> *mut T {
        self.pointer
    }

    /// Returns the result, which the caller frees.
    pub(crate) fn take(mut self) -> Option<std::ptr::NonNull<T>> {
        std::ptr::NonNull::new(std::mem::replace(&mut self.pointer, std::ptr::null_mut()))
    }

    /// Converts the result. It is null only if larder breaks its word.
    pub(crate) fn map<R>(&self, convert: impl FnOnce(&T) -> R) -> Result<R> {
        self.get().map(convert).ok_or_else(|| Error::invalid("larder", "returned nothing"))
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        unsafe { (self.free)(self.pointer) }
    }
}

/// Makes an option struct of C: all its fields are zero, and its size is set.
macro_rules! sized {
    ($name:ident) => {{
        // All of them are numbers and pointers, for which zero is a value.
        let mut options: larder_sys::$name = unsafe { std::mem::zeroed() };
        options.size = std::mem::size_of::<larder_sys::$name>() as u32;
        options
    }};
}

/// Declares an enum for one of C. `open` adds `Unknown`, for values that later versions add.
/// `closed` is for values that go into larder: one that is not known reads as the first.
macro_rules! c_enum {
    ($(#[$about:meta])* pub enum $name:ident: open {
        $($(#[$doc:meta])* $variant:ident = $constant:ident,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A value that a later version of the library has added.
            Unknown(i32),
        }

        impl $name {
            #[allow(dead_code)]
            pub(crate) fn from_raw(raw: i32) -> $name {
                $(if raw == larder_sys::$constant as i32 {
                    return $name::$variant;
                })*
                $name::Unknown(raw)
            }

            #[allow(dead_code)]
            pub(crate) fn raw(self) -> i32 {
                match self {
                    $($name::$variant => larder_sys::$constant as i32,)*
                    $name::Unknown(raw) => raw,
                }
            }
        }
    };
    ($(#[$about:meta])* pub enum $name:ident: closed {
        $(#[$first_doc:meta])* $first:ident = $first_constant:ident,
        $($(#[$doc:meta])* $variant:ident = $constant:ident,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[$first_doc])* #[default] $first,
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            #[allow(dead_code)]
            pub(crate) fn from_raw(raw: i32) -> $name {
                $(if raw == larder_sys::$constant as i32 {
                    return $name::$variant;
                })*
                $name::$first
            }

            #[allow(dead_code)]
            pub(crate) fn raw(self) -> i32 {
                match self {
                    $name::$first => larder_sys::$first_constant as i32,
                    $($name::$variant => larder_sys::$constant as i32,)*
                }
            }
        }
    };
}

/// Returns a key, a name or a pattern as C wants it.
pub(crate) fn c_text(what: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| zero_byte(what))
}

/// Returns a path as C wants it: its bytes; on Windows in UTF-8.
pub(crate) fn c_path(path: &Path) -> Result<CString> {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
    #[cfg(not(unix))]
    let bytes = match path.to_str() {
        Some(text) => text.as_bytes(),
        None => return Err(Error::invalid("the path", "is no valid Unicode")),
    };
    CString::new(bytes).map_err(|_| zero_byte("the path"))
}

fn zero_byte(what: &str) -> Error {
    Error::invalid(what, "contains a zero byte, which the C interface of larder cannot name")
}

/// Strings of C, and the array of pointers to them that C wants.
pub(crate) struct Texts {
    pointers: Vec<*const c_char>,
    _texts: Vec<CString>,
}

impl Texts {
    pub(crate) fn new<T: AsRef<str>>(what: &str, texts: &[T]) -> Result<Texts> {
        let texts: Vec<CString> =
            texts.iter().map(|text| c_text(what, text.as_ref())).collect::<Result<_>>()?;
        Ok(Texts { pointers: texts.iter().map(|text| text.as_ptr()).collect(), _texts: texts })
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }

    pub(crate) fn len(&self) -> usize {
        self.pointers.len()
    }
}

/// Returns a text of C during its life. Bytes that are not UTF-8 are replaced.
///
/// # Safety
/// `text` is null, or a text that lives as long as the result.
pub(crate) unsafe fn cow_of<'a>(text: *const c_char) -> Cow<'a, str> {
    if text.is_null() {
        return Cow::Borrowed("");
    }
    unsafe { CStr::from_ptr(text) }.to_string_lossy()
}

/// Copies a text of C.
///
/// # Safety
/// `text` is null or a text.
pub(crate) unsafe fn text_of(text: *const c_char) -> String {
    unsafe { cow_of(text) }.into_owned()
}

/// Copies a path of C.
///
/// # Safety
/// `path` is null or a text.
pub(crate) unsafe fn path_of(path: *const c_char) -> PathBuf {
    if path.is_null() {
        return PathBuf::new();
    }
    let bytes = unsafe { CStr::from_ptr(path) };
    #[cfg(unix)]
    return <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes.to_bytes()).into();
    #[cfg(not(unix))]
    return bytes.to_string_lossy().into_owned().into();
}

/// Copies an array of C.
///
/// # Safety
/// `items` points to `count` pointers to values, or `count` is 0.
pub(crate) unsafe fn list_of<T, R>(
    items: *const *const T,
    count: usize,
    copy: impl Fn(&T) -> R,
) -> Vec<R> {
    if items.is_null() {
        return Vec::new();
    }
    let items = unsafe { std::slice::from_raw_parts(items, count) };
    items.iter().filter_map(|item| unsafe { item.as_ref() }).map(copy).collect()
}

/// Copies an array of texts of C.
///
/// # Safety
/// `texts` points to `count` texts, or `count` is 0.
pub(crate) unsafe fn texts_of(texts: *const *const c_char, count: usize) -> Vec<String> {
    if texts.is_null() {
        return Vec::new();
    }
    let texts = unsafe { std::slice::from_raw_parts(texts, count) };
    texts.iter().map(|text| unsafe { text_of(*text) }).collect()
}

/// Copies bytes of C.
///
/// # Safety
/// `bytes` points to `size` bytes, or `size` is 0.
pub(crate) unsafe fn bytes_of(bytes: *const c_char, size: usize) -> Vec<u8> {
    if bytes.is_null() {
        return Vec::new();
    }
    unsafe { std::slice::from_raw_parts(bytes as *const u8, size) }.to_vec()
}

/// Returns a time of C; `None` for 0, which means none.
pub(crate) fn time_of(ns: i64) -> Option<SystemTime> {
    let since = Duration::from_nanos(ns.unsigned_abs());
    match ns {
        0 => None,
        1.. => UNIX_EPOCH.checked_add(since),
        _ => UNIX_EPOCH.checked_sub(since),
    }
}

/// Returns a time as C wants it. One that C cannot hold becomes the nearest.
pub(crate) fn ns_of(time: Option<SystemTime>) -> i64 {
    let saturated = |since: Duration| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    match time.map(|time| time.duration_since(UNIX_EPOCH)) {
        None => 0,
        Some(Ok(since)) => saturated(since),
        Some(Err(before)) => -saturated(before.duration()),
    }
}

/// Returns a length of time of C, which is in nanoseconds.
pub(crate) fn duration_of(ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}

/// Returns a time to wait as C wants it. None is the default, and a time of less than a millisecond
/// means: do not wait.
pub(crate) fn wait_ms(time: Option<Duration>) -> i64 {
    match time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)) {
        None => 0,
        Some(0) => -1,
        Some(ms) => ms,
    }
}

/// Returns whole seconds as C wants them.
pub(crate) fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
