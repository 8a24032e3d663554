// SPDX-License-Identifier: MIT
//! Leases on entries, and the directories in which entries are made.

use crate::call::{bytes_of, c_path, call, lock, path_of, text_of, Keep, Owned};
use crate::error::{Error, Result};
use crate::reports::LinkMode;
use larder_sys as sys;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Mutex;

/// The promise that the files of one entry stay where they are. It ends when it is dropped, or when
/// the process ends, in whatever way.
///
/// It dereferences to the [`Path`] of the entry's tree. Write nothing below it.
pub struct Lease {
    // One thread at a time may use the handle. The path and the id are copies.
    handle: Mutex<NonNull<sys::larder_lease>>,
    path: PathBuf,
    id: String,
    protected: bool,
    _keep: Keep,
}

// The handle may be used by any thread, and the mutex lets one at a time.
unsafe impl Send for Lease {}
unsafe impl Sync for Lease {}

impl Lease {
    pub(crate) fn new(owned: Owned<sys::larder_lease>, keep: &Keep) -> Result<Lease> {
        let raw = owned.as_ptr();
        let (path, id, protected) = unsafe {
            (
                path_of(sys::larder_lease_path(raw)),
                text_of(sys::larder_lease_id(raw)),
                sys::larder_lease_is_protected(raw) != 0,
            )
        };
        match owned.take() {
            Some(handle) => {
                let handle = Mutex::new(handle);
                Ok(Lease { handle, path, id, protected, _keep: keep.clone() })
            }
            None => Err(Error::invalid("larder", "returned no lease")),
        }
    }

    /// The absolute path of the entry's tree. Write nothing below it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The entry's id, which no other entry ever has.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns `true` if the entry stays as long as the lease lives. `false` is for a cache that
    /// was opened read-only: a process that can write may delete the files.
    pub fn is_protected(&self) -> bool {
        self.protected
    }

    /// Reads what the publisher of the entry gave as
    /// [`PublishOptions::metadata`](crate::PublishOptions::metadata); empty if it gave none.
    ///
    /// # Errors
    /// `Damaged` if the record of the entry cannot be read.
    pub fn metadata(&self) -> Result<Vec<u8>> {
        let handle = lock(&self.handle);
        let (mut text, mut size) = (std::ptr::null(), 0);
        call(|error| unsafe {
            sys::larder_lease_metadata(handle.as_ptr(), &mut text, &mut size, error)
        })?;
        Ok(unsafe { bytes_of(text, size) })
    }

    /// Makes the lease outlive its handle and a following `execve` of this process: the entry then
    /// stays until the program that the process becomes has ended. Keep the cache until the
    /// `execve`.
    ///
    /// # Errors
    /// `Invalid` if the lease is not protected, or belongs to the parent of a forked child.
    pub fn keep_across_exec(&self) -> Result<()> {
        let handle = lock(&self.handle);
        call(|error| unsafe { sys::larder_lease_keep_across_exec(handle.as_ptr(), error) })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        unsafe { sys::larder_lease_free(lock(&self.handle).as_ptr()) }
    }
}

impl Deref for Lease {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for Lease {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Lease");
        debug.field("path", &self.path).field("id", &self.id);
        debug.field("protected", &self.protected).finish()
    }
}

/// A private directory in which an entry is made. [`Bucket::publish`](crate::Bucket::publish) makes
/// it an entry. What is not published is deleted when it is dropped.
///
/// Several threads may fill it at once, below its [`path`](Staging::path). Its own functions run
/// one after the other.
pub struct Staging {
    // One thread at a time may use the handle. None: it was published.
    handle: Mutex<Option<NonNull<sys::larder_staging>>>,
    path: PathBuf,
    lent: bool,
    _keep: Keep,
}

// The handle may be used by any thread, and the mutex lets one at a time.
unsafe impl Send for Staging {}
unsafe impl Sync for Staging {}

impl Staging {
    pub(crate) fn new(owned: Owned<sys::larder_staging>, keep: &Keep) -> Result<Staging> {
        let path = unsafe { path_of(sys::larder_staging_path(owned.as_ptr())) };
        let handle = owned.take();
        if handle.is_none() {
            return Err(Error::invalid("larder", "returned no staging"));
        }
        Ok(Staging { handle: Mutex::new(handle), path, lent: false, _keep: keep.clone() })
    }

    /// A staging that larder lends to a build. The build gets a reference only, so that it can
    /// neither publish nor keep it.
    ///
    /// # Safety
    /// `handle` is valid as long as the result.
    pub(crate) unsafe fn lent(handle: *mut sys::larder_staging, keep: &Keep) -> Staging {
        let path = unsafe { path_of(sys::larder_staging_path(handle)) };
        let handle = Mutex::new(NonNull::new(handle));
        Staging { handle, path, lent: true, _keep: keep.clone() }
    }

    /// Calls a function of larder with the handle, while no other thread uses it.
    fn with<R>(&self, function: impl FnOnce(*mut sys::larder_staging) -> R) -> R {
        let handle = lock(&self.handle);
        function(handle.map_or(std::ptr::null_mut(), NonNull::as_ptr))
    }

    /// Gives the handle to larder_bucket_publish, which frees it.
    pub(crate) fn into_raw(self) -> *mut sys::larder_staging {
        lock(&self.handle).take().map_or(std::ptr::null_mut(), NonNull::as_ptr)
    }

    /// The absolute path of the directory. What is put below it becomes the entry's tree. Nothing
    /// may still write there after the publish.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills the directory with a copy of a directory, or of a file that becomes the only one in
    /// the tree. Kept are modes, modification times, holes, the attributes that users set, and hard
    /// links within the tree.
    ///
    /// # Errors
    /// `Invalid` if `source` lies inside the cache or contains it, or holds a pipe, a socket or a
    /// device; `NoSpace`; `Interrupted` before the next file if the stop of the call was requested.
    pub fn copy_from(&self, source: impl AsRef<Path>) -> Result<()> {
        let source = c_path(source.as_ref())?;
        self.with(|raw| {
            call(|error| unsafe { sys::larder_staging_copy_from(raw, source.as_ptr(), error) })
        })
    }

    /// Does the same, and brings the files in the way that `mode` names. With hard links the entry
    /// shares its files with `source`: a program that writes to such a file changes the entry.
    ///
    /// # Errors
    /// As [`copy_from`](Staging::copy_from); `Unsupported` if `mode` does not work between the two
    /// places.
    pub fn link_from(&self, source: impl AsRef<Path>, mode: LinkMode) -> Result<()> {
        let source = c_path(source.as_ref())?;
        self.with(|raw| {
            call(|error| unsafe {
                sys::larder_staging_link_from(raw, source.as_ptr(), mode.raw(), error)
            })
        })
    }

    /// Renames the directory `source` to the staged directory, which must still be empty. If the
    /// tree is not published, it is moved back.
    ///
    /// # Errors
    /// As [`copy_from`](Staging::copy_from); `Invalid` if `source` lies in any cache; `Unsupported`
    /// if it is on another file system. In these cases `source` is untouched.
    pub fn move_from(&self, source: impl AsRef<Path>) -> Result<()> {
        let source = c_path(source.as_ref())?;
        self.with(|raw| {
            call(|error| unsafe { sys::larder_staging_move_from(raw, source.as_ptr(), error) })
        })
    }

    /// Returns the value of the environment variable `LARDER_INSIDE` for the programs that this
    /// build runs. If such a program builds by larder too, and builds then wait for each other in a
    /// circle, its call ends with an error. Without the variable they would wait until the time to
    /// wait has passed.
    ///
    /// Call it in the thread of the build. The text is empty if memory has run out.
    pub fn inside(&self) -> String {
        self.with(|raw| unsafe { text_of(sys::larder_staging_inside(raw)) })
    }

    /// Hands in the digest of a complete file, so that the publish does not read the file again.
    /// `path` is relative to [`path`](Staging::path), `size` is how many bytes the file has, and
    /// `digest` is what the publish would compute (see
    /// `PublishOptions::digests`, of the feature `sha256`).
    ///
    /// # Errors
    /// `Invalid` if `path` is absolute, leads out of the tree, or is not in its shortest form, and
    /// if `digest` has no bytes or more than 64.
    pub fn note(&self, path: impl AsRef<Path>, size: u64, digest: &[u8]) -> Result<()> {
        let path = c_path(path.as_ref())?;
        let (bytes, count) = (digest.as_ptr().cast(), digest.len());
        self.with(|raw| {
            call(|error| unsafe {
                sys::larder_staging_note(raw, path.as_ptr(), size, bytes, count, error)
            })
        })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.lent {
            self.with(|raw| unsafe { sys::larder_staging_free(raw) })
        }
    }
}

impl AsRef<Path> for Staging {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for Staging {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Staging").field("path", &self.path).finish_non_exhaustive()
    }
}
