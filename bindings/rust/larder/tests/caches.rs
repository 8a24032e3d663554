// SPDX-License-Identifier: MIT
//! Caches: waits and callbacks, purges, collections, lists, roots.

mod support;

use larder::{
    BackgroundOptions, CallOptions, Claim, Code, CollectOptions, Durability, EventKind,
    EvictionReason, FindingKind, Limits, OpenOptions, RefreshOptions, RestoreOptions, RootState,
    Stop,
};
use std::ops::ControlFlow;
use std::panic::{catch_unwind, panic_any, AssertUnwindSafe};
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;
use support::{read, write, Scratch};

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn a_wait_is_reported_and_ended() {
    let scratch = Scratch::new();
    let bucket = scratch.cache().bucket("b").unwrap();
    let claim = bucket.claim("key").unwrap();
    assert!(matches!(claim, Claim::Staging(_)));

    let seen = Arc::new(Mutex::new(String::new()));
    let notes = seen.clone();
    let patient = CallOptions::new().on_wait(move |wait| {
        *notes.lock().unwrap() = format!("{} of {}", wait.what, wait.holders);
        ControlFlow::Break(())
    });
    let error = bucket.with(patient).unwrap().get_or_build("key", write).unwrap_err();
    assert_eq!(error.code(), Code::Interrupted);
    let text = seen.lock().unwrap().clone();
    assert!(text.starts_with("build key of pid "), "{text}");

    // A stop, requested while the call waits.
    let stop = Stop::new();
    let request = stop.clone();
    let options = CallOptions::new().stop(&stop).on_wait(move |_| {
        request.request();
        ControlFlow::Continue(())
    });
    let error = bucket.with(options).unwrap().get_or_build("key", write).unwrap_err();
    assert_eq!(error.code(), Code::Interrupted);

    // A panic ends the wait, and goes on in the caller.
    let options = CallOptions::new().on_wait(|_| panic_any("enough"));
    let payload =
        catch_unwind(AssertUnwindSafe(|| bucket.with(options).unwrap().get_or_build("key", write)))
            .unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "enough");

    drop(claim);
    assert_eq!(read(bucket.get_or_build("key", write).unwrap()), "hello");
}

#[test]
fn an_open_cache_has_callbacks_of_its_own() {
    let scratch = Scratch::new();
    let counted = Arc::new(());
    let (kept, held) = (Arc::downgrade(&counted), counted);
    let cache = OpenOptions::new()
        .keep_waiting(move || {
            let _ = &held;
            ControlFlow::Break(())
        })
        .log(scratch.path("log"))
        .count(true)
        .open(scratch.path("cache"))
        .unwrap();
    let bucket = cache.bucket("b").unwrap();
    let claim = bucket.claim("key").unwrap();
    let error = bucket.get_or_build("key", write).unwrap_err();
    assert_eq!(error.code(), Code::Interrupted);
    drop(claim);
    drop(bucket.get_or_build("key", write).unwrap());
    let counters = cache.counters().unwrap();
    assert_eq!((counters.published, counters.given_up), (1, 1));
    assert!(std::fs::read_to_string(scratch.path("log")).unwrap().contains("published"));

    // The callback lives as long as the last handle that may call it, and no longer.
    let with = bucket.with(CallOptions::new()).unwrap();
    drop((cache, bucket));
    let lease = with.get("key").unwrap().unwrap();
    drop(with);
    assert!(kept.upgrade().is_some());
    drop(lease);
    assert!(kept.upgrade().is_none());
}

#[test]
fn events_are_told_and_their_panics_leak_no_lease() {
    let scratch = Scratch::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let cache = OpenOptions::new()
        .on_event(move |event| {
            notes.lock().unwrap().push((event.kind, event.key.to_string()));
            if event.key == "bad" {
                panic_any("bad key");
            }
        })
        .open(scratch.path("cache"))
        .unwrap();
    let bucket = cache.bucket("b").unwrap();
    drop(bucket.get_or_build("good", write).unwrap());
    bucket.remove("good", Durability::Process).unwrap();
    let events = std::mem::take(&mut *seen.lock().unwrap());
    let good = |kind| (kind, "good".to_string());
    assert_eq!(events, [good(EventKind::Published), good(EventKind::Removed)]);

    let payload = catch_unwind(AssertUnwindSafe(|| bucket.get_or_build("bad", write)));
    assert_eq!(*payload.unwrap_err().downcast::<&str>().unwrap(), "bad key");
    assert_eq!(cache.status().unwrap().leases, []);
    // It was published all the same, and the next call does not panic.
    assert_eq!(read(bucket.get("bad").unwrap().unwrap()), "hello");
}

#[test]
fn lists_visits_and_their_ends() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    for key in ["one", "two", "three/é"] {
        drop(bucket.get_or_build(key, write).unwrap());
    }
    assert_eq!(cache.buckets().unwrap(), ["b"]);
    assert_eq!(sorted(bucket.keys().unwrap()), ["one", "three/é", "two"]);
    let mut visits = 0;
    bucket
        .visit_keys(|_| {
            visits += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(visits, 1);
    let visit = || bucket.visit_keys(|key| panic_any(key.len()));
    assert!(catch_unwind(AssertUnwindSafe(visit)).unwrap_err().is::<usize>());

    let mut keys = Vec::new();
    cache
        .visit_entries(&["b", "absent"], |bucket, key, entry| {
            assert_eq!((bucket, entry.unwrap().bytes), ("b", 5));
            keys.push(key.to_string());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(sorted(keys), ["one", "three/é", "two"]);
    let visit = || cache.visit_entries(&["b"], |_, _, _| panic_any(1_u8));
    assert!(catch_unwind(AssertUnwindSafe(visit)).unwrap_err().is::<u8>());

    let taken = bucket.refresh_some(&RefreshOptions::new().pattern("t*").dry_run(true)).unwrap();
    assert_eq!(sorted(taken), ["three/é", "two"]);
    bucket.refresh_some(&RefreshOptions::new().pattern("t*")).unwrap();
    assert_eq!(bucket.keys().unwrap(), ["one"]);
    assert!(bucket.remove("one", Durability::Power).unwrap());
    assert!(!bucket.remove("one", Durability::Process).unwrap());
}

#[test]
fn the_trash_gives_entries_back() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let old = bucket.get_or_build("key", write).unwrap().id().to_string();
    bucket.refresh(Durability::Process).unwrap();
    assert_eq!(cache.trash().unwrap()[0].id, old);
    let lease = cache.restore(&old, &RestoreOptions::new()).unwrap();
    assert_ne!(lease.id(), old);
    assert_eq!(read(&lease), "hello");
    let error = cache.restore(&old, &RestoreOptions::new()).unwrap_err();
    assert_eq!(error.code(), Code::Exists);
    drop(cache.restore(&old, &RestoreOptions::new().replace(true)).unwrap());
    let mut ids = Vec::new();
    cache
        .visit_trash(|entry| {
            ids.push(entry.id);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(ids.len(), 2);
    let visit = || cache.visit_trash(|_| panic_any(()));
    assert!(catch_unwind(AssertUnwindSafe(visit)).unwrap_err().is::<()>());
}

#[test]
fn limits_evict_what_is_not_leased_or_pinned() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let leased = bucket.get_or_build("leased", write).unwrap();
    for key in ["pinned", "kept", "free"] {
        drop(bucket.get_or_build(key, write).unwrap());
    }
    bucket.pin("pinned", Durability::Process).unwrap();
    assert!(bucket.is_pinned("pinned").unwrap());
    assert_eq!(cache.pins().unwrap()[0].key, "pinned");

    let limits = Limits::new().max_entries(0).keep("b/kept");
    let mut plan = Vec::new();
    let dry = CollectOptions::new().dry_run(true).on_evict(|one| plan.push(one.clone()));
    let report = cache.collect(&limits, dry).unwrap();
    assert!(!report.within_limits);
    assert_eq!((plan.len(), plan[0].key.as_str()), (1, "free"));
    assert_eq!(plan[0].reason, EvictionReason::Entries);
    assert_eq!(bucket.keys().unwrap().len(), 4);

    let report = cache.evict(&plan, &["b/f*"], CollectOptions::new()).unwrap();
    assert_eq!(report.evicted, 0);
    let mut phases = Vec::new();
    let options = CollectOptions::new()
        .count_freed(true)
        .threads(1)
        .on_progress(|progress| phases.push(progress.phase));
    let report = cache.evict(&plan, &[], options).unwrap();
    assert_eq!((report.evicted, report.entries), (1, 1));
    assert!(report.freed.is_some());
    assert!(!phases.is_empty());
    assert_eq!(sorted(bucket.keys().unwrap()), ["kept", "leased", "pinned"]);
    drop(leased);

    assert!(bucket.unpin("pinned", Durability::Process).unwrap());
    assert!(!bucket.unpin("pinned", Durability::Process).unwrap());
    let options = CollectOptions::new().on_evict(|_| panic_any("evicted"));
    let collect = || cache.collect(&Limits::new().max_entries(0), options);
    let payload = catch_unwind(AssertUnwindSafe(collect)).unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "evicted");
    let error = cache.collect(&Limits::new().low_water(101).max_size(1), Default::default());
    assert_eq!(error.unwrap_err().code(), Code::Invalid);
}

#[test]
fn a_collection_in_the_background_reports() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let (send, receive) = mpsc::channel();
    let send = Mutex::new(send);
    let options = BackgroundOptions::new()
        .every(Duration::ZERO)
        .settle(false)
        .on_evict(|_| panic_any("nowhere to go"))
        .on_done(move |done| {
            let _ = send.lock().unwrap().send(done.map(|report| report.evicted).ok());
        });
    // The handle by which it is asked for may go before the collection.
    let with = cache.with(CallOptions::new()).unwrap();
    with.keep_within(&Limits::new().max_entries(0), &options).unwrap();
    drop((with, options));
    drop(bucket.get_or_build("key", write).unwrap());
    let mut evicted = receive.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    while evicted == 0 {
        // The entry was leased while the collection looked. The next publish starts another one.
        drop(bucket.get_or_build("key", write).unwrap());
        drop(bucket.get_or_build("another", write).unwrap());
        evicted = receive.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    }
    cache.keep_within(&Limits::new(), &BackgroundOptions::new()).unwrap();
}

#[test]
fn a_linked_path_keeps_its_entry() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    drop(bucket.get_or_build("key", write).unwrap());
    let path = scratch.path("current");
    cache.link("b", "key", &path, Durability::Process).unwrap();
    assert_eq!(read(&path), "hello");
    let roots = cache.roots().unwrap();
    assert_eq!((roots.len(), roots[0].state), (1, RootState::Leads));
    assert_eq!((&roots[0].path, roots[0].key.as_str()), (&path, "key"));

    bucket.refresh(Durability::Process).unwrap();
    let report = cache.collect(&Limits::new(), CollectOptions::new()).unwrap();
    assert_eq!((report.entries, report.rooted.len()), (0, 1));
    assert_eq!(read(&path), "hello");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(cache.prune_roots(true, false).unwrap()[0].state, RootState::Gone);
    assert_eq!(cache.prune_roots(false, false).unwrap().len(), 1);
    assert_eq!(cache.roots().unwrap(), []);
    assert!(!cache.unlink(&path).unwrap());
    let error = cache.link("b", "key", &path, Durability::Process).unwrap_err();
    assert_eq!(error.code(), Code::Miss);
}

#[test]
fn verify_finds_and_repair_mends() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    let bucket = cache.bucket("b").unwrap();
    let lease = bucket.get_or_build("key", write).unwrap();
    let report = cache.verify().unwrap();
    assert!(report.sound);
    assert_eq!((report.entries, report.live), (1, 1));
    std::fs::write(lease.join("added"), "").unwrap();
    drop(lease);
    let report = cache.verify().unwrap();
    assert!(!report.sound);
    assert_eq!(report.findings[0].kind, FindingKind::Changed);
    assert!(cache.repair().unwrap().sound);
    assert!(bucket.get("key").unwrap().is_none());
    assert!(cache.verify_content(&Default::default()).unwrap().sound);
}

#[test]
fn a_cache_in_use_is_not_destroyed() {
    let scratch = Scratch::new();
    let cache = scratch.cache();
    assert_eq!(cache.root(), scratch.path("cache"));
    assert!(!cache.is_read_only());
    drop(cache.bucket("b").unwrap().get_or_build("key", write).unwrap());
    assert_eq!(larder::check_destroy(cache.root()).unwrap_err().code(), Code::Busy);
    assert_eq!(larder::destroy(cache.root()).unwrap_err().code(), Code::Busy);
    let reader = OpenOptions::new().read_only(true).open(cache.root()).unwrap();
    assert!(reader.is_read_only());
    let lease = reader.bucket("b").unwrap().get("key").unwrap().unwrap();
    assert!(!lease.is_protected());
    assert_eq!(lease.keep_across_exec().unwrap_err().code(), Code::Invalid);
    drop((lease, reader));
    let root = cache.root();
    drop(cache);
    larder::destroy(&root).unwrap();
    assert!(!root.exists());
    assert_eq!(larder::version(), env!("CARGO_PKG_VERSION"));
}
