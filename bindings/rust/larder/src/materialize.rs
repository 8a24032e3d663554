// SPDX-License-Identifier: MIT
use crate::call::{c_path, call, Owned};
use crate::error::Result;
use crate::reports::{LinkMode, MaterializeReport};
use crate::stop::{raw_of, Stop};
use larder_sys as sys;
use std::path::Path;

/// How a tree is installed.
#[derive(Clone, Debug, Default)]
pub struct MaterializeOptions {
    mode: LinkMode,
    replace: bool,
    threads: u32,
    stop: Option<Stop>,
}

impl MaterializeOptions {
    /// Returns the defaults: the cheapest way that works, and nothing is replaced.
    pub fn new() -> MaterializeOptions {
        MaterializeOptions::default()
    }

    /// How the files reach their destination.
    #[must_use]
    pub fn mode(mut self, mode: LinkMode) -> Self {
        self.mode = mode;
        self
    }

    /// Replaces files and symlinks that stand in the way, instead of failing. Directories are never
    /// replaced.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// How many threads work. 0, the default, lets larder choose.
    #[must_use]
    pub fn threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// Ends the call before the next file, with [`Code::Interrupted`](crate::Code::Interrupted).
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = Some(stop.clone());
        self
    }
}

/// Makes `destination` hold everything that `tree` holds: by clones, hard links or copies. Pass a
/// reference to a [`Lease`](crate::Lease) as `tree`, so that the tree stays during the call.
///
/// A destination that is missing is made by one rename, so it is whole or missing. One that exists
/// is filled, and a file gets its name when it is complete. Below it no symlink is followed. A file
/// of an entry that was modified after the publish is put nowhere.
///
/// # Errors
/// `Exists` if something stands in the way; `Damaged` if the entry has changed; `Unsupported` if
/// the mode does not work here; `Invalid` if `destination` lies inside a cache or contains the one
/// of `tree`; `Interrupted`; `NoSpace`.
pub fn materialize(
    tree: impl AsRef<Path>,
    destination: impl AsRef<Path>,
) -> Result<MaterializeReport> {
    materialize_with(tree, destination, &MaterializeOptions::new())
}

/// Does what [`materialize`] does, with options.
///
/// ```
/// # fn main() -> Result<(), larder::Error> {
/// # let top = std::env::temp_dir().join(format!("larder-doc-mat-{}", std::process::id()));
/// # std::fs::create_dir_all(top.join("tree")).unwrap();
/// # std::fs::write(top.join("tree/file"), "text").unwrap();
/// use larder::{LinkMode, MaterializeOptions};
/// let options = MaterializeOptions::new().mode(LinkMode::Copy).replace(true);
/// let report = larder::materialize_with(top.join("tree"), top.join("copy"), &options)?;
/// assert_eq!((report.copied, report.bytes), (1, 4));
/// # std::fs::remove_dir_all(top).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`materialize`].
pub fn materialize_with(
    tree: impl AsRef<Path>,
    destination: impl AsRef<Path>,
    options: &MaterializeOptions,
) -> Result<MaterializeReport> {
    let (source, target) = (c_path(tree.as_ref())?, c_path(destination.as_ref())?);
    let mut raw = sized!(larder_materialize_options);
    raw.mode = options.mode.raw();
    raw.replace = options.replace.into();
    raw.threads = options.threads;
    raw.stop = raw_of(&options.stop);
    let digests = crate::digests();
    raw.digest_count = digests.len();
    raw.digests = digests.as_ptr();
    let mut report = Owned::new(sys::larder_materialize_report_free);
    call(|error| unsafe {
        let slot = report.slot();
        sys::larder_materialize(source.as_ptr(), target.as_ptr(), &raw, slot, error)
    })?;
    report.map(|report| unsafe { MaterializeReport::new(report) })
}
