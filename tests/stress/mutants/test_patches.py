# SPDX-License-Identifier: MIT
"""Checks that every mutant can be made of the tree as it is now: a stale patch would test
nothing.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[3]
PATCHES = sorted((TREE / "stress" / "mutants").glob("*.patch"))


class Patches(unittest.TestCase):
    def test_there_are_some(self):
        self.assertGreaterEqual(len(PATCHES), 15)

    def test_each_applies_and_breaks_something(self):
        for patch in PATCHES:
            with self.subTest(patch.stem), tempfile.TemporaryDirectory() as directory:
                shutil.copytree(TREE / "src", f"{directory}/src")
                done = subprocess.run(["patch", "-p1", "--fuzz=0", "--forward", "-i", patch],
                                      cwd=directory, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                differ = subprocess.run(["diff", "-rq", TREE / "src", f"{directory}/src"],
                                        capture_output=True, check=False)
                self.assertEqual(differ.returncode, 1)

    def test_each_is_small_and_says_what_it_breaks(self):
        for patch in PATCHES:
            with self.subTest(patch.stem):
                reason, _, change = patch.read_text(encoding="utf-8").partition("--- a/src/")
                self.assertRegex(reason, r"\A[A-Z].*\.\n")
                changed = re.findall(r"^[-+](?![-+])", change, re.M)
                self.assertLessEqual(len(changed), 12)


def setUpModule():
    if not shutil.which("patch"):
        print("skipped: the program `patch` is missing")
        sys.exit(77)
