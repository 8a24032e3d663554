# SPDX-License-Identifier: MIT
"""Runs the tutorial of the README: all its blocks of Python, in their order, as one program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_the_tutorial_runs(work: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.S | re.M)
    assert len(blocks) >= 7
    program = work / "tutorial.py"
    program.write_text("\n".join(blocks))
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
    }
    done = subprocess.run(
        [sys.executable, "-B", program],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("print('Hello!')", "there is no six", "5 entries", "downloads-v1"):
        assert said in done.stdout
