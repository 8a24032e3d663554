#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the golden caches anew: CACHETOOL=... python3 -B make_golden.py

A golden cache was written by the cachetool of an earlier day. It stands here so that a version that
can't read it fails tests/conformance. So make a new one beside the old ones, and replace none: the
names below say which versions of the format they have.
"""

import gzip
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# The name of each cache, and its kinds of links and buckets.
CACHES = {
    "format-4-directories": ("symlink", "directory"),
    "format-4-pointers-as-files": ("file", "pointer"),
}
ENTRIES = [("tools-v1", "node-22.1"), ("tools-v1", "a/b \u00e9\n"), ("odd \u2603", "long " * 100)]
TIME = 1_700_000_000  # a tar keeps whole seconds in any implementation


def make_source(source):
    """Fills a directory with what trees may hold."""
    source = os.fsencode(source)
    os.makedirs(source + b"/folder/deeper")
    os.makedirs(source + b"/empty", 0o750)
    for name, content, mode in [
        (b"file", b"text\n", 0o644),
        (b"nothing", b"", 0o400),
        (b"folder/script", b"#!/bin/sh\nexit 0\n", 0o755),
        (b"folder/deeper/new\nline\\\xff", b"odd\n", 0o600),
    ]:
        with open(os.path.join(source, name), "wb") as file:
            file.write(content)
        os.chmod(os.path.join(source, name), mode)
    os.link(source + b"/file", source + b"/folder/same")
    os.symlink(b"../file", source + b"/folder/link")
    for path, folders, files in os.walk(source, topdown=False):
        for name in folders + files + [b""]:
            os.utime(os.path.join(path, name), (TIME, TIME), follow_symlinks=False)


def tool(root, *args):
    subprocess.run(
        [os.environ["CACHETOOL"], "--quiet", "--cache", root, *args],
        check=True, stdout=subprocess.DEVNULL,
    )


def make_empty_cache(root, links, buckets):
    """Makes a cache that is empty. larder makes links as files where symlinks do not work, which
    is not so here; but as long as a cache is empty, its kind stands in nothing but `format`."""
    with tempfile.TemporaryDirectory() as source:
        pathlib.Path(source, "file").touch()
        tool(root, "put", "--buckets", buckets, "b", "k", source)
    tool(root, "refresh", "--all")
    tool(root, "gc")
    assert not any(os.listdir(root / name) for name in ("archive", "buckets", "retired/buckets"))
    form = root / "format"
    form.write_text(form.read_text().replace("links symlink", f"links {links}"))


def write_tar(root, path):
    """Writes a cache to a file whose bytes depend on the cache alone."""

    def without_owner(info):
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = int(info.mtime)
        return info

    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(root, "cache", filter=without_owner)


def unpack(path, to):
    """Makes a golden cache in the directory `to`, which belongs to this user."""
    subprocess.run(["tar", "-xzpf", path, "--no-same-owner", "-C", to], check=True)


def main():
    for name, kinds in CACHES.items():
        path = HERE / f"{name}.tar.gz"
        if path.exists():
            sys.exit(f"{path} is there: a golden cache is never replaced")
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory) / "cache"
            make_empty_cache(root, *kinds)
            make_source(f"{directory}/source")
            for bucket, key in ENTRIES:
                tool(root, "put", bucket, key, f"{directory}/source")
            tool(root, "put", "tools-v1", "removed", f"{directory}/source")
            tool(root, "remove", "tools-v1", "removed")  # so that a retired link stands there too
            tool(root, "pin", *ENTRIES[0])
            write_tar(root, path)


if __name__ == "__main__":
    main()
