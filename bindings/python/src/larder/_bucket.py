# SPDX-License-Identifier: MIT
"""Buckets, and what comes out of them: leases and stagings."""

from __future__ import annotations

import asyncio
import datetime
import inspect
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ._calls import (
    Options,
    Stop,
    call,
    derived_stop,
    new_slot,
    path_bytes,
    run_stoppable,
    text_bytes,
)
from ._errors import Busy, Miss
from ._larder import ffi, lib
from ._reports import Durability, EntryInfo, LinkMode, Wait, info_of, text_of, texts_of

H = TypeVar("H", bound="Handle")

PathLike = str | os.PathLike[str]


class Handle:
    """Something of larder that is open. A `with` statement closes it.

    close() takes effect at once, unless a call in another thread still uses it. Then that call goes
    on to its end, and the last of them closes it.
    """

    _slot: Any

    def _use(self) -> Any:
        """Returns the slot. A caller keeps it until its call has ended, so that nothing is freed
        meanwhile."""
        slot = self._slot
        if slot is None:
            raise ValueError(f"this {type(self).__name__} is closed")
        return slot

    @property
    def closed(self) -> bool:
        return self._slot is None

    def close(self) -> None:
        """Closes it. A second call does nothing."""
        self._slot = None

    def __enter__(self: H) -> H:
        self._use()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Lease(Handle):
    """The promise that the files of one entry stay where they are, until it is closed. Use it in a
    `with` statement. One thread at a time may use it. The end of the process ends it as well."""

    path: Path
    """The entry's tree. Write nothing below it."""
    id: str
    """The entry's id, which no other entry ever has."""
    is_protected: bool
    """False for a lease from a cache that was opened read-only: it could not be written down, so
    another process may delete the files."""

    def __init__(self, slot: Any) -> None:
        self._slot = slot
        self.path = Path(text_of(lib.larder_lease_path(slot[0])))
        self.id = text_of(lib.larder_lease_id(slot[0]))
        self.is_protected = lib.larder_lease_is_protected(slot[0]) != 0

    def metadata(self) -> bytes:
        """Returns what the publisher of the entry gave as `metadata`."""
        slot, text, size = self._use(), ffi.new("char const**"), ffi.new("size_t*")
        call(lib.larder_lease_metadata, slot[0], text, size)
        return bytes(ffi.buffer(text[0], size[0]))

    def keep_across_exec(self) -> None:
        """Makes the lease outlive a following `os.exec*` of this process: the entry stays until the
        program that the process becomes has ended. Keep the cache open until then."""
        slot = self._use()
        call(lib.larder_lease_keep_across_exec, slot[0])

    def __repr__(self) -> str:
        return f"<larder.Lease {self.path}{' (closed)' if self.closed else ''}>"


class Staging(Handle):
    """A private directory in which an entry is made. `Bucket.publish` makes it the entry; the end
    of a `with` statement deletes it if it was not published. One thread at a time may use it."""

    path: Path
    """The directory, which was made empty. What is put below it becomes the entry's tree."""

    def __init__(self, slot: Any, stop: Stop) -> None:
        self._slot, self._stop = slot, stop
        self.path = Path(text_of(lib.larder_staging_path(slot[0])))

    def copy_from(self, source: PathLike, mode: LinkMode | None = None) -> None:
        """Fills the directory with a copy of a directory, or of one file. With a mode, brings the
        files in that way: a program that then writes to a hard link in place changes the entry."""
        slot, path = self._use(), path_bytes(source)
        arguments = (path,) if mode is None else (path, mode)
        function = lib.larder_staging_copy_from if mode is None else lib.larder_staging_link_from
        run_stoppable(self._stop, lambda: call(function, slot[0], *arguments))

    def move_from(self, source: PathLike) -> None:
        """Renames the directory `source` to the staged directory, which must still be empty. If the
        tree is not published, it is moved back.
        Raises: Unsupported if it is on another file system."""
        slot = self._use()
        call(lib.larder_staging_move_from, slot[0], path_bytes(source))

    def inside(self) -> str:
        """Returns a text for the environment variable LARDER_INSIDE of the programs that this build
        runs. With it, builds that wait for each other in a circle see that, and end."""
        slot = self._use()
        text = lib.larder_staging_inside(slot[0])
        if text == ffi.NULL:
            raise MemoryError
        return text_of(text)

    def note(self, path: PathLike, size: int, digest: bytes) -> None:
        """Hands in the SHA-256 digest of a complete file, so that a publish with `digests` does not
        read it again. `path` is relative to the staging."""
        slot = self._use()
        call(lib.larder_staging_note, slot[0], path_bytes(path), size, digest, len(digest))

    def __repr__(self) -> str:
        return f"<larder.Staging {self.path}{' (closed)' if self.closed else ''}>"


BuildFunction = Callable[[Staging], object]
"""A build fills `staging.path`. If it raises an exception, nothing is published, and the caller
gets that exception."""

AsyncBuildFunction = Callable[[Staging], Awaitable[object]]


def new_lease() -> Any:
    return new_slot("larder_lease", lib.larder_lease_free)


def new_staging() -> Any:
    return new_slot("larder_staging", lib.larder_staging_free)


def seconds_of(duration: float | datetime.timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, datetime.timedelta) else duration


def publish_options(
    durability: Durability, producer: str | None, metadata: bytes, digests: bool
) -> Options:
    return Options(
        "larder_publish_options",
        durability=durability,
        producer=None if producer is None else text_bytes(producer),
        metadata=metadata,
        metadata_size=len(metadata),
        digest=lib.larder_sha256() if digests else None,
    )


class Bucket:
    """A named set of keys that are refreshed together. From `Cache.bucket`, with which it is
    closed. All threads may use it at once.

    The methods that publish take these options:
      durability: what the entry survives.
      producer: the name and version of your program, for the entry's record.
      metadata: at most 1,024 bytes of your own for the record: a URL, an ETag, a digest.
      digests: True keeps the SHA-256 digest of each file, for `Cache.verify_content`.
    """

    name: str

    def __init__(
        self,
        name: str,
        slot_of: Callable[[str], Any],
        on_wait: Callable[[Wait], object] | None = None,
        stop: Stop | None = None,
    ) -> None:
        self.name, self._slot_of, self._on_wait, self._stop = name, slot_of, on_wait, stop

    def with_options(
        self, *, on_wait: Callable[[Wait], object] | None = None, stop: Stop | None = None
    ) -> Bucket:
        """Returns a second bucket object, whose calls have these options. It costs no system call,
        so make one for each call.

        on_wait: called every tenth of a second while a call waits. It ends the call by raising an
            exception, which the caller gets. It must not call larder, and should be quick.
        stop: ends a wait, the copying of a tree and a partial refresh. The call raises Interrupted.
        """
        return Bucket(self.name, self._slot_of, on_wait, stop)

    def _use(self, stop: Stop | None = None) -> Any:
        """Returns a slot with a handle that has the bucket's options, or `stop` in place of its own
        one. A caller keeps the slot until its call has ended."""
        slot, stop = self._slot_of(self.name), stop or self._stop
        if stop is None and self._on_wait is None:
            return slot
        handle = None if self._on_wait is None else ffi.new_handle(self._on_wait)
        options = Options(
            "larder_call_options",
            stop=None if stop is None else stop._c,
            on_wait=None if handle is None else lib.larder_python_on_wait,
            on_wait_data=handle,
        )
        made = new_slot("larder_bucket", lib.larder_bucket_free, handle, self._on_wait)
        call(lib.larder_bucket_with, slot[0], options.c, made)
        return made

    def _for_one_call(self) -> tuple[Any, Stop]:
        """Returns a slot as `_use` does, and a stop for it alone, which the bucket's stop requests
        too."""
        stop = derived_stop(self._stop)
        return self._use(stop), stop

    # ---- getting ----

    def get(self, key: str) -> Lease:
        """Returns a lease on the entry that `key` names now. Never waits.
        Raises: Miss if there is none."""
        slot, lease = self._use(), new_lease()
        try:
            call(lib.larder_bucket_get, slot[0], text_bytes(key), lease)
        except Miss as miss:  # larder itself does not spend time on a message for each miss
            message = f"get: the bucket {self.name} has no entry {key}"
            raise Miss(message, miss.code, step="get") from None
        return Lease(lease)

    def info(self, key: str) -> EntryInfo:
        """Returns what is known of the entry of `key`. Raises: Miss."""
        slot, info = self._use(), new_slot("larder_entry_info", lib.larder_entry_info_free)
        call(lib.larder_bucket_info, slot[0], text_bytes(key), info)
        return info_of(info[0])

    def keys(self) -> list[str]:
        """Returns the keys that name an entry, in no order."""
        slot, names = self._use(), new_slot("larder_names", lib.larder_names_free)
        call(lib.larder_bucket_keys, slot[0], names)
        return texts_of(names[0].names, names[0].count)

    # ---- making ----

    def get_or_build(
        self,
        key: str,
        build: BuildFunction,
        *,
        durability: Durability = Durability.PROCESS,
        producer: str | None = None,
        metadata: bytes = b"",
        digests: bool = False,
    ) -> Lease:
        """Returns a lease on the entry of `key`. If there is none, calls `build(staging)` in this
        thread and publishes the result. Among all threads and processes, one builds while the
        others wait and then get the result. `build` may call this method for other keys.

        Waits for at most the `build_timeout` of the cache, and never for a dead process. After that
        it builds without the lock, so that work may be done twice."""
        (slot, stop), lease = self._for_one_call(), new_lease()
        options = publish_options(durability, producer, metadata, digests)

        def build_in(lent: Any) -> None:
            place = ffi.new("larder_staging**", lent)
            with Staging(place, stop) as staging:
                build(staging)

        call(
            lib.larder_bucket_get_or_build,
            slot[0],
            text_bytes(key),
            lib.larder_python_build,
            ffi.NULL,
            options.c,
            lease,
            build=build_in,
        )
        return Lease(lease)

    async def get_or_build_async(
        self,
        key: str,
        build: AsyncBuildFunction | BuildFunction,
        *,
        durability: Durability = Durability.PROCESS,
        producer: str | None = None,
        metadata: bytes = b"",
        digests: bool = False,
    ) -> Lease:
        """Does what `get_or_build` does, for asyncio. While another process or task builds, this
        sleeps in the event loop, and no thread waits. `build` may be a coroutine function. Only the
        publish, which works on the disk, runs in a thread of the loop's executor.

        Waits without end: use `asyncio.timeout` or `asyncio.wait_for`. A cancelled task ends its
        own call and no other; if it was building, the next one builds. A build must not await
        another key for ever, because no process sees builds of tasks that wait in a circle."""
        pause = 0.01
        while True:
            try:
                claimed = self.claim(key)
                break
            except Busy:
                # 10 to 100 ms, as larder.h advises; random, so that many do not wake at once.
                await asyncio.sleep(pause * random.uniform(0.5, 1))
                pause = min(0.1, pause * 1.5)
        if isinstance(claimed, Lease):
            return claimed
        staging = claimed
        try:
            result = build(staging)
            if inspect.isawaitable(result):
                await result
        except BaseException:
            await _undisturbed(staging.close)
            raise
        stop = derived_stop(self._stop)
        bucket = self.with_options(on_wait=self._on_wait, stop=stop)
        publishing = asyncio.ensure_future(
            asyncio.to_thread(
                bucket.publish,
                key,
                staging,
                durability=durability,
                producer=producer,
                metadata=metadata,
                digests=digests,
            )
        )
        try:
            return await asyncio.shield(publishing)
        except asyncio.CancelledError:
            stop.request()
            publishing.add_done_callback(_drop)
            raise

    def claim(self, key: str) -> Lease | Staging:
        """Does what `get_or_build` does, without a wait and without a callback. Returns a lease on
        the entry if there is one. Otherwise the caller becomes the only builder: it fills the
        staging that this returns and publishes it under the same key, or closes it.
        Raises: Busy if another builds the entry; the message says which process. Call again in 10
            to 100 ms. If you hold a claim, do not try for ever to get another key."""
        (slot, stop), lease, staging = self._for_one_call(), new_lease(), new_staging()
        call(lib.larder_bucket_claim, slot[0], text_bytes(key), lease, staging)
        return Lease(lease) if lease[0] != ffi.NULL else Staging(staging, stop)

    def stage(self) -> Staging:
        """Returns an empty directory to fill, which no process can get before it is published."""
        (slot, stop), staging = self._for_one_call(), new_staging()
        call(lib.larder_bucket_stage, slot[0], staging)
        return Staging(staging, stop)

    def publish(
        self,
        key: str,
        staging: Staging,
        *,
        durability: Durability = Durability.PROCESS,
        producer: str | None = None,
        metadata: bytes = b"",
        digests: bool = False,
    ) -> Lease:
        """Makes the staged tree the entry of `key`, and closes the staging, also after an error. An
        entry that the key named before is replaced atomically. Returns a lease on the new one.
        Raises: Busy if another process holds the bucket's lock for longer than `lock_timeout`."""
        slot, source, lease = self._use(), staging._use(), new_lease()
        options = publish_options(durability, producer, metadata, digests)
        key_text = text_bytes(key)
        # larder frees it from here on.
        pointer, source[0], staging._slot = source[0], ffi.NULL, None
        call(lib.larder_bucket_publish, slot[0], key_text, pointer, options.c, lease)
        return Lease(lease)

    def put(
        self,
        key: str,
        source: PathLike,
        *,
        durability: Durability = Durability.PROCESS,
        producer: str | None = None,
        metadata: bytes = b"",
        digests: bool = False,
    ) -> Lease:
        """Publishes a copy of a directory, or of one file, as the entry of `key`."""
        with self.stage() as staging:
            staging.copy_from(source)
            return self.publish(
                key,
                staging,
                durability=durability,
                producer=producer,
                metadata=metadata,
                digests=digests,
            )

    # ---- retiring ----

    def remove(self, key: str, *, durability: Durability = Durability.PROCESS) -> None:
        """Takes `key` out of the bucket. Its entry can be restored until it is collected, and
        leases on it stay valid. Raises: Miss, Busy."""
        slot = self._use()
        call(lib.larder_bucket_remove, slot[0], text_bytes(key), durability)

    def refresh(self, *, durability: Durability = Durability.PROCESS) -> None:
        """Purges the bucket: takes all its keys out at once, by one rename. Leases on their entries
        stay valid. `Cache.collect` deletes the entries later. Never waits for a process."""
        slot = self._use()
        call(lib.larder_bucket_refresh, slot[0], durability)

    def refresh_matching(
        self,
        pattern: str | None = None,
        *,
        older_than: float | datetime.timedelta | None = None,
        dry_run: bool = False,
        durability: Durability = Durability.PROCESS,
    ) -> list[str]:
        """Takes the keys that match every condition out of the bucket, one after the other, and
        returns them. `pattern` is a glob, in which `*` matches a slash too. `older_than` matches
        entries that were published more seconds ago."""
        (slot, stop), taken = self._for_one_call(), list[str]()
        data = ffi.new_handle(taken)
        options = Options(
            "larder_refresh_options",
            pattern=None if pattern is None else text_bytes(pattern),
            older_than_s=None if older_than is None else int(seconds_of(older_than)),
            dry_run=dry_run,
            durability=durability,
            on_taken=lib.larder_python_on_key,
            on_taken_data=data,
        )
        function = lib.larder_bucket_refresh_some
        run_stoppable(stop, lambda: call(function, slot[0], options.c, ffi.NULL))
        return taken

    # ---- pinning ----

    def pin(self, key: str, *, durability: Durability = Durability.PROCESS) -> None:
        """Pins `key`: no limit of a collection evicts its entry, this one or a later one."""
        slot = self._use()
        call(lib.larder_bucket_pin, slot[0], text_bytes(key), durability)

    def unpin(self, key: str, *, durability: Durability = Durability.PROCESS) -> None:
        """Ends the pin of `key`. Raises: Miss if it is not pinned."""
        slot = self._use()
        call(lib.larder_bucket_unpin, slot[0], text_bytes(key), durability)

    def is_pinned(self, key: str) -> bool:
        """Returns true if the key is pinned, whether it names an entry or not."""
        slot, pinned = self._use(), ffi.new("int*")
        call(lib.larder_bucket_is_pinned, slot[0], text_bytes(key), pinned)
        return bool(pinned[0])

    def __repr__(self) -> str:
        return f"<larder.Bucket {self.name!r}>"


async def _undisturbed(work: Callable[[], object]) -> None:
    """Runs work on the disk in the executor. A cancelled task does not wait for its end."""
    await asyncio.shield(asyncio.ensure_future(asyncio.to_thread(work)))


def _drop(publishing: asyncio.Future[Lease]) -> None:
    """Closes the lease of a task that was cancelled while it published."""
    if not publishing.cancelled() and publishing.exception() is None:
        publishing.result().close()
