// SPDX-License-Identifier: MIT
//! Entries: got, built, staged, published, claimed. Errors and panics of builds.

mod support;

use larder::{
    Bucket, Cache, Claim, Code, Durability, Lease, LinkMode, MaterializeOptions, PublishOptions,
    RefreshOptions, RestoreOptions, Staging, Stop,
};
use std::error::Error as _;
use std::io;
use std::panic::{catch_unwind, panic_any, AssertUnwindSafe};
use std::process::Command;
use std::time::{Duration, SystemTime};
use support::{read, write, Scratch};

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}

#[test]
fn handles_may_go_where_the_interface_allows_it() {
    is_send::<Cache>();
    is_sync::<Cache>();
    is_send::<Bucket>();
    is_sync::<Bucket>();
    is_send::<Lease>();
    is_sync::<Lease>();
    is_send::<Staging>();
    is_sync::<Staging>();
    is_send::<Stop>();
    is_sync::<Stop>();
    is_send::<larder::Error>();
    is_sync::<larder::Error>();
}

#[test]
#[allow(clippy::needless_collect)] // all threads begin before the first is joined
fn one_build_for_all_threads() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let builds = std::sync::atomic::AtomicUsize::new(0);
    let paths: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let lease = bucket.get_or_build("key", |staging| {
                        builds.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        write(staging)
                    });
                    lease.unwrap().to_path_buf()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(builds.into_inner(), 1);
    assert!(paths.iter().all(|path| path == &paths[0]));
    assert_eq!(read(&paths[0]), "hello");
}

#[test]
fn a_lease_keeps_its_entry_until_it_is_dropped() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let lease = bucket.get_or_build("key", write).unwrap();
    assert!(lease.is_protected());
    assert_eq!(lease.path(), &*lease);
    assert!(lease.ends_with(lease.path().file_name().unwrap()));
    bucket.refresh(Durability::Process).unwrap();
    assert!(bucket.get("key").unwrap().is_none());

    let collect = || cache.collect(&Default::default(), Default::default()).unwrap();
    let report = collect();
    assert_eq!((report.entries, report.leased.len()), (0, 1));
    assert_eq!(report.leased[0].id, lease.id());
    assert_eq!(report.leased[0].process.as_ref().unwrap().pid, i64::from(std::process::id()));

    // Another thread, and no handle of the cache is left here.
    let path = lease.path().to_path_buf();
    let lease = std::thread::spawn(move || {
        assert_eq!(read(&lease), "hello");
        lease
    })
    .join()
    .unwrap();
    drop(lease);
    assert_eq!(collect().entries, 1);
    assert!(!path.exists());
}

#[test]
fn leases_and_stagings_outlive_their_cache() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let lease = bucket.get_or_build("key", write).unwrap();
    let staging = bucket.stage().unwrap();
    drop(cache);
    drop(bucket);
    assert_eq!(read(&lease), "hello");
    std::fs::write(staging.path().join("text"), "staged").unwrap();
    let staged = staging.path().to_path_buf();
    drop(staging);
    assert!(!staged.exists());

    // The process is the same, so the cache sees its lease.
    let cache = scratch.cache();
    assert_eq!(cache.status().unwrap().leases.len(), 1);
    drop(lease);
    assert_eq!(cache.status().unwrap().leases, []);
}

#[test]
fn a_staging_is_published_with_all_its_options() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let staging = bucket.stage().unwrap();
    write(&staging).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let options = PublishOptions::new()
        .durability(Durability::Power)
        .producer("test 1.0")
        .metadata(*b"a\0b")
        .published(time)
        .last_used(time);
    let lease = bucket.publish_with("key", staging, &options).unwrap();
    assert_eq!(lease.metadata().unwrap(), b"a\0b");

    let info = bucket.info("key").unwrap().unwrap();
    assert_eq!((info.bytes, info.files), (5, 1));
    assert_eq!((info.bucket.as_str(), info.key.as_str()), ("b", "key"));
    assert_eq!((info.id.as_str(), info.path.as_path()), (lease.id(), lease.path()));
    assert_eq!((info.producer.as_str(), info.durability), ("test 1.0", Durability::Power));
    assert_eq!((info.metadata.as_slice(), info.published), (&b"a\0b"[..], Some(time)));
    assert_eq!(bucket.info("none").unwrap(), None);

    let staging = bucket.stage().unwrap();
    let options = PublishOptions::new().metadata(vec![0; 1025]);
    let staged = staging.path().to_path_buf();
    let error = bucket.publish_with("other", staging, &options).unwrap_err();
    assert_eq!(error.code(), Code::Invalid);
    assert!(!staged.exists());
}

#[test]
fn trees_are_copied_linked_and_moved_in() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let source = scratch.path("source");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("text"), "from outside").unwrap();
    let copied = bucket.get_or_build("copied", |staging| Ok(staging.copy_from(&source)?)).unwrap();
    let linked = bucket
        .get_or_build("linked", |staging| Ok(staging.link_from(&source, LinkMode::Hardlink)?))
        .unwrap();
    assert_eq!((read(&copied), read(&linked)), ("from outside".into(), "from outside".into()));

    // What is not published goes back.
    let staging = bucket.stage().unwrap();
    staging.move_from(&source).unwrap();
    assert!(!source.exists());
    drop(staging);
    assert!(source.exists());
    let moved = bucket.get_or_build("moved", |staging| Ok(staging.move_from(&source)?)).unwrap();
    assert_eq!(read(&moved), "from outside");
    assert!(!source.exists());
}

#[test]
fn a_panic_of_a_build_goes_on_in_the_caller() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let mut staged = None;
    let payload = catch_unwind(AssertUnwindSafe(|| {
        bucket.get_or_build("key", |staging| {
            write(staging)?;
            staged = Some(staging.path().to_path_buf());
            panic_any(4711_u32)
        })
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<u32>().unwrap(), 4711);
    assert!(!staged.unwrap().exists());
    assert!(bucket.get("key").unwrap().is_none());
    let status = cache.status().unwrap();
    assert_eq!((status.leases.len(), status.locks.len()), (0, 0));
    assert_eq!(read(bucket.get_or_build("key", write).unwrap()), "hello");
}

#[test]
fn a_panic_passes_through_two_builds() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        bucket.get_or_build("outer", |_| {
            bucket.get_or_build("inner", |_| panic_any("from inside"))?;
            Ok(())
        })
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast_ref::<&str>().unwrap(), "from inside");
    assert_eq!(cache.status().unwrap().locks, []);
}

#[test]
fn an_error_of_a_build_is_the_source() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let error = bucket
        .get_or_build("key", |_| {
            std::fs::read("/no/such/file")?;
            Ok(())
        })
        .unwrap_err();
    assert_eq!(error.code(), Code::Build);
    assert_eq!(error.sys_errno(), Some(2));
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::NotFound);
    assert_eq!(error.to_string(), error.message());

    // A text, with what C can't hold.
    let error = bucket.get_or_build("key", |_| Err("no\0way".into())).unwrap_err();
    assert!(error.message().contains("noway"), "{error}");
    assert_eq!(error.source().unwrap().to_string(), "no\0way");

    // An error of larder stays as it is.
    let error =
        bucket.get_or_build("key", |staging| Ok(staging.copy_from("/no/such/tree")?)).unwrap_err();
    assert_eq!((error.code(), error.why()), (Code::System, larder::Why::Absent));
    assert_eq!(error.path().to_str(), Some("/no/such/tree"));
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
}

#[test]
fn builds_within_builds() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let outer = bucket.get_or_build("outer", |staging| {
        assert!(!staging.inside().is_empty());
        let inner = bucket.get_or_build("inner", write)?;
        Ok(staging.copy_from(inner.join("text"))?)
    });
    // A lease of the cache is a source inside it, which is refused.
    assert_eq!(outer.unwrap_err().code(), Code::Invalid);

    let own = bucket.get_or_build("own", |_| {
        bucket.get_or_build("own", write)?;
        Ok(())
    });
    assert_eq!(own.unwrap_err().code(), Code::Invalid);
}

#[test]
fn a_claim_is_exclusive_until_it_is_published_or_dropped() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let staging = match bucket.claim("key").unwrap() {
        Claim::Staging(staging) => staging,
        other => panic!("{other:?}"),
    };
    match bucket.claim("key").unwrap() {
        Claim::Busy(error) => {
            assert_eq!(error.code(), Code::Busy);
            assert!(error.message().contains(&std::process::id().to_string()), "{error}");
        }
        other => panic!("{other:?}"),
    }
    drop(staging);
    let staging = match bucket.claim("key").unwrap() {
        Claim::Staging(staging) => staging,
        other => panic!("{other:?}"),
    };
    // Another thread publishes it.
    let lease = std::thread::scope(|scope| {
        let publish = || {
            write(&staging).unwrap();
            bucket.publish("key", staging).unwrap()
        };
        scope.spawn(publish).join().unwrap()
    });
    match bucket.claim("key").unwrap() {
        Claim::Lease(again) => assert_eq!(again.id(), lease.id()),
        other => panic!("{other:?}"),
    }
}

/// Not a test of its own: the process that the next test kills.
#[test]
fn child_that_dies_with_a_claim() {
    if let Some(root) = std::env::var_os("LARDER_RUST_TEST_CHILD") {
        let bucket = Cache::open(root).unwrap().bucket("b").unwrap();
        let claim = bucket.claim("key").unwrap();
        let lease = bucket.get("leased").unwrap().unwrap();
        assert!(matches!(claim, Claim::Staging(_)));
        println!("claimed {}", lease.id());
        std::process::abort();
    }
}

#[test]
fn what_a_dead_process_held_is_free() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    drop(bucket.get_or_build("leased", write).unwrap());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_dies_with_a_claim", "--nocapture"])
        .env("LARDER_RUST_TEST_CHILD", cache.root())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&child.stdout).contains("claimed "), "{child:?}");
    assert!(!child.status.success());
    assert!(matches!(bucket.claim("key").unwrap(), Claim::Staging(_)));
    assert!(bucket.remove("leased", Durability::Process).unwrap());
    let report = cache.collect(&Default::default(), Default::default()).unwrap();
    assert_eq!((report.reaped, report.leased.len()), (1, 0));
}

#[test]
fn bad_input_is_an_error() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    for name in ["", "a\0b", &"x".repeat(5000)] {
        assert_eq!(cache.bucket(name).unwrap_err().code(), Code::Invalid, "{name:?}");
    }
    let bucket = cache.bucket("b").unwrap();
    for key in ["a\0b", &"x".repeat(70_000)] {
        let codes = [
            bucket.get(key).unwrap_err().code(),
            bucket.get_or_build(key, write).unwrap_err().code(),
            bucket.claim(key).unwrap_err().code(),
            bucket.publish(key, bucket.stage().unwrap()).unwrap_err().code(),
            bucket.remove(key, Durability::Process).unwrap_err().code(),
            bucket.pin(key, Durability::Process).unwrap_err().code(),
            bucket.info(key).unwrap_err().code(),
            cache.link("b", key, scratch.path("link"), Durability::Process).unwrap_err().code(),
        ];
        assert_eq!(codes, [Code::Invalid; 8], "{key:?}");
    }
    assert_eq!(Cache::open("a\0b").unwrap_err().code(), Code::Invalid);
    assert_eq!(Cache::open("").unwrap_err().code(), Code::System);
    assert_eq!(larder::destroy("/").unwrap_err().code(), Code::Refused);
    assert_eq!(larder::materialize("/no/such", "a\0b").unwrap_err().code(), Code::Invalid);
    assert_eq!(larder::materialize("/no/such", "").unwrap_err().code(), Code::System);
    let staging = bucket.stage().unwrap();
    assert_eq!(staging.note("/absolute", 1, b"digest").unwrap_err().code(), Code::Invalid);
    assert_eq!(staging.note("file", 1, b"").unwrap_err().code(), Code::Invalid);
    let error = cache.restore("no id", &RestoreOptions::new()).unwrap_err();
    assert_eq!(error.code(), Code::Invalid);
    assert_eq!(cache.verify().unwrap().findings, []);

    // Times that no i64 can hold.
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    let options = RefreshOptions::new().published_before(far).older_than(Duration::MAX);
    assert_eq!(bucket.refresh_some(&options).unwrap(), Vec::<String>::new());
}

#[test]
fn a_staging_of_another_cache_is_no_crash() {
    let (scratch, other) = (Scratch::new(), Scratch::new());
    let bucket = scratch.cache().bucket("b").unwrap();
    let staging = other.cache().bucket("b").unwrap().stage().unwrap();
    write(&staging).unwrap();
    let staged = staging.path().to_path_buf();
    assert_eq!(bucket.publish("key", staging).unwrap_err().code(), Code::Invalid);
    assert!(!staged.exists());
}

#[test]
fn materialize_copies_and_refuses_what_has_changed() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let lease = bucket.get_or_build("key", write).unwrap();
    let copies = MaterializeOptions::new().mode(LinkMode::Copy).threads(1);
    let report = larder::materialize_with(&lease, scratch.path("new"), &copies).unwrap();
    assert_eq!((report.copied, report.bytes, report.directories), (1, 5, 1));
    let error = larder::materialize(&lease, scratch.path("new")).unwrap_err();
    assert_eq!(error.code(), Code::Exists);
    let stopped = Stop::new();
    stopped.request();
    let error =
        larder::materialize_with(&lease, scratch.path("never"), &copies.clone().stop(&stopped));
    assert_eq!(error.unwrap_err().code(), Code::Interrupted);
    larder::materialize_with(&lease, scratch.path("new"), &copies.replace(true)).unwrap();

    std::fs::write(lease.join("text"), "edited in the cache").unwrap();
    let error = larder::materialize(&lease, scratch.path("other")).unwrap_err();
    assert_eq!(error.code(), Code::Damaged);
    assert!(!scratch.path("other").exists());
}

#[cfg(feature = "sha256")]
#[test]
fn digests_find_a_byte_that_has_changed() {
    use std::os::unix::fs::MetadataExt;
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let options = PublishOptions::new().digests(true);
    let lease = bucket.get_or_build_with("key", &options, write).unwrap();
    let check = || cache.verify_content(&larder::ContentOptions::new().bucket("b")).unwrap();
    let report = check();
    assert!(report.sound);
    assert_eq!((report.entries, report.files, report.without_digests), (1, 1, 0));

    // One byte, and the old times.
    let file = lease.join("text");
    let before = std::fs::metadata(&file).unwrap();
    std::fs::write(&file, "hellO").unwrap();
    let stamp = format!("@{}.{:09}", before.mtime(), before.mtime_nsec());
    assert!(Command::new("touch").arg("-d").arg(stamp).arg(&file).status().unwrap().success());
    let report = check();
    assert!(!report.sound);
    assert_eq!(report.findings[0].kind, larder::FindingKind::Changed);
}
