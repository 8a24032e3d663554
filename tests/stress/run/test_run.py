# SPDX-License-Identifier: MIT
"""Tests the harness as a process: short runs, runs in which the test damages the cache, reports,
and wrong usage.
"""

import itertools
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

# Seconds after which a process is taken to hang.
HANGS = 120

# No process changes an entry, so damage that the test does is still there when it is looked for.
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
        # In memory if possible: this tests the harness, and a busy disk would only make it slow.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        place = os.environ.get("LARDER_TEST_DIR") or memory
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="larder-stress-test-", dir=place))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        (self.dir / "tmp").mkdir()

    def start(self, *arguments):
        # What the harness keeps stays below the test's own directory.
        environment = dict(os.environ, TMPDIR=str(self.dir / "tmp"))
        process = subprocess.Popen([STRESS, *map(str, arguments)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=environment)
        self.addCleanup(process.kill)
        return process

    def run_stress(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=HANGS)
        return process.returncode, out, err

    def left(self):
        return sorted(path.name for path in self.dir.rglob("*") if path.name != "tmp")

    def test_smoke_passes_with_all_kinds_of_links_and_buckets(self):
        for links, buckets, exchange in itertools.product(
                (("symlink", "symlinks"), ("file", "files")),
                (("directory", "directories"), ("pointer", "pointers")),
                ((), ("--without-exchange",))):
            with self.subTest(links=links[0], buckets=buckets[0], exchange=exchange):
                code, out, err = self.run_stress(
                    "--operations", 2000, "--seed", 11, "--link-as", links[0], "--bucket-as",
                    buckets[0], *exchange)
                self.assertEqual(code, 0, out + err)
                self.assertIn(f"links as {links[1]}, buckets as {buckets[1]}", out)
                self.assertEqual("without exchange" in out, bool(exchange))
                self.assertIn("sound\n", out)
                self.assertEqual(self.left(), [])

    def test_smoke_passes_like_windows(self):
        report = self.dir / "report.json"
        code, out, err = self.run_stress("--operations", 1000, "--seed", 13, "--like-windows",
                                         "--json", report)
        self.assertEqual(code, 0, out + err)
        self.assertIn("links as files, buckets as pointers, like Windows", out)
        said = json.loads(report.read_text())
        self.assertTrue(said["like_windows"])
        self.assertGreater(said["faults"]["sharing"], 0)
        self.assertEqual(self.left(), ["report.json"])

    def test_what_was_made_for_power_survives_cuts(self):
        report = self.dir / "report.json"
        for disk in ("ext4", "xfs", "btrfs"):
            with self.subTest(disk):
                code, out, err = self.run_stress(
                    "--scenario", "power-cut", "--disk", disk, "--operations", 1500,
                    "--faults", "power-cut=5,kill", "--seed", 16, "--json", report)
                self.assertEqual(code, 0, out + err)
                said = json.loads(report.read_text())
                if said["left_out"]:
                    self.skipTest(str(said["left_out"]))
                self.assertGreater(said["judged"]["cuts"], 0)
                # Each of the 60 keys is read before and after a collection.
                self.assertEqual(said["judged"]["cut_reads"], 120 * said["judged"]["cuts"])
                self.assertEqual(said["judged"]["cuts"], said["faults"]["power-cut"])
                self.assertEqual(self.left(), ["report.json"])

    def test_a_sound_run_says_what_it_did(self):
        report, junit, cache = (self.dir / name for name in ("report.json", "junit.xml", "cache"))
        code, out, err = self.run_stress(
            "--operations", 500, "--seed", 12, "--faults", "kill=20,collector",
            "--json", report, "--junit", junit, "--cache", cache)
        self.assertEqual(code, 0, out + err)
        said = json.loads(report.read_text())
        self.assertTrue(said["sound"])
        self.assertEqual(said["violations"], 0)
        self.assertEqual(said["seed"], 12)
        self.assertEqual(said["repeat"], "stress --seed 12 --operations 500 "
                                         f"--faults kill=20,collector --cache {cache}")
        self.assertGreater(said["operations"]["get"]["count"], 0)
        # Each draw of work does an operation, a few, or none. The last check does some more.
        self.assertGreaterEqual(said["judged"]["operations"], 300)
        self.assertLessEqual(set(said["faults"]), {"kill", "collector"})
        self.assertGreater(said["points"]["get.stored"]["seen"], 0)
        self.assertGreaterEqual(said["stalled"]["seconds"], said["stalled"]["longest"])
        self.assertEqual("stalled: " in out, said["stalled"]["seconds"] > 0)
        suite = xml.etree.ElementTree.parse(junit).getroot()
        self.assertEqual(suite.get("failures"), "0")
        self.assertEqual(len(suite.findall("testcase")), len(said["checks"]))
        self.assertEqual(self.left(), ["junit.xml", "report.json"])

    def start_readers(self, cache, *arguments):
        """Starts a run that only reads, and waits until the cache is filled. Returns the process
        and its options.
        """
        scenario = self.dir / "readers.scenario"
        scenario.write_text(READERS)
        options = ["--scenario", scenario, "--seconds", HANGS, "--cache", cache]
        process = self.start(*options, *arguments)
        archive = cache / "archive"
        began = time.monotonic()
        while not (archive.is_dir() and len(list(archive.iterdir())) == 6):
            self.assertLess(time.monotonic(), began + HANGS, "the cache is not filled")
        return process, " ".join(map(str, options))

    def test_damage_is_found_and_named(self):
        report, junit, cache = (self.dir / name for name in ("report.json", "junit.xml", "cache"))
        process, options = self.start_readers(cache, "--seed", 13, "--json", report,
                                              "--junit", junit)
        archive = cache / "archive"
        victim = next(path for path in sorted(archive.glob("*/tree/**/f*"))
                      if path.is_file() and path.stat().st_size > 0)
        with open(victim, "r+b") as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
        process.send_signal(signal.SIGINT)  # in the end every entry is read
        out, err = process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertIn(f"{victim.name} differs from version", out)
        self.assertIn(victim.parts[len(archive.parts)], out, "the entry is named")
        self.assertIn(f"stress --seed 13 {options}", out)
        self.assertIn(f"cache kept: {cache}", out)
        self.assertTrue(victim.exists())
        kept = next(line for line in out.splitlines() if line.startswith("histories kept: "))
        self.assertTrue(list(pathlib.Path(kept.split(": ")[1]).glob("history.*")))
        said = json.loads(report.read_text())
        self.assertFalse(said["sound"])
        self.assertGreater(said["violations"], 0)
        suite = xml.etree.ElementTree.parse(junit).getroot()
        self.assertGreater(int(suite.get("failures")), 0)

    def test_a_leak_is_found_and_named(self):
        cache = self.dir / "cache"
        process, _ = self.start_readers(cache, "--seed", 14)
        archive = cache / "archive"
        # An entry that no link names: a copy of another one, under an id that was never given out.
        entry = sorted(archive.iterdir())[0]
        orphan = archive / (entry.name[:-4] + "zzzz")
        shutil.copytree(entry, orphan, symlinks=True)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertIn(f"verify: orphan {orphan}", out)
        self.assertIn("the archive has 7 entries, but there are 6 keys", out)

    def test_the_builder_of_a_killed_cachetool_does_not_count(self):
        # It begins when its cachetool is dead, and the lock under which it should build is
        # released.
        tool, scenario, report = (self.dir / name for name in
                                  ("cachetool", "orphans.scenario", "report.json"))
        tool.write_text("#!/bin/sh\n"
                        "( while read -r pid name state rest < /proc/$$/stat &&\n"
                        "      [ \"$state\" != Z ]; do :; done; printf '!' >&9 ) 2> /dev/null &\n"
                        "while :; do wait; done\n")
        tool.chmod(0o755)
        scenario.write_text("processes 4\nlife 0\nwork tool-build 1\nfault tool-kill 1\n")
        code, out, err = self.run_stress("--scenario", scenario, "--operations", 400,
                                         "--cachetool", tool, "--json", report)
        self.assertEqual(code, 0, out + err)
        said = json.loads(report.read_text())
        self.assertGreater(said["faults"]["tool-kill"], 0)
        self.assertEqual(said["judged"]["builds"], 0)

    def test_a_container_that_is_asked_to_end_leaves_no_program_behind(self):
        container = subprocess.Popen([STRESS, "@container", "1", "sh", "-c", "echo up; exec cat"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(container.communicate)
        if container.stdout.read(3) != b"up\n":
            self.skipTest("the system refuses to make a container")
        container.terminate()
        self.assertEqual(container.stdout.read(), b"")  # its last writer has ended
        self.assertEqual(container.wait(), 128 + signal.SIGKILL)

    def test_a_run_ends_in_order_if_all_its_processes_are_asked_to_end(self):
        report, cache = self.dir / "report.json", self.dir / "cache"
        process = self.start("--seconds", HANGS, "--cache", cache, "--seed", 15,
                             "--faults", "none", "--json", report)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        began = time.monotonic()
        while not (cache / "format").exists() or len(children.read_text().split()) < 8:
            self.assertLess(time.monotonic(), began + HANGS, "the workers do not start")
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
        for arguments in (["--no-such-option"], ["--scenario", "no-such"], ["--faults", "murder"],
                          ["--processes", "0"], ["--cache", full]):
            with self.subTest(arguments):
                code, out, err = self.run_stress(*arguments)
                self.assertEqual(code, 2, out + err)
                self.assertEqual(out, "")
                self.assertRegex(err, r"^stress: .+see stress --help\n$")
        self.assertEqual(self.left(), ["full", "mine"])

    def test_a_run_that_can_not_start_ends_with_4(self):
        code, out, err = self.run_stress("--operations", 10, "--cache", "/proc/no/such/place")
        self.assertEqual(code, 4, out + err)
        self.assertEqual(out, "")

    def test_help_version_and_scenarios(self):
        for option, word in (("--help", "usage: stress"), ("--version", "stress "),
                             ("--list-scenarios", "huge-bucket")):
            code, out, err = self.run_stress(option)
            self.assertEqual((code, err), (0, ""))
            self.assertIn(word, out)


if __name__ == "__main__":
    unittest.main()
