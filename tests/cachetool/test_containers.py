# SPDX-License-Identifier: MIT
"""Who is alive, and who uses an entry, across containers: other pid and time namespaces, other boot
ids, copies of a cache, and cleaners of temporary files.
"""

import fcntl
import itertools
import os
import shutil
import subprocess
import time
import unittest

from harness import HANGS, TOOL, CacheTest

ELSEWHERE = os.environ["ELSEWHERE"]
LET_GO = os.environ["LET_GO"]
ANOTHER_BOOT = "01234567-89ab-4cde-8f01-23456789abcd"

# Prints "ready", waits for a line, prints the entry's file and ends.
READS = ["sh", "-c", 'echo ready; read _; cat "$LARDER_ENTRY"/file']


def makes_namespaces():
    return subprocess.run([ELSEWHERE, "--pid", "true"], stderr=subprocess.DEVNULL).returncode == 0


def sees_all_processes():
    return os.stat("/proc/self/ns/pid").st_ino == 0xEFFFFFFC and os.geteuid() == 0


def line(stream):
    return stream.readline().decode().rstrip("\n")


class ContainerTest(CacheTest):
    def wait_until_gc_frees(self, entry):
        deadline = time.monotonic() + HANGS
        while entry.exists() and time.monotonic() < deadline:
            self.tool("gc")
        self.assertFalse(entry.exists(), "stays for ever")


class InContainers(ContainerTest):
    def setUp(self):
        super().setUp()
        if not makes_namespaces():
            self.skipTest("makes pid and time namespaces, which only root may")
        if not sees_all_processes():
            self.skipTest("the machine's first pid namespace is another one")

    def start_in(self, container, *args, **more):
        return self.start(*container, TOOL, *args, tool=ELSEWHERE, stdin=subprocess.PIPE, **more)

    def finish_with_line(self, process):
        out, err = process.communicate(b"go\n", timeout=HANGS)
        self.assertEqual(process.returncode, 0, err)
        return out.decode()

    def assert_holds_and_ends(self, container, *how, collector=(), let_go=False, killed=False):
        """A program in the container keeps its entry while it runs, and the first gc after its end
        frees it.
        """
        entry = self.put()
        program = ([LET_GO] if let_go else []) + READS
        process = self.start_in(container, "exec", *how, "b", "k", "--", *program)
        self.assertEqual(line(process.stdout), "ready")
        tool = [ELSEWHERE, *collector, TOOL] if collector else [TOOL]
        for words in (["refresh", "--all"], ["gc"], ["gc"]):
            self.finish(self.start(*tool[1:], *words, tool=tool[0]))
        self.assertEqual((entry / "file").read_text(), "text", "deleted while in use")
        if killed:
            process.kill()
            process.wait(HANGS)
            # The kernel kills the program, which is not our child, at an instant that we can't
            # know.
            self.wait_until_gc_frees(entry)
        else:
            self.assertEqual(self.finish_with_line(process), "text")
        self.tool("gc")
        self.assertFalse(entry.exists(), "stays for ever")

    CONTAINERS = [
        ["--pid"],
        ["--pid", "--outer-proc"],
        ["--time", "864000"],
        ["--time", "-1"],
        ["--boot", ANOTHER_BOOT],
        ["--pid", "--time", "864000", "--boot", ANOTHER_BOOT],
    ]

    def test_program_in_a_container_keeps_its_entry_and_frees_it(self):
        for container, how in itertools.product(self.CONTAINERS, ([], ["--supervise"])):
            with self.subTest(container=container, how=how):
                self.assert_holds_and_ends(container, *how)

    def test_program_in_a_container_that_closes_its_descriptors(self):
        for container, how in itertools.product(self.CONTAINERS, ([], ["--supervise"])):
            with self.subTest(container=container, how=how):
                self.assert_holds_and_ends(container, *how, let_go=True)

    def test_collector_in_another_time_namespace_or_with_another_boot_id(self):
        for collector in (["--time", "864000"], ["--boot", ANOTHER_BOOT]):
            for how in ([], ["--supervise"]):
                with self.subTest(collector=collector, how=how):
                    self.assert_holds_and_ends(
                        ["--time", "77"], *how, collector=collector, let_go=True
                    )

    def test_collector_in_a_container_never_deletes_what_a_program_outside_uses(self):
        for collector, how in itertools.product(self.CONTAINERS, ([], ["--supervise"])):
            with self.subTest(collector=collector, how=how):
                self.assert_holds_and_ends(["--time", "1"], *how, collector=collector, let_go=True)

    def test_ten_at_once_in_pid_namespaces_are_freed_by_the_next_gc(self):
        entries = [self.put(key=f"k{i}") for i in range(10)]
        processes = [
            self.start_in(["--pid"], "exec", "b", f"k{i}", "--", *READS) for i in range(10)
        ]
        for process in processes:
            self.assertEqual(line(process.stdout), "ready")
        self.tool("refresh", "--all")
        self.assertTrue(all(entry.exists() for entry in entries))
        for process in processes:
            self.finish_with_line(process)
        self.tool("gc")
        self.assertEqual([entry for entry in entries if entry.exists()], [])

    def test_a_dry_run_finds_the_same_ones_dead_as_a_collection(self):
        self.put()
        self.finish_with_line(self.start_in(["--pid"], "exec", "b", "k", "--", *READS))
        self.tool("refresh", "--all", "--keep-garbage")
        dry, done = self.json("gc", "--dry-run"), self.json("gc")
        for count in ("entries", "leased", "reaped"):
            self.assertEqual(dry[count], done[count], count)
        self.assertEqual(done["entries"], 1)

    def test_a_dry_eviction_finds_the_same_ones_dead_as_an_eviction(self):
        self.put()
        self.finish_with_line(self.start_in(["--pid"], "exec", "b", "k", "--", *READS))
        dry, done = (self.json("gc", *how, "--max-entries", "0") for how in (["--dry-run"], []))
        self.assertEqual(dry["evicted"], done["evicted"])
        self.assertEqual(done["evicted"], 1)

    def test_a_process_in_many_groups_does_not_hide_what_can_be_told(self):
        # The kernel lists the groups before what tells the pid in each namespace, and before the
        # privileges.
        many = [1_000_000_000 + number for number in range(600)]
        bystander = self.start(
            "-c",
            "echo ready; read _",
            tool="sh",
            stdin=subprocess.PIPE,
            preexec_fn=lambda: os.setgroups(many),
        )
        self.assertEqual(line(bystander.stdout), "ready")
        for collector in (None, lambda: os.setgroups(many)):
            entry = self.put()
            self.finish_with_line(self.start_in(["--pid"], "exec", "b", "k", "--", *READS))
            self.tool("refresh", "--all", "--keep-garbage")
            _, err = self.finish(self.start("gc", preexec_fn=collector))
            self.assertNotIn("can't be told", err)
            self.assertFalse(entry.exists())
        self.finish_with_line(bystander)

    def test_what_cannot_be_told_is_said_and_can_be_presumed(self):
        # A collector in one container cannot see the processes of another.
        entry = self.put()
        process = self.start_in(["--pid"], "exec", "b", "k", "--", LET_GO, *READS)
        self.assertEqual(line(process.stdout), "ready")
        self.tool("refresh", "--all", "--keep-garbage")
        elsewhere = ["--pid", TOOL]
        _, err = self.finish(self.start(*elsewhere, "gc", tool=ELSEWHERE))
        self.assertRegex(
            err, r"can't be told whether 1 process still runs \(.*\), so what it uses stays"
        )
        self.assertRegex(err, r"if it has ended, `.* gc --presume-dead` cleans up after it\n")
        self.assertIn("gc --presume-dead", err)
        self.assertEqual((entry / "file").read_text(), "text")
        out, _ = self.finish(self.start(*elsewhere, "status", tool=ELSEWHERE))
        self.assertIn("can't be told", out)
        # The next namespace may get the number of this one once it has ended, and then gc can tell.
        # So this container
        # begins before that.
        later = self.start(
            "--pid",
            "sh",
            "-c",
            'echo ready; read _; "$0" gc',
            TOOL,
            tool=ELSEWHERE,
            stdin=subprocess.PIPE,
        )
        presuming = self.start(
            "--pid",
            "sh",
            "-c",
            'echo ready; read _; "$0" gc --presume-dead',
            TOOL,
            tool=ELSEWHERE,
            stdin=subprocess.PIPE,
        )
        for one in (later, presuming):
            self.assertEqual(line(one.stdout), "ready")
        self.assertEqual(self.finish_with_line(process), "text")
        self.finish_with_line(later)
        self.assertTrue(entry.exists())
        self.finish_with_line(presuming)
        self.assertFalse(entry.exists())

    def test_nothing_that_runs_for_certain_is_presumed_dead(self):
        for container, program in itertools.product(
            (["--time", "1"], ["--pid"]), (READS, [LET_GO, *READS])
        ):
            with self.subTest(container=container, program=program):
                entry = self.put()
                process = self.start_in(container, "exec", "b", "k", "--", *program)
                self.assertEqual(line(process.stdout), "ready")
                self.tool("gc", "--presume-dead", "--max-entries", "0")
                self.assertEqual(self.tool("get", "b", "k"), f"{entry}\n")
                self.tool("refresh", "--all", "--keep-garbage")
                self.tool("gc", "--presume-dead")
                self.assertEqual(self.finish_with_line(process), "text")
                self.tool("gc")
                self.assertFalse(entry.exists())

    def test_supervised_container_ends_for_a_collector_in_another_container(self):
        entry = self.put()
        process = self.start_in(["--pid"], "exec", "--supervise", "b", "k", "--", LET_GO, *READS)
        self.assertEqual(line(process.stdout), "ready")
        elsewhere = ["--pid", TOOL]
        self.finish(self.start(*elsewhere, "refresh", "--all", tool=ELSEWHERE))
        self.assertEqual(self.finish_with_line(process), "text")
        self.finish(self.start(*elsewhere, "gc", tool=ELSEWHERE))
        self.assertFalse(entry.exists())

    def test_killed_container_frees_its_entry(self):
        for how, let_go in itertools.product(([], ["--supervise"]), (False, True)):
            with self.subTest(how=how, let_go=let_go):
                self.assert_holds_and_ends(["--pid"], *how, let_go=let_go, killed=True)


class Supervised(ContainerTest):
    def test_children_that_outlive_a_supervised_program_keep_the_entry(self):
        entry = self.put()
        gone, go = self.signal(), self.signal()
        self.tool(
            "exec",
            "--supervise",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            f"(exec >&- 2>&-; {gone.give}; {go.take}) & :",
            signals=[gone, go],
        )
        gone.wait()
        self.purge()
        self.assertTrue(entry.exists())
        go.set()
        self.wait_until_gc_frees(entry)


class Copied(CacheTest):
    def test_copied_leases_do_not_count(self):
        self.put()
        process = self.start("exec", "b", "k", "--", *READS, stdin=subprocess.PIPE)
        self.assertEqual(line(process.stdout), "ready")
        copy = self.dir / "copy"
        subprocess.run(["cp", "-a", str(self.root), str(copy)], check=True)
        there = {"LARDER_CACHE_DIR": str(copy)}
        self.tool("refresh", "--all", env=there)
        self.tool("gc", env=there)
        self.assertEqual(list(copy.glob("archive/*")), [])
        self.assertEqual(self.json("status", env=there)["leases"], [])
        # The lease in the cache itself holds.
        self.purge()
        out, _ = process.communicate(b"go\n", timeout=HANGS)
        self.assertEqual(out, b"text")


class Cleaned(CacheTest):
    """Cleaners of temporary files lock a directory before they look into it, and pass over it if
    they can't.
    """

    def is_held_off(self):
        root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(root, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        except BlockingIOError:
            return True
        finally:
            os.close(root)

    def test_a_process_that_uses_the_cache_holds_off_cleaners(self):
        self.put()
        self.assertFalse(self.is_held_off())
        for how in ([], ["--supervise"]):
            process = self.start("exec", *how, "b", "k", "--", *READS, stdin=subprocess.PIPE)
            self.assertEqual(line(process.stdout), "ready")
            self.assertTrue(self.is_held_off())
            process.communicate(b"go\n", timeout=HANGS)
            self.assertFalse(self.is_held_off())

    def test_systemd_tmpfiles_leaves_a_cache_in_use_alone(self):
        if not shutil.which("systemd-tmpfiles"):
            self.skipTest("systemd-tmpfiles is not installed")
        self.root = self.dir / "temporary" / "cache"
        self.env["LARDER_CACHE_DIR"] = str(self.root)
        entry = self.put()
        rules = self.dir / "rules.conf"
        rules.write_text(f"d {self.root.parent} - - - 0\n")

        def clean():
            subprocess.run(
                ["systemd-tmpfiles", "--clean", str(rules)], check=True, capture_output=True
            )

        process = self.start("exec", "b", "k", "--", *READS, stdin=subprocess.PIPE)
        self.assertEqual(line(process.stdout), "ready")
        clean()
        self.assertEqual((entry / "file").read_text(), "text")
        out, _ = process.communicate(b"go\n", timeout=HANGS)
        self.assertEqual(out, b"text")
        clean()
        self.assertFalse(
            (entry / "file").exists(), "the cleaner does nothing here, so this test shows nothing"
        )


if __name__ == "__main__":
    unittest.main()
