#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds many entries to a cache, faster than larder can publish them.

It writes the format that docs/protocol.md describes. No other process may use the cache meanwhile.
"""

import pathlib
import sys
import time
import zlib

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
# The boot tag and the random part of the ids; the counter is the number of the entry.
FIRST_ID = 0x7C0DCDE2_303AF92F_88C4C171_00000000


def id_text(number):
    """Returns the id of an entry, as text."""
    value = FIRST_ID + number
    return "".join(DIGITS[value >> shift & 31] for shift in range(125, -1, -5))


def record(bucket, key, published, size=0):
    """Returns the bytes of a record."""
    text = (
        f"larder record 1\nbucket {bucket}\nkey {key}\ntime {published}.000000000\n"
        f"boot 7c0dcde2c6304fedb5baf7055d782d8e\ndurability process\nbytes {size}\nfiles 0\n"
        "producer many_entries\n"
    )
    return f"{text}end {zlib.crc32(text.encode()):08x}\n".encode()


def manifest(tree):
    """Returns the bytes of the manifest of an empty tree."""
    text = (
        "larder manifest 1\nboot 7c0dcde2c6304fedb5baf7055d782d8e\nboottime 1.000000000\n"
        "timens 0\ndigest none\nnewest 0.000000000\n"
    )
    text += f"head {zlib.crc32(text.encode()):08x}\nd 0 {tree.stat().st_mode & 0o7777:o} .\n"
    return f"{text}end {zlib.crc32(text.encode()):08x}\n".encode()


def add(root, live, retired=0, bucket="many", size=0):
    """Adds live entries, and others that are in the trash. By its record, each has `size` bytes."""
    root = pathlib.Path(root)
    (root / "buckets" / bucket).mkdir(exist_ok=True)
    now = int(time.time())
    for number in range(1, live + retired + 1):
        name = id_text(number)
        key = f"some-package-{number:07d}"
        entry = root / "archive" / name
        (entry / "tree").mkdir(parents=True)
        (entry / "manifest").write_bytes(manifest(entry / "tree"))
        (entry / "record").write_bytes(record(bucket, key, now - number, size))
        is_live = number <= live
        link = root / "buckets" / bucket / key if is_live else root / "retired" / "links" / name
        link.symlink_to(f"../../archive/{name}/tree")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: many_entries.py ROOT LIVE RETIRED")
    add(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
