# SPDX-License-Identifier: MIT
"""Tests the program that cuts the power of disks a thousand times, by a few cuts."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest


class PowerCuts(unittest.TestCase):
    def test_it_adds_up_what_it_finds(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        build = pathlib.Path(os.environ["STRESS"]).parents[1]
        script = pathlib.Path(__file__).resolve().parents[3] / "stress" / "power-cuts"
        place = tempfile.mkdtemp(prefix="larder-power-cuts-", dir=os.environ.get("LARDER_TEST_DIR"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        ran = subprocess.run(
            [script, "--build", build, "--disks", "ext4", "--power", "30", "--cuts", "1",
             "--seconds", "2"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=dict(os.environ, TMPDIR=place))
        if ran.returncode == 2 and "can't be cut here: ['" in ran.stdout:
            self.skipTest(ran.stdout)
        self.assertEqual(ran.returncode, 0, ran.stdout)
        rows = [line.split(" | ") for line in ran.stdout.splitlines() if " | " in line]
        self.assertEqual([row[0] for row in rows], ["disk", "ext4", "ext4", "in all"])
        self.assertEqual(rows[1][1:3], ["at each point of a put", "400"])
        self.assertEqual(int(rows[3][2]), 400 + int(rows[2][2]))
        self.assertIn("found nothing torn", ran.stdout)
