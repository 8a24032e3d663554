#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""systemd accepts the timer and the service, and the service's command works as a user runs it.

Usage: systemd.py DIRECTORY CACHETOOL
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def main(units, cachetool):
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not here")
        return 77
    service = (units / "cachetool-gc.service").read_text()
    command = re.search(r"^ExecStart=(\S+/cachetool) (.*)$", service, re.MULTILINE)
    assert command, service
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        # The command that was built stands in for the one that will be installed.
        (place / "cachetool-gc.service").write_text(service.replace(command[1], cachetool))
        shutil.copy(units / "cachetool-gc.timer", place)
        names = ["cachetool-gc.service", "cachetool-gc.timer"]
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", "--man=no", *names],
            cwd=place,
            env={**os.environ, "XDG_RUNTIME_DIR": directory},
            capture_output=True,
            text=True,
        )
        # Of other units of the machine it may complain, too.
        complaints = [line for line in done.stderr.splitlines() if "cachetool" in line]
        assert done.returncode == 0 and not complaints, done.stderr

        cache, source = place / "cache", place / "source"
        source.mkdir()
        run = [cachetool, "--cache", cache]
        for key, used in ("old", "2020-01-01"), ("new", "2021-01-01"):
            put = [*run, "put", "b", key, source, "--last-used", used]
            subprocess.run(put, check=True, capture_output=True)
        # systemd makes words of the variable, where its line has no quotes around it.
        assert command[2].split()[-1] == "$CACHETOOL_GC", command[0]
        words = command[2].replace("$CACHETOOL_GC", "--max-entries 1 --low-water 100").split()
        subprocess.run([*run, *words], check=True)
        left = subprocess.run([*run, "ls"], check=True, capture_output=True, text=True).stdout
        assert "new" in left and "old" not in left, left
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
