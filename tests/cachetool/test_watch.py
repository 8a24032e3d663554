# SPDX-License-Identifier: MIT
"""status --watch, at a terminal and into a pipe. Frames come when they are asked for: by a change
of the terminal's size.
"""

import json
import os
import signal
import subprocess
import unittest

import schema
from harness import HANGS, TOOL, CacheTest
from terminal import Terminal

ENTER, LEAVE = rb"\x1b\[\?1049h", rb"\x1b\[\?1049l"
SELDOM = "100000"


class Watch(CacheTest):
    def terminal(self, *args):
        terminal = Terminal([TOOL, *args], self.env, self.dir, columns=80)
        self.addCleanup(os.close, terminal.fd)
        self.addCleanup(self.reap, terminal)
        return terminal

    @staticmethod
    def reap(terminal):
        if terminal.pid:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)

    def wait_for_end(self, terminal):
        while terminal.read():
            pass
        _, status = os.waitpid(terminal.pid, 0)
        terminal.pid = None
        return os.waitstatus_to_exitcode(status)

    def start_using(self):
        user = self.start(
            "exec", "b", "k", "--", "sh", "-c", "echo ready; read _", stdin=subprocess.PIPE
        )
        self.assertEqual(user.stdout.readline(), b"ready\n")
        return user

    def test_at_a_terminal(self):
        self.put()
        terminal = self.terminal("status", "--watch", SELDOM)
        terminal.wait_for(ENTER)
        frame = terminal.wait_for(rb"\x1b\[H(.*?)\x1b\[J").group(1)
        self.assertIn(str(self.root).encode(), frame)
        self.assertNotIn(b"LEASED", frame)
        user = self.start_using()
        os.kill(terminal.pid, signal.SIGWINCH)
        frame = terminal.wait_for(rb"\x1b\[H(.*?)\x1b\[J").group(1).decode()
        self.assertIn("LEASED", frame)
        self.assertIn(f"{user.pid}", frame)
        self.assertTrue(all(line.rstrip("\r").endswith("\x1b[K") for line in frame.split("\n")))
        terminal.type("\x03")
        self.assertEqual(self.wait_for_end(terminal), 130)
        self.assertRegex(terminal.seen, LEAVE + rb"\Z")

    def test_advice_in_a_frame_names_the_cache(self):
        self.put()
        (self.root / "deleting" / "left").mkdir()
        terminal = self.terminal("status", "--watch", SELDOM)
        frame = terminal.wait_for(rb"\x1b\[H(.*?)\x1b\[J").group(1).decode()
        self.assertIn(f"`cachetool --cache {self.root} gc`", frame)

    def test_again_and_again(self):
        self.put()
        terminal = self.terminal("status", "--watch", "0.1")
        for _ in range(3):
            terminal.wait_for(rb"\x1b\[H.*?\x1b\[J")
        user = self.start_using()
        terminal.wait_for(rf"\x1b\[H[^\x1b]*.*?{user.pid}.*?\x1b\[J".encode())
        terminal.type("\x03")
        self.assertEqual(self.wait_for_end(terminal), 130)

    def test_other_signals_give_the_screen_back_too(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            terminal = self.terminal("status", "--watch", SELDOM)
            terminal.wait_for(rb"\x1b\[J")
            os.kill(terminal.pid, number)
            self.assertEqual(self.wait_for_end(terminal), 128 + number)
            self.assertRegex(terminal.seen, LEAVE + rb"\Z")

    def test_suspended(self):
        terminal = self.terminal("status", "--watch", SELDOM)
        terminal.wait_for(rb"\x1b\[J")
        terminal.type("\x1a")
        terminal.wait_for(LEAVE)
        _, status = os.waitpid(terminal.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for(ENTER + rb".*\x1b\[J")
        terminal.type("\x03")
        self.assertEqual(self.wait_for_end(terminal), 130)

    def test_failure_gives_the_screen_back(self):
        self.root.write_text("mine")
        terminal = self.terminal("status", "--watch", SELDOM)
        self.assertEqual(self.wait_for_end(terminal), 1)
        self.assertRegex(terminal.seen, ENTER + rb".*" + LEAVE + rb".*cachetool:")

    def test_no_more_lines_than_the_terminal_has(self):
        source = self.tree(file="text")
        users = []
        for number in range(30):
            self.tool("put", "b", f"k{number}", source)
            users.append(
                self.start(
                    "exec",
                    "b",
                    f"k{number}",
                    "--",
                    "sh",
                    "-c",
                    "echo ready; read _",
                    stdin=subprocess.PIPE,
                )
            )
            self.assertEqual(users[-1].stdout.readline(), b"ready\n")
        terminal = self.terminal("status", "--watch", SELDOM)
        self.assertEqual(terminal.wait_for(rb"\x1b\[H(.*?)\x1b\[J").group(1).count(b"\n"), 23)

    def test_documents_one_a_line(self):
        watching = self.start("--json", "status", "--watch", "0.1")
        read = lambda: json.loads(watching.stdout.readline())
        first = read()
        self.assertEqual(schema.complaints("status", first), [])
        self.assertEqual(first["processes"], [])
        self.assertFalse(self.root.exists())
        self.put()
        user = self.start_using()
        while not any(lease["process"]["pid"] == user.pid for lease in read()["leases"]):
            pass
        self.stop(watching, signal.SIGINT)

    def stop(self, watching, number):
        watching.send_signal(number)
        _, err = watching.communicate(timeout=HANGS)
        self.assertEqual((watching.returncode, err), (128 + number, b""))

    def test_into_a_pipe(self):
        watching = self.start("status", "--watch", "0.1")
        self.assertIn(str(self.root).encode(), watching.stdout.readline())
        while str(self.root).encode() not in watching.stdout.readline():
            pass
        self.stop(watching, signal.SIGTERM)

    def test_nobody_reads(self):
        watching = self.start("status", "--watch", "0.1")
        watching.stdout.readline()
        watching.stdout.close()
        watching.stdout = None
        _, err = watching.communicate(timeout=HANGS)
        self.assertEqual((watching.returncode, err), (141, b""))

    def test_wrong_usage(self):
        for args in [
            ("5",),
            ("--watch", "soon"),
            ("--watch", "0"),
            ("--watch", "-1"),
            ("--watch", "1", "2"),
            ("--watch=1",),
        ]:
            self.complaint("status", *args, code=2)


if __name__ == "__main__":
    unittest.main()
