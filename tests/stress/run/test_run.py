# SPDX-License-Identifier: MIT
"""The harness as a process: short runs, a run in which a hand damages the cache, reports, and wrong usage."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

STRESS = os.environ["STRESS"]

# Whatever takes this long hangs.
HANGS = 120

# Nobody changes anything: what a hand has damaged stays damaged until it is looked at.
READERS = """
processes 2
threads 2
buckets 1
keys 6
fill 6
tree mixed
life 0
held 2
work get 10
work use 10
"""


class RunTest(unittest.TestCase):
    def setUp(self):
        # In memory where that can be: the harness is what is tested here, and a busy disk would only make it slow.
        place = os.environ.get("LARDER_TEST_DIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="larder-stress-test-", dir=place))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        (self.dir / "tmp").mkdir()

    def start(self, *arguments):
        # Below a directory of the test's own, whatever is kept.
        environment = dict(os.environ, TMPDIR=str(self.dir / "tmp"))
        process = subprocess.Popen([STRESS, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.addCleanup(process.kill)
        return process

    def run_stress(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=HANGS)
        return process.returncode, out, err

    def left(self):
        return sorted(path.name for path in self.dir.rglob("*") if path.name != "tmp")

    def test_smoke_passes_with_both_kinds_of_links(self):
        for kind, word in (("symlink", "symlinks"), ("file", "files")):
            with self.subTest(kind):
                code, out, err = self.run_stress("--operations", 3000, "--seed", 11, "--link-as", kind)
                self.assertEqual(code, 0, out + err)
                self.assertIn(f"links as {word}", out)
                self.assertIn("sound\n", out)
                self.assertEqual(self.left(), [])

    def test_a_sound_run_says_what_it_did(self):
        report, junit, cache = self.dir / "report.json", self.dir / "junit.xml", self.dir / "cache"
        code, out, err = self.run_stress("--operations", 500, "--seed", 12, "--faults", "kill=20,collector", "--json", report, "--junit", junit,
                                         "--cache", cache)
        self.assertEqual(code, 0, out + err)
        said = json.loads(report.read_text())
        self.assertTrue(said["sound"])
        self.assertEqual(said["violations"], 0)
        self.assertEqual(said["seed"], 12)
        self.assertEqual(said["repeat"], f"stress --seed 12 --operations 500 --faults kill=20,collector --cache {cache}")
        self.assertGreater(said["operations"]["get"]["count"], 0)
        # Each draw of work is an operation or a few, or none; what the last check does comes on top.
        self.assertGreaterEqual(said["judged"]["operations"], 300)
        self.assertLessEqual(set(said["faults"]), {"kill", "collector"})
        self.assertGreater(said["points"]["get.stored"]["seen"], 0)
        self.assertGreaterEqual(said["stalled"]["seconds"], said["stalled"]["longest"])
        self.assertEqual("stalled: " in out, said["stalled"]["seconds"] > 0)
        suite = xml.etree.ElementTree.parse(junit).getroot()
        self.assertEqual(suite.get("failures"), "0")
        self.assertEqual(len(suite.findall("testcase")), len(said["checks"]))
        self.assertEqual(self.left(), ["junit.xml", "report.json"])

    def test_what_a_hand_has_damaged_is_found_and_named(self):
        scenario, cache, report, junit = self.dir / "readers.scenario", self.dir / "cache", self.dir / "report.json", self.dir / "junit.xml"
        scenario.write_text(READERS)
        process = self.start("--scenario", scenario, "--seconds", HANGS, "--cache", cache, "--seed", 13, "--json", report, "--junit", junit)
        archive = cache / "archive"
        began = time.monotonic()
        while not (archive.is_dir() and len(list(archive.iterdir())) == 6):
            self.assertLess(time.monotonic(), began + HANGS, "the cache is not filled")
        victim = next(path for path in sorted(archive.glob("*/tree/**/f*")) if path.is_file() and path.stat().st_size > 0)
        with open(victim, "r+b") as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
        process.send_signal(signal.SIGINT)  # all of it is looked at in the end
        out, err = process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertIn(f"{victim.name} differs from version", out)
        self.assertIn(victim.parts[len(archive.parts)], out, "the entry is named")
        self.assertIn(f"stress --seed 13 --scenario {scenario} --seconds {HANGS} --cache {cache}", out)
        self.assertIn(f"cache kept: {cache}", out)
        self.assertTrue(victim.exists())
        histories = pathlib.Path(next(line for line in out.splitlines() if line.startswith("histories kept: ")).split(": ")[1])
        self.assertTrue(list(histories.glob("history.*")))
        said = json.loads(report.read_text())
        self.assertFalse(said["sound"])
        self.assertGreater(said["violations"], 0)
        self.assertGreater(int(xml.etree.ElementTree.parse(junit).getroot().get("failures")), 0)

    def test_what_is_left_over_is_found_and_named(self):
        scenario, cache = self.dir / "readers.scenario", self.dir / "cache"
        scenario.write_text(READERS)
        process = self.start("--scenario", scenario, "--seconds", HANGS, "--cache", cache, "--seed", 14)
        archive = cache / "archive"
        began = time.monotonic()
        while not (archive.is_dir() and len(list(archive.iterdir())) == 6):
            self.assertLess(time.monotonic(), began + HANGS, "the cache is not filled")
        # An entry that nothing names: a copy of one, under an id that was never given out.
        entry = sorted(archive.iterdir())[0]
        orphan = archive / (entry.name[:-4] + "zzzz")
        shutil.copytree(entry, orphan, symlinks=True)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertIn(f"verify: orphan {orphan}", out)
        self.assertIn("7 entries in the archive, and 6 keys", out)

    def test_the_builder_of_a_killed_cachetool_counts_for_nothing(self):
        # It begins when its cachetool is dead, and so is the lock under which it should have built.
        tool, scenario, report = self.dir / "cachetool", self.dir / "orphans.scenario", self.dir / "report.json"
        tool.write_text("#!/bin/sh\n"
                        "( while read -r pid name state rest < /proc/$$/stat && [ \"$state\" != Z ]; do :; done; printf '!' >&9 ) 2> /dev/null &\n"
                        "while :; do wait; done\n")
        tool.chmod(0o755)
        scenario.write_text("processes 4\nlife 0\nwork tool-build 1\nfault tool-kill 1\n")
        code, out, err = self.run_stress("--scenario", scenario, "--operations", 400, "--cachetool", tool, "--json", report)
        self.assertEqual(code, 0, out + err)
        said = json.loads(report.read_text())
        self.assertGreater(said["faults"]["tool-kill"], 0)
        self.assertEqual(said["judged"]["builds"], 0)

    def test_a_run_that_is_asked_to_end_ends_in_order_whoever_else_is_asked(self):
        report, cache = self.dir / "report.json", self.dir / "cache"
        process = self.start("--seconds", HANGS, "--cache", cache, "--seed", 15, "--faults", "none", "--json", report)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        began = time.monotonic()
        while not (cache / "format").exists() or len(children.read_text().split()) < 8:
            self.assertLess(time.monotonic(), began + HANGS, "the workers do not begin")
        for pid in [*map(int, children.read_text().split()), process.pid]:
            os.kill(pid, signal.SIGTERM)
        out, err = process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertIn("interrupted", out)
        self.assertTrue(json.loads(report.read_text())["interrupted"])

    def test_wrong_usage_ends_with_2_and_touches_nothing(self):
        full = self.dir / "full"
        full.mkdir()
        (full / "mine").write_text("")
        for arguments in (["--no-such-option"], ["--scenario", "no-such"], ["--faults", "murder"], ["--processes", "0"], ["--cache", full]):
            with self.subTest(arguments):
                code, out, err = self.run_stress(*arguments)
                self.assertEqual(code, 2, out + err)
                self.assertEqual(out, "")
                self.assertRegex(err, r"^stress: .+see stress --help\n$")
        self.assertEqual(self.left(), ["full", "mine"])

    def test_what_can_not_run_ends_with_4(self):
        code, out, err = self.run_stress("--operations", 10, "--cache", "/proc/no/such/place")
        self.assertEqual(code, 4, out + err)
        self.assertEqual(out, "")

    def test_help_version_and_scenarios(self):
        for option, word in (("--help", "usage: stress"), ("--version", "stress "), ("--list-scenarios", "huge-bucket")):
            code, out, err = self.run_stress(option)
            self.assertEqual((code, err), (0, ""))
            self.assertIn(word, out)


if __name__ == "__main__":
    unittest.main()
