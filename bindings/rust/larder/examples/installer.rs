// SPDX-License-Identifier: MIT
//! Installs archives out of a cache in which each is unpacked once.
//!
//!     cargo run --example installer -- CACHE DESTINATION ARCHIVE...
//!
//! An archive is a `.crate` or a `.tar.gz`. Its tree is put into DESTINATION, by clones, hard links
//! or copies. Any number of installers may run at once, and the cache may be purged meanwhile.

use larder::{Bucket, BuildError, Cache, Code, MaterializeOptions, PublishOptions, Staging};
use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

/// A key that tells the content: an archive that is changed under its name is unpacked again. A
/// real installer takes the digest of its lock file.
fn key_of(archive: &Path) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut file = File::open(archive)?;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        buffer[..count].hash(&mut hasher);
    }
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{name}-{:016x}", hasher.finish()))
}

/// Unpacks an archive into the directory of a new entry. `tar` writes nothing outside of it.
fn unpack(archive: &Path, staging: &Staging) -> Result<(), BuildError> {
    let file = BufReader::new(File::open(archive)?);
    tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(staging.path())?;
    Ok(())
}

fn install(wanted: &Bucket, archive: &Path, destination: &Path) -> Result<(), BuildError> {
    let options = PublishOptions::new().producer(concat!("installer ", env!("CARGO_PKG_VERSION")));
    let key = key_of(archive)?;
    let lease = wanted.get_or_build_with(&key, &options, |staging| unpack(archive, staging))?;
    let options = MaterializeOptions::new().replace(true);
    let report = match larder::materialize_with(&lease, destination, &options) {
        // Another program has changed the entry. Take the entry out, and unpack once more.
        Err(error) if error.code() == Code::Damaged => {
            eprintln!("installer: {error}");
            drop(lease);
            wanted.remove(&key, Default::default())?;
            let lease = wanted.get_or_build(&key, |staging| unpack(archive, staging))?;
            larder::materialize_with(&lease, destination, &options)?
        }
        done => done?,
    };
    let files = report.cloned + report.hardlinked + report.copied;
    println!("{}: {files} files, {} bytes", archive.display(), report.bytes);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.len() < 3 {
        eprintln!("usage: installer CACHE DESTINATION ARCHIVE...");
        return ExitCode::from(2);
    }
    let bucket = match Cache::open(&arguments[0]).and_then(|cache| cache.bucket("archives-v1")) {
        Ok(bucket) => bucket,
        Err(error) => {
            eprintln!("installer: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = false;
    for archive in &arguments[2..] {
        if let Err(error) = install(&bucket, archive.as_ref(), arguments[1].as_ref()) {
            eprintln!("installer: {}: {error}", archive.to_string_lossy());
            failed = true;
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
