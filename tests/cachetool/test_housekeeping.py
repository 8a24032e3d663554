# SPDX-License-Identifier: MIT
"""refresh, gc, status, verify: purging while others work, who is named when something is busy, and
damage.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

from harness import TESTING_TOOL, CacheTest


class Housekeeping(CacheTest):
    def archived(self):
        return {path.name for path in self.root.glob("archive/*")}

    def start_using(self, key="k"):
        """A process that holds a lease until its stdin is closed."""
        process = self.start(
            "exec", "b", key, "--", "sh", "-c", "echo ready; read _", stdin=subprocess.PIPE
        )
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def stop_using(self, process):
        process.stdin.close()
        process.wait()


class Refresh(Housekeeping):
    def test_takes_out_whole_buckets_and_collects(self):
        for bucket in ["one", "two", "three"]:
            self.put(bucket, "k1")
            self.put(bucket, "k2")
        document = self.json("refresh", "one", "two")
        self.assertEqual(document["refreshed"], ["one", "two"])
        self.assertEqual(document["collected"]["entries"], 4)
        self.assertEqual(
            [entry["bucket"] for entry in self.json("ls")["entries"]], ["three", "three"]
        )
        self.assertEqual(len(self.archived()), 2)

    def test_all(self):
        for bucket in ["one", "two"]:
            self.put(bucket)
        self.assertEqual(sorted(self.json("refresh", "--all")["refreshed"]), ["one", "two"])
        self.assertEqual(self.archived(), set())
        self.assertEqual(self.json("refresh", "--all")["refreshed"], [])

    def test_keep_garbage(self):
        entry = self.put()
        self.assertIsNone(self.json("refresh", "b", "--keep-garbage")["collected"])
        self.tool("get", "b", "k", code=3)
        self.assertTrue(entry.exists())
        self.assertEqual(self.json("gc")["entries"], 1)
        self.assertFalse(entry.exists())

    def test_of_nothing_leaves_the_trash_alone(self):
        entry = self.put()
        self.put(key="other")
        self.tool("refresh", "b", "--key", "k", "--keep-garbage")
        for words in [("mistyped",), ("b", "--key", "none"), ("mistyped", "b", "--key", "none")]:
            with self.subTest(words):
                code = 3 if "mistyped" in words else 0
                document = self.json("refresh", *words, code=code)
                self.assertIsNone(document["collected"])
                out, err = self.finish(self.start("refresh", *words), code)
                self.assertNotIn("can no longer be obtained", err)
        self.assertTrue(entry.exists())

    def test_talks_on_stderr_and_says_when_nothing_was_there(self):
        self.put()
        out, err = self.finish(self.start("refresh", "b", "mistyped"), 3)
        self.assertEqual(out, "")
        self.assertRegex(
            err, r"(?m)^cachetool: no bucket mistyped; `cachetool .*stats` lists the buckets$"
        )
        self.assertRegex(err, r"(?m)^cachetool: purged b: its entries can no longer be obtained")
        self.assertRegex(err, r"(?m)^cachetool: deleted 1 entry \(")

    def test_one_bad_name_and_nothing_happens(self):
        self.put()
        self.complaint("refresh", "b", "", code=2)
        self.tool("get", "b", "k")

    def test_leaves_what_is_used_and_names_the_user(self):
        entry = self.put()
        self.put(key="unused")
        user = self.start_using()
        document = self.json("refresh", "b")
        self.assertEqual(document["collected"]["entries"], 1)
        self.assertEqual(
            [(lease["key"], lease["process"]["pid"]) for lease in document["collected"]["leased"]],
            [("k", user.pid)],
        )
        _, err = self.finish(self.start("gc"))
        self.assertRegex(err, rf"in use: b k by process {user.pid} ")
        self.assertTrue(entry.exists())
        self.stop_using(user)
        self.assertEqual(self.json("gc")["entries"], 1)
        self.assertFalse(entry.exists())

    def test_is_done_when_another_collection_is_at_work(self):
        self.put()
        self.tool("gc")
        self.hold("collector")
        document = self.json("refresh", "b")
        self.assertEqual(
            (document["refreshed"], document["collected"], document["collector_busy"]),
            (["b"], None, True),
        )
        self.tool("get", "b", "k", code=3)


class Collect(Housekeeping):
    def test_deletes_what_was_removed_and_replaced(self):
        for key in ["one", "two", "two", "three"]:
            self.put(key=key, file="12345")
        self.tool("remove", "b", "one")
        dry = self.json("gc", "--dry-run")
        self.assertEqual((dry["dry_run"], dry["entries"], dry["bytes"]), (True, 2, 10))
        self.assertEqual(self.tool("gc", "--dry-run"), "would delete 2 entries (10 B)\n")
        self.assertEqual(len(self.archived()), 4)
        done = self.json("gc")
        self.assertEqual((done["dry_run"], done["entries"], done["bytes"]), (False, 2, 10))
        self.assertEqual(len(self.archived()), 2)
        self.assertEqual(self.tool("gc"), "")
        self.assertEqual(self.json("gc")["entries"], 0)

    def test_busy(self):
        self.put()
        self.tool("gc")
        self.hold("collector")
        for args in [("gc",), ("verify",)]:
            _, document = self.complaint(*args, code=4)
            self.assertEqual(document["error"]["code"], "busy")

    def test_cleans_up_after_the_dead(self):
        ready = self.signal()
        builder = self.start(
            "build",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            f'touch "$LARDER_STAGE"/half; {ready.give}; read _',
            signals=[ready],
            stdin=subprocess.PIPE,
        )
        ready.wait()
        builder.kill()
        builder.wait()
        self.assertEqual(len(list(self.root.glob("staging/*/*"))), 1)
        self.assertEqual(self.json("gc")["reaped"], 1)
        self.assertEqual(list(self.root.glob("staging/*/*")), [])

    def test_lists_the_archive_once_if_the_machine_tells_its_boot(self):
        self.put()
        self.tool("gc", tool=TESTING_TOOL, env={"LARDER_TEST_POINTS": "os.boot-id=2"})
        self.assertFalse((self.root / "boots").exists())
        self.tool("gc")
        self.assertEqual(len(list((self.root / "boots").iterdir())), 1)

    def test_lease_table_that_cannot_be_read_stops_everything(self):
        entry = self.put()
        self.tool("refresh", "b", "--keep-garbage")
        (self.root / "participants" / "99").write_bytes(b"nonsense" * 2048)
        _, document = self.complaint("gc", code=5)
        self.assertEqual(document["error"]["code"], "damaged")
        self.assertTrue(entry.exists())
        self.put(key="more")
        self.json("refresh", "b", code=5)
        self.assertEqual(
            [finding["kind"] for finding in self.json("verify", code=5)["findings"]],
            ["participant"],
        )


class LockTimeout(Housekeeping):
    def test_put_and_remove_give_up(self):
        self.put()
        self.tool("remove", "b", "nothing", code=3)
        source = self.tree(file="text")
        self.hold("buckets")
        for args in [("put", "b", "k", source), ("remove", "b", "k")]:
            _, document = self.complaint(*args, "--lock-timeout", "0.1", code=4)
            self.assertEqual(document["error"]["code"], "busy")
        self.tool("get", "b", "k")


class StoppedProcesses(Housekeeping):
    """A process that stands still at the worst moment: who waits names it, and who must not wait
    does not.
    """

    def start_stopped(self, point, *args):
        process = self.start(*args, tool=TESTING_TOOL, env={"LARDER_TEST_POINTS": f"{point}=stop"})
        pid, status = os.waitpid(process.pid, os.WUNTRACED)
        self.assertTrue(
            pid == process.pid and os.WIFSTOPPED(status), f"{args} did not reach {point}"
        )
        return process

    def go_on(self, process):
        process.send_signal(signal.SIGCONT)
        return self.finish(process)

    def test_in_remove(self):
        self.put()
        stopped = self.start_stopped("remove.checked", "remove", "b", "k")
        source = self.tree(file="text")
        sentence, document = self.complaint(
            "put", "--lock-timeout", "0.1", "b", "k", source, code=4
        )
        self.assertIn(f"pid {stopped.pid} ", sentence)
        self.assertEqual(document["error"]["code"], "busy")
        waiting = self.start("put", "b", "k", source)
        self.assertIn(f"waiting for pid {stopped.pid} ", waiting.stderr.readline().decode())
        self.go_on(stopped)
        self.finish(waiting)
        self.tool("get", "b", "k")

    def test_the_log_says_what_was_done_and_who_was_waited_for(self):
        log = self.dir / "log"
        source = self.tree(file="text")
        self.tool("put", "b", "k", source, "--log", log)
        stopped = self.start_stopped("remove.checked", "remove", "b", "k")
        self.tool(
            "put", "b", "k", source, "--lock-timeout", "0.1", code=4, env={"LARDER_LOG": str(log)}
        )
        self.go_on(stopped)
        lines = [
            re.fullmatch(r"20\d\d-\d\d-\d\dT[0-9:.]+Z pid=\d+ thread=\d+ (.*)\n", line)[1]
            for line in log.open()
        ]
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r'^event=published bucket="b" key="k" id="\w{26}"$')
        self.assertRegex(
            lines[1],
            r'^event=gave_up what="bucket b" who="pid %d \(.*\), for \d+ s" took=\d\.\d+$'
            % stopped.pid,
        )

    def test_a_log_that_can_not_be_opened_is_an_error(self):
        _, document = self.complaint(
            "put", "b", "k", self.tree(file="text"), "--log", self.dir / "none" / "log", code=1
        )
        self.assertEqual(document["error"]["path"], str(self.dir / "none" / "log"))
        self.assertFalse(self.root.exists())

    def test_in_publish(self):
        entry = self.put()
        stopped = self.start_stopped("publish.locked", "put", "b", "new", self.tree(file="text"))
        sentence, _ = self.complaint("remove", "--lock-timeout", "0.1", "b", "k", code=4)
        self.assertIn(f"pid {stopped.pid} ", sentence)
        self.tool("get", "b", "k")
        self.put(key="other")
        self.assertEqual(self.json("refresh", "b")["collected"]["entries"], 2)
        self.tool("gc")
        self.assertFalse(entry.exists())
        path = self.go_on(stopped)[0]
        self.assertEqual(self.tool("get", "b", "new"), path)

    def test_in_gc(self):
        self.put()
        self.put()
        stopped = self.start_stopped("collect.scanned", "gc")
        self.complaint("gc", code=4)
        self.assertTrue(self.json("status")["collecting"])
        self.assertTrue(self.json("refresh", "b")["collector_busy"])
        self.tool("get", "b", "k", code=3)
        self.go_on(stopped)
        self.tool("gc")
        self.assertEqual(self.archived(), set())


class Status(Housekeeping):
    def test_shows_who_uses_what(self):
        self.put()
        entry = self.json("info", "b", "k")
        user = self.start_using()
        status = self.json("status")
        self.assertEqual(
            [
                (lease["bucket"], lease["key"], lease["id"], lease["process"]["pid"])
                for lease in status["leases"]
            ],
            [("b", "k", entry["id"], user.pid)],
        )
        self.assertIn(
            (user.pid, True, True),
            [(one["pid"], one["alive"], one["here"]) for one in status["processes"]],
        )
        self.assertFalse(status["collecting"])
        self.assertRegex(self.tool("status"), rf"(?m)^ *{user.pid}  {entry['id']}  b +k$")
        self.stop_using(user)
        self.assertEqual(self.json("status")["leases"], [])

    def test_shows_a_build_and_who_waits_for_it(self):
        ready, go = self.signal(), self.signal()
        first = self.start(
            "build",
            "--allow-empty",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            f"{ready.give}; {go.take}",
            signals=[ready, go],
        )
        ready.wait()
        second = self.start("build", "b", "k", "--", "true")
        self.assertIn(f"pid {first.pid} ", second.stderr.readline().decode())
        status = self.json("status")
        self.assertEqual(
            sorted((lock["process"]["pid"], lock["waiting"]) for lock in status["locks"]),
            sorted([(first.pid, False), (second.pid, True)]),
        )
        self.assertRegex(self.tool("status"), rf"(?m)^ *{second.pid} .* waits for  .*k")
        go.set()
        self.finish(first)
        self.finish(second)

    def test_shows_a_collection(self):
        self.put()
        self.tool("gc")
        self.hold("collector")
        self.assertTrue(self.json("status")["collecting"])


class OneBadThing(Housekeeping):
    """What can't be read or deleted stops nothing else, is named, and decides the exit code."""

    def spoil_a_table(self):
        self.put()
        table = self.root / "participants" / "0"
        with open(table, "r+b") as file:
            file.write(b"12345678")
        return table

    def test_gc_does_the_rest_and_says_what_to_do(self):
        table = self.spoil_a_table()
        self.put()  # replaces
        (self.root / "deleting" / "left").write_text("x")
        out, err = self.finish(self.start("gc"), 5)
        self.assertEqual(out, "")
        self.assertRegex(err, r"\Acachetool: deleted 0 entries")
        self.assertIn(str(table), err)
        self.assertRegex(err, r"`cachetool .*verify --repair`")
        self.assertEqual(list(self.root.glob("deleting/*")), [])
        document = self.json("gc", code=5)
        # Advice names the cache, and what the collection noted is the library's own text.
        error = {
            **document["error"],
            "message": document["error"]["message"].replace(
                f"`cachetool --cache {self.root} ", "`cachetool "
            ),
        }
        self.assertEqual(error, document["collected"]["failures"][0])
        self.assertEqual(self.json("trash", "empty", code=5)["collected"]["entries"], 0)

    def test_status_shows_the_other_processes(self):
        table = self.spoil_a_table()
        process = self.start_using()
        document = self.json("status")
        self.assertEqual(len(document["processes"]), 1)
        self.assertEqual([error["path"] for error in document["unreadable"]], [str(table)])
        self.assertIn(str(table), self.tool("status"))
        self.stop_using(process)

    def test_the_finding_says_what_to_do_with_which_cache(self):
        self.spoil_a_table()
        self.assertIn(
            f"`cachetool --cache {self.root} verify --repair`", self.tool("verify", code=5)
        )

    def test_repair_frees_the_table(self):
        self.spoil_a_table()
        self.put()
        self.assertEqual(
            [finding["repaired"] for finding in self.json("verify", "--repair")["findings"]], [True]
        )
        self.assertEqual(self.json("gc")["entries"], 1)

    def test_pin_tries_all_keys(self):
        self.put()
        self.tool("pin", "b", "k")
        document = self.json("unpin", "b", "none", "k", code=3)
        self.assertEqual(document["unpinned"], ["k"])


class OneBadDirectory(Housekeeping):
    """A directory that can't be read hides nothing that lies beside it."""

    def setUp(self):
        super().setUp()
        self.cache = pathlib.Path(self.tree("theirs"))
        self.as_stranger = self.stranger(LARDER_CACHE_DIR=self.cache)
        os.chown(self.cache, 65534, 65534)
        source = self.tree("place", file="text")
        for bucket in ("bad", "good"):
            self.tool("put", bucket, "k", source, **self.as_stranger)

    def refresh_both(self):
        """Refreshes both buckets. Returns the directory of what one of them held, which can't be
        read any more.
        """
        self.tool("refresh", "--keep-garbage", "bad", **self.as_stranger)
        bad = next(self.cache.glob("retired/buckets/*"))
        bad.chmod(0)
        self.tool("refresh", "--keep-garbage", "good", **self.as_stranger)
        return bad

    def test_trash_ls_lists_the_rest(self):
        bad = self.refresh_both()
        document = self.json("trash", "ls", code=1, **self.as_stranger)
        self.assertEqual([entry["bucket"] for entry in document["trash"]], ["good"])
        self.assertEqual(document["error"]["path"], str(bad))
        out, err = self.finish(self.start("trash", "ls", **self.as_stranger), 1)
        self.assertIn("good", out)
        self.assertIn(str(bad), err)

    def test_trash_restore_restores_the_rest(self):
        bad = self.refresh_both()
        document = self.json("trash", "restore", "--bucket", "good", code=1, **self.as_stranger)
        self.assertEqual([entry["bucket"] for entry in document["restored"]], ["good"])
        self.assertEqual(document["error"]["path"], str(bad))
        self.assertEqual(
            self.json("trash", "restore", "--bucket", "bad", code=1, **self.as_stranger)["error"][
                "path"
            ],
            str(bad),
        )
        self.tool("get", "good", "k", **self.as_stranger)

    def test_ls_pinned_lists_the_rest(self):
        for bucket in ("bad", "good"):
            self.tool("pin", bucket, "k", **self.as_stranger)
        (self.cache / "pins" / "bad").chmod(0)
        document = self.json("ls", "--pinned", code=1, **self.as_stranger)
        self.assertEqual([entry["bucket"] for entry in document["entries"]], ["good"])
        self.assertEqual(document["error"]["path"], str(self.cache / "pins" / "bad"))

    def test_ls_lists_the_other_buckets(self):
        bad = self.cache / "buckets" / "bad"
        bad.chmod(0)
        document = self.json("ls", code=1, **self.as_stranger)
        self.assertEqual([entry["bucket"] for entry in document["entries"]], ["good"])
        self.assertEqual(document["error"]["path"], str(bad))
        document = self.json("ls", "bad", code=1, **self.as_stranger)
        self.assertEqual((document["entries"], document["error"]["path"]), ([], str(bad)))
        out, err = self.finish(self.start("ls", **self.as_stranger), 1)
        self.assertNotIn("bad", out)
        self.assertIn("good", out)
        self.assertIn(str(bad), err)

    def test_stats_counts_the_other_buckets(self):
        bad = self.cache / "buckets" / "bad"
        bad.chmod(0)
        document = self.json("stats", code=1, **self.as_stranger)
        self.assertEqual([bucket["bucket"] for bucket in document["buckets"]], ["good"])
        self.assertEqual((document["total"]["entries"], document["total"]["unreadable"]), (1, 0))
        self.assertEqual(document["error"]["path"], str(bad))
        out, err = self.finish(self.start("stats", **self.as_stranger), 1)
        self.assertIn("good", out)
        self.assertIn(str(bad), err)

    def test_a_record_in_the_trash_that_can_not_be_read_is_an_error_and_no_row(self):
        entry = self.json("info", "bad", "k", **self.as_stranger)
        record = pathlib.Path(entry["path"]).parent / "record"
        for bucket in ("bad", "good"):
            self.tool("remove", bucket, "k", **self.as_stranger)
        record.chmod(0)
        document = self.json("trash", "ls", code=1, **self.as_stranger)
        self.assertEqual([entry["bucket"] for entry in document["trash"]], ["good"])
        self.assertEqual(document["error"]["path"], str(record))
        document = self.json("trash", "restore", "--bucket", "bad", code=1, **self.as_stranger)
        self.assertEqual(document["error"]["path"], str(record))

    def test_what_is_denied_to_its_owner_says_so(self):
        """No error and no finding names doctor, which would find nothing."""
        for bucket in ("bad", "good"):
            self.tool("pin", bucket, "k", **self.as_stranger)
        self.tool("gc", **self.as_stranger)
        parts = ["archive", "buckets", "participants", "staging", "deleting", "retired/links"]
        for part in [*parts, "locks", "format"]:
            with self.subTest(part):
                self.assert_says_chmod(part, ["verify", "--repair"], 1)
        for part in "buckets/bad", "staging/0", "boots", "pins", "pins/bad", "participants/0":
            with self.subTest(part):
                self.assert_says_chmod(part, ["verify", "--repair"], 5)
        self.assert_says_chmod("buckets/bad", ["get", "bad", "k"], 1)
        self.assertTrue(self.json("verify", **self.as_stranger)["sound"])

    def test_a_closed_lease_table_hides_no_entry(self):
        """What the commands tell of entries is as before, but for a warning."""
        source = self.tree(file="text")
        self.tool("put", "b", "k", source, **self.as_stranger)
        table = self.cache / "participants" / "0"
        table.chmod(0)
        for words in (["ls"], ["info", "b", "k"], ["why", "b", "k"], ["stats"]):
            with self.subTest(words):
                out, err = self.finish(self.start(*words, **self.as_stranger))
                self.assertIn("4 B", out)
                self.assertIn("the uses and leases of one lease table are not shown: ", err)
                self.assertIn(str(table), err)
        entries = self.json("ls", **self.as_stranger)["entries"]
        self.assertEqual([entry["bytes"] for entry in entries], [4, 4, 4])
        table.chmod(0o600)

    def assert_says_chmod(self, part, arguments, code):
        """Runs a command while a part of the cache denies all rights to its owner."""
        path = self.cache / part
        before = path.stat().st_mode & 0o777
        path.chmod(0)
        out, err = self.finish(self.start(*arguments, **self.as_stranger), code)
        path.chmod(before)
        self.assertIn(str(path), out + err)
        self.assertIn("denies a right to its owner; `chmod u+rwX` gives it back", out + err)
        self.assertNotIn("doctor", out + err)

    def test_verify_content_advises_the_repair_that_helps(self):
        entry = pathlib.Path(self.json("info", "bad", "k", **self.as_stranger)["path"]).parent
        entry.chmod(0)
        _, err = self.finish(self.start("verify", "--content", **self.as_stranger), 5)
        self.assertIn(" verify --repair`", err)
        self.assertNotIn("--content --repair", err)
        self.tool("verify", "--repair", **self.as_stranger)
        self.tool("verify", "--content", **self.as_stranger)

    def test_destroy_says_that_the_rest_of_an_rm_can_not_be_read(self):
        (self.cache / "format").unlink()
        (self.cache / "CACHEDIR.TAG").unlink()
        (self.cache / "archive").chmod(0)
        self.assertIn("`chmod -R u+rwX`", self.complaint("destroy", code=1, **self.as_stranger)[0])
        self.assertTrue(self.cache.exists())


class OtherThings(Housekeeping):
    """Something else stands in the place of what larder has made."""

    def test_in_the_place_of_a_part_the_error_says_what_to_do(self):
        self.put()
        self.tool("remove", "b", "k")
        directories = ["archive", "buckets", "participants", "staging", "deleting", "retired"]
        kept = self.dir / "kept"
        for part in [*directories, "retired/links", "retired/buckets", "locks"]:
            path = self.root / part
            noun = "file" if part == "locks" else "directory"
            for make in (path.mkdir if part == "locks" else path.touch, self.link_to(path)):
                with self.subTest(part):
                    path.rename(kept)
                    make()
                    for options in [], ["--repair"]:
                        said = self.complaint("verify", *options, code=5)[0]
                        self.assertIn(str(path), said)
                        self.assertIn(f"a {noun} of the cache should be here; move away", said)
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
                    kept.rename(path)
        self.assertTrue(self.json("verify")["sound"])

    def link_to(self, path):
        """Returns a function that makes a symlink at the path, to a directory."""
        return lambda: path.symlink_to(self.dir)

    def test_a_symlink_in_the_place_of_a_tree_is_changed(self):
        tree = self.put()
        moved = tree.parent / "t2"
        tree.rename(moved)
        tree.symlink_to("t2")
        found = self.json("verify", code=5)["findings"]
        self.assertIn(("changed", str(tree)), [(each["kind"], each["path"]) for each in found])
        self.assertTrue(self.json("verify", "--repair")["sound"])
        self.tool("get", "b", "k", code=3)

    def test_a_symlink_to_nowhere_in_the_place_of_the_root(self):
        link = self.dir / "link"
        link.symlink_to("nowhere")
        for arguments in ["ls"], ["get", "b", "k"], ["stats"], ["destroy"], ["destroy", "-n"]:
            with self.subTest(arguments[0]):
                said = self.complaint("--cache", str(link), *arguments, code=1)[0]
                self.assertIn("a symlink to nowhere", said)
                self.assertNotIn("doctor", said)


class Destroy(Housekeeping):
    def test_names_what_it_would_not_delete(self):
        self.put()
        (self.root / "format").write_text("")
        (self.root / "CACHEDIR.TAG").unlink()
        (self.root / "note").write_text("n")
        self.assertIn('it holds "note"', self.complaint("destroy", code=1)[0])
        (self.root / "note").unlink()
        self.tool("destroy")

    def test_a_dry_run_on_an_empty_directory_says_so(self):
        self.root.mkdir()
        self.assertEqual(
            self.tool("destroy", "-n"), f"would delete the empty directory {self.root}\n"
        )
        self.tool("destroy")
        self.assertFalse(self.root.exists())

    def test_deletes_the_whole_cache(self):
        entry = self.put()
        entry.chmod(0o555)
        self.assertEqual(
            self.json("destroy"), {"path": str(self.root), "dry_run": False, "destroyed": True}
        )
        self.assertFalse(self.root.exists())
        self.assertEqual(
            self.json("destroy"), {"path": str(self.root), "dry_run": False, "destroyed": False}
        )

    def test_names_a_process_that_uses_it(self):
        self.put()
        process = self.start_using()
        self.assertIn(str(process.pid), self.complaint("destroy", code=4)[0])
        self.tool("get", "b", "k")
        self.stop_using(process)
        self.tool("destroy")

    def test_refuses_a_symlink_to_a_cache(self):
        self.put()
        link = self.dir / "link"
        link.symlink_to(self.root)
        for name in (f"{link}", f"{link}/", f"{link}/."):
            for args, env in (
                (["--cache", name], {}),
                ([], {"LARDER_CACHE_DIR": name}),
            ):
                with self.subTest(name, args=args):
                    sentence, _ = self.complaint("destroy", *args, code=1, env=env)
                    self.assertIn(f"destroy {self.root} itself, and remove the link", sentence)
        self.tool("get", "b", "k")
        self.assertTrue(link.is_symlink())

    def test_refuses_what_is_no_cache(self):
        self.root.mkdir()
        (self.root / "notes.txt").write_text("precious")
        self.complaint("destroy", code=1)
        self.assertEqual((self.root / "notes.txt").read_text(), "precious")


class Verify(Housekeeping):
    def test_sound(self):
        self.put()
        self.put()
        report = self.json("verify")
        self.assertEqual(
            (
                report["sound"],
                report["entries"],
                report["live"],
                report["garbage"],
                report["findings"],
            ),
            (True, 2, 1, 1, []),
        )
        self.assertEqual(self.tool("verify"), "")

    def test_damage_is_found_and_mended(self):
        entry = self.put()
        self.put(key="other")
        shutil.rmtree(entry.parent)
        report = self.json("verify", code=5)
        self.assertEqual(
            [(finding["kind"], finding["repaired"]) for finding in report["findings"]],
            [("dangling", False)],
        )
        self.assertRegex(self.tool("verify", code=5), r"\Adangling: .*\n\Z")
        self.assertEqual(
            [finding["repaired"] for finding in self.json("verify", "--repair")["findings"]], [True]
        )
        self.assertEqual(self.json("verify")["findings"], [])
        self.tool("get", "b", "other")

    def test_a_file_that_was_removed_from_an_entry_is_found_and_the_entry_retired(self):
        entry = self.put(file="one", g2="two")
        (entry / "g2").unlink()
        said = self.tool("verify", code=5)
        self.assertRegex(said, r"\Achanged: .*/tree/g2: it is missing\n\Z")
        self.assertEqual(
            [finding["repaired"] for finding in self.json("verify", "--repair")["findings"]], [True]
        )
        self.tool("install", "b", "k", str(self.dir / "out"), code=3)

    def test_a_repair_says_which_key_it_took_out_and_the_damage_cannot_be_restored(self):
        entry = self.put("w", "a/b", file="12345")
        (entry / "file").unlink()
        self.assertRegex(
            self.tool("verify", "--repair"),
            r"\Achanged \(repaired\): .*; key a/b of bucket w was taken out, and has no entry "
            r"now\n\Z",
        )
        self.tool("get", "w", "a/b", code=3)
        sentence, _ = self.complaint("trash", "restore", "--bucket", "w", code=5)
        self.assertIn(
            "it holds 0 files of 0 bytes, and its record says 1 file of 5 bytes", sentence
        )
        self.assertIn("it was not restored", sentence)
        self.tool("get", "w", "a/b", code=3)
        shutil.rmtree(entry)
        self.assertIn(
            "its tree is not there; it was not restored",
            self.complaint("trash", "restore", "--bucket", "w", code=5)[0],
        )

    def test_the_numbers_of_entries_add_up(self):
        self.put(key="retired")
        self.put(key="retired")
        self.put(key="live")
        shutil.rmtree(self.put(key="lost").parent)
        self.put(key="orphan")
        (self.root / "buckets/b/orphan").unlink()
        for args, code, live, garbage in [((), 5, 2, 1), (("--repair",), 0, 2, 2), ((), 0, 2, 2)]:
            report = self.json("verify", *args, code=code)
            self.assertEqual(
                (report["entries"], report["live"], report["garbage"]), (4, live, garbage)
            )

    def test_orphan(self):
        entry = self.put()
        for link in self.root.glob("buckets/*/*"):
            os.unlink(link)
        self.assertEqual(
            [finding["kind"] for finding in self.json("verify", code=5)["findings"]], ["orphan"]
        )
        self.json("verify", "--repair")
        self.assertTrue(entry.exists())
        self.tool("gc")
        self.assertFalse(entry.exists())

    def test_foreign_names_are_shown_and_break_nothing(self):
        self.put()
        (self.root / "notes\x1b.txt").write_text("mine")
        report = self.json("verify")
        self.assertTrue(report["sound"])
        self.assertEqual([finding["kind"] for finding in report["findings"]], ["foreign"])
        self.assertIn("notes\\u{1b}.txt", self.tool("verify"))
        self.assertEqual((self.root / "notes\x1b.txt").read_text(), "mine")


if __name__ == "__main__":
    unittest.main()
