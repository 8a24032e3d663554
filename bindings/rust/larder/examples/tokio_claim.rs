// SPDX-License-Identifier: MIT
//! Builds many entries from one event loop, and blocks no thread with it.
//!
//!     cargo run --example tokio_claim [CACHE]
//!
//! `claim` never waits. If another builds the entry, this task sleeps for a moment, and the loop
//! runs the other tasks. Start the program twice at the same time: each file is downloaded once.

use larder::{Bucket, Cache, Claim, Lease};
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Returns a lease on the entry of `key`. If there is none, awaits `build`, which fills a
/// directory, and publishes it.
///
/// If the task is aborted, its staging is dropped, and another task or process builds.
async fn get_or_build<F, B>(bucket: &Bucket, key: &str, build: F) -> Result<Lease, Failure>
where
    F: FnOnce(PathBuf) -> B,
    B: Future<Output = io::Result<()>>,
{
    let mut pause = Duration::from_millis(10);
    let staging = loop {
        match bucket.claim(key)? {
            Claim::Lease(lease) => return Ok(lease),
            Claim::Staging(staging) => break staging,
            Claim::Busy(_) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(100));
            }
        }
    };
    build(staging.path().to_path_buf()).await?;
    // A publish may wait for short steps of other calls in the bucket, so it has a thread.
    let (bucket, key) = (bucket.clone(), key.to_string());
    Ok(tokio::task::spawn_blocking(move || bucket.publish(&key, staging)).await??)
}

/// Stands for a download: most of its time it waits.
async fn download(name: String, directory: PathBuf) -> io::Result<()> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    std::fs::write(directory.join("file"), name)
}

async fn run(cache: Cache) -> Result<(), Failure> {
    let bucket = cache.bucket("downloads-v1")?;
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let bucket = bucket.clone();
        tasks.spawn(async move {
            let name = format!("file-{}", number % 20); // ten tasks want the same file
            get_or_build(&bucket, &name, |directory| download(name.clone(), directory)).await
        });
    }
    let (mut leases, mut ids) = (Vec::new(), std::collections::BTreeSet::new());
    while let Some(done) = tasks.join_next().await {
        let lease = done??;
        ids.insert(lease.id().to_string());
        leases.push(lease);
    }
    println!("{} leases on {} entries", leases.len(), ids.len());
    assert_eq!((leases.len(), ids.len()), (200, 20));
    Ok(())
}

fn main() -> Result<(), Failure> {
    let own = std::env::temp_dir().join(format!("larder-tokio-{}", std::process::id()));
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let cache = Cache::open(given.as_ref().unwrap_or(&own))?;
    // One thread, which is the event loop.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(run(cache))?;
    drop(runtime);
    if given.is_none() {
        larder::destroy(own)?;
    }
    Ok(())
}
