# SPDX-License-Identifier: MIT
"""Waits: without the GIL, with Ctrl-C, with on_wait and stops. And forked children."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable

import larder
import pytest
from conftest import Child, hello

Start = Callable[..., Child]

# Waits for the build of another process, until Ctrl-C.
WAITER = """
import sys, larder
told = False
def tell(wait):
    global told
    if not told:
        told = True
        print(wait.what, flush=True)
with larder.Cache(sys.argv[1]) as cache:
    bucket = cache.bucket("wheels-v1")
    if sys.argv[2] == "told":
        bucket = bucket.with_options(on_wait=tell)
    try:
        bucket.get_or_build("hello", lambda staging: print("builds", flush=True))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    print(bucket.keys(), flush=True)
"""

# Waits for a bucket's lock in one of the calls that take it, until Ctrl-C.
LOCKER = """
import sys, larder
cache, told = larder.Cache(sys.argv[1]), []
def tell(wait):
    if not told:
        told.append(wait)
        print(wait.what, flush=True)
bucket = cache.bucket("wheels-v1").with_options(on_wait=tell)
staging = bucket.stage()
calls = {
    "publish": lambda: bucket.publish("new", staging),
    "remove": lambda: bucket.remove("hello"),
    "pin": lambda: bucket.pin("hello"),
}
print("opened", flush=True)
sys.stdin.readline()
try:
    calls[sys.argv[2]]()
    print("done", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

# Works in C until it is stopped, as the copying of a large tree does.
WORKER = """
import time
from larder._calls import Stop, run_stoppable
stop = Stop()
def work():
    print("works", flush=True)
    while not stop.requested:
        time.sleep(0.001)
try:
    run_stoppable(stop, work)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def claimed(bucket: larder.Bucket, key: str = "hello") -> larder.Staging:
    staging = bucket.claim(key)
    assert isinstance(staging, larder.Staging)
    return staging


def waits(cache: larder.Cache) -> bool:
    return any(lock.waiting for lock in cache.status().locks)


def test_a_wait_does_not_hold_the_gil(bucket: larder.Bucket) -> None:
    waiting, leases = threading.Event(), list[larder.Lease]()
    seen: list[larder.Wait] = []

    def on_wait(wait: larder.Wait) -> None:
        seen.append(wait)
        waiting.set()

    staging = claimed(bucket)
    waiter = threading.Thread(
        target=lambda: leases.append(
            bucket.with_options(on_wait=on_wait).get_or_build("hello", hello)
        )
    )
    waiter.start()
    waiting.wait()  # this thread would not run if the other one held the GIL
    (staging.path / "text").write_text("from the claim")
    bucket.publish("hello", staging).close()
    waiter.join()
    assert (leases[0].path / "text").read_text() == "from the claim"
    assert seen[0].what == "build hello"
    assert f"pid {os.getpid()}" in seen[0].holders


@pytest.mark.parametrize("how", ["told", "plain"])
def test_an_interrupt_ends_a_wait(cache: larder.Cache, child: Start, how: str) -> None:
    with claimed(cache.bucket("wheels-v1")):
        waiter = child(WAITER, cache.root, how)
        if how == "told":
            assert waiter.line() == "build hello"
        while not waits(cache):
            time.sleep(0.001)
        waiter.process.send_signal(signal.SIGINT)
        assert waiter.line() == "interrupted"  # and the claim is still held
        assert waiter.line() == "[]"  # the cache works after that
        assert waiter.end() == 0


@pytest.mark.parametrize("name", ["publish", "remove", "pin"])
def test_an_interrupt_ends_a_wait_for_a_bucket(
    cache: larder.Cache, bucket: larder.Bucket, child: Start, name: str
) -> None:
    bucket.get_or_build("hello", hello).close()
    locker = child(LOCKER, cache.root, name)
    assert locker.line() == "opened"
    with (cache.root / "locks").open("r+b") as locks:
        fcntl.lockf(locks, fcntl.LOCK_EX)  # all locks of the cache
        locker.go_on()
        assert locker.line() == "bucket wheels-v1"
        locker.process.send_signal(signal.SIGINT)
        assert locker.line() == "interrupted"
    assert locker.end() == 0
    assert bucket.keys() == ["hello"]
    assert not bucket.is_pinned("hello")


def test_an_interrupt_ends_long_work(child: Start) -> None:
    worker = child(WORKER)
    assert worker.line() == "works"
    worker.process.send_signal(signal.SIGINT)
    assert worker.line() == "interrupted"
    assert worker.end() == 0


def test_on_wait_ends_a_wait_by_an_exception(bucket: larder.Bucket) -> None:
    def give_up(wait: larder.Wait) -> None:
        raise TimeoutError(wait.what)

    with claimed(bucket):
        with pytest.raises(TimeoutError, match="build hello"):
            bucket.with_options(on_wait=give_up).get_or_build("hello", hello)


def test_a_stop_ends_the_calls_that_have_it_and_no_other(
    cache: larder.Cache, bucket: larder.Bucket
) -> None:
    ended: dict[str, str] = {}
    stop = larder.Stop()

    def wait(name: str, through: larder.Bucket) -> None:
        try:
            through.get_or_build("hello", hello).close()
            ended[name] = "got"
        except larder.Interrupted:
            ended[name] = "stopped"

    staging = claimed(bucket)
    threads = {
        name: threading.Thread(target=wait, args=(name, through))
        for name, through in (("with", bucket.with_options(stop=stop)), ("without", bucket))
    }
    for thread in threads.values():
        thread.start()
    while sum(lock.waiting for lock in cache.status().locks) < 2:
        time.sleep(0.001)
    stop.request()
    threads["with"].join()
    assert ended == {"with": "stopped"}
    hello(staging)
    bucket.publish("hello", staging).close()
    threads["without"].join()
    assert ended["without"] == "got"


def test_a_stop_ends_a_copy(bucket: larder.Bucket) -> None:
    stop = larder.Stop()
    with bucket.with_options(stop=stop).stage() as staging:
        stop.request()
        with pytest.raises(larder.Interrupted):
            staging.copy_from(os.path.dirname(larder.__file__))


def test_a_build_that_waits_too_long_is_done_twice(cache: larder.Cache) -> None:
    with larder.Cache(cache.root, build_timeout=0) as hasty:
        with claimed(cache.bucket("wheels-v1")):
            with hasty.bucket("wheels-v1").get_or_build("hello", hello) as lease:
                assert (lease.path / "text").exists()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_uses_the_cache_and_takes_nothing(
    cache: larder.Cache, bucket: larder.Bucket
) -> None:
    lease, staging = bucket.get_or_build("hello", hello), bucket.stage()
    waiter = threading.Thread(target=lambda: bucket.get_or_build("other", hello).close())
    claim = claimed(bucket, "other")
    waiter.start()
    while not waits(cache):
        time.sleep(0.001)

    pid = os.fork()
    if pid == 0:  # while a thread of the parent waits inside larder
        status = 1
        try:
            lease.close()
            staging.close()
            with bucket.get("hello") as own, bucket.get_or_build("child", hello):
                status = 0 if own.id == lease.id else 2
            cache.close()
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0

    bucket.refresh()
    cache.collect()
    assert (lease.path / "text").read_text() == "Hello!"
    assert staging.path.exists()
    hello(claim)
    bucket.publish("other", claim).close()
    waiter.join()
    lease.close()
    staging.close()
    assert cache.verify().sound
