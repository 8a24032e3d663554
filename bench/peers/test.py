#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the benchmark: a driver that lies or dies is a failure and has no figure, and ratios
compare times of one round."""

import contextlib
import io
import json
import pathlib
import runpy
import subprocess
import sys
import tempfile
import unittest

import harness
from harness import Contender, Failed

HERE = pathlib.Path(__file__).resolve().parent
run = runpy.run_path(str(HERE / "run"))

# A peer that is a directory. It does everything right, except for the fault that its first argument
# names.
FAKE = """
import os, pathlib, shutil, sys, time
sys.path.insert(0, {here!r})
from driver import Failed, Peer, main, read_files

FAULT = sys.argv.pop(1)


class Fake(Peer):
    def entry(self, entry):
        return self.store / str(entry)

    def prepare(self, phase, entries):
        if FAULT == "dies" and phase == "get":
            sys.exit("out of order")

    def put(self, entries):
        for entry in entries:
            shutil.copytree(self.source(entry), self.entry(entry))
            if FAULT == "spoils":
                (self.entry(entry) / "3").write_bytes(bytes(4096))

    def get(self, entries):
        for entry in entries:
            if FAULT == "dies midway" and entry == 5:
                os.abort()
            if FAULT == "misses" and entry == 5:
                yield None
            else:
                yield [] if FAULT == "reads nothing" else read_files(self.entry(entry))

    def check(self, entry):
        return read_files(self.entry(entry))

    def drop(self, entries):
        if FAULT == "raises":
            raise Failed("would rather not")
        if FAULT == "dawdles":
            time.sleep(60)
        for entry in entries:
            if FAULT == "keeps half" and entry % 4 == 0:
                continue
            shutil.rmtree(self.entry(entry))
            if FAULT == "drops too much":
                shutil.rmtree(self.entry(entry + 1))
            if FAULT == "frees nothing":
                shutil.copytree(self.source(entry), self.store / f"trash-{{entry}}")


main(Fake, lambda: dict(version="1", note=""))
"""


class WithSources(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.sources = self.directory / "sources"
        harness.make_sources(self.sources, 12)
        (self.directory / "fake.py").write_text(FAKE.format(here=str(HERE)))

    def fake(self, fault):
        return Contender(fault, [sys.executable, str(self.directory / "fake.py"), fault])

    def measure(self, fault, processes=2):
        return harness.measure(
            self.fake(fault), self.directory, self.sources, self.directory, 12, processes
        )


class Measuring(WithSources):
    def test_a_correct_driver_is_measured(self):
        for processes in 1, 2:
            seconds = self.measure("no fault", processes)
            self.assertEqual(set(seconds), {"put", "get", "drop", "collect"})
            self.assertTrue(all(value > 0 for value in seconds.values()))

    def test_faults_are_failures(self):
        for fault, complaint in {
            "reads nothing": "read 0 bytes of",
            "misses": "entry 5 is missing",
            "dies": "out of order",
            "dies midway": "ended with -6",
            "spoils": "should exist",
            "raises": "would rather not",
            "keeps half": "freed",
            "frees nothing": "freed",
            "drops too much": "should exist",
        }.items():
            with self.subTest(fault):
                with self.assertRaisesRegex(Failed, complaint):
                    self.measure(fault, processes=1)
                self.assertEqual(
                    [path.name for path in self.directory.glob("store.*")],
                    [],
                    "the store is gone all the same",
                )

    def test_a_phase_that_takes_too_long_is_left_out(self):
        seconds = harness.measure(
            self.fake("dawdles"), self.directory, self.sources, self.directory, 12, 1, patience=5
        )
        self.assertEqual(set(seconds), {"put", "get"})
        rows = run["rows_of"]({("dawdles", 12, 1): {0: seconds}}, [self.fake("dawdles")])
        self.assertEqual([row["phase"] for row in rows], ["put", "get"])

    def test_one_failure_does_not_end_the_run(self):
        with contextlib.redirect_stderr(io.StringIO()):
            results, skipped, failed = run["measure_all"](
                [self.fake("reads nothing"), self.fake("no fault")],
                self.directory,
                self.sources,
                self.directory,
                [12],
                [1],
                2,
                run["Share"](60),
            )
        self.assertEqual(set(results), {("no fault", 12, 1)})
        self.assertEqual(set(results["no fault", 12, 1]), {0, 1})
        self.assertEqual([failure["peer"] for failure in failed], ["reads nothing"])
        self.assertEqual(skipped, [])


class Figures(unittest.TestCase):
    def test_entries_are_shared_out(self):
        self.assertEqual(harness.shares(10, 4), [(0, 2), (2, 5), (5, 7), (7, 10)])

    def test_ratios_are_within_rounds(self):
        # It does not matter that the machine was ten times slower in round 1. The ratio of the
        # medians would be 10.
        self.assertEqual(harness.median_ratio({0: 2, 1: 20, 2: 20}, {0: 1, 1: 10, 2: 2}), 2)
        self.assertEqual(harness.median_ratio({0: 2, 2: 6}, {0: 1, 1: 10, 2: 2}), 2.5)
        self.assertIsNone(harness.median_ratio({3: 1}, {0: 1}))

    def test_rows(self):
        took = lambda factor: {
            "put": 4 * factor,
            "get": 2 * factor,
            "drop": 1 * factor,
            "collect": 3 * factor,
        }
        results = {
            ("larder", 100, 1): {0: took(1), 1: took(10)},
            ("slow", 100, 1): {0: took(3), 1: took(30)},
        }
        rows = run["rows_of"](
            results, [Contender("larder", []), Contender("slow", [], note="slow", at_most=10)]
        )
        collect = [row for row in rows if row["phase"] == "collect"]
        self.assertEqual([row["seconds"] for row in collect], [[4, 40], [12, 120]])
        self.assertEqual([row["dropping"] for row in collect], [[1, 10], [3, 30]])
        self.assertEqual([row["ratio_to_larder"] for row in rows], [1, 3] * 3)
        self.assertEqual([row.get("measured_entries") for row in collect], [None, 10])

    def test_share_of_time(self):
        share = run["Share"](10)
        self.assertTrue(share.allows("new", 1000))
        share.take("slow", 100, timed=2, whole=4)
        self.assertTrue(share.allows("slow", 200))
        self.assertFalse(share.allows("slow", 201))


class Documents(unittest.TestCase):
    def test_the_document_has_no_directory_of_this_machine(self):
        told = {
            "rows": [
                {
                    "note": "put/get/drop",
                    "examples": ["ENOENT: rename '/home/me/x.1/tmp/a-b' -> 'e/me/x.1/c'"],
                }
            ],
            "failed": [{"why": "/a/b is busy"}],
        }
        self.assertEqual(
            harness.without_places(told),
            {
                "rows": [{"note": "put/get/drop", "examples": ["ENOENT: rename 'a-b' -> 'c'"]}],
                "failed": [{"why": "b is busy"}],
            },
        )


class Command(unittest.TestCase):
    def test_a_peer_that_is_not_installed_is_named_and_skipped(self):
        with tempfile.TemporaryDirectory() as empty:
            ended = subprocess.run(
                [
                    str(HERE / "run"),
                    "--peers",
                    "cacache",
                    "--peers-dir",
                    empty,
                    "--build",
                    empty,
                    "--dir",
                    empty,
                    "--entries",
                    "2",
                ],
                capture_output=True,
                text=True,
            )
        document = json.loads(ended.stdout)
        self.assertEqual(document["rows"], [])
        self.assertEqual([skipped["peer"] for skipped in document["skipped"]], ["cacache"])
        self.assertIn("skipped: cacache", ended.stderr)
        self.assertEqual(ended.returncode, 1, "a run without any figure is no success")


if __name__ == "__main__":
    unittest.main()
