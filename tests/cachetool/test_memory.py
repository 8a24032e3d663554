# SPDX-License-Identifier: MIT
"""How much memory the commands need that look at every entry."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from harness import TOOL, CacheTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import many_entries

PEAK_MEMORY = os.environ["PEAK_MEMORY"]
COMMANDS = (
    ["ls"],
    ["ls", "--json"],
    ["ls", "--sort", "used", "--limit", "10"],
    ["ls", "--sort", "size", "--json"],
    ["stats"],
    ["trash", "ls"],
    ["trash", "ls", "--json"],
    ["verify"],
)


class Memory(CacheTest):
    def cache_of(self, name, live, retired, size=0, place=None):
        """Makes a cache, and returns its path."""
        root = (place or self.dir) / name
        self.tool(
            "--cache", str(root), "put", "b", "first", self.tree(f"source-{name}", file="text")
        )
        many_entries.add(root, live, retired, size=size)
        return root

    def fast_directory(self):
        """Returns a directory on a tmpfs that can hold a million files, or else any other
        directory.
        """
        shm = pathlib.Path("/dev/shm")
        if (
            "LARDER_TEST_DIR" in os.environ
            or not os.access(shm, os.W_OK)
            or os.statvfs(shm).f_favail < 1_000_000
        ):
            return self.dir
        fast = tempfile.TemporaryDirectory(prefix="larder-memory-", dir=shm)
        self.addCleanup(fast.cleanup)
        return pathlib.Path(fast.name)

    def peak(self, root, *command):
        """Returns the most KiB that a command had at one time."""
        file = self.dir / "peak"
        subprocess.run(
            [PEAK_MEMORY, file, TOOL, "--cache", root, *command],
            env=self.env,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return int(file.read_text())

    def test_a_list_of_8000_keys_in_30_megabytes_of_addresses(self):
        shell = ["sh", "-c", 'ulimit -v 30000; exec "$0" "$@"', TOOL]
        if subprocess.run([*shell, "--version"], capture_output=True, check=False).returncode != 0:
            self.skipTest("this build needs more addresses than that even for --version")
        root = self.cache_of("cache", 8000, 0)
        listed = subprocess.run(
            [*shell, "--cache", root, "ls", "--json"], capture_output=True, check=False
        )
        self.assertEqual((listed.returncode, listed.stderr), (0, b""))
        self.assertEqual(len(json.loads(listed.stdout)["entries"]), 8001)

    def test_memory_does_not_grow_with_the_entries(self):
        few, many = self.cache_of("few", 1000, 1000), self.cache_of("many", 12_000, 12_000)
        for command in COMMANDS:
            with self.subTest(command=command):
                # A list goes to a file when it has 4 MiB.
                self.assertLess(self.peak(many, *command) - self.peak(few, *command), 8 * 1024)

    def test_a_gc_with_limits_needs_little_memory_at_100000_entries(self):
        place = self.fast_directory()
        few, many = self.cache_of("few", 1000, 0, 1000, place), self.cache_of(
            "many", 100_000, 0, 1000, place
        )
        for options in (["--dry-run"], []):
            with self.subTest(options=options):
                command = ["gc", "--max-size", "10kB", *options]
                # The plan has 32 bytes for each victim. A list goes to a file when it has 4 MiB.
                self.assertLess(self.peak(many, *command) - self.peak(few, *command), 10 * 1024)
        self.assertLess(len(os.listdir(many / "archive")), 10)

    def test_a_list_that_is_sorted_in_a_file_is_in_order(self):
        root = self.cache_of("cache", 12_000, 0)
        for options in ([], ["--sort", "age"], ["--sort", "age", "--limit", "11000"]):
            with self.subTest(options=options):
                command = ["--cache", str(root), "ls", "many", *options]
                keys = [
                    entry["key"] for entry in json.loads(self.tool(*command, "--json"))["entries"]
                ]
                self.assertEqual(keys, sorted(keys, reverse="age" in options))
                self.assertEqual(len(keys), 11_000 if "--limit" in options else 12_000)
                lines = self.tool(*command).splitlines()[1:]
                self.assertEqual([line.split()[-1] for line in lines], keys)

    def test_a_list_is_sorted_in_memory_where_no_temporary_file_can_be_made(self):
        root = self.cache_of("cache", 12_000, 0)
        for place in ("/no/such/place", "/proc"):
            with self.subTest(TMPDIR=place):
                environment = {"TMPDIR": place, "LARDER_CACHE_DIR": str(root)}
                listed = self.json("ls", "many", env=environment)
                self.assertEqual(len(listed["entries"]), 12_000)
                dry = self.json("gc", "--dry-run", "--max-entries", "1", env=environment)
                self.assertGreater(len(dry["evictions"]), 11_000)


if __name__ == "__main__":
    unittest.main()
