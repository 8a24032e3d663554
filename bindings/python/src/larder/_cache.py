# SPDX-License-Identifier: MIT
"""An open cache, and what concerns all of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ._bucket import Bucket, Handle, Lease, PathLike, new_lease, seconds_of
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
from ._larder import ffi, lib
from ._reports import (
    CollectReport,
    Counters,
    Durability,
    EntryInfo,
    Event,
    LinkMode,
    MaterializeReport,
    Status,
    VerifyReport,
    collected,
    info_of,
    numbers_of,
    status_of,
    text_of,
    texts_of,
    verified,
)

Duration = float | datetime.timedelta
"""Seconds, or a timedelta."""


def _milliseconds(duration: Duration | None) -> int | None:
    """Returns what larder takes for a time to wait, where 0 is the default and -1 no wait."""
    return None if duration is None else int(seconds_of(duration) * 1000) or lib.LARDER_NO_WAIT


def _limits(
    max_size: int | None,
    max_age: Duration | None,
    max_entries: int | None,
    min_free: int | None,
    keep: Iterable[str],
) -> Options:
    """Returns the limits of a collection; those that are None are not set."""
    patterns = [text_bytes(pattern) for pattern in keep]
    limits = Options("larder_limits", keep=patterns or None, keep_count=len(patterns))
    for bit, field, limit in (
        (lib.LARDER_LIMIT_SIZE, "max_size", max_size),
        (lib.LARDER_LIMIT_AGE, "max_age_s", None if max_age is None else seconds_of(max_age)),
        (lib.LARDER_LIMIT_ENTRIES, "max_entries", max_entries),
        (lib.LARDER_LIMIT_FREE_SPACE, "min_free", min_free),
    ):
        if limit is not None:
            setattr(limits.c, field, int(limit))
            limits.c.set |= bit
    return limits


class Cache(Handle):
    """An open cache. Use it in a `with` statement, or call `close`. All threads may use it at once,
    and so may a forked child.

    Opens the cache at `root`, and creates it if nothing or an empty directory stands there.
      read_only: write nothing, not even leases.
      allow_network: allow a network file system, where leases protect only this machine.
      allow_unsafe: allow a cache that other users may change.
      lock_timeout: how long a publish, a remove or a pin may wait for other calls in its bucket.
          The default is 10 s; 0 gives up at once.
      build_timeout: how long get_or_build waits for another's build. The default is 30 min.
      on_event: called for each Event, by the thread that caused it. It must not call larder, and
          should be quick. An exception that it raises is printed and dropped.
      log: a file to which a line is appended for each event.
      count: count events, for `counters`.
    Raises: Refused for a newer format, a directory that holds something else, a network file
        system, or another user's cache; the message says which, and nothing is changed.
    """

    root: Path
    """The absolute path of the cache, without symlinks."""
    is_read_only: bool
    """True if the cache is open read-only, because you asked for it or because the root cannot be
    written."""

    def __init__(
        self,
        root: PathLike,
        *,
        read_only: bool = False,
        allow_network: bool = False,
        allow_unsafe: bool = False,
        lock_timeout: Duration | None = None,
        build_timeout: Duration | None = None,
        on_event: Callable[[Event], object] | None = None,
        log: PathLike | None = None,
        count: bool = False,
    ) -> None:
        self._slot = None
        self._buckets: dict[str, Any] = {}
        handle = None if on_event is None else ffi.new_handle(on_event)
        digests = ffi.new("larder_digest*[]", [lib.larder_sha256()])
        options = Options(
            "larder_open_options",
            read_only=read_only,
            allow_network=allow_network,
            allow_unsafe=allow_unsafe,
            lock_timeout_ms=_milliseconds(lock_timeout),
            build_timeout_ms=_milliseconds(build_timeout),
            on_event=None if on_event is None else lib.larder_python_on_event,
            on_event_data=handle,
            log=None if log is None else path_bytes(log),
            count=count,
            keep_waiting=lib.larder_python_keep_waiting,
            digest_count=1,
            digests=digests,
        )
        self._kept = (handle, on_event)
        slot = new_slot("larder_cache", lib.larder_cache_close, self._kept)
        call(lib.larder_cache_open, path_bytes(root), options.c, slot)
        self.root = Path(text_of(lib.larder_cache_root(slot[0])))
        self.is_read_only = lib.larder_cache_is_read_only(slot[0]) != 0
        self._slot = slot

    def _for_one_call(self) -> tuple[Any, Stop]:
        """Returns a handle with a stop of its own."""
        slot, stop = self._use(), Stop()
        options = Options("larder_call_options", stop=stop._c)
        made = new_slot("larder_cache", lib.larder_cache_close, self._kept)
        call(lib.larder_cache_with, slot[0], options.c, made)
        return made, stop

    def bucket(self, name: str) -> Bucket:
        """Returns a handle for the bucket of this name. It need not exist: the first publish makes
        it. Give the name a version, such as "wheels-v1". Raises: Invalid."""
        self._bucket_slot(name)
        return Bucket(name, self._bucket_slot)

    def _bucket_slot(self, name: str) -> Any:
        """Returns a slot with a handle of the bucket. The handles belong to this object, because a
        cache is open as long as any of them is."""
        slot, slots = self._use(), self._buckets
        if name not in slots:
            made = new_slot("larder_bucket", lib.larder_bucket_free, self._kept)
            call(lib.larder_cache_bucket, slot[0], text_bytes(name), made)
            slots[name] = made
        return slots[name]

    def close(self) -> None:
        """Closes the cache and its buckets. Leases and stagings stay valid. A second call does
        nothing."""
        self._slot, self._buckets = None, {}

    def buckets(self) -> list[str]:
        """Returns the names of the buckets that exist now."""
        slot, names = self._use(), new_slot("larder_names", lib.larder_names_free)
        call(lib.larder_cache_buckets, slot[0], names)
        return texts_of(names[0].names, names[0].count)

    def entries(self, buckets: Iterable[str] | None = None) -> list[EntryInfo]:
        """Returns what is known of each entry of these buckets, or of all. Leaves out an entry that
        cannot be read. For many entries this is faster than `Bucket.info` for each of them."""
        slot, entries = self._use(), list[EntryInfo]()
        names = [
            ffi.new("char[]", text_bytes(name))
            for name in (self.buckets() if buckets is None else buckets)
        ]
        call(
            lib.larder_cache_visit_entries,
            slot[0],
            ffi.new("char*[]", names),
            len(names),
            lib.larder_python_on_entry,
            ffi.new_handle(entries),
        )
        return entries

    # ---- collecting ----

    def collect(
        self,
        *,
        max_size: int | None = None,
        max_age: Duration | None = None,
        max_entries: int | None = None,
        min_free: int | None = None,
        keep: Iterable[str] = (),
        grace: Duration | None = None,
        dry_run: bool = False,
        settle: bool = False,
    ) -> CollectReport:
        """Cleans up after dead processes, evicts the least recently used entries until the limits
        are kept, then deletes what is retired and not leased. Without limits it deletes garbage
        alone. Waits for no process.

        max_size, max_age, max_entries, min_free: the limits: bytes, seconds since the last use, a
            number of entries, and bytes that must be free on the disk.
        keep: globs for "BUCKET/KEY"; entries that match stay.
        grace: keep what was removed, replaced or refreshed less long ago, so that it can still be
            restored.
        dry_run: report what would go, and change nothing.
        settle: bring all that was published to the disk at the end.
        Raises: Busy if another process collects: leave the work to that one."""
        cache, stop = self._for_one_call()
        limits = _limits(max_size, max_age, max_entries, min_free, keep)
        options = Options(
            "larder_collect_options",
            dry_run=dry_run,
            stop=stop._c,
            grace_s=None if grace is None else int(seconds_of(grace)),
            settle=settle,
        )
        report = new_slot("larder_collect_report", lib.larder_collect_report_free)
        function = lib.larder_cache_collect
        run_stoppable(stop, lambda: call(function, cache[0], limits.c, options.c, report))
        return collected(report[0])

    def keep_within(
        self,
        *,
        max_size: int | None = None,
        max_age: Duration | None = None,
        max_entries: int | None = None,
        min_free: int | None = None,
        keep: Iterable[str] = (),
        every: Duration = 3600,
        grace: Duration | None = None,
    ) -> None:
        """Lets publishes keep the cache within limits, which are as in `collect`: a publish may
        start a collection in a thread of larder's own. All processes of the cache together collect
        at most once in the time `every`. A call without limits ends this, and so does `close`,
        which waits for that thread: milliseconds, or longer if it settles the cache just then. A
        forked child collects nothing until it calls this itself."""
        slot = self._use()
        limits = _limits(max_size, max_age, max_entries, min_free, keep)
        options = Options(
            "larder_background_options",
            every_s=int(seconds_of(every)) or -1,  # where 0 is the default
            grace_s=None if grace is None else int(seconds_of(grace)),
        )
        call(lib.larder_cache_keep_within, slot[0], limits.c, options.c)

    def trash(self) -> list[EntryInfo]:
        """Returns the entries that were removed, replaced, refreshed or evicted and are not
        collected yet. `restore` brings one back."""
        slot, entries = self._use(), new_slot("larder_entries", lib.larder_entries_free)
        call(lib.larder_cache_trash, slot[0], entries)
        return [info_of(entries[0].entries[index]) for index in range(entries[0].count)]

    def restore(
        self, id: str, *, replace: bool = False, durability: Durability = Durability.PROCESS
    ) -> Lease:
        """Publishes an entry of the trash once more, under its bucket and key and a new id. With
        `replace`, also if the key names an entry again. Raises: Miss, Exists, Busy, Damaged."""
        cache, stop = self._for_one_call()
        lease, text = new_lease(), text_bytes(id)
        options = Options("larder_restore_options", replace=replace, durability=durability)
        function = lib.larder_cache_restore
        run_stoppable(stop, lambda: call(function, cache[0], text, options.c, lease))
        return Lease(lease)

    def settle(self) -> None:
        """Brings all that has been published so far, by any process, to the disk, with one sync. It
        may take seconds, and nothing ends it early."""
        slot = self._use()
        call(lib.larder_cache_settle, slot[0])

    # ---- looking ----

    def status(self) -> Status:
        """Returns which processes use the cache now, what they lease, and for what they wait."""
        slot, status = self._use(), new_slot("larder_status", lib.larder_status_free)
        call(lib.larder_cache_status, slot[0], status)
        return status_of(status[0])

    def counters(self) -> Counters:
        """Returns how often each event has happened through this cache and its buckets."""
        slot, counters = self._use(), new_slot("larder_counters", lib.larder_counters_free)
        call(lib.larder_cache_counters, slot[0], counters)
        return numbers_of(Counters, counters[0])

    def verify(self, *, repair: bool = False) -> VerifyReport:
        """Checks every invariant that can be checked while other processes work, and compares each
        live entry with its manifest. A finding is no error. With `repair`, a faulty key becomes a
        miss. Raises: Busy while another process collects or verifies."""
        cache, stop = self._for_one_call()
        options = Options("larder_verify_options", repair=repair)
        report = new_slot("larder_verify_report", lib.larder_verify_report_free)
        function = lib.larder_cache_verify
        run_stoppable(stop, lambda: call(function, cache[0], options.c, report))
        return verified(report[0])

    def verify_content(
        self, *, repair: bool = False, budget: Duration | None = None
    ) -> VerifyReport:
        """Reads the files of live entries and compares them with the digests in the entries'
        manifests. Begins with the entries whose check is longest ago, and with no further entry
        after `budget`."""
        cache, stop = self._for_one_call()
        digests = ffi.new("larder_digest*[]", [lib.larder_sha256()])
        options = Options(
            "larder_content_options",
            repair=repair,
            budget_ms=_milliseconds(budget),
            digest_count=1,
            digests=digests,
        )
        report = new_slot("larder_content_report", lib.larder_content_report_free)
        function = lib.larder_cache_verify_content
        run_stoppable(stop, lambda: call(function, cache[0], options.c, report))
        return verified(report[0])

    def __repr__(self) -> str:
        return f"<larder.Cache {str(self.root)!r}{' (closed)' if self.closed else ''}>"


def destroy(root: PathLike) -> None:
    """Deletes the cache at `root`, with read-only directories too.
    Raises: Busy if a living process uses it; Refused if `root` is no cache."""
    call(lib.larder_cache_destroy, path_bytes(root))


def materialize(
    tree: PathLike | Lease,
    destination: PathLike,
    *,
    mode: LinkMode = LinkMode.AUTOMATIC,
    replace: bool = False,
    threads: int = 0,
    stop: Stop | None = None,
) -> MaterializeReport:
    """Makes `destination` hold everything that `tree` holds: a lease, or a directory. A destination
    that is missing is made by one rename, so it is whole or missing. With `replace`, files and
    symlinks that stand in the way are replaced. Hold the lease until this returns.
    Raises: Exists if something stands in the way; Damaged if a file was modified after the entry
        was published; Unsupported if `mode` does not work here."""
    own = derived_stop(stop)
    source = path_bytes(tree.path if isinstance(tree, Lease) else tree)
    target = path_bytes(destination)
    digests = ffi.new("larder_digest*[]", [lib.larder_sha256()])
    options = Options(
        "larder_materialize_options",
        mode=mode,
        replace=replace,
        threads=threads,
        stop=own._c,
        digest_count=1,
        digests=digests,
    )
    report = new_slot("larder_materialize_report", lib.larder_materialize_report_free)
    function = lib.larder_materialize
    run_stoppable(own, lambda: call(function, source, target, options.c, report))
    return numbers_of(MaterializeReport, report[0])


def version() -> str:
    """Returns the version of the library."""
    return text_of(lib.larder_version())
