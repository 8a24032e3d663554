#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A store of wheels, as pip could have one. It unpacks each wheel once, for all environments and
all processes, and then links it into place.

    wheel_store.py [--cache DIR] install WHEEL... --target SITE_PACKAGES
    wheel_store.py [--cache DIR] purge

It uses larder's C interface (include/larder/larder.h) through ctypes, so it needs no compiler and
no extension module. A purge takes nothing from processes that are installing. The library is
liblarder.so, which the system finds, or the one that LARDER_LIBRARY names.
"""

import argparse
import ctypes
import ctypes.util
import hashlib
import os
import pathlib
import signal
import stat
import sys
import threading
import zipfile
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_void_p, sizeof
from ctypes import c_int32, c_int64, c_uint32, c_uint64

BUILD_FAILED = 10  # LARDER_BUILD
POWER = 1  # LARDER_SURVIVES_POWER


class Error(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("code", c_int32),
        ("sys_errno", c_int32),
        ("reserved", c_int32),
        ("step", c_char_p),
        ("path", c_char_p),
        ("detail", c_char_p),
        ("message", c_char_p),
    ]


KeepWaiting = CFUNCTYPE(c_int32, c_void_p)


class OpenOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("link_kind", c_int32),
        ("read_only", c_int32),
        ("allow_network", c_int32),
        ("lock_timeout_ms", c_int64),
        ("build_timeout_ms", c_int64),
        ("stop", c_void_p),
        ("on_wait_data", c_void_p),
        ("on_wait", c_void_p),
        ("on_event", c_void_p),
        ("on_event_data", c_void_p),
        ("log", c_char_p),
        ("count", c_int32),
        ("reserved", c_int32),
        ("keep_waiting", KeepWaiting),
        ("keep_waiting_data", c_void_p),
    ]


class PublishOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("durability", c_int32),
        ("producer", c_char_p),
        ("reserved", c_void_p),
    ]


class MaterializeOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("mode", c_int32),
        ("replace", c_int32),
        ("threads", c_uint32),
        ("stop", c_void_p),
    ]


class MaterializeReport(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_int32),
        ("cloned", c_uint64),
        ("hardlinked", c_uint64),
        ("copied", c_uint64),
        ("symlinks", c_uint64),
        ("directories", c_uint64),
        ("bytes", c_uint64),
        ("inexact", c_uint64),
    ]


ErrorPointer = POINTER(POINTER(Error))
Build = CFUNCTYPE(c_int, c_void_p, c_void_p, ErrorPointer)
library = ctypes.CDLL(
    os.environ.get("LARDER_LIBRARY") or ctypes.util.find_library("larder") or "liblarder.so"
)


class LarderError(Exception):
    """Says what larder could not do, and why."""


def function(name, *arguments, result=None):
    """Returns a function of the C interface. If its result is an int, it can fail: then its last
    parameter is a pointer to an error, which this adds, and the error is raised."""
    raw = getattr(library, name)
    raw.argtypes, raw.restype = arguments, result
    if result is not c_int:
        return raw
    raw.argtypes = (*arguments, ErrorPointer)

    def checked(*values):
        error = POINTER(Error)()
        if raw(*values, byref(error)) != 0:
            message = os.fsdecode(error.contents.message)
            library.larder_error_free(error)
            raise LarderError(message)

    return checked


library.larder_error_free.argtypes, library.larder_error_free.restype = (POINTER(Error),), None
error_new = function("larder_error_new", c_int, c_int, c_char_p, c_char_p, result=POINTER(Error))
cache_open = function(
    "larder_cache_open", c_char_p, POINTER(OpenOptions), POINTER(c_void_p), result=c_int
)
cache_bucket = function("larder_cache_bucket", c_void_p, c_char_p, POINTER(c_void_p), result=c_int)
cache_collect = function("larder_cache_collect", *[c_void_p] * 4, result=c_int)
cache_close = function("larder_cache_close", c_void_p)
get_or_build = function(
    "larder_bucket_get_or_build",
    c_void_p,
    c_char_p,
    Build,
    c_void_p,
    POINTER(PublishOptions),
    POINTER(c_void_p),
    result=c_int,
)
bucket_refresh = function("larder_bucket_refresh", c_void_p, c_int, result=c_int)
bucket_free = function("larder_bucket_free", c_void_p)
staging_path = function("larder_staging_path", c_void_p, result=c_char_p)
lease_path = function("larder_lease_path", c_void_p, result=c_char_p)
lease_free = function("larder_lease_free", c_void_p)
materialize = function(
    "larder_materialize",
    c_char_p,
    c_char_p,
    POINTER(MaterializeOptions),
    POINTER(POINTER(MaterializeReport)),
    result=c_int,
)
report_free = function("larder_materialize_report_free", POINTER(MaterializeReport))


def unpack(wheel, directory):
    """Unpacks a wheel. zipfile keeps every name below the directory, but does not set the mode of
    executable files."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = archive.extract(entry, directory)
            if not entry.is_dir() and (entry.external_attr >> 16) & stat.S_IXUSR:
                os.chmod(path, 0o755)


class Interrupts:
    """Lets Ctrl-C end a wait inside a call of larder.

    Python runs its handler of a signal as soon as Python code runs, and larder calls keep_waiting
    at least every tenth of a second while it waits. But the exception that the usual handler raises
    cannot pass through C. So during a call this handler only remembers the signal, and after the
    call the exception is raised. In a build, which is Python code, the usual handler applies.
    """

    def __init__(self):
        self.seen, self.in_build = False, False

    def __enter__(self):
        self.seen, self.before = False, None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self.handle)
        return self

    def __exit__(self, *_):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
        if self.seen:
            raise KeyboardInterrupt

    def handle(self, *_):
        self.seen = True
        if self.in_build:
            raise KeyboardInterrupt


class WheelStore:
    def __init__(self, root):
        self.cache, self.wheels = c_void_p(), c_void_p()
        self.interrupts = Interrupts()
        self.callback = KeepWaiting(self.keep_waiting)  # larder calls it until the cache is closed
        options = OpenOptions(size=sizeof(OpenOptions), keep_waiting=self.callback)
        cache_open(os.fsencode(root), byref(options), byref(self.cache))
        cache_bucket(self.cache, b"wheels-v1", byref(self.wheels))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        bucket_free(self.wheels)
        cache_close(self.cache)

    def keep_waiting(self, _):
        return 0 if self.interrupts.seen else 1

    def install(self, wheel, target):
        """Links or copies the files of `wheel` into `target`. Returns whether the wheel had to be
        unpacked, and the number of its files."""
        unpacked = False

        @Build
        def build(staging, _, error):
            # An exception cannot pass through C. It becomes an error, which get_or_build raises.
            nonlocal unpacked
            try:
                self.interrupts.in_build = True
                unpack(wheel, os.fsdecode(staging_path(staging)))
                self.interrupts.in_build = False
                unpacked = True
                return 0
            except BaseException as problem:
                self.interrupts.in_build = False
                number = getattr(problem, "errno", None) or 0
                text = str(problem).encode()
                error[0] = error_new(BUILD_FAILED, number, os.fsencode(wheel), text)
                return BUILD_FAILED

        lease, report = c_void_p(), POINTER(MaterializeReport)()
        # The key needs the digest, because two wheels may have one name.
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        key = f"{wheel.name} {digest}".encode()
        options = PublishOptions(size=sizeof(PublishOptions), producer=b"wheel_store 1")
        with self.interrupts:
            get_or_build(self.wheels, key, build, None, byref(options), byref(lease))
        try:  # no purge deletes the files until the lease is freed
            how = MaterializeOptions(size=sizeof(MaterializeOptions), replace=1)
            materialize(lease_path(lease), os.fsencode(target), byref(how), byref(report))
            files = report.contents.cloned + report.contents.hardlinked + report.contents.copied
            report_free(report)
            return unpacked, files
        finally:
            lease_free(lease)

    def purge(self):
        bucket_refresh(self.wheels, POWER)  # takes effect at once, and no power cut undoes it
        cache_collect(self.cache, None, None, None)  # deletes what no process uses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "wheel_store"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser("install", help="unpack wheels into a directory")
    install.add_argument("wheels", type=pathlib.Path, nargs="+", metavar="WHEEL")
    install.add_argument("--target", type=pathlib.Path, required=True)
    commands.add_parser("purge", help="purge all wheels")
    arguments = parser.parse_args()
    try:
        with WheelStore(arguments.cache) as store:
            if arguments.command == "purge":
                store.purge()
                return 0
            for wheel in arguments.wheels:
                unpacked, files = store.install(wheel, arguments.target)
                print(
                    f"{wheel.name}: {files} files, {'unpacked' if unpacked else 'from the store'}"
                )
    except (LarderError, OSError) as problem:
        print(f"wheel_store: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
