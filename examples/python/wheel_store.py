#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A store of wheels, as pip could have one: each wheel is unpacked once, for all environments and all processes, and then linked into place.

    wheel_store.py [--cache DIR] install WHEEL... --target SITE_PACKAGES
    wheel_store.py [--cache DIR] purge

It uses larder from Python by ctypes and its C interface (include/larder/larder.h): no compiler, no extension module. A purge while others install
takes nothing away from them. The library is liblarder.so, wherever the system finds it, or what LARDER_LIBRARY names.
"""

import argparse
import ctypes
import ctypes.util
import hashlib
import os
import pathlib
import stat
import sys
import zipfile
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int32, c_uint32, c_uint64, c_void_p, sizeof

BUILD_FAILED = 10  # LARDER_BUILD


class Error(Structure):
    _fields_ = [("size", c_uint32), ("code", c_int32), ("sys_errno", c_int32), ("reserved", c_int32),
                ("step", c_char_p), ("path", c_char_p), ("detail", c_char_p), ("message", c_char_p)]


class PublishOptions(Structure):
    _fields_ = [("size", c_uint32), ("durability", c_int32), ("producer", c_char_p), ("reserved", c_void_p)]


class MaterializeOptions(Structure):
    _fields_ = [("size", c_uint32), ("mode", c_int32), ("replace", c_int32), ("threads", c_uint32)]


class MaterializeReport(Structure):
    _fields_ = [("size", c_uint32), ("reserved", c_int32), ("cloned", c_uint64), ("hardlinked", c_uint64), ("copied", c_uint64),
                ("symlinks", c_uint64), ("directories", c_uint64), ("bytes", c_uint64)]


Place = POINTER(POINTER(Error))
Build = CFUNCTYPE(c_int, c_void_p, c_void_p, Place)
library = ctypes.CDLL(os.environ.get("LARDER_LIBRARY") or ctypes.util.find_library("larder") or "liblarder.so")


class LarderError(Exception):
    """What larder could not do, and why."""


def function(name, *arguments, result=None):
    """One of the C interface's. One that can fail takes a place for its error, last, which is added here, and raises what it finds there."""
    raw = getattr(library, name)
    raw.argtypes, raw.restype = arguments, result
    if result is not c_int:
        return raw
    raw.argtypes = (*arguments, Place)

    def checked(*values):
        error = POINTER(Error)()
        if raw(*values, byref(error)) != 0:
            message = os.fsdecode(error.contents.message)
            library.larder_error_free(error)
            raise LarderError(message)

    return checked


library.larder_error_free.argtypes, library.larder_error_free.restype = (POINTER(Error),), None
error_new = function("larder_error_new", c_int, c_int, c_char_p, c_char_p, result=POINTER(Error))
cache_open = function("larder_cache_open", c_char_p, c_void_p, POINTER(c_void_p), result=c_int)
cache_bucket = function("larder_cache_bucket", c_void_p, c_char_p, POINTER(c_void_p), result=c_int)
cache_collect = function("larder_cache_collect", c_void_p, c_void_p, c_void_p, result=c_int)
cache_close = function("larder_cache_close", c_void_p)
get_or_build = function("larder_bucket_get_or_build", c_void_p, c_char_p, Build, c_void_p, POINTER(PublishOptions), POINTER(c_void_p), result=c_int)
bucket_refresh = function("larder_bucket_refresh", c_void_p, result=c_int)
bucket_free = function("larder_bucket_free", c_void_p)
staging_path = function("larder_staging_path", c_void_p, result=c_char_p)
lease_path = function("larder_lease_path", c_void_p, result=c_char_p)
lease_free = function("larder_lease_free", c_void_p)
materialize = function("larder_materialize", c_char_p, c_char_p, POINTER(MaterializeOptions), POINTER(POINTER(MaterializeReport)), result=c_int)
report_free = function("larder_materialize_report_free", POINTER(MaterializeReport))


def unpack(wheel, directory):
    """As zipfile does it, which keeps every name below the directory; and the executables' mode, which zipfile leaves out."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = archive.extract(entry, directory)
            if not entry.is_dir() and (entry.external_attr >> 16) & stat.S_IXUSR:
                os.chmod(path, 0o755)


class WheelStore:
    def __init__(self, root):
        self.cache, self.wheels = c_void_p(), c_void_p()
        cache_open(os.fsencode(root), None, byref(self.cache))
        cache_bucket(self.cache, b"wheels-v1", byref(self.wheels))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        bucket_free(self.wheels)
        cache_close(self.cache)

    def install(self, wheel, target):
        """Links, or copies, what is in `wheel` into `target`. Whether it had to be unpacked for that, and how many files there were."""
        unpacked = False

        @Build
        def build(staging, _, error):  # an exception may not leave through C: it becomes an error, and comes back as one
            nonlocal unpacked
            try:
                unpack(wheel, os.fsdecode(staging_path(staging)))
                unpacked = True
                return 0
            except Exception as problem:
                error[0] = error_new(BUILD_FAILED, getattr(problem, "errno", None) or 0, os.fsencode(wheel), str(problem).encode())
                return BUILD_FAILED

        lease, report = c_void_p(), POINTER(MaterializeReport)()
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()  # the name alone does not say what is in it
        options = PublishOptions(size=sizeof(PublishOptions), producer=b"wheel_store 1")
        get_or_build(self.wheels, f"{wheel.name} {digest}".encode(), build, None, byref(options), byref(lease))
        try:  # until the lease is freed nobody's purge takes the files away
            how = MaterializeOptions(size=sizeof(MaterializeOptions), replace=1)
            materialize(lease_path(lease), os.fsencode(target), byref(how), byref(report))
            files = report.contents.cloned + report.contents.hardlinked + report.contents.copied
            report_free(report)
            return unpacked, files
        finally:
            lease_free(lease)

    def purge(self):
        bucket_refresh(self.wheels)  # takes effect here, at once; what nobody uses is then deleted
        cache_collect(self.cache, None, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "wheel_store")
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser("install", help="unpack wheels into a directory")
    install.add_argument("wheels", type=pathlib.Path, nargs="+", metavar="WHEEL")
    install.add_argument("--target", type=pathlib.Path, required=True)
    commands.add_parser("purge", help="forget all wheels")
    arguments = parser.parse_args()
    try:
        with WheelStore(arguments.cache) as store:
            if arguments.command == "purge":
                store.purge()
                return 0
            for wheel in arguments.wheels:
                unpacked, files = store.install(wheel, arguments.target)
                print(f"{wheel.name}: {files} files, {'unpacked' if unpacked else 'from the store'}")
    except (LarderError, OSError) as problem:
        print(f"wheel_store: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
