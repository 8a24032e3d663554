// SPDX-License-Identifier: MIT
//! A directory for each test, and a cache in it.

use larder::{Cache, Staging};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A new directory, which is deleted at the end.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("larder-rust-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path.canonicalize().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn cache(&self) -> Cache {
        Cache::open(self.path("cache")).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let cache = self.path("cache");
        if cache.exists() {
            let _ = larder::destroy(&cache);
        }
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A build that writes one file.
pub fn write(staging: &Staging) -> Result<(), larder::BuildError> {
    std::fs::write(staging.path().join("text"), "hello")?;
    Ok(())
}

pub fn read(tree: impl AsRef<Path>) -> String {
    std::fs::read_to_string(tree.as_ref().join("text")).unwrap()
}
