# SPDX-License-Identifier: MIT
"""Counts by strace the system calls of a process that joins a cache, beside many participants. The
number must hardly grow with theirs.

    join_calls.py CACHETOOL

Exits with 77, "skipped", if strace cannot trace here.
"""

import fcntl
import os
import pathlib
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

F_OFD_SETLK = 37
SKIPPED = 77
HELD = (1, 100, 300, 1000)
# Eight tables are opened, tried and closed. The end of the pool is found by doubling and halving.
MOST_MORE_CALLS = 8 * 3 + 2 * 10 + 4


def hold(participants, numbers):
    """Locks these tables, as living participants do."""
    for number in numbers:
        file = os.open(participants / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))


def calls_of(command):
    with tempfile.NamedTemporaryFile() as log:
        subprocess.run(["strace", "-qq", "-o", log.name, *command], check=True, timeout=60)
        text = pathlib.Path(log.name).read_text(errors="replace")
    return len(re.findall(r"^\w+\(", text, re.M))


def main():
    tool = sys.argv[1]
    tried = ["strace", "-qq", "-o", "/dev/null", "true"]
    if shutil.which("strace") is None or subprocess.run(tried, capture_output=True).returncode != 0:
        print("skipped: strace cannot trace here")
        return SKIPPED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 1100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1100, hard))
    with tempfile.TemporaryDirectory(dir=os.environ.get("LARDER_TEST_DIR")) as scratch:
        cache, tree = pathlib.Path(scratch) / "cache", pathlib.Path(scratch) / "tree"
        tree.mkdir()
        (tree / "file").write_text("text")
        command = [tool, "--cache", cache]
        subprocess.run([*command, "put", "b", "k", tree], check=True, stdout=subprocess.DEVNULL)
        get = [*command, "exec", "b", "k", "--", "true"]
        calls, held = {}, 0
        for count in HELD:
            hold(cache / "participants", range(held, count))
            held = count
            calls[count] = calls_of(get)
        for count, made in calls.items():
            print(f"{made} calls with {count} tables held")
        begun = time.monotonic()
        subprocess.run(get, check=True, timeout=60)
        print(f"{time.monotonic() - begun:.3f} s with {held} tables held")
        most = calls[HELD[0]] + MOST_MORE_CALLS
        if max(calls.values()) > most:
            print(f"FAIL: more than {most} calls")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
