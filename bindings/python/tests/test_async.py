# SPDX-License-Identifier: MIT
"""get_or_build_async: many builds in one thread, and cancelled tasks."""

from __future__ import annotations

import asyncio
import threading

import larder
import pytest
from conftest import hello


async def until_busy(bucket: larder.Bucket, key: str) -> None:
    """Returns when a task builds the key."""
    while True:
        try:
            bucket.claim(key).close()
        except larder.Busy:
            return
        await asyncio.sleep(0.001)


def test_many_tasks_build_each_key_once(bucket: larder.Bucket) -> None:
    built: list[str] = []

    async def get(key: str) -> str:
        async def build(staging: larder.Staging) -> None:
            built.append(key)
            await asyncio.sleep(0)
            hello(staging)

        with await bucket.get_or_build_async(key, build) as lease:
            return lease.id

    async def main() -> list[str]:
        return await asyncio.gather(*(get(f"key-{number % 10}") for number in range(100)))

    assert len(set(asyncio.run(main()))) == 10
    assert len(built) == 10


def test_a_waiting_task_takes_no_thread(bucket: larder.Bucket) -> None:
    async def main() -> None:
        claim = bucket.claim("hello")
        assert isinstance(claim, larder.Staging)
        before = threading.active_count()
        tasks = [
            asyncio.ensure_future(bucket.get_or_build_async("hello", hello)) for _ in range(50)
        ]
        await asyncio.sleep(0.05)  # so that each task has asked at least once
        assert threading.active_count() == before
        assert not any(task.done() for task in tasks)
        hello(claim)
        bucket.publish("hello", claim).close()
        leases = await asyncio.gather(*tasks)
        assert len({lease.id for lease in leases}) == 1

    asyncio.run(main())


def test_a_cancelled_task_ends_its_own_call_alone(
    cache: larder.Cache, bucket: larder.Bucket
) -> None:
    async def main() -> None:
        never = asyncio.Event()

        async def build(staging: larder.Staging) -> None:
            await never.wait()

        builder = asyncio.ensure_future(bucket.get_or_build_async("hello", build))
        await until_busy(bucket, "hello")
        waiting = asyncio.ensure_future(bucket.get_or_build_async("hello", hello))
        leaving = asyncio.ensure_future(bucket.get_or_build_async("hello", hello))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert not waiting.done() and not builder.done()

        builder.cancel()
        with pytest.raises(asyncio.CancelledError):
            await builder
        with await waiting as lease:  # which builds now
            assert (lease.path / "text").exists()

    asyncio.run(main())
    assert cache.status().leases == []
    assert bucket.keys() == ["hello"]


def test_a_task_that_is_cancelled_while_it_publishes_leaves_no_lease(
    cache: larder.Cache, bucket: larder.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishes, goes_on = threading.Event(), threading.Event()
    publish = larder.Bucket.publish

    def slow(*arguments: object, **named: object) -> larder.Lease:
        lease = publish(*arguments, **named)  # type: ignore[arg-type]
        publishes.set()
        goes_on.wait()
        return lease

    monkeypatch.setattr(larder.Bucket, "publish", slow)

    async def main() -> None:
        task = asyncio.ensure_future(bucket.get_or_build_async("hello", hello))
        while not publishes.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(cache.status().leases) == 1
        goes_on.set()
        while cache.status().leases:
            await asyncio.sleep(0.001)

    asyncio.run(main())
    with bucket.get_or_build("hello", hello):
        pass


def test_a_build_raises_its_own_exception(bucket: larder.Bucket) -> None:
    async def fail(staging: larder.Staging) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await bucket.get_or_build_async("hello", fail)
        with await bucket.get_or_build_async("hello", hello):
            pass

    asyncio.run(main())


def test_a_timeout_ends_a_wait(bucket: larder.Bucket) -> None:
    async def main() -> None:
        with bucket.claim("hello"):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(bucket.get_or_build_async("hello", hello), 0.01)

    asyncio.run(main())
