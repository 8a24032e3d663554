# SPDX-License-Identifier: MIT
"""What survives a power cut: the option --durability, and the syncs that each command makes without
and with it.
"""

import re
import shutil
import subprocess
import unittest

import harness
from harness import CacheTest

SYNCS = "fsync,fdatasync,syncfs,sync"


class Durability(CacheTest):
    def syncs_of(self, *args):
        """The directories and files that a command syncs, below the cache. Skips the test if
        nothing can be traced here.
        """
        log = self.dir / "strace"
        tried = ["strace", "-qq", "-o", "/dev/null", "true"]
        if (
            shutil.which("strace") is None
            or subprocess.run(tried, capture_output=True).returncode != 0
        ):
            self.skipTest("strace cannot trace here")
        self.finish(
            self.start(
                "-E",
                "ASAN_OPTIONS=detect_leaks=0",
                "-qq",
                "-f",
                "-y",
                "-s",
                "300",
                "-e",
                f"trace={SYNCS}",
                "-o",
                log,
                harness.TOOL,
                *args,
                tool="strace",
            )
        )
        text = log.read_text()
        if "syncfs" in text:
            self.skipTest("this file system is synced as a whole")
        return [
            path.removeprefix(str(self.root)).lstrip("/").removesuffix(" (deleted)")
            for path in re.findall(r"fsync\(\d+<([^>]*)>", text)
        ]

    def test_what_is_taken_out_stays_away_after_a_power_cut_by_default(self):
        for key in "a", "b", "c":
            self.put("b", key)
        self.put("other", "k")
        self.assertEqual(self.syncs_of("remove", "b", "a"), ["retired/links", "buckets/b"])
        self.assertEqual(self.syncs_of("refresh", "other"), ["retired/buckets", "buckets"])
        self.assertEqual(
            self.syncs_of("refresh", "b", "--key", "b"),
            ["retired/links", "retired/buckets", "buckets/b", "buckets"],
        )
        self.assertEqual(self.syncs_of("pin", "b", "c"), ["pins/b", "pins", ""])
        self.assertEqual(self.syncs_of("unpin", "b", "c"), ["pins/b", "pins"])

    def test_without_it_nothing_is_synced(self):
        for key in "a", "b", "c":
            self.put("b", key)
        less = "--durability", "process"
        self.assertEqual(self.syncs_of("remove", "b", "a", *less), [])
        self.assertEqual(self.syncs_of("refresh", "b", "--key", "b", *less), [])
        self.assertEqual(self.syncs_of("pin", "b", "c", *less), [])
        self.assertEqual(self.syncs_of("unpin", "b", "c", *less), [])
        self.assertEqual(self.syncs_of("refresh", "b", *less), [])
        self.assertEqual(self.syncs_of("put", "b", "d", self.tree(file="text")), [])

    def test_an_entry_says_what_it_survives(self):
        source = self.tree(file="text")
        for durability in "process", "power":
            self.tool("put", "b", durability, source, "--durability", durability)
            self.tool(
                "build",
                "b",
                "built " + durability,
                "--durability",
                durability,
                "--",
                "sh",
                "-c",
                "touch $LARDER_STAGE/f",
            )
            for key in durability, "built " + durability:
                self.assertEqual(self.json("info", "b", key)["durability"], durability)
        self.tool("remove", "b", "process")
        self.tool("trash", "restore", "--bucket", "b", "--key", "process", "--durability", "power")
        self.assertEqual(self.json("info", "b", "process")["durability"], "power")

    def test_another_word_is_a_mistake_and_changes_nothing(self):
        self.put("b", "k")
        source = self.tree(file="text")
        for command in (
            ["put", "b", "k", source],
            ["build", "b", "l", "--durability", "disk", "--", "true"],
            ["remove", "b", "k"],
            ["refresh", "b"],
            ["pin", "b", "k"],
            ["unpin", "b", "k"],
            ["trash", "restore", "--bucket", "b"],
        ):
            more = [] if "--durability" in command else ["--durability", "disk"]
            with self.subTest(command[0]):
                said, _ = self.complaint(*command, *more, code=2)
                self.assertIn("process or power", said)
        self.assertEqual(self.json("ls", "b", "--pinned")["entries"], [])
        self.tool("get", "b", "k")


if __name__ == "__main__":
    unittest.main()
