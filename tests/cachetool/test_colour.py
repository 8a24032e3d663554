# SPDX-License-Identifier: MIT
"""Colours: on a terminal, and nowhere else; not where the user does not want them."""

import re
import shutil
import unittest

from harness import TOOL, CacheTest
from terminal import Terminal

COLOUR = r"\x1b\[\d+m"


class Colours(CacheTest):
    def setUp(self):
        super().setUp()
        self.env["TERM"] = "xterm"

    def at_a_terminal(self, *args, **env):
        """What a terminal is sent, stdout and stderr in one, without the carriage returns that it
        adds.
        """
        terminal = Terminal([TOOL, *args], {**self.env, **env}, self.dir)
        try:
            while terminal.read():
                pass
        finally:
            terminal.end()
        return terminal.seen.decode().replace("\r", "")

    def damage(self):
        shutil.rmtree(self.put().parent)
        (self.root / "notes").touch()

    def test_on_a_terminal(self):
        self.put()
        self.assertRegex(self.at_a_terminal("ls"), r"\A\x1b\[1m *SIZE .*KEY\x1b\[0m\n *4 B ")
        self.assertRegex(
            self.at_a_terminal("frobnicate"), r"\A\x1b\[31mcachetool:\x1b\[0m there is no command"
        )
        self.assertRegex(
            self.at_a_terminal("doctor", "--quiet"), r"(?m)^\x1b\[32mok\x1b\[0m +symlinks +work$"
        )
        self.assertRegex(self.at_a_terminal("doctor"), r"\Acachetool: judging")
        self.damage()
        found = self.at_a_terminal("verify")
        self.assertRegex(found, r"(?m)^\x1b\[31mdangling\x1b\[0m: ")
        self.assertRegex(found, r"(?m)^\x1b\[33mforeign\x1b\[0m: ")

    def test_columns_stay_aligned(self):
        shown = self.at_a_terminal("doctor", "--quiet")
        plain = self.tool("doctor", "--quiet")
        figures = r"[\d.]+ \w+ free.*"
        self.assertEqual(re.sub(figures, "", re.sub(COLOUR, "", shown)), re.sub(figures, "", plain))

    def test_not_where_they_are_not_wanted(self):
        self.damage()
        for args in [("ls",), ("frobnicate",), ("verify",), ("doctor",), ("status",)]:
            for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
                self.assertNotIn("\x1b", self.at_a_terminal(*args, **env), (args, env))
            process = self.start(*args, env={"TERM": "xterm"})
            self.assertNotIn(b"\x1b", b"".join(process.communicate()), args)
        self.assertIn("\x1b", self.at_a_terminal("verify", NO_COLOR=""))

    def test_never_in_documents(self):
        self.put()
        self.assertNotIn("\x1b", self.at_a_terminal("--json", "ls"))
        self.assertNotIn("\x1b", self.at_a_terminal("--json", "--quiet", "doctor"))

    def test_stdout_and_stderr_each_for_itself(self):
        terminal = Terminal(
            ["sh", "-c", f'"{TOOL}" ls 2>{self.dir}/talk; cat {self.dir}/talk'], self.env, self.dir
        )
        while terminal.read():
            pass
        terminal.end()
        self.assertRegex(
            terminal.seen, rb"\A\x1b\[1m *SIZE .*KEY\x1b\[0m\r\ncachetool: there is no cache"
        )
        terminal = Terminal(
            ["sh", "-c", f'"{TOOL}" get b 2>&1 >{self.dir}/data; cat {self.dir}/data'],
            self.env,
            self.dir,
        )
        while terminal.read():
            pass
        terminal.end()
        self.assertRegex(terminal.seen, rb"\A\x1b\[31mcachetool:\x1b\[0m KEY is missing; usage")


if __name__ == "__main__":
    unittest.main()
