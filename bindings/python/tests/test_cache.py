# SPDX-License-Identifier: MIT
"""What a cache, its buckets, leases and stagings do, and the errors."""

from __future__ import annotations

import itertools
import pickle
import shutil
import threading
import time
from pathlib import Path

import larder
import pytest
from conftest import hello


def test_build_get_and_materialize(bucket: larder.Bucket, work: Path) -> None:
    with pytest.raises(larder.Miss, match="the bucket wheels-v1 has no entry hello"):
        bucket.get("hello")
    with bucket.get_or_build("hello", hello, metadata=b"a\0b", producer="test 1") as lease:
        assert lease.is_protected
        assert (lease.path / "text").read_text() == "Hello!"
        assert lease.metadata() == b"a\0b"
        report = larder.materialize(lease, work / "out", mode=larder.LinkMode.COPY)
    assert (report.copied, report.directories, report.bytes) == (1, 1, 6)
    assert (work / "out" / "text").read_text() == "Hello!"
    with bucket.get("hello") as again:
        assert again.id == lease.id
    info = bucket.info("hello")
    assert (info.key, info.files, info.bytes, info.producer) == ("hello", 1, 6, "test 1")
    assert info.published is not None and info.published.tzinfo is not None


def test_put_replaces_and_a_lease_keeps_the_old_entry(
    cache: larder.Cache, bucket: larder.Bucket, work: Path
) -> None:
    (work / "source").mkdir()
    (work / "source" / "text").write_text("one")
    with bucket.put("key", work / "source") as old:
        (work / "source" / "text").write_text("two")
        with bucket.put("key", work / "source", digests=True) as new:
            assert (new.path / "text").read_text() == "two"
        report = cache.collect()
        assert [lease.key for lease in report.leased] == ["key"]
        assert (old.path / "text").read_text() == "one"
    assert cache.collect().entries == 1
    assert not old.path.exists()


def test_a_staging_that_is_not_published_goes(bucket: larder.Bucket) -> None:
    with bucket.stage() as staging:
        hello(staging)
    assert not staging.path.exists()
    with pytest.raises(ValueError, match="this Staging is closed"):
        bucket.publish("hello", staging)
    assert bucket.keys() == []


def test_files_come_in_by_hard_links(bucket: larder.Bucket, work: Path) -> None:
    (work / "source").mkdir()
    (work / "source" / "text").write_text("shared")
    with bucket.stage() as staging:
        staging.copy_from(work / "source", larder.LinkMode.HARDLINK)
        assert (staging.path / "text").samefile(work / "source" / "text")


def test_move_from_gives_the_tree_back(bucket: larder.Bucket, work: Path) -> None:
    (work / "source").mkdir()
    with bucket.stage() as staging:
        staging.move_from(work / "source")
        assert not (work / "source").exists()
    assert (work / "source").exists()


def test_a_claim_is_the_only_one(bucket: larder.Bucket) -> None:
    staging = bucket.claim("hello")
    assert isinstance(staging, larder.Staging)
    with pytest.raises(larder.Busy, match="pid"):
        bucket.claim("hello")
    hello(staging)
    bucket.publish("hello", staging).close()
    assert staging.closed
    with bucket.claim("hello") as lease:
        assert isinstance(lease, larder.Lease)


def test_a_build_raises_its_own_exception(bucket: larder.Bucket) -> None:
    def fail(staging: larder.Staging) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        bucket.get_or_build("hello", fail)
    with bucket.get_or_build("hello", hello):
        pass


def test_a_build_may_build(bucket: larder.Bucket) -> None:
    def outer(staging: larder.Staging) -> None:
        assert staging.inside() != ""
        with bucket.get_or_build("inner", hello) as lease:
            shutil.copy(lease.path / "text", staging.path)

    with bucket.get_or_build("outer", outer) as lease:
        assert (lease.path / "text").read_text() == "Hello!"


def test_refresh_restore_and_remove(cache: larder.Cache, bucket: larder.Bucket) -> None:
    for key in ("a-1", "a-2", "b-1"):
        bucket.get_or_build(key, hello).close()
    assert sorted(bucket.refresh_matching("a-*", dry_run=True)) == ["a-1", "a-2"]
    assert sorted(bucket.refresh_matching("a-*")) == ["a-1", "a-2"]
    assert bucket.refresh_matching(older_than=3600) == []
    assert bucket.keys() == ["b-1"]
    retired = {entry.key: entry.id for entry in cache.trash()}
    cache.restore(retired["a-1"]).close()
    with pytest.raises(larder.Exists):
        cache.restore(retired["a-1"])
    bucket.remove("a-1")
    with pytest.raises(larder.Miss):
        bucket.remove("a-1")
    bucket.refresh(durability=larder.Durability.POWER)
    assert bucket.keys() == []
    assert cache.collect(grace=3600).in_grace == 4
    assert cache.collect().entries == 4
    assert cache.counters().refreshed == 3  # by two conditions, and all


def test_limits_and_pins(cache: larder.Cache, bucket: larder.Bucket) -> None:
    for key in ("pinned", "kept", "gone"):
        bucket.get_or_build(key, hello).close()
    bucket.pin("pinned")
    assert bucket.is_pinned("pinned") and not bucket.is_pinned("kept")
    assert cache.collect(max_entries=0, keep=["wheels-v1/kept"], dry_run=True).evicted == 1
    report = cache.collect(max_entries=0, keep=["wheels-v1/kept"])
    assert (report.evicted, report.within_limits) == (1, False)
    assert sorted(bucket.keys()) == ["kept", "pinned"]
    bucket.unpin("pinned")
    assert cache.collect(max_size=0).evicted == 2


def test_publishes_keep_the_cache_within_limits(
    cache: larder.Cache, bucket: larder.Bucket
) -> None:
    cache.keep_within(max_entries=1, every=0)
    # A thread of larder collects after a publish, unless it does so already.
    for number in itertools.count():
        bucket.get_or_build(f"key-{number}", hello).close()
        if cache.counters().evicted != 0:
            break
        time.sleep(0.001)
    cache.keep_within()


def test_lists(cache: larder.Cache, bucket: larder.Bucket) -> None:
    bucket.get_or_build("one", hello).close()
    with cache.bucket("other").get_or_build("two", hello) as lease:
        status = cache.status()
        assert [held.id for held in status.leases] == [lease.id]
        assert status.leases[0].process.alive
    assert sorted(cache.buckets()) == ["other", "wheels-v1"]
    assert sorted(entry.key for entry in cache.entries()) == ["one", "two"]
    assert [entry.key for entry in cache.entries(["other"])] == ["two"]


def test_verify_finds_what_has_changed(cache: larder.Cache, bucket: larder.Bucket) -> None:
    with bucket.get_or_build("hello", hello, digests=True) as lease:
        path = lease.path / "text"
        path.write_text("changed")
        assert not cache.verify().sound
        report = cache.verify_content(repair=True)
        assert [finding.kind for finding in report.findings] == ["changed"]
        with pytest.raises(larder.Damaged):
            larder.materialize(lease, cache.root.parent / "out")
    assert bucket.keys() == []


def test_events_are_told(work: Path) -> None:
    events: list[larder.Event] = []
    with larder.Cache(work / "cache", on_event=events.append, log=work / "log") as cache:
        cache.bucket("wheels-v1").get_or_build("hello", hello).close()
    assert [(event.kind, event.key) for event in events] == [("published", "hello")]
    assert "published" in (work / "log").read_text()


def test_errors_tell_what_and_where(work: Path) -> None:
    (work / "file").write_text("")
    with pytest.raises(larder.Error) as caught:
        larder.Cache(work / "file")
    error = caught.value
    assert error.path is not None and error.path.name == "file"
    assert str(error.path) in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.code, copy.path) == (str(error), error.code, error.path)


def test_each_code_has_a_class(cache: larder.Cache, bucket: larder.Bucket) -> None:
    from larder._errors import CLASSES

    assert set(CLASSES) == set(larder.Code)
    with pytest.raises(LookupError):
        bucket.get("hello")
    with pytest.raises(larder.Invalid) as caught:
        cache.bucket("")
    assert caught.value.code is larder.Code.INVALID


def test_a_zero_byte_is_refused(cache: larder.Cache, bucket: larder.Bucket) -> None:
    for bad in (
        lambda: bucket.get("a\0b"),
        lambda: larder.Cache("a\0b"),
        lambda: cache.bucket("a\0b"),
    ):
        with pytest.raises(ValueError, match="zero byte"):
            bad()


def test_what_is_closed_says_so(cache: larder.Cache, bucket: larder.Bucket) -> None:
    lease = bucket.get_or_build("hello", hello)
    cache.close()
    cache.close()
    assert cache.closed
    for use in (cache.status, bucket.keys, cache.__enter__):
        with pytest.raises(ValueError, match="closed"):
            use()
    assert (lease.path / "text").exists()  # a lease outlives its cache
    lease.close()
    with pytest.raises(ValueError, match="closed"):
        lease.metadata()
    larder.destroy(cache.root)
    assert not cache.root.exists()


def test_a_cache_that_is_closed_in_use_ends_the_call_first(work: Path) -> None:
    cache = larder.Cache(work / "cache")
    builds, goes_on = threading.Event(), threading.Event()

    def build(staging: larder.Staging) -> None:
        builds.set()
        goes_on.wait()
        hello(staging)

    def run() -> None:
        cache.bucket("wheels-v1").get_or_build("hello", build).close()

    thread = threading.Thread(target=run)
    thread.start()
    builds.wait()
    cache.close()
    goes_on.set()
    thread.join()
    with larder.Cache(work / "cache") as again:
        assert again.bucket("wheels-v1").keys() == ["hello"]


def test_read_only(cache: larder.Cache, bucket: larder.Bucket) -> None:
    bucket.get_or_build("hello", hello).close()
    with larder.Cache(cache.root, read_only=True) as reader:
        assert reader.is_read_only
        with reader.bucket("wheels-v1").get("hello") as lease:
            assert not lease.is_protected
        with pytest.raises(larder.ReadOnly):
            reader.bucket("wheels-v1").refresh()


def test_a_lease_that_is_forgotten_ends(cache: larder.Cache, bucket: larder.Bucket) -> None:
    bucket.get_or_build("hello", hello)
    assert cache.status().leases == []
