# SPDX-License-Identifier: MIT
"""The example: several installers at once, and a purge."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from test_pip import make_wheel

INSTALLER = Path(__file__).parent.parent / "examples" / "installer.py"


def test_installers_unpack_each_wheel_once(work: Path) -> None:
    wheels = [make_wheel(work, name) for name in ("bread", "cheese")]
    command: list[str | Path] = [sys.executable, "-B", INSTALLER, "--cache", work / "cache"]
    installers = [
        subprocess.Popen(
            [*command, "install", *wheels, "--target", work / f"target-{number}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    said = "".join(installer.communicate(timeout=60)[0] for installer in installers)
    assert [installer.returncode for installer in installers] == [0] * 4
    assert said.count("unpacking bread") == said.count("unpacking cheese") == 1
    for number in range(4):
        part = work / f"target-{number}" / "cheese" / "part_7.py"
        assert part.read_text() == "value = 7\n"

    purged = subprocess.run([*command, "purge"], check=True, capture_output=True, text=True)
    assert purged.stdout == "deleted 2 wheels\n"
    assert os.path.exists(work / "target-0" / "bread" / "__init__.py")


def test_what_is_no_wheel_is_refused(work: Path) -> None:
    (work / "bad.whl").write_text("no zip file")
    command: list[str | Path] = [sys.executable, "-B", INSTALLER, "--cache", work / "cache"]
    refused = subprocess.run(
        [*command, "install", work / "bad.whl", "--target", work / "target"],
        capture_output=True,
        text=True,
    )
    assert (refused.returncode, refused.stderr) == (1, "installer: File is not a zip file\n")
