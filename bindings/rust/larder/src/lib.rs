// SPDX-License-Identifier: MIT
//! larder lets many processes share one cache of *directories*, safely and fast.
//!
//! A process that uses a directory holds a [`Lease`] on it. A purge takes effect at once, never
//! waits, and never takes a file from a process that uses it.
//!
//! ```
//! # fn main() -> Result<(), larder::Error> {
//! # let top = std::env::temp_dir().join(format!("larder-doc-lib-{}", std::process::id()));
//! # let (root, site_packages) = (top.join("cache"), top.join("site-packages"));
//! let cache = larder::Cache::open(&root)?; // creates it if nothing stands there
//! let wheels = cache.bucket("wheels-v1")?; // entries that are purged together
//!
//! // One process builds. All others wait for that one and share the result.
//! let lease = wheels.get_or_build("hello-1.0", |staging| {
//!     std::fs::write(staging.path().join("hello.py"), "print('Hello!')\n")?;
//!     Ok(())
//! })?;
//!
//! // No purge or collection touches these files while `lease` exists.
//! larder::materialize(&lease, &site_packages)?; // clones, hard links or copies
//! # assert!(site_packages.join("hello.py").exists());
//! # drop((lease, wheels, cache));
//! # std::fs::remove_dir_all(top).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! - [`Cache`] and [`Bucket`] are handles that can be cloned and used by all threads at once.
//! - [`Lease`] and [`Staging`] end when they are dropped. They stay valid after their cache was
//!   dropped, and may be sent to another thread.
//! - Each function that can fail returns an [`Error`], which has a [`Code`] to branch on. No
//!   argument makes a function panic. A panic in a callback goes on in the caller of larder.
//! - In a child of `fork` the handles of the parent can be used. They end no lease and delete no
//!   staging of the parent.
//!
//! The features: `sha256` makes and compares digests of files, for which it needs OpenSSL; `system`
//! links an installed larder, and compiles none.
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]
// The enums of C are unsigned here, and signed with other compilers.
#![allow(clippy::unnecessary_cast)]
// clippy of Rust 1.63 takes a thread_local for a constant.
#![allow(clippy::declare_interior_mutable_const)]

#[macro_use]
mod call;

mod bucket;
mod cache;
mod collect;
mod entry;
mod error;
mod materialize;
mod reports;
mod stop;

pub use bucket::{Bucket, Claim, PublishOptions, RefreshOptions};
pub use cache::{
    check_destroy, destroy, Cache, CallOptions, ContentOptions, DedupeOptions, OpenOptions,
    RestoreOptions,
};
pub use collect::{BackgroundOptions, CollectOptions, Limits};
pub use entry::{Lease, Staging};
pub use error::{BuildError, Code, Error, Result, Why};
pub use materialize::{materialize, materialize_with, MaterializeOptions};
pub use reports::{
    BucketKind, CollectPhase, CollectProgress, CollectReport, ContentReport, Counters,
    DedupeReport, Durability, EntryInfo, Event, EventKind, Eviction, EvictionReason, Finding,
    FindingKind, LeaseInfo, LinkKind, LinkMode, LockInfo, MaterializeReport, Pin, ProcessInfo,
    Root, RootState, Status, VerifyReport, Wait,
};
pub use stop::Stop;

/// Returns the version of the library that runs, such as "0.2.0".
pub fn version() -> String {
    unsafe { call::text_of(larder_sys::larder_version()) }
}

/// The algorithms that this program has for digests.
fn digests() -> Vec<*const larder_sys::larder_digest> {
    #[cfg(feature = "sha256")]
    return vec![unsafe { larder_sys::larder_sha256() }];
    #[cfg(not(feature = "sha256"))]
    return Vec::new();
}

// The examples of the README are tested as this crate's own.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
