# SPDX-License-Identifier: MIT
"""The errors of larder, one class for each code."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Any

from ._larder import ffi


class Code(enum.IntEnum):
    """What kind of error it is. There is one code for each different thing that a caller can do."""

    MISS = 1
    BUSY = 2
    INTERRUPTED = 3
    INVALID = 4
    REFUSED = 5
    READ_ONLY = 6
    NO_SPACE = 7
    UNSUPPORTED = 8
    EXISTS = 9
    BUILD = 10
    DAMAGED = 11
    SYSTEM = 12


class Error(Exception):
    """What larder could not do, where, and what to do about it. `str(error)` is all of that in one
    line. Each code has a subclass, so a program catches `larder.Miss` or `larder.Busy`."""

    code: Code
    """What kind of error it is."""
    path: Path | None
    """The file or directory that larder was working on."""
    errno: int | None
    """The errno of the system call that failed. None if no call failed."""
    step: str
    """What larder was doing, such as "publish"."""
    detail: str
    """What exactly is wrong, and what to do next."""

    def __init__(
        self,
        message: str,
        code: Code = Code.SYSTEM,
        path: Path | None = None,
        errno: int | None = None,
        step: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(message, code, path, errno, step, detail)
        self.code, self.path, self.errno = code, path, errno
        self.step, self.detail = step, detail

    def __str__(self) -> str:
        return str(self.args[0])


class Miss(Error, LookupError):
    """There is no such entry: build it, or tell the user."""


class Busy(Error):
    """Another process holds the lock, and the time to wait has passed: try again. The message names
    the holder."""


class Interrupted(Error):
    """Your own Stop has ended the wait or the work."""


class Invalid(Error, ValueError):
    """A key, a name, a path or an option that can never work: correct the call."""


class Refused(Error):
    """This cache must not be used in this way: a newer format, a network file system, another
    owner, or no cache."""


class ReadOnly(Error):
    """The cache can only be read here."""


class NoSpace(Error):
    """The disk or the quota is full. Remove, refresh and collect still work."""


class Unsupported(Error):
    """This file system cannot do what was asked for: ask for another way."""


class Exists(Error):
    """Something stands in the way: move it, or allow its replacement."""


class BuildFailed(Error):
    """A build could not make the entry. In Python a build raises its own exception instead."""


class Damaged(Error):
    """Something on the disk breaks an invariant: call `Cache.verify`."""


class SystemFailure(Error):
    """The operating system refused; see `errno`."""


CLASSES: dict[int, type[Error]] = {
    Code.MISS: Miss,
    Code.BUSY: Busy,
    Code.INTERRUPTED: Interrupted,
    Code.INVALID: Invalid,
    Code.REFUSED: Refused,
    Code.READ_ONLY: ReadOnly,
    Code.NO_SPACE: NoSpace,
    Code.UNSUPPORTED: Unsupported,
    Code.EXISTS: Exists,
    Code.BUILD: BuildFailed,
    Code.DAMAGED: Damaged,
    Code.SYSTEM: SystemFailure,
}


def error_of(error: Any) -> Error:
    """Returns the exception for a larder_error, from which it copies everything."""
    path = os.fsdecode(ffi.string(error.path))
    return CLASSES.get(error.code, Error)(
        os.fsdecode(ffi.string(error.message)),
        Code(error.code) if error.code in CLASSES else Code.SYSTEM,
        Path(path) if path else None,
        error.sys_errno or None,
        os.fsdecode(ffi.string(error.step)),
        os.fsdecode(ffi.string(error.detail)),
    )
