# SPDX-License-Identifier: MIT
"""The manual's pages: what the formatters that are installed think of them, and what they make of
them.
"""

import json
import os
import re
import shutil
import subprocess
import unittest

from harness import HANGS, CacheTest


class Pages(CacheTest):
    def setUp(self):
        super().setUp()
        self.tool("man", "--into", str(self.dir / "man1"))
        self.pages = sorted((self.dir / "man1").iterdir())

    def format(self, *command):
        done = subprocess.run(
            command,
            cwd=self.dir,
            env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""},
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
        )
        return re.sub(".\b|\x1b\\[[0-9;]*m", "", done.stdout), done.stderr

    def test_one_for_each_command(self):
        commands = [
            command
            for command in json.loads(self.tool("--help", "--json"))["commands"]
            if not command["hidden"]
        ]
        self.assertEqual(
            {page.name for page in self.pages},
            {"cachetool.1"} | {f"cachetool-{command['name']}.1" for command in commands},
        )
        for command in commands:
            page = self.tool("man", command["name"])
            self.assertEqual(
                page, (self.dir / "man1" / f"cachetool-{command['name']}.1").read_text()
            )
            for option in command["options"]:
                self.assertIn("\\-\\-" + option["name"].replace("-", "\\-"), page)
        self.complaint("man", "frobnicate", code=2)
        self.complaint("man", "put", "--into", "d", code=2)
        _, document = self.complaint("man", "--into", "/dev/null/d", code=1)
        self.assertIn("/dev/null/d", document["error"]["message"])

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_warns_of_nothing(self):
        for page in self.pages:
            text, warnings = self.format("groff", "-man", "-ww", "-Tutf8", str(page))
            self.assertEqual(warnings, "", page)
            self.assertIn("NAME", text)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_warns_of_nothing(self):
        for page in self.pages:
            warnings = [
                line
                for line in self.format("mandoc", "-Tlint", "-Wwarning", str(page))[0].splitlines()
                if "missing date" not in line
            ]
            self.assertEqual(warnings, [], page)

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_examples_can_be_pasted(self):
        text, warnings = self.format(
            "man", "--warnings", "-l", str(self.dir / "man1" / "cachetool-exec.1")
        )
        self.assertEqual(warnings, "")
        self.assertIn(
            """cachetool exec tools-v1 node-22.1 -- sh -c '"$LARDER_ENTRY"/bin/node app.js'""", text
        )
        self.assertIn("--supervise", text)


if __name__ == "__main__":
    unittest.main()
