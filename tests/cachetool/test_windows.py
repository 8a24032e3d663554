# SPDX-License-Identifier: MIT
"""What the command does on Windows alone: in_wine.py runs these tests."""

import json
import os
import pathlib
import subprocess
import time
import unittest

from harness import HANGS, TESTING_TOOL, CacheTest

PROGRAM = os.environ.get("WINDOWS_PROGRAM", "")

AWKWARD_WORDS = [
    "plain", "", "two words", "tab\tbed", "quote\"inside", "\"quoted\"", "back\\slash", "end\\",
    "space end \\", "\\\"", "\\\\\"", "a\\\\ b", "%PATH%", "*", "?", "^&|<>", "'single'", "ä☃😀",
    "-dash", "--", "/slash", "C:\\a b\\",
]


def windows(path):
    return "Z:" + str(path).replace("/", "\\")


class Program:
    """What follows `--` on the command line: the program of the tests, and its words."""

    def __new__(cls, *words):
        return ["--", windows(PROGRAM), *words]


def eventually(what, condition):
    end = time.monotonic() + HANGS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"did not happen: {what}")
        time.sleep(0.05)


class Texts(CacheTest):
    def test_lines_end_as_documented(self):
        process = self.start("--version")
        self.assertRegex(process.communicate(timeout=HANGS)[0], rb"\Acachetool [0-9.]+\n\Z")
        process = self.start("--json", "--version")
        self.assertNotIn(b"\r", process.communicate(timeout=HANGS)[0])

    def test_are_utf8_everywhere(self):
        self.root = self.dir / "Cäche ☃"
        source = pathlib.Path(self.tree("Quelle-😀", **{"datei-ä": "text"}))
        root = windows(self.root)
        entry = self.json("put", "größe", "schlüssel ☃", str(source), "--cache", root)
        self.assertEqual(entry["key"], "schlüssel ☃")
        process = self.start("get", "größe", "schlüssel ☃", "--cache", root)
        path = process.communicate(timeout=HANGS)[0].decode().rstrip("\n")
        self.assertTrue(path.startswith(root + "\\archive\\"), path)
        tree = pathlib.Path(path[2:].replace("\\", "/"))
        self.assertEqual((tree / "datei-ä").read_text(), "text")
        self.tool("install", "größe", "schlüssel ☃", str(self.dir / "Ziel-é"), "--cache", root)
        self.assertEqual((self.dir / "Ziel-é" / "datei-ä").read_text(), "text")

    def test_half_of_a_surrogate_pair_is_no_key(self):
        self.complaint("get", "b", b"\xed\xa0\x80", code=3)


class ChoiceOfTheCache(CacheTest):
    def test_is_in_the_users_directory_for_caches(self):
        del self.env["LARDER_CACHE_DIR"]
        local = {"LOCALAPPDATA": str(self.dir / "Local")}
        self.assertEqual(self.tool("dir", env=local), f"{self.dir}/Local/larder\n")
        other = {**local, "XDG_CACHE_HOME": str(self.dir / "xdg")}
        self.assertEqual(self.tool("dir", env=other), f"{self.dir}/xdg/larder\n")
        message, _ = self.complaint("ls", code=2)
        self.assertIn("LOCALAPPDATA", message)


class Exec(CacheTest):
    def test_hands_each_word_on(self):
        self.put()
        out = self.tool("exec", "b", "k", *Program("say", *AWKWARD_WORDS))
        self.assertEqual(out.split("\n")[:-1], AWKWARD_WORDS)

    def test_passes_the_exit_code_on(self):
        self.put()
        for code in 0, 1, 7, 255, 259, -1:
            with self.subTest(code=code):
                self.tool("exec", "b", "k", *Program("exit", str(code)), code=code)

    def test_tells_the_program_where_the_entry_is(self):
        path = self.put()
        self.assertEqual(self.tool("exec", "b", "k", *Program("variable", "LARDER_ENTRY")),
                         f"{path}\n")

    def test_program_that_is_not_there(self):
        self.put()
        for name in "no-such-program", "Z:\\no\\such.exe", ".\\program":
            with self.subTest(name):
                self.complaint("exec", "b", "k", "--", name, code=127)

    def test_programs_are_looked_up_in_path_and_never_in_the_current_directory(self):
        self.put()
        (self.dir / "here.exe").write_bytes(pathlib.Path(PROGRAM).read_bytes())
        self.complaint("exec", "b", "k", "--", "here", "exit", "7", code=127)
        self.tool("exec", "b", "k", "--", "here", "exit", "7", code=7,
                  env={"WINEPATH": str(self.dir)})

    def test_batch_files_are_refused(self):
        self.put()
        (self.dir / "script.cmd").write_text("exit 0\r\n")
        message, _ = self.complaint("exec", "b", "k", "--", ".\\script.cmd", code=126)
        self.assertIn("cmd /c", message)

    def test_leases_the_entry_as_long_as_the_program_runs(self):
        path = self.put()
        process = self.start("exec", "b", "k", *Program("stay"), stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        users = self.json("status")["leases"]
        self.assertEqual([one["key"] for one in users], ["k"])
        self.purge()
        self.assertTrue((path / "file").exists())
        process.stdin.close()
        process.wait(HANGS)
        self.tool("gc")
        self.assertFalse(path.exists())

    def test_program_ends_with_the_command_and_so_does_the_lease(self):
        path = self.put()
        process = self.start("exec", "b", "k", *Program("stay"), stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        process.kill()
        # The program has the other end of this pipe. Nothing has closed its stdin.
        self.assertEqual(process.stdout.read(), b"")
        self.tool("refresh", "--all")
        eventually("the lease ends", lambda: self.tool("gc") is not None and not path.exists())

    def test_what_the_program_has_left_in_the_background_goes_on(self):
        self.put()
        waited, made = self.dir / "waited", self.dir / "made"
        # The program in the background would keep pipes open.
        process = self.start("exec", "b", "k", *Program("leave", windows(waited), windows(made)),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertEqual(process.wait(HANGS), 0)
        self.assertFalse(made.exists())
        waited.touch()
        eventually("the program in the background goes on", made.exists)


class Build(CacheTest):
    def test_fills_the_stage(self):
        process = self.start("build", "--chdir", "b", "k", *Program("fill", "made"))
        out, err = self.finish(process)
        self.assertTrue((pathlib.Path(out.rstrip("\n")) / "made").exists())
        self.assertIn("filled", err)
        self.assertEqual(self.tool("build", "b", "k", *Program("exit", "9")), out)

    def test_failure_keeps_nothing(self):
        self.complaint("build", "b", "k", *Program("exit", "9"), code=9)
        self.complaint("build", "b", "k", *Program("exit", "0"), code=1)
        self.complaint("get", "b", "k", code=3)


class Accidents(CacheTest):
    def test_a_put_that_is_ended_leaves_nothing(self):
        self.put(file="old")
        for point in "publish.locked", "stage.begin", "put.copy":
            source = self.tree(f"source-{point}", file="new")
            process = self.start("put", "b", "k", source, tool=TESTING_TOOL,
                                 env={"LARDER_TEST_POINTS": f"{point}=kill"})
            process.communicate(timeout=HANGS)
        self.tool("gc")
        self.assertTrue(self.json("verify")["sound"])
        self.assertEqual(len(self.json("ls")["entries"]), 1)


class Doctor(CacheTest):
    def test_tries_what_larder_counts_on(self):
        document = self.json("doctor", str(self.dir))
        rows = {probe["name"]: probe for probe in document["probes"]}
        self.assertTrue(document["works"], rows)
        self.assertRegex(rows["system"]["found"], r"\AWine [0-9.]+, as Windows 10\.")
        self.assertEqual(rows["locks of bytes"]["verdict"], "ok")
        self.assertEqual(rows["larder"]["verdict"], "ok")
        # Wine does these in another way than Windows, and the rows say so.
        self.assertEqual(rows["locks are mandatory"]["verdict"], "limited")
        self.assertEqual(list(self.dir.glob("larder-doctor-*")), [])


if __name__ == "__main__":
    unittest.main()
