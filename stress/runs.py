# SPDX-License-Identifier: MIT
"""Runs the harness, for the scripts beside this file."""

import itertools
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "dev"
# Of links and of buckets.
KINDS = list(itertools.product(("symlink", "file"), ("directory", "pointer")))


def run_stress(build, options, report):
    """Runs the harness once, with a report at this path. Prints what it says if it is not sound.
    Returns its report; none if it could not run.
    """
    ran = subprocess.run(
        [build / "stress" / "stress", "--quiet", *options, "--json", report],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        print(ran.stdout, file=sys.stderr)
    if ran.returncode not in (0, 1):
        return None
    return json.loads(report.read_text(encoding="utf-8"))
