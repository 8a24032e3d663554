# SPDX-License-Identifier: MIT
"""Tests the program that runs the harness for hours, by a few seconds of it."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "stress" / "soak"


class Soak(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(
            tempfile.mkdtemp(prefix="larder-soak-", dir=os.environ.get("LARDER_TEST_DIR")))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def soak(self, build, *options):
        return subprocess.run(
            [SCRIPT, "--build", build, *options], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
            env=dict(os.environ, TMPDIR=str(self.place)))

    def test_it_takes_the_kinds_of_caches_in_turn(self):
        build = pathlib.Path(os.environ["STRESS"]).parents[1]
        ran = self.soak(build, "--seeds", "8", "--seconds", "1", "--jobs", "2",
                        "--scenario", "smoke", "--processes", "2")
        self.assertEqual(ran.returncode, 0, ran.stdout)
        rows = [line.strip("| ").split(" | ") for line in ran.stdout.splitlines()[2:-1]]
        self.assertEqual(len({tuple(row[1:4]) for row in rows}), 8, ran.stdout)
        self.assertTrue(all(int(row[4]) > 0 and row[8] == "0" for row in rows), ran.stdout)
        self.assertTrue(ran.stdout.endswith("8 of 8 runs were sound\n"), ran.stdout)

    def test_it_tells_of_runs_that_failed(self):
        for code, sound, end in ((0, "true", 0), (1, "false", 1), (4, "false", 2)):
            stress = self.place / str(code) / "stress" / "stress"
            stress.parent.mkdir(parents=True)
            stress.write_text(
                "#!/bin/sh\necho what was found\nfor report; do :; done\n"
                "echo '{\"judged\": {\"operations\": 7}, \"processes\": 2, \"faults\": {},"
                f" \"violations\": {code}, \"sound\": {sound}}}' > \"$report\"\nexit {code}\n",
                encoding="utf-8")
            stress.chmod(0o755)
            ran = self.soak(self.place / str(code), "--seeds", "1")
            self.assertEqual(ran.returncode, end, ran.stdout)
            self.assertEqual("what was found" in ran.stdout, code != 0)
