# SPDX-License-Identifier: MIT
"""Two machines use one cache: this one, and one of another processor that an emulator runs on the
same kernel.

OTHERS names the other machines, each with its cachetool: "s390x=PATH aarch64=PATH".
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "cachetool"))
from harness import HANGS, TOOL, CacheTest  # noqa: E402

OTHERS = dict(other.split("=") for other in os.environ["OTHERS"].split())
LET_GO = os.environ["LET_GO"]

# Prints "ready", waits for a line, prints the entry's file and ends.
READS = ["sh", "-c", 'echo ready; read _; cat "$LARDER_ENTRY"/file']
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def line(stream):
    return stream.readline().decode().rstrip("\n")


def id_of(entry):
    """The two words of an id, from the path of its tree."""
    number = 0
    for digit in entry.parent.name:
        number = number << 5 | DIGITS.index(digit)
    return divmod(number, 1 << 64)


class TwoMachines:
    """What holds for two machines, whichever of the two comes first."""

    first = second = None  # the cachetool of each

    def put_by(self, tool, key="k", **files):
        source = self.tree(f"source-{os.urandom(4).hex()}", **(files or {"file": "text"}))
        return pathlib.Path(self.tool("put", "b", key, source, tool=tool).rstrip("\n"))

    def reader_by(self, tool, key="k", program=()):
        """Starts a program that uses an entry, and returns once it does."""
        words = ["exec", "b", key, "--", *program, *READS]
        process = self.start(*words, tool=tool, stdin=subprocess.PIPE)
        self.assertEqual(line(process.stdout), "ready")
        return process

    def assert_reads(self, process):
        out, err = process.communicate(b"go\n", timeout=HANGS)
        self.assertEqual((process.returncode, out.decode()), (0, "text"), err)

    def builder_by(self, tool):
        """Starts a build that waits for a signal. Returns both once the program runs."""
        ready, go = self.signal(), self.signal()
        program = f'{ready.give}; {go.take}; echo text >"$LARDER_STAGE"/file'
        process = self.start(
            "build", "b", "k", "--", "sh", "-c", program, tool=tool, signals=(ready, go)
        )
        ready.wait()
        return process, go

    def keys_by(self, tool):
        return sorted(entry["key"] for entry in self.json("ls", "b", tool=tool)["entries"])

    def test_each_reads_what_the_other_has_written(self):
        source = pathlib.Path(self.tree(file="text"))
        (source / "link").symlink_to("file")
        (source / "below").mkdir()
        (source / "below" / "program").write_bytes(bytes(range(256)) * 300)
        keys = sorted(["k", "K", "con", "ä", "x" * 1000])
        for key in keys:
            self.tool("put", "--digest", "sha256", "b", key, str(source), tool=self.first)
        entry = pathlib.Path(self.tool("get", "b", "k", tool=self.second).rstrip("\n"))
        self.assert_same_tree(source, entry)
        for tool in (self.second, self.first):
            self.assertEqual(self.keys_by(tool), keys)
            self.assertTrue(self.json("verify", tool=tool)["sound"])
            found = json.loads(self.tool("--json", "verify", "--content", tool=tool))
            self.assertEqual((found["sound"], found["entries"]), (True, len(keys)))
        # One replaces what the other has put, and pins what an eviction of the other spares.
        replaced = self.put_by(self.second, file="new")
        self.assertEqual(self.tool("get", "b", "k", tool=self.first), f"{replaced}\n")
        self.tool("pin", "b", "k", tool=self.first)
        self.tool("gc", "--max-entries", "1", tool=self.second)
        self.assertEqual(self.keys_by(self.first), ["k"])
        self.assertTrue(self.json("verify", tool=self.second)["sound"])

    def test_neither_deletes_what_the_other_uses(self):
        one, two = self.put_by(self.first, "one"), self.put_by(self.second, "two")
        user_of_one = self.reader_by(self.first, "one")
        user_of_two = self.reader_by(self.second, "two")
        for tool in (self.first, self.second):
            leases = self.json("status", tool=tool)["leases"]
            users = {(lease["key"], lease["process"]["pid"]) for lease in leases}
            self.assertEqual(users, {("one", user_of_one.pid), ("two", user_of_two.pid)})
        for tool in (self.first, self.second):
            self.tool("refresh", "--all", tool=tool)
            gone = self.json("gc", tool=tool)
            self.assertEqual((gone["entries"], gone["reaped"]), (0, 0))
        self.assert_reads(user_of_one)
        self.assertEqual(self.json("gc", tool=self.second)["entries"], 1)
        self.assertEqual((one.exists(), two.exists()), (False, True))
        self.assert_reads(user_of_two)
        self.assertEqual(self.json("gc", tool=self.first)["entries"], 1)
        self.assertFalse(two.exists())

    def test_a_program_that_closes_its_descriptors_keeps_its_entry(self):
        # Then its table is not locked, so what the table says of its process decides.
        entry = self.put_by(self.first)
        process = self.reader_by(self.first, program=[LET_GO])
        self.tool("refresh", "--all", tool=self.second)
        self.assertEqual(self.json("gc", tool=self.second)["reaped"], 0)
        self.assertTrue(entry.exists(), "deleted while in use")
        self.assert_reads(process)
        self.assertEqual(self.json("gc", tool=self.second)["reaped"], 1)
        self.assertFalse(entry.exists(), "stays for ever")

    def test_one_cleans_up_after_the_other_is_killed(self):
        process, go = self.builder_by(self.first)
        self.assertEqual(len(list((self.root / "archive").iterdir())), 1)
        process.kill()
        go.set()  # the program that it has started ends, too
        process.communicate(timeout=HANGS)
        self.assertEqual(self.json("gc", tool=self.second)["reaped"], 1)
        self.assertEqual(list((self.root / "archive").iterdir()), [])

    def test_one_builds_while_the_other_waits(self):
        builder, go = self.builder_by(self.first)
        waiter = self.start("build", "b", "k", "--", "false", tool=self.second)
        locks, deadline = [], time.monotonic() + HANGS
        while len(locks) < 2:
            self.assertIsNone(waiter.poll(), "does not wait")
            self.assertLess(time.monotonic(), deadline, "is not seen to wait")
            locks = self.json("status", tool=self.second)["locks"]
        seen = {(lock["process"]["pid"], lock["waiting"], lock["what"]) for lock in locks}
        self.assertEqual(seen, {(builder.pid, False, "build k"), (waiter.pid, True, "build k")})
        go.set()
        self.assertEqual(self.finish(builder)[0], self.finish(waiter)[0])

    def test_the_bytes_of_a_lease_table_are_those_of_the_manual(self):
        entry = self.put_by(self.first)
        process = self.reader_by(self.first)
        tables = [path.read_bytes() for path in (self.root / "participants").iterdir()]
        [table] = [table for table in tables if table[48:56] != bytes(8)]
        self.assertEqual(table[:8], b"lardtbl2")
        here = os.stat("/proc/self/ns/pid").st_ino
        self.assertEqual(struct.unpack_from("<Q", table, 32), (here,))
        self.assertEqual(struct.unpack_from("<Q", table, 48), (process.pid,))
        self.assertEqual(struct.unpack_from("<QQ", table, 4096), id_of(entry))
        self.assertEqual(struct.unpack_from("<QQ", table, 8192), (1, 1))
        self.assertEqual(struct.unpack_from("<QQ", table, 8208), id_of(entry))
        self.assert_reads(process)


for name, tool in OTHERS.items():
    for way, first, second in (("first", tool, TOOL), ("second", TOOL, tool)):
        made = type(
            f"{name}_comes_{way}", (TwoMachines, CacheTest), {"first": first, "second": second}
        )
        globals()[made.__name__] = made
del made

if __name__ == "__main__":
    unittest.main()
