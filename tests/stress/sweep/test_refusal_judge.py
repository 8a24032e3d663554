# SPDX-License-Identifier: MIT
"""Checks that the sweep of refusals can fail: its judge finds a hang, an abort, a refusal that was
taken for the state of the cache, and an error that says too little.
"""

import json
import pathlib
import shutil
import sys
import tempfile
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "stress" / "sweep"))

import cache  # pylint: disable=wrong-import-position
import errors
import judge
import tracing


def failed(message="open /c/f: Permission denied; run as its owner", **said):
    """Returns a run that failed with this error."""
    error = {"code": "system", "step": "open", "path": "/c/f", "message": message, **said}
    return tracing.Run(1, json.dumps({"error": error}), f"cachetool: {message}", True)


class WhatIsInstalled(unittest.TestCase):
    """An install may lack what could not be read or set, if it counts it."""

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.place)
        (self.place / "installed").mkdir()
        (self.place / "installed" / "file").write_text("text")
        self.tree = cache.read_tree(f"{self.place}/installed")

    def found(self, error, call="fsetxattr", counted=0):
        wanted = {name: (kind, mode, content, (("user.larder", b"value"),))
                  for name, (kind, mode, content, _) in self.tree.items()}
        operation = types.SimpleNamespace(arguments=["install"], before={("b", "key"): wanted})
        struck = tracing.Run(0, json.dumps({"inexact": counted}), "", True)
        struck.call, struck.silenced = call, False
        installed = judge.RefusalJudge("cachetool", operation)
        return list(installed.of_what_is_installed(f"{self.place}/cache", struck, error))

    def test_attribute_that_is_missing_and_not_counted(self):
        for error in ("EACCES", "EOPNOTSUPP"):
            self.assertTrue(any("not counted" in one for one in self.found(error)), error)
        self.assertTrue(any("not counted" in one for one in self.found("EACCES", "flistxattr")))
        self.assertEqual(self.found("EACCES", counted=1), [])

    def test_file_system_that_says_that_it_has_no_attributes(self):
        self.assertEqual(self.found("EOPNOTSUPP", "flistxattr"), [])


class TheEnd(unittest.TestCase):
    def found(self, struck, *arguments):
        operation = types.SimpleNamespace(arguments=arguments or ["put"])
        return list(judge.RefusalJudge("cachetool", operation).of_the_end("/c", struck, "EACCES"))

    def assert_finds(self, part, struck, *arguments):
        found = self.found(struck, *arguments)
        self.assertTrue(any(part in sentence for sentence in found), f"{part!r} not in {found}")

    def test_success_and_a_good_error_are_clean(self):
        self.assertEqual(self.found(tracing.Run(0, "", "", True)), [])
        self.assertEqual(self.found(failed()), [])

    def test_hang_and_abort(self):
        self.assert_finds("hangs", tracing.Run(tracing.TIMED_OUT, "", "not done", False))
        self.assert_finds("ended with -6", tracing.Run(-6, "", "terminate called", True))

    def test_error_that_says_too_little(self):
        self.assert_finds("what to do", failed("open /c/f: Permission denied"))
        self.assert_finds("no step or no path", failed(step=None))
        self.assert_finds("no step or no path", failed(path=None))
        self.assert_finds("without a message", tracing.Run(1, "", "", True))

    def test_advice_is_more_than_a_word_of_it(self):
        for message in ("rename /c/f: to /c/g (File exists)", "look at /c/run by name (x)",
                        "make directory /c/name of it (Permission denied)"):
            self.assert_finds("what to do", failed(message))
        for message in ("lock /c/f: locks do not work; name another directory (x)",
                        "read /c/f: `cachetool doctor` shows why (x)"):
            self.assertEqual(self.found(failed(message)), [])

    def test_refusal_that_was_taken_for_the_state_of_the_cache(self):
        self.assert_finds("state of the cache", failed(code="miss"))
        self.assert_finds("state of the cache", failed(code="damaged"))
        self.assertEqual(self.found(failed(code="damaged", path="/c/participants/0")), [])

    def test_doctor_may_say_what_does_not_work(self):
        report = tracing.Run(1, '{"works": false, "probes": []}', "", True)
        self.assertEqual(self.found(report, "doctor"), [])


class Points(unittest.TestCase):
    def test_every_call_but_memory_is_refused(self):
        self.assertEqual(len(errors.refusals_of("linkat", 'linkat(3, "a", 4, "b", 0)')), 9)
        self.assertTrue(
            errors.refusals_of("mmap", "mmap(NULL, 16384, PROT_READ, MAP_SHARED, 5</c>"))
        self.assertEqual(errors.refusals_of("mmap", "mmap(NULL, 16384, PROT_READ, MAP_PRIVATE, -1"),
                         [])

    def test_calls_that_differ_in_ids_alone_are_alike(self):
        def shape(identity, number):
            return tracing.shape_of(tracing.Call(
                "openat", 3, f'openat({number}</c/archive/{identity}>, "record") = {number + 1}'))
        self.assertEqual(shape("3w1q6y4c1tz4qrhh61e4000004", 17),
                         shape("3w1q6y4qeftcmzz44g0m000000", 4))
        self.assertNotEqual(tracing.shape_of(tracing.Call("read", 1, 'read(3</c/a>, "")')),
                            tracing.shape_of(tracing.Call("read", 2, 'read(3</c/b>, "")')))
