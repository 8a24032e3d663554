# SPDX-License-Identifier: MIT
"""Clocks that lie, times of the future and of another age, and sizes that no disk holds."""

import json
import os
import pathlib
import sys
import time

from harness import CacheTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import many_entries

YEAR = 365 * 24 * 3600


class Clocks(CacheTest):
    def link(self, key):
        return self.root / "buckets" / "b" / key

    def set_use(self, key, then):
        os.utime(self.link(key), (then, then), follow_symlinks=False)

    def use(self, key):
        return self.link(key).lstat().st_mtime

    def lying(self, seconds, variable="LYING_CLOCK"):
        """Returns the environment in which a clock is wrong by so many seconds."""
        if "LYING_CLOCK_LIBRARY" not in os.environ:
            self.skipTest("this build can't preload a library")
        return {"LD_PRELOAD": os.environ["LYING_CLOCK_LIBRARY"], variable: str(seconds)}

    def test_a_process_with_a_wrong_clock_stamps_uses_by_the_kernels_clock(self):
        for seconds in (-YEAR, YEAR):
            with self.subTest(seconds=seconds):
                self.put(key="used")
                self.set_use("used", time.time() - 7200)
                self.tool("get", "b", "used", env=self.lying(seconds))
                self.tool("exec", "b", "used", "--", "true", env=self.lying(seconds))
                self.assertLess(abs(time.time() - self.use("used")), 600)

    def test_a_process_with_a_wrong_clock_shows_ages_by_the_kernels_clock(self):
        for key in ("kept", "removed"):
            self.put(key=key)
        self.tool("remove", "b", "removed")
        env = self.lying(YEAR)
        for command in [
            ("ls", "b"),
            ("info", "b", "kept"),
            ("why", "b", "kept"),
            ("stats",),
            ("trash", "ls"),
            ("gc", "-n", "--max-entries", "0"),
        ]:
            with self.subTest(command):
                shown = self.tool(*command, env=env)
                self.assertNotRegex(shown, r"36\d d\b(?! or more)")
        unused = json.loads(self.tool("--json", "stats", env=env))
        self.assertNotRegex(json.dumps(unused), r'seconds": 31[0-9]{6}')

    def test_the_log_of_a_process_with_a_wrong_clock_has_the_kernels_times(self):
        log = self.dir / "log"
        env = {**self.lying(YEAR), "LARDER_LOG": str(log)}
        self.tool("put", "b", "k", self.tree(file="text"), env=env)
        told = {line[:7] for line in log.read_text().splitlines()}
        now = {time.strftime("%Y-%m", time.gmtime(time.time() + off)) for off in (-600, 0)}
        self.assertLessEqual(told, now)
        self.assertTrue(told)

    def test_what_a_process_with_a_wrong_clock_publishes_is_new(self):
        source = self.tree(file="text")
        self.tool("put", "b", "k", source, env=self.lying(-YEAR))
        self.tool("refresh", "b", "--older-than", "1d")
        self.tool("gc", "--max-age", "1d")
        self.tool("get", "b", "k")

    def test_what_a_process_with_a_wrong_clock_publishes_is_not_below_an_older_watermark(self):
        self.put(key="k")
        self.tool("settle")
        watermark = self.field(next((self.root / "boots").iterdir()), "synced")
        self.tool(
            "put", "b", "later", self.tree(file="text"), env=self.lying(-30, "LYING_BOOT_CLOCK")
        )
        entry = pathlib.Path(self.tool("get", "b", "later").strip()).parent
        self.assertGreater(self.field(entry / "manifest", "boottime"), watermark)

    @staticmethod
    def field(path, name):
        """Returns the number behind a name in a file of lines."""
        lines = path.read_text(encoding="utf-8").splitlines()
        return float(next(line for line in lines if line.startswith(name + " ")).split()[1])

    def test_a_use_in_the_future_counts_as_now_and_ages_from_then_on(self):
        for key in ("future", "other"):
            self.put(key=key)
        self.set_use("future", time.time() + 10 * YEAR)
        self.set_use("other", time.time() - 7200)
        self.assertEqual(self.json("gc", "--dry-run", "--max-entries", "5")["evictions"], [])
        self.assertGreater(self.use("future"), time.time() + YEAR)
        self.tool("gc", "--max-entries", "5")
        self.assertLessEqual(self.use("future"), time.time())
        self.assertLess(time.time() - self.use("future"), 600)
        self.set_use("future", time.time() + 10 * YEAR)
        self.tool("gc", "--max-entries", "0")
        self.assertEqual(self.json("ls")["entries"], [])

    def test_times_after_2262_and_before_1970(self):
        self.put(key="k")
        many_entries.add(self.root, 2)
        first, second = (self.root / "archive" / many_entries.id_text(n) / "record" for n in (1, 2))
        first.write_bytes(many_entries.record("many", "some-package-0000001", 99_999_999_999))
        second.write_bytes(many_entries.record("many", "some-package-0000002", 2**64 - 1))
        for key, then in (("some-package-0000001", 2**34), ("some-package-0000002", -(2**31))):
            os.utime(self.root / "buckets" / "many" / key, (then, then), follow_symlinks=False)
        for entry in self.json("ls")["entries"]:
            if entry["bucket"] == "many":
                self.assertTrue(entry["published"].startswith("2262-04-11"), entry)
        self.assertRegex(self.tool("ls", "many"), r" 0 s .*some-package-0000001\n")
        self.tool("stats")
        self.tool("refresh", "many", "--older-than", "1s")
        self.assertEqual(len(self.json("ls")["entries"]), 3)
        self.tool("gc", "--max-age", "1000d")
        self.assertEqual(len(self.json("ls")["entries"]), 2)

    def test_sizes_saturate(self):
        self.put(key="k")
        many_entries.add(self.root, 3)
        for number in (1, 2, 3):
            record = self.root / "archive" / many_entries.id_text(number) / "record"
            record.write_bytes(
                many_entries.record("many", f"some-package-{number:07d}", 0, size=2**63)
            )
        self.assertEqual(self.json("stats")["total"]["bytes"], 2**64 - 1)
        report = self.json("gc", "--max-entries", "0")
        self.assertEqual((report["evicted_bytes"], report["bytes"]), (2**64 - 1, 2**64 - 1))

    def test_a_limit_is_kept_although_the_sizes_saturate(self):
        self.put(key="k")
        many_entries.add(self.root, 3)
        for number in (1, 2, 3):
            record = self.root / "archive" / many_entries.id_text(number) / "record"
            record.write_bytes(
                many_entries.record("many", f"some-package-{number:07d}", 0, size=2**63 - 1)
            )
        for options in (["--dry-run"], []):
            # Two of them and the small one are as much as 64 bits hold; the plan goes on from
            # what is left in truth, and not from that.
            report = self.json("gc", "--max-size", "10GiB", *options)
            self.assertEqual((report["evicted"], report["within_limits"]), (3, True))
            self.assertLess(report["live_bytes"], 1000)
        self.assertEqual([entry["key"] for entry in self.json("ls")["entries"]], ["k"])

    def test_destroy_adds_up_without_an_overflow(self):
        self.put(key="k")
        many_entries.add(self.root, 3)
        for number in (1, 2, 3):
            record = self.root / "archive" / many_entries.id_text(number) / "record"
            record.write_bytes(
                many_entries.record("many", f"some-package-{number:07d}", 0, size=2**63 - 1)
            )
        self.assertIn("4 entries (16.0 EiB)", self.tool("destroy", "--dry-run"))

    def test_a_refresh_by_age_goes_by_the_kernels_clock(self):
        self.put(key="k")
        lying = self.lying(YEAR)
        self.assertEqual(
            self.json("refresh", "b", "--older-than", "30d", "-n", env=lying)["keys"], []
        )
        self.tool("refresh", "b", "--older-than", "30d", env=lying)
        self.tool("get", "b", "k")
        self.tool("refresh", "b", "--older-than", "0", env=self.lying(-YEAR))
        self.tool("get", "b", "k", code=3)

    def test_huge_durations_are_as_good_as_for_ever(self):
        self.put(key="k")
        for huge in ("40000d", "99999999999999999999w"):
            self.tool("refresh", "b", "--older-than", huge)
            self.tool("gc", "--max-age", huge)
        self.tool("get", "b", "k")
