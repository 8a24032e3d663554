# SPDX-License-Identifier: MIT
"""Bounded caches and second thoughts: gc with limits, plans, pins, the trash, refreshes of some
keys, and what is said about an entry.
"""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import unittest

from harness import TESTING_TOOL, TOOL, CacheTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import many_entries

DAY = 24 * 3600


class Limits(CacheTest):
    def use_ago(self, key, seconds, bucket="b"):
        then = time.time() - seconds
        os.utime(self.root / "buckets" / bucket / key, (then, then), follow_symlinks=False)

    def fill(self, count, size=1000):
        """Keys "0", "1", …: each was last used a day after the one before it, the last one today.
        """
        for number in range(count):
            self.put(key=str(number), file="x" * size)
            self.use_ago(str(number), (count - 1 - number) * DAY)

    def keys(self, *args):
        return [entry["key"] for entry in self.json("ls", *args)["entries"]]


class NoInodes(Limits):
    def test_disk_has_blocks_and_no_inodes_min_free_evicts(self):
        place = self.dir / "disk"
        place.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64m,nr_inodes=200", "none", str(place)],
            check=False,
            capture_output=True,
        )
        if mounted.returncode != 0:
            self.skipTest(f"no rights to mount: {mounted.stderr.decode()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)], check=False)
        self.root = place / "cache"
        self.env["LARDER_CACHE_DIR"] = str(self.root)
        source = self.tree("many", **{f"f{number}": "" for number in range(10)})
        number = 0
        while self.start("put", "b", str(number), source).wait() == 0:
            self.use_ago(str(number), (100 - number) * DAY)
            number += 1
        self.assertGreater(number, 5)
        self.assertGreater(os.statvfs(place).f_bavail, 1000)
        report = self.json("gc", "--min-free", "50%")
        self.assertGreater(report["evicted"], 2)
        disk = os.statvfs(place)
        self.assertGreaterEqual(disk.f_favail, disk.f_files * 0.5)
        # The least recently used ones went.
        left = sorted(int(key) for key in self.keys())
        self.assertEqual(left, list(range(number - len(left), number)))
        self.tool("put", "b", "new", source)


class Gc(Limits):
    def test_each_limit_evicts_the_least_recently_used(self):
        for limit, left in [
            (["--max-entries", "3", "--low-water", "100"], "234"),
            (["--max-size", "3.5kB", "--low-water", "60%"], "34"),
            (["--max-age", "36h"], "34"),
            (["--max-age", "12h", "--keep", "b/0"], "04"),
        ]:
            with self.subTest(limit):
                self.purge() if self.root.exists() else None
                self.fill(5)
                document = self.json("gc", *limit)
                self.assertEqual(document["evicted"], 5 - len(left))
                self.assertEqual(document["live_entries"], len(left))
                self.assertTrue(document["within_limits"])
                self.assertEqual(self.keys(), list(left))
                self.assertEqual(len(list((self.root / "archive").iterdir())), len(left))

    def test_says_what_went_and_what_the_disk_got_back(self):
        self.fill(3, size=100_000)
        err = self.finish(self.start("gc", "--max-entries", "1", "--low-water", "100"))[1]
        self.assertRegex(
            err,
            r"deleted 2 entries \(195.3 KiB\), 2 of them evicted; the disk got back (at least "
            r")?[\d.]+ KiB; 1 entry stays",
        )

    def test_dry_run_prints_the_victims(self):
        self.fill(3)
        out = self.tool("gc", "--max-entries", "1", "--low-water", "100", "--dry-run")
        self.assertRegex(out, r"would evict \(max-entries\): b 0 \(1000 B, last used 2 d ago\)")
        self.assertEqual(
            [
                eviction["key"]
                for eviction in self.json(
                    "gc", "--max-entries", "1", "--low-water", "100", "--dry-run"
                )["evictions"]
            ],
            ["0", "1"],
        )
        self.assertEqual(self.keys(), ["0", "1", "2"])

    def test_min_free_takes_shares_and_sizes(self):
        self.fill(2)
        self.assertEqual(self.json("gc", "--min-free", "0%")["evicted"], 0)
        self.assertEqual(self.json("gc", "--min-free", "1B")["evicted"], 0)
        document = self.json("gc", "--min-free", "100%")
        self.assertEqual(document["evicted"], 2)

    def test_a_disk_that_others_fill_is_not_blamed_on_entries(self):
        for left in (2, 0):
            self.fill(left)
            for options in (["-n"], []):
                out, err = self.finish(self.start("gc", "--min-free", "100%", *options))
                self.assertIn("still below --min-free", out + err)
                self.assertNotIn("pinned or kept", out + err)
        self.fill(1)
        self.tool("pin", "b", "0")
        err = self.finish(self.start("gc", "--min-free", "100%"))[1]
        self.assertIn("the entries in use, pinned or kept exceed it", err)

    def test_what_a_grace_keeps_is_said_if_nothing_else_is_left(self):
        self.fill(1)
        self.tool("remove", "b", "0")
        for options in (["-n"], []):
            out, err = self.finish(
                self.start("gc", "--min-free", "100%", "--grace", "1d", *options)
            )
            self.assertIn("1 taken out too recently", out + err)
            self.assertIn("a gc with a shorter --grace deletes them", out + err)
            self.assertNotIn("has no entry to delete", out + err)

    def test_in_use_is_spared_and_said(self):
        self.fill(2)
        user = self.start(
            "exec", "b", "0", "--", "sh", "-c", "echo ready; read _", stdin=subprocess.PIPE
        )
        self.assertEqual(user.stdout.readline(), b"ready\n")
        self.use_ago("0", 10 * DAY)
        out, err = self.finish(self.start("gc", "--max-entries", "0"))
        self.assertIn(f"spared, in use: b 0 by process {user.pid}", err)
        self.assertIn("still over a limit", err)
        self.assertEqual(self.keys(), ["0"])
        user.stdin.close()
        user.wait()

    def test_nonsense_is_refused_and_nothing_goes(self):
        self.fill(1)
        for options in [
            ["--max-size", "ten"],
            ["--max-size", "-1"],
            ["--max-size", "1QB"],
            ["--max-size", ""],
            ["--max-size", "9e99"],
            ["--max-age", "1 year"],
            ["--max-age", "."],
            ["--max-age", "5"],
            ["--max-entries", "1", "--keep", "b"],
            ["--max-entries", "1.5"],
            ["--max-entries", "-1"],
            ["--max-entries", "99999999999999999999999"],
            ["--min-free", "101%"],
            ["--min-free", "%"],
            ["--max-entries", "0", "--low-water", "0"],
            ["--max-entries", "0", "--low-water", "101"],
            ["--plan", "p"],
            ["--apply", "missing", "--max-entries", "0"],
        ]:
            with self.subTest(options):
                err, _ = self.complaint("gc", *options, code=2)
                self.assertNotIn("terminate", err)
        self.assertEqual(self.keys(), ["0"])
        self.assertFalse((self.dir / "p").exists())

    def test_no_cache_is_no_failure(self):
        self.assertEqual(
            self.json("gc", "--max-size", "1GiB", "--max-age", "30d", "--min-free", "1GiB")[
                "evicted"
            ],
            0,
        )
        self.assertFalse(self.root.exists())

    def test_a_signal_stops_it_at_a_good_place(self):
        self.fill(50, size=1)
        process = self.start(
            "gc",
            "--max-entries",
            "0",
            tool=TESTING_TOOL,
            env={"LARDER_TEST_POINTS": "evict.one=stop"},
        )
        first = True
        while True:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                break
            if first:
                process.send_signal(signal.SIGINT)
            first = False
            process.send_signal(signal.SIGCONT)
        process.returncode = (
            -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        )
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertRegex(process.stderr.read(), rb"the next `cachetool --cache \S+ gc` deletes it")
        self.assertNotEqual(self.keys(), [])
        self.json("gc")
        self.tool("verify")


class Plans(Limits):
    def plan(self, *limits):
        self.tool("gc", "--plan", "plan", *(limits or ["--max-entries", "0"]))
        return self.dir / "plan"

    def test_is_carried_out_as_far_as_it_is_still_true(self):
        self.fill(4)
        plan = self.plan()
        self.assertEqual(self.keys(), list("0123"))
        self.put(key="0", file="replaced")
        self.use_ago("1", 0)
        self.tool("pin", "b", "2")
        document = self.json("gc", "--apply", str(plan))
        self.assertEqual((document["evicted"], document["used_since"]), (1, 3))
        self.assertEqual(self.keys(), list("012"))

    def test_that_could_not_be_finished_is_not_left(self):
        self.fill(1)
        self.hold("collector")
        for _ in range(2):
            self.complaint("gc", "--plan", "plan", "--max-entries", "0", code=4)
            self.assertFalse((self.dir / "plan").exists())

    def test_says_what_a_dry_run_says(self):
        self.fill(5)
        dry = self.json("gc", "--max-size", "2kB", "--dry-run")["evictions"]
        lines = [
            json.loads(line) for line in self.plan("--max-size", "2kB").read_text().splitlines()
        ]
        self.assertEqual(lines[0]["cache"], str(self.root))
        self.assertEqual(lines[-1], {"evictions": len(dry)})
        for line in lines[1:-1]:
            del line["last_used_seconds"]
        self.assertEqual(lines[1:-1], dry)

    def test_cut_changed_or_foreign_it_is_refused_and_nothing_goes(self):
        self.fill(2)
        text = self.plan().read_text()
        lines = text.splitlines(keepends=True)
        bad = {
            "empty": "",
            "cut": "".join(lines[:-1]),
            "a line less": lines[0] + "".join(lines[2:]),
            "half a line": text[: len(text) // 2],
            "no JSON": "x\n" + text,
            "another cache": text.replace(str(self.root), "/elsewhere", 1),
            "no plan": "[]\n",
            "newer": text.replace('"larder_plan":1', '"larder_plan":2'),
            "no id": re.sub(r'"id":"[^"]*"', '"id":7', text),
            "hostile id": re.sub(r'"id":"[^"]*"', '"id":"../../../etc"', text),
            "a version that is none": text.replace('"larder_plan":1', '"larder_plan":"x"'),
            "no time": re.sub(r'"last_used_seconds":\d+', '"last_used_seconds":-1', text),
        }
        for name, content in bad.items():
            with self.subTest(name):
                (self.dir / "bad").write_text(content)
                self.complaint("gc", "--apply", "bad", code=2)
        self.complaint("gc", "--apply", "missing", code=1)
        self.complaint("gc", "--plan", "plan", "--max-entries", "0", code=2)  # it is there already
        self.assertEqual(self.keys(), ["0", "1"])


class Pins(Limits):
    def test_keep_a_key(self):
        self.fill(3)
        self.assertEqual(self.json("pin", "b", "0", "1")["pinned"], ["0", "1"])
        self.assertEqual(self.json("gc", "--max-entries", "0")["evicted"], 1)
        self.assertEqual(self.keys("--pinned"), ["0", "1"])
        self.assertTrue(self.json("info", "b", "0")["pinned"])
        self.assertEqual(self.json("unpin", "b", "0")["unpinned"], ["0"])
        self.assertEqual(self.json("gc", "--max-entries", "0")["evicted"], 1)
        self.assertEqual(self.keys(), ["1"])

    def test_unpin_of_what_is_not_pinned_is_an_error(self):
        self.fill(1)
        err, document = self.complaint("unpin", "b", "0", code=3)
        self.assertIn("b 0 is not pinned", err)
        self.assertEqual(document["unpinned"], [])


class Holders(Limits):
    def test_a_holder_that_has_ended_while_its_child_goes_on_is_named_so(self):
        self.put()
        child = int(
            self.tool("exec", "b", "k", "--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")
        )
        self.addCleanup(os.kill, child, signal.SIGKILL)
        words = (
            "which has ended; a process that it started still runs, or another one is cleaning up "
            "after it"
        )
        self.assertIn(words, self.tool("why", "b", "k"))
        self.assertIn(words, self.tool("status"))
        self.tool("remove", "b", "k")
        self.assertIn(words, self.finish(self.start("gc"))[1])


    def test_a_table_that_is_being_cleaned_up_is_not_blamed_on_a_child_alone(self):
        self.put()
        program = ["sh", "-c", "echo ready; exec sleep 1000"]
        dead = self.start("exec", "b", "k", "--", *program)
        self.assertEqual(dead.stdout.readline(), b"ready\n")
        dead.kill()
        dead.wait()
        collector = self.start(
            "gc", tool=TESTING_TOOL, env={"LARDER_TEST_POINTS": "reap.locked=stop"}
        )
        self.assertTrue(os.WIFSTOPPED(os.waitpid(collector.pid, os.WUNTRACED)[1]))
        # Its lock is taken, and it has no child.
        self.assertRegex(
            self.tool("status"),
            rf"{dead.pid} .*, which has ended; .*or another one is\s+cleaning\s+up after it",
        )
        collector.send_signal(signal.SIGCONT)
        self.finish(collector)
        self.assertIn("no process uses the cache", self.tool("status"))


class Trash(Limits):
    def test_what_was_taken_out_comes_back(self):
        entry = self.put(file="precious")
        self.tool("refresh", "b", "--keep-garbage")
        trash = json.loads(self.tool("--json", "trash", "ls"))["trash"]
        self.assertEqual([(one["bucket"], one["key"]) for one in trash], [("b", "k")])
        restored = json.loads(self.tool("--json", "trash", "restore", trash[0]["id"]))
        self.assert_documented(restored, "trash restore")
        self.assertEqual(self.tool("get", "b", "k").strip(), restored["restored"][0]["path"])
        self.assertNotEqual(restored["restored"][0]["path"], str(entry))
        self.assertEqual(
            (entry.parent.parent / restored["restored"][0]["id"] / "tree" / "file").read_text(),
            "precious",
        )
        self.tool("trash", "empty")
        self.assertEqual(json.loads(self.tool("--json", "trash", "ls"))["trash"], [])
        self.assertEqual(self.keys(), ["k"])

    def test_a_purge_is_undone(self):
        for key in ["numpy-1", "numpy-2", "black-1", "again"]:
            self.put(key=key, file="old " + key)
        self.put(key="numpy-1", file="new numpy-1")
        self.tool("refresh", "b", "--keep-garbage")
        self.put(key="again", file="newest")
        self.put("tools-v1")
        self.tool("remove", "tools-v1", "k")
        restored = json.loads(
            self.tool("--json", "trash", "restore", "--bucket", "b", "--key", "numpy-*")
        )
        self.assertEqual([one["key"] for one in restored["restored"]], ["numpy-1", "numpy-2"])
        out, err = self.finish(self.start("trash", "restore", "--bucket", "b"))
        self.assertEqual(len(out.splitlines()), 1)
        self.assertIn("b again has an entry again, and is left alone", err)
        self.assertEqual(self.keys(), ["again", "black-1", "numpy-1", "numpy-2"])
        contents = {
            key: pathlib.Path(self.tool("get", "b", key).strip(), "file").read_text()
            for key in self.keys()
        }
        self.assertEqual(
            contents,
            {
                "again": "newest",
                "black-1": "old black-1",
                "numpy-1": "new numpy-1",
                "numpy-2": "old numpy-2",
            },
        )
        sentence, _ = self.complaint("trash", "restore", "--bucket", "none", code=3)
        self.assertIn("the trash holds no entry of bucket none", sentence)
        self.assertIn(
            "; did you mean tools-v1?",
            self.complaint("trash", "restore", "--bucket", "tools", code=3)[0],
        )

    def test_what_is_being_deleted_is_told(self):
        self.put()
        (self.root / "deleting" / "left").mkdir()
        self.assertEqual(self.json("status")["deleting"], 1)
        self.assertIn("1 tree is moved aside to be deleted", self.tool("status"))
        self.assertIn("1 more entry is being deleted", self.finish(self.start("trash", "ls"))[1])
        self.tool("gc")
        self.assertEqual(self.json("status")["deleting"], 0)

    def test_a_key_that_has_an_entry_again_is_replaced_only_when_asked(self):
        self.put(file="old")
        self.put(file="new")
        listed = json.loads(self.tool("--json", "trash", "ls"))
        self.assert_documented(listed, "trash ls")
        ident = listed["trash"][0]["id"]
        err, _ = self.complaint("trash", "restore", ident, code=1)
        self.assertIn("--replace", err)
        path = self.tool("trash", "restore", ident, "--replace").strip()
        self.assertEqual(pathlib.Path(path, "file").read_text(), "old")

    def test_one_entry_that_cannot_be_restored_does_not_stop_the_others(self):
        for key in ["k1", "k2"]:
            self.put("b", key)
        self.tool("refresh", "--keep-garbage", "b")
        ids = [one["id"] for one in json.loads(self.tool("--json", "trash", "ls"))["trash"]]
        self.finish(self.start("trash", "restore", ids[0], "0" * 25 + "1", ids[1]), code=3)
        self.tool("get", "b", "k1")
        self.tool("get", "b", "k2")

    def start(self, *args, args_before=(), **more):
        return super().start(*args_before, *([TOOL] if args_before else []), *args, **more)

    def links_read_to_restore(self, count, how):
        """How many links are read to restore so many entries, which were taken out one by one or
        with their bucket.
        """
        self.root = self.dir / f"{how}-{count}"
        self.env["LARDER_CACHE_DIR"] = str(self.root)
        self.put()
        many_entries.add(self.root, count)
        self.tool(
            "refresh", "many", "--keep-garbage", *(["--key", "*"] if how == "one-by-one" else [])
        )
        trace = self.dir / "trace"
        self.tool(
            "trash",
            "restore",
            "--bucket",
            "many",
            tool="strace",
            args_before=[
                "-E",
                "ASAN_OPTIONS=detect_leaks=0",  # leaks can't be looked for under strace
                "-f",
                "-qq",
                "-o",
                str(trace),
                "-e",
                "trace=readlink,readlinkat",
            ],
        )
        self.assertEqual(len(self.keys("many")), count)
        return trace.read_text().count("readlink")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_each_entry_costs_the_same_to_restore_however_many_there_are(self):
        for how in ("one-by-one", "with-the-bucket"):
            with self.subTest(how):
                few, many = (self.links_read_to_restore(count, how) for count in (20, 100))
                self.assertLess(many, 6 * few)

    def test_wrong_words(self):
        self.put()
        for words in [
            ["restore"],
            ["ls", "x"],
            ["empty", "x"],
            ["burn"],
            ["empty", "--bucket", "b"],
            ["ls", "--bucket", "b"],
            ["ls", "--key", "k"],
            ["empty", "--replace"],
            ["restore", "x", "--bucket", "b"],
            ["restore", "x", "--key", "k"],
        ]:
            self.complaint("trash", *words, code=2)
        self.complaint("trash", "restore", "nonsense", code=2)
        self.complaint("trash", "restore", "0" * 25 + "1", code=3)


class RefreshSome(Limits):
    def test_by_pattern(self):
        for key in ["numpy-1", "numpy-2", "black-1"]:
            self.put(key=key)
        document = self.json("refresh", "b", "--key", "numpy-*", "--dry-run")
        self.assertEqual(
            [taken["key"] for taken in sorted(document["keys"], key=str)], ["numpy-1", "numpy-2"]
        )
        self.assertEqual(
            sorted(self.tool("refresh", "b", "--key", "numpy-*", "--dry-run").split("\n")),
            ["", "b numpy-1", "b numpy-2"],
        )
        self.assertEqual(len(self.keys()), 3)
        self.assertEqual(
            self.json("refresh", "--all", "--key", "numpy-*")["collected"]["entries"], 2
        )
        self.assertEqual(self.keys(), ["black-1"])

    def test_by_age(self):
        self.put(key="old")
        self.assertEqual(self.json("refresh", "b", "--older-than", "1h")["keys"], [])
        self.assertEqual(
            [taken["key"] for taken in self.json("refresh", "b", "--older-than", "0s")["keys"]],
            ["old"],
        )

    def test_nonsense(self):
        self.put()
        self.complaint("refresh", "b", "--older-than", "yesterday", code=2)
        self.complaint("refresh", "b", "--key", "", code=2)
        self.assertEqual(self.keys(), ["k"])


class Looks(Limits):
    def test_orders_and_choices(self):
        for key, size in [("small", 1), ("large", 3), ("medium", 2)]:
            self.put(key=key, file="x" * size)
        self.use_ago("medium", DAY)
        self.use_ago("large", 2 * DAY)
        self.assertEqual(self.keys("--sort", "size"), ["large", "medium", "small"])
        self.assertEqual(self.keys("--sort", "age"), ["small", "large", "medium"])
        self.assertEqual(self.keys("--sort", "used", "--limit", "2"), ["large", "medium"])
        self.assertEqual(self.keys("--key", "*l*", "--sort", "name"), ["large", "small"])
        self.complaint("ls", "--sort", "colour", code=2)
        self.complaint("ls", "--limit", "many", code=2)

    def test_who_uses_it(self):
        self.put(key="used")
        self.put(key="free")
        user = self.start(
            "exec", "b", "used", "--", "sh", "-c", "echo ready; read _", stdin=subprocess.PIPE
        )
        self.assertEqual(user.stdout.readline(), b"ready\n")
        self.assertEqual(self.keys("--leased"), ["used"])
        self.assertEqual(
            [one["pid"] for one in self.json("info", "b", "used")["leased_by"]], [user.pid]
        )
        self.assertRegex(self.tool("info", "b", "used"), rf"in use by\s+{user.pid} ")
        self.assertIn(f"in use by {user.pid} ", self.tool("why", "b", "used"))
        self.tool("remove", "b", "used")
        out = self.tool("why", "b", "used", code=3)
        self.assertIn("no such entry", out)
        self.assertIn(f"in use by {user.pid} ", out)
        user.stdin.close()
        user.wait()

    def test_why(self):
        self.fill(3)
        self.tool("pin", "b", "1")
        self.assertEqual(
            self.json("why", "b", "0", "--max-entries", "1")["evicted_by"], "max-entries"
        )
        self.assertIsNone(
            self.json("why", "b", "2", "--max-entries", "2", "--low-water", "100")["evicted_by"]
        )
        self.assertIn("pinned", self.tool("why", "b", "1", "--max-entries", "0"))
        self.assertIn("would keep it", self.tool("why", "b", "1", "--max-entries", "0"))
        self.tool("remove", "b", "0")
        document = self.json("why", "b", "0", code=3)
        self.assertIsNone(document["entry"])
        self.tool("trash", "restore", document["trash"][0]["id"])
        self.assertEqual(self.json("why", "b", "0")["entry"]["key"], "0")
        self.complaint("why", "b", "0", "--max-size", "x", code=2)

    def test_histograms(self):
        self.put(key="small", file="x")
        self.put(key="large", file="x" * 100_000)
        self.use_ago("large", 40 * DAY)
        document = self.json("stats")
        self.assertEqual(
            [(one["below"], one["entries"]) for one in document["sizes"] if one["entries"]],
            [(65536, 1), (1048576, 1)],
        )
        self.assertEqual([one["entries"] for one in document["unused_seconds"]], [1, 0, 0, 0, 1, 0])
        self.assertIn("below 64 KiB", self.tool("stats"))


class Progress(Limits):
    def run_on_terminal(self, *args, env=None):
        """What the command writes to its terminal, stopped for longer than it is patient at the
        first point that it meets.
        """
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = self.start(
            *args,
            stdout=slave,
            stderr=slave,
            stdin=slave,
            tool=TESTING_TOOL,
            env={"TERM": "xterm", **(env or {})},
        )
        os.close(slave)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        time.sleep(0.6)  # not for order: it is the time that must have passed
        said = b""
        while True:
            if not os.WIFSTOPPED(status):
                break
            process.send_signal(signal.SIGCONT)
            _, status = os.waitpid(process.pid, os.WUNTRACED)
        process.returncode = os.WEXITSTATUS(status)
        while select.select([master], [], [], 0)[0]:
            try:
                said += os.read(master, 65536)
            except OSError:
                break
        return said.decode()

    def test_is_shown_on_a_terminal_and_cleared(self):
        self.fill(3)
        said = self.run_on_terminal(
            "gc", "--max-entries", "0", env={"LARDER_TEST_POINTS": "evict.planned=stop"}
        )
        self.assertRegex(said, r"\revicting: 0 of 3 \[-+\] +0%.*\x1b\[K")
        self.assertRegex(said, r"\r\x1b\[Kcachetool: deleted 3 entries")

    def test_trash_restore_shows_how_far_it_is(self):
        self.fill(3)
        self.tool("refresh", "--all", "--grace", "1h")
        restore = ["trash", "restore", "--bucket", "b", "--replace"]
        stop = {"LARDER_TEST_POINTS": "restore.filled=stop"}
        said = self.run_on_terminal(*restore, env=stop)
        self.assertRegex(said, r"\rrestoring: 1 of 3 \[#+-+\] +33%.*\x1b\[K")
        self.assertRegex(said, r"\r\x1b\[Kcachetool: restored 3 entries")
        self.assertNotIn("restoring", self.run_on_terminal(*restore, "--quiet", env=stop))

    def test_is_not_shown_elsewhere(self):
        self.fill(3)
        process = self.start(
            "gc",
            "--max-entries",
            "0",
            tool=TESTING_TOOL,
            env={"LARDER_TEST_POINTS": "evict.planned=stop"},
        )
        os.waitpid(process.pid, os.WUNTRACED)
        time.sleep(0.6)
        process.send_signal(signal.SIGCONT)
        self.assertNotIn("\r", self.finish(process)[1])


if __name__ == "__main__":
    unittest.main()
