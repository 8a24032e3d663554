# SPDX-License-Identifier: MIT
"""How Python calls larder, and how larder calls Python.

cffi releases the GIL around every call. So other threads run, but a signal handler of Python does
not, because the main thread is in C. Two things let Ctrl-C through:

- A thread that waits calls `larder_python_keep_waiting` at least every tenth of a second. This is
  Python code, so Python handles its signals there. An exception cannot pass through C: it is noted,
  the wait ends, and `call` raises it.
- Long work without a wait, such as the copying of a tree, runs in a thread of its own, while the
  main thread waits for that one in Python: see `run_stoppable`.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from ._errors import error_of
from ._larder import ffi, lib
from ._reports import Event, Wait, event_of, info_of

T = TypeVar("T")


class _Call:
    """A call of larder that this thread is in."""

    def __init__(self, build: Callable[[Any], object] | None) -> None:
        self.build = build
        self.error: BaseException | None = None  # what a callback has raised


class _Thread(threading.local):
    def __init__(self) -> None:
        self.calls: list[_Call] = []  # the innermost is the last


_thread = _Thread()


def call(function: Any, *arguments: Any, build: Callable[[Any], object] | None = None) -> None:
    """Calls a function of larder that can fail, and raises its error or what a callback raised."""
    error = new_slot("larder_error", lib.larder_error_free)
    this, depth = _Call(build), len(_thread.calls)
    _thread.calls.append(this)
    try:
        code = function(*arguments, error)
    finally:
        del _thread.calls[depth:]
    if this.error is not None:
        try:
            raise this.error
        finally:
            this.error = None  # else the exception would keep itself alive
    if code != lib.LARDER_OK:
        raise error_of(error[0])


def _note(kind: Any, error: BaseException, traceback: Any) -> None:
    """Notes what a callback has raised, so that the call raises it."""
    if not _thread.calls:
        raise error  # in a thread of larder's own; cffi prints it
    if _thread.calls[-1].error is None:
        _thread.calls[-1].error = error


def _note_interrupt(kind: Any, error: BaseException, traceback: Any) -> None:
    """Notes Ctrl-C alone. Any other exception is printed, because the call goes on."""
    if isinstance(error, Exception):
        raise error
    _note(kind, error, traceback)


def _handle_signals() -> None:
    """Does nothing. Python handles its signals when it calls a function."""


@ffi.def_extern(name="larder_python_keep_waiting", error=0, onerror=_note)
def _keep_waiting(data: Any) -> int:
    _handle_signals()
    return 0 if _thread.calls and _thread.calls[-1].error is not None else 1


@ffi.def_extern(name="larder_python_on_wait", error=0, onerror=_note)
def _on_wait(wait: Any, data: Any) -> int:
    on_wait: Callable[[Wait], object] = ffi.from_handle(data)
    on_wait(
        Wait(
            os.fsdecode(ffi.string(wait.what)),
            os.fsdecode(ffi.string(wait.holders)),
            wait.took_ns / 1e9,
        )
    )
    return 1


@ffi.def_extern(name="larder_python_build", error=lib.LARDER_BUILD, onerror=_note)
def _build(staging: Any, data: Any, error: Any) -> int:
    build = _thread.calls[-1].build
    assert build is not None
    build(staging)
    return 0


@ffi.def_extern(name="larder_python_on_event", onerror=_note_interrupt)
def _on_event(event: Any, data: Any) -> None:
    on_event: Callable[[Event], object] = ffi.from_handle(data)
    on_event(event_of(event))


@ffi.def_extern(name="larder_python_on_key", onerror=_note)
def _on_key(key: Any, data: Any) -> None:
    ffi.from_handle(data).append(os.fsdecode(ffi.string(key)))


@ffi.def_extern(name="larder_python_on_entry", error=0, onerror=_note)
def _on_entry(bucket: Any, key: Any, entry: Any, failure: Any, data: Any) -> int:
    if entry != ffi.NULL:
        ffi.from_handle(data).append(info_of(entry))
    return 1


def new_slot(kind: str, free: Callable[[Any], object], *kept: object) -> Any:
    """Returns a place for a result of larder. The result is freed with the place, so it is not
    leaked if an exception comes between the call and the next line. `kept` lives as long."""

    def free_result(slot: Any) -> None:
        free(slot[0])
        kept  # noqa: B018  (until now)

    return ffi.gc(ffi.new(f"{kind}**"), free_result)


def path_bytes(path: str | os.PathLike[str]) -> bytes:
    """Returns the path as the system wants it."""
    return _without_zero(os.fsencode(path))


def text_bytes(text: str) -> bytes:
    """Returns a key, a name or a pattern as larder wants it."""
    return _without_zero(text.encode("utf-8"))


def _without_zero(text: bytes) -> bytes:
    if b"\0" in text:
        raise ValueError("larder's C interface cannot name what contains a zero byte")
    return text


class Options:
    """A struct of options. A field that is None keeps its default. Keeps its texts alive."""

    def __init__(self, kind: str, **fields: Any) -> None:
        self.c = ffi.new(f"{kind}*")
        self.c.size = ffi.sizeof(kind)
        self._kept: list[Any] = []
        for name, value in fields.items():
            if isinstance(value, bytes):
                value = ffi.new("char[]", value)
                self._kept.append(value)
            if isinstance(value, list):
                texts = [ffi.new("char[]", text) for text in value]
                value = ffi.new("char*[]", texts)
                self._kept += [texts, value]
            if value is not None:
                setattr(self.c, name, value)


class Stop:
    """A request to stop, with which one thread ends calls of other threads early: see
    `Bucket.with_options`. Once made, the request stays in force for later calls too."""

    def __init__(self) -> None:
        self._c = ffi.gc(lib.larder_stop_new(), lib.larder_stop_free)
        if self._c == ffi.NULL:
            raise MemoryError
        self._requested = False
        self._derived: weakref.WeakSet[Stop] = weakref.WeakSet()

    @property
    def requested(self) -> bool:
        return self._requested

    def request(self) -> None:
        """Ends the calls that were given this stop, within a tenth of a second. Any thread may call
        this. They raise `Interrupted`."""
        self._requested = True
        lib.larder_stop_request(self._c)
        for stop in list(self._derived):
            stop.request()


def derived_stop(stop: Stop | None) -> Stop:
    """Returns a stop for one call, which `stop` requests too."""
    derived = Stop()
    if stop is not None:
        stop._derived.add(derived)
        if stop.requested:
            derived.request()
    return derived


def run_stoppable(stop: Stop, work: Callable[[], T]) -> T:
    """Does the work so that Ctrl-C ends it by the stop: in another thread if this one is the main
    thread, which alone runs the handlers of signals."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="larder", daemon=True).start()
    try:
        done.wait()
    except BaseException:
        stop.request()
        done.wait()
        raise
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()
    return results[0]
