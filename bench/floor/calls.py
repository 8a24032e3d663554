# SPDX-License-Identifier: MIT
"""Counts system calls by strace. The floor must make the calls that it claims, and larder's get
must make no others.

    calls.py BENCH_FLOOR [DIR [ROW]]

Exits with 77, "skipped", if strace cannot trace here. With a ROW it only shows which calls larder
makes in it.
"""

import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXPECTED = {
    ("get, hit", "floor"): {"readlinkat": 2},
    ("get, hit", "larder"): {"readlinkat": 1},
    ("get, miss", "floor"): {"readlinkat": 1},
    ("get, miss", "larder"): {"readlinkat": 1},
    ("get of 500 keys, leased together", "floor"): {"readlinkat": 1000},
    ("get of 500 keys, leased together", "larder"): {"readlinkat": 500},
    ("first get of 500 keys", "larder"): {"readlinkat": 1000},
    ("open, one get, close", "floor"): {"openat": 2, "flock": 1, "readlinkat": 2, "close": 2},
    ("put of 10 files of 4 KiB", "floor"): {
        "mkdirat": 1,
        "openat": 11,
        "write": 10,
        "close": 11,
        "renameat": 2,
        "symlinkat": 1,
    },
    ("remove of a key", "floor"): {
        "openat": 2,
        "fcntl": 4,
        "readlinkat": 1,
        "renameat": 1,
        "close": 2,
    },
    ("pin of a key", "floor"): {"openat": 2, "fcntl": 3, "close": 2},
    ("refresh of 100 keys, until visible", "floor"): {"rename": 1},
}
# Where lease tables are not mapped there is no ring, and a first get looks at the time of the link.
WITHOUT_RINGS = {("first get of 500 keys", "larder"): {"readlinkat": 1000, "newfstatat": 500}}
CALLS = 10  # the number that bench_floor --trace makes


def traced(bench, row, side, directory):
    """Returns how often one call of a side makes each system call."""
    with tempfile.TemporaryDirectory() as scratch:
        log = pathlib.Path(scratch) / "strace"
        command = [
            "strace",
            "-qq",
            "-o",
            log,
            bench,
            "--dir",
            directory,
            "--rows",
            row,
            "--trace",
            side,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{row}, {side}: {done.stderr}")
        names = re.findall(r"^(\w+)\(", log.read_text(errors="replace"), re.M)
    # Each call is between two markers, and so is what undoes it.
    parts, part = [], []
    for name in names[names.index("getppid") :]:
        if name == "getppid":
            parts.append(part)
            part = []
        else:
            part.append(name)
    timed = parts[1::2]
    counts = collections.Counter(name for part in timed for name in part)
    del counts["brk"]  # memory for the vectors of this program
    return {name: count / CALLS for name, count in sorted(counts.items())}


def main():
    bench, directory = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else tempfile.gettempdir()
    if (
        shutil.which("strace") is None
        or subprocess.run(
            ["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True
        ).returncode
        != 0
    ):
        print("strace cannot trace here")
        return 77
    if len(sys.argv) > 3:
        counts = traced(bench, sys.argv[3], "larder", directory)
        print(f"{sum(counts.values()):g} calls: {counts}")
        return 0
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", directory], capture_output=True, text=True, check=True
    ).stdout.strip()
    has_rings = kind in ("ext2/ext3", "tmpfs")
    wrong = 0
    for (row, side), expected in (EXPECTED if has_rings else EXPECTED | WITHOUT_RINGS).items():
        counts = traced(bench, row, side, directory)
        good = counts == expected
        wrong += not good
        print(
            f"{'ok  ' if good else 'FAIL'} {row}, {side}: {counts}"
            + ("" if good else f", but expected {expected}")
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
