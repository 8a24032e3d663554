#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares two trees with rsync, and their holes by itself: python3 trees_differ.py FROM TO.

Prints what differs, and exits with 1 if anything does.
"""

import os
import subprocess
import sys

from random_tree import directories_below

# A file system may round what it allocates up, and differently for two files.
SLACK = 64 * 1024


def rsync_differences(source, copy):
    """Returns what rsync would do to make `copy` equal to `source`."""
    done = subprocess.run(
        ["rsync", "-n", "--checksum", "-aHX", "--no-owner", "--no-group", "--delete",
         "--itemize-changes", os.fsencode(source) + b"/", os.fsencode(copy) + b"/"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    lines = done.stdout.decode(errors="replace").splitlines()
    if done.returncode != 0:
        lines.append(f"rsync exits with {done.returncode}")
    return lines


def hole_differences(source, copy):
    """Returns the files that have fewer holes in `copy`."""
    found = []
    for path in directories_below(source):
        with os.scandir(path) as names:
            files = [name.path for name in names if name.is_file(follow_symlinks=False)]
        for file in files:
            before = os.lstat(file).st_blocks * 512
            inner = os.path.relpath(file, os.fsencode(source))
            after = os.lstat(os.path.join(os.fsencode(copy), inner)).st_blocks * 512
            if after > before + SLACK:
                found.append(f"{inner!r} takes {after} bytes, and {before} before")
    return found


def differences(source, copy):
    return rsync_differences(source, copy) or hole_differences(source, copy)


if __name__ == "__main__":
    found_here = differences(*sys.argv[1:3])
    print("\n".join(found_here))
    sys.exit(1 if found_here else 0)
