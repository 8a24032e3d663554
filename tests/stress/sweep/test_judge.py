# SPDX-License-Identifier: MIT
"""Checks that the sweep can fail: its judge finds every kind of damage in a cache that was damaged
by hand, and nothing in a sound one.
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SWEEP = pathlib.Path(__file__).resolve().parents[3] / "stress" / "sweep"
sys.path.insert(0, str(SWEEP))

import cache  # pylint: disable=wrong-import-position
import judge
import operations
import tracing

TOOL = os.environ["CACHETOOL"]
KILLED = tracing.Run(-9, "", "", True)
DONE = tracing.Run(0, "", "", True)


def failed(step='"put"', path='"/x"', code="system", err="cachetool: put /x: Input/output error"):
    """Returns a run that failed with this error."""
    document = f'{{"error": {{"code": "{code}", "step": {step}, "path": {path}}}}}'
    return tracing.Run(1, document, err, True)


class Judges(unittest.TestCase):
    """Each test has a copy of one prepared cache."""

    name = "replace"

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="larder-judge-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.operation = operations.prepare(cls.name, TOOL, f"{cls.dir}/prepared", "symlink",
                                           "directory")
        cls.addClassCleanup(cls.operation.end)

    def setUp(self):
        self.root = f"{self.dir}/cache"
        cache.copy(f"{self.dir}/prepared/cache", self.root)
        self.addCleanup(shutil.rmtree, self.root)

    def entry(self, key):
        link = os.readlink(f"{self.root}/buckets/b/{key}")
        return os.path.normpath(f"{self.root}/buckets/b/{link}")

    def do(self):
        done = tracing.run([TOOL, *self.operation.arguments], self.root)
        self.assertEqual(done.code, 0, done.err)

    def assert_finds(self, *parts, struck=KILLED, error=""):
        found = judge.Judge(TOOL, self.operation).findings(self.root, struck, error)
        for part in parts:
            self.assertTrue(any(part in sentence for sentence in found),
                            f"{part!r} is not in {found}")
        if not parts:
            self.assertEqual(found, [])


class AfterAReplace(Judges):
    def test_old_and_new_are_clean(self):
        self.assert_finds()
        self.do()
        self.assert_finds()
        self.assert_finds(struck=DONE, error="EINTR")

    def test_neighbour_that_changed(self):
        with open(f"{self.entry('alpha')}/file", "a", encoding="utf-8") as file:
            file.write("more")
        self.assert_finds("key ('b', 'alpha') is neither as before nor as after")

    def test_attribute_that_became_empty_or_was_lost(self):
        path = f"{self.entry('alpha')}/file"
        if cache.ATTRIBUTE not in os.listxattr(path):
            self.skipTest("no attributes here")
        refused = tracing.Run(0, "", "", True, call="fsetxattr")
        self.do()
        os.removexattr(path, cache.ATTRIBUTE)
        self.assert_finds("key ('b', 'alpha') is neither", struck=DONE)
        self.assert_finds(struck=refused, error="EPERM")
        os.setxattr(path, cache.ATTRIBUTE, b"")
        self.assert_finds("key ('b', 'alpha') is neither", struck=refused, error="EPERM")

    def test_neighbour_that_is_gone(self):
        os.unlink(f"{self.root}/buckets/b/alpha")
        self.assert_finds("it is absent", "orphan")

    def test_key_that_is_gone_or_torn(self):
        os.unlink(f"{self.entry('key')}/folder/link")
        self.assert_finds("key ('b', 'key') is neither")

    def test_link_to_nowhere(self):
        shutil.rmtree(os.path.dirname(self.entry("key")))
        self.assert_finds("without a tree", "verify ends with 5")

    def test_success_that_is_none(self):
        self.assert_finds("is neither as after", struck=DONE, error="EIO")

    def test_failure_that_is_none(self):
        self.do()
        self.assert_finds("is neither as before", struck=failed(), error="EIO")

    def test_what_an_error_must_say(self):
        self.assert_finds(struck=failed(), error="EIO")
        self.assert_finds("names no step or no path", struck=failed(step="null"), error="EIO")
        self.assert_finds("names no step or no path", struck=failed(path="null"), error="EIO")
        self.assert_finds("failed without a message", struck=failed(err=""), error="EIO")
        self.assert_finds("taken for the state of the cache", struck=failed(code="miss"),
                          error="EIO")
        self.assert_finds("was not made again", struck=failed(), error="EINTR")
        aborted = tracing.Run(-6, "", "terminate called", True)
        self.assert_finds("ended with -6", struck=aborted, error="EIO")

    def test_what_a_collection_must_not_leave(self):
        for path in "staging/0/unknown", "retired/buckets/unknown", "archive/unknown":
            with self.subTest(path):
                # Not a name of larder, so no collection deletes it.
                os.mkdir(f"{self.root}/{path}")
                self.assert_finds(f"left after one collection: {path}")
                os.rmdir(f"{self.root}/{path}")


class AfterACollection(Judges):
    name = "gc"

    def test_garbage_of_every_kind_is_clean(self):
        for where in ("deleting/*", "staging/*/l-*", "archive/*/tree", "retired/links/*",
                      "retired/buckets/*/*"):
            self.assertTrue(glob.glob(f"{self.root}/{where}"), where)
        self.assert_finds()

    def test_leased_entry_that_was_taken(self):
        (entry, _), = self.operation.leased.items()
        shutil.rmtree(f"{self.root}/archive/{entry}")
        self.assert_finds(f"(4) entry {entry} is leased, but has changed")

    def test_entry_that_no_link_names(self):
        for link in glob.glob(f"{self.root}/retired/links/*"):
            os.unlink(link)
        self.assert_finds("orphan", "left after one collection: archive/")


class Usage(unittest.TestCase):
    def code(self, *arguments):
        done = subprocess.run([sys.executable, "-B", f"{SWEEP}/run", *arguments],
                              capture_output=True, check=False)
        return done.returncode

    def test_wrong_usage(self):
        self.assertEqual(self.code(), 2)
        self.assertEqual(self.code("--cachetool", "/nowhere"), 2)
        self.assertEqual(self.code("--cachetool", TOOL, "--operation", "nothing"), 2)
        self.assertEqual(self.code("--cachetool", TOOL, "--operation", "remove",
                                   "--only", "nosuchcall:1"), 2)
        self.assertEqual(self.code("--help"), 0)


def setUpModule():
    reason = tracing.can_trace()
    if reason:
        print(f"skipped: strace can't trace here: {reason}")
        sys.exit(77)
