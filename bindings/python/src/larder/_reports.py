# SPDX-License-Identifier: MIT
"""What larder tells: waits, events, entries, and reports. Each is a copy, and frozen."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import os
from pathlib import Path
from typing import Any, TypeVar

from ._larder import ffi, lib

T = TypeVar("T")

Bytes = bytes  # some classes below have a field of that name

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class LinkMode(enum.IntEnum):
    """How the files of a tree reach their destination."""

    AUTOMATIC = 0
    """Tries for each file: a clone, then a hard link, then a copy."""
    CLONE = 1
    """Shares the blocks until one side is written (btrfs, xfs)."""
    HARDLINK = 2
    """Shares the file: a program that writes to it changes the cache."""
    COPY = 3
    """Shares nothing."""


class Durability(enum.IntEnum):
    """What a change survives."""

    PROCESS = 0
    """The death of any process, but perhaps not a power cut."""
    POWER = 1
    """A power cut too: the change is on the disk before the call returns."""


@dataclasses.dataclass(frozen=True)
class Wait:
    """A wait of a call, while it lasts."""

    what: str
    """What the call waits for: "build rich-13.9", "bucket wheels-v1"."""
    holders: str
    """Which processes have that: "pid 4711 (uv pip install), for 3 s"."""
    seconds: float
    """How long the wait has lasted."""


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that a call did, met or waited for. larder.h says which fields a kind fills in."""

    kind: str
    """ "waiting", "waited", "gave-up", "published", "removed", "refreshed" and so on."""
    at: datetime.datetime | None
    seconds: float
    """How long it took."""
    entries: int
    bytes: int
    bucket: str
    key: str
    id: str
    what: str
    who: str


@dataclasses.dataclass(frozen=True)
class EntryInfo:
    """What is known of one entry."""

    bucket: str
    key: str
    id: str
    """The entry's id, which no other entry ever has."""
    path: Path
    """Its tree. The files are there as long as the entry is: hold a lease to use them."""
    bytes: int
    """The sizes of its files, added up."""
    files: int
    """How much its tree holds that is not a directory."""
    published: datetime.datetime | None
    last_used: datetime.datetime | None
    """When it was last published or got, to the hour. None if that is not known."""
    durability: Durability
    producer: str
    """The program that published it; may be empty."""
    metadata: Bytes


@dataclasses.dataclass(frozen=True)
class Counters:
    """How often each event has happened since the cache was opened. All are zero unless it was
    opened with `count`."""

    hits: int
    misses: int
    published: int
    removed: int
    refreshed: int
    restored: int
    evicted: int
    evicted_bytes: int
    collections: int
    deleted: int
    deleted_bytes: int
    waits: int
    given_up: int
    waited_ns: int
    takeovers: int
    repairs: int
    reopened: int


@dataclasses.dataclass(frozen=True)
class Process:
    """A process that uses the cache."""

    pid: int
    """Its number in its own pid namespace."""
    here: bool
    """True if `pid` is a number of this process's pid namespace."""
    alive: bool
    command: str
    since: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class LeaseInfo:
    """A lease that a process holds. The bucket and the key are empty if they cannot be read."""

    process: Process
    bucket: str
    key: str
    id: str


@dataclasses.dataclass(frozen=True)
class LockInfo:
    """A lock that a process holds or waits for."""

    process: Process
    waiting: bool
    what: str
    """For people: "bucket wheels-v1", "build numpy-2.1.0"."""
    since: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class Status:
    """Who uses a cache."""

    processes: list[Process]
    leases: list[LeaseInfo]
    locks: list[LockInfo]
    collecting: bool
    unreadable: list[str]
    """A sentence for each lease table that cannot be read."""


@dataclasses.dataclass(frozen=True)
class CollectReport:
    """What a collection has done; in a dry run, what it would do."""

    entries: int
    """Entries that were deleted, the evicted ones included."""
    bytes: int
    evicted: int
    """Live entries that a limit took."""
    evicted_bytes: int
    reaped: int
    """Dead processes after which this collection cleaned up."""
    in_grace: int
    """Retired entries that stay because of the grace."""
    within_limits: bool
    stopped: bool
    leased: list[LeaseInfo]
    """Retired entries that stay for now because they are leased, and who leases them."""
    spared: list[LeaseInfo]
    """Live entries that were chosen, but stay because they are leased."""
    failures: list[str]
    """What could not be done, a sentence each. All else was done."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that a verification has found."""

    kind: str
    path: Path
    what: str
    repaired: bool


@dataclasses.dataclass(frozen=True)
class VerifyReport:
    """What a verification has found."""

    sound: bool
    """True if no invariant is broken, or everything was repaired."""
    entries: int
    """Entries that were checked."""
    findings: list[Finding]


@dataclasses.dataclass(frozen=True)
class MaterializeReport:
    """How many files arrived in which way."""

    cloned: int
    hardlinked: int
    copied: int
    symlinks: int
    directories: int
    bytes: int
    inexact: int
    """Files and directories without their mode, time or all attributes."""


def text_of(text: Any) -> str:
    return os.fsdecode(ffi.string(text))


def texts_of(texts: Any, count: int) -> list[str]:
    return [text_of(texts[index]) for index in range(count)]


def time_of(nanoseconds: int) -> datetime.datetime | None:
    """Returns the time, to the microsecond; None for 0, which means none."""
    if nanoseconds == 0:
        return None
    return _EPOCH + datetime.timedelta(microseconds=nanoseconds // 1000)


def numbers_of(kind: type[T], report: Any) -> T:
    """Returns a dataclass all of whose fields are numbers of the struct, by the same names."""
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    return kind(**{field.name: getattr(report, field.name) for field in fields})


def event_of(event: Any) -> Event:
    return Event(
        text_of(lib.larder_event_kind_name(event.kind)),
        time_of(event.at_ns),
        event.took_ns / 1e9,
        event.entries,
        event.bytes,
        text_of(event.bucket),
        text_of(event.key),
        text_of(event.id),
        text_of(event.what),
        text_of(event.who),
    )


def info_of(info: Any) -> EntryInfo:
    return EntryInfo(
        text_of(info.bucket),
        text_of(info.key),
        text_of(info.id),
        Path(text_of(info.path)),
        info.bytes,
        info.files,
        time_of(info.published_ns),
        time_of(info.last_used_ns),
        Durability(info.durability),
        text_of(info.producer),
        bytes(ffi.buffer(info.metadata, info.metadata_size)),
    )


def process_of(process: Any) -> Process:
    return Process(
        process.pid,
        process.here != 0,
        process.alive != 0,
        text_of(process.command),
        time_of(process.since_ns),
    )


def leases_of(leases: Any, count: int) -> list[LeaseInfo]:
    return [
        LeaseInfo(
            process_of(lease.process), text_of(lease.bucket), text_of(lease.key), text_of(lease.id)
        )
        for lease in (leases[index] for index in range(count))
    ]


def status_of(status: Any) -> Status:
    locks = (status.locks[index] for index in range(status.lock_count))
    return Status(
        [process_of(status.processes[index]) for index in range(status.process_count)],
        leases_of(status.leases, status.lease_count),
        [
            LockInfo(
                process_of(lock.process),
                lock.waiting != 0,
                text_of(lock.what),
                time_of(lock.since_ns),
            )
            for lock in locks
        ],
        status.collecting != 0,
        texts_of(status.unreadable, status.unreadable_count),
    )


def collected(report: Any) -> CollectReport:
    return CollectReport(
        report.entries,
        report.bytes,
        report.evicted,
        report.evicted_bytes,
        report.reaped,
        report.in_grace,
        report.within_limits != 0,
        report.stopped != 0,
        leases_of(report.leased, report.leased_count),
        leases_of(report.spared, report.spared_count),
        texts_of(report.failures, report.failure_count),
    )


def verified(report: Any) -> VerifyReport:
    findings = (report.findings[index] for index in range(report.finding_count))
    return VerifyReport(
        report.sound != 0,
        report.entries,
        [
            Finding(
                text_of(lib.larder_finding_kind_name(finding.kind)),
                Path(text_of(finding.path)),
                text_of(finding.what),
                finding.repaired != 0,
            )
            for finding in findings
        ],
    )
