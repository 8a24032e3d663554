# SPDX-License-Identifier: MIT
"""Options, help, the choice of the cache, and what happens when stdout can't be written to."""

import json
import os
import subprocess
import unittest

from harness import HANGS, TOOL, CacheTest
from terminal import shown_at_a_terminal


class Help(CacheTest):
    def commands(self):
        return json.loads(self.tool("--help", "--json"))["commands"]

    def test_every_command_is_listed(self):
        text = self.tool("--help")
        for command in self.commands():
            listed = self.assertNotRegex if command["hidden"] else self.assertRegex
            listed(text, rf"(?m)^  {command['name']} ")
        self.assertEqual(text, self.tool("-h"))
        self.assertFalse([line for line in text.splitlines() if len(line) > 80])

    def test_help_of_a_command_fits_a_screen_and_has_an_example(self):
        for command in self.commands():
            text = self.tool(command["name"], "--help")
            with self.subTest(command["name"]):
                self.assertLessEqual(
                    len(text.splitlines()), 23
                )  # of 24: the last is for what is typed next
                self.assertFalse(
                    [line for line in text.splitlines() if len(line) > 80 or line.endswith(" ")]
                )
                self.assertRegex(text, r"(?m)^  .*cachetool " + command["name"])
                for option in command["options"]:
                    self.assertRegex(text, rf"(?m)^  (-\w, )?--{option['name']}\b")

    def test_help_of_get_warns(self):
        self.assertIn("NOT LEASED", self.tool("get", "--help"))

    def test_help_and_version_as_json(self):
        table = json.loads(self.tool("--help", "--json"))
        self.assertEqual(table["help"], self.tool("--help"))
        self.assertEqual(
            [
                command["name"]
                for command in json.loads(self.tool("gc", "--help", "--json"))["commands"]
            ],
            ["gc"],
        )
        self.assertRegex(
            json.loads(self.tool("--json", "--version"))["version"], r"^\d+\.\d+\.\d+$"
        )
        self.assertRegex(self.tool("--version"), r"^cachetool \d")

    def test_help_fits_narrow_terminals(self):
        lines = {}
        for command in ["", *(command["name"] for command in self.commands())]:
            for columns in (40, 60):
                shown = shown_at_a_terminal(
                    [TOOL, *command.split(), "--help"], self.env, self.dir, columns
                ).splitlines()
                with self.subTest(command=command, columns=columns):
                    self.assertEqual([line for line in shown if len(line) > columns], [])
                lines[command, columns] = shown
        # Where a line of an example goes on in the next one, a shell reads one line.
        self.assertIn("  cachetool exec tools-v1 node-22.1 \\", lines["exec", 40])
        # Words are never broken.
        words = set(self.tool("refresh", "--help").split())
        self.assertEqual(set(" ".join(lines["refresh", 40]).split()), words)

    def test_help_touches_nothing(self):
        self.tool("put", "--help")
        self.assertFalse(self.root.exists())


class WrongUsage(CacheTest):
    def test_is_told_with_exit_code_2(self):
        for args in [
            (),
            ("frobnicate",),
            ("put", "b", "k"),
            ("put", "b", "k", "s", "more"),
            ("get", "b"),
            ("gc", "b"),
            ("gc", "--frobnicate"),
            ("gc", "--dry"),  # no abbreviations
            ("gc", "--move"),  # another command's
            ("gc", "--dry-run=yes"),
            ("ls", "--=b"),  # no name
            ("ls", "--%original_token%=x"),  # a placeholder of Boost's messages
            ("remove", "b"),
            ("refresh",),
            ("refresh", "--all", "b"),
            ("exec", "b", "k"),
            ("exec", "b", "k", "true"),
            ("exec", "b", "k", "--"),
            ("exec", "b", "--", "true"),
            ("exec", "b", "k", "more", "--", "true"),
            ("build", "b", "k"),
            ("install", "b", "k", "d", "--link-mode", "teleport"),
            ("install", "b", "k", "d", "--link-mode"),
            ("ls", "--lock-timeout", "soon"),
            ("ls", "--lock-timeout", "-1"),
            ("ls", "--lock-timeout", "nan"),
            ("ls", "--lock-timeout", "1e300"),
            ("ls", "--cache", ""),
            ("ls", "--log", ""),
            ("ls", "--cache"),
        ]:
            with self.subTest(args):
                _, document = self.complaint(*args, code=2)
                self.assertEqual(document["error"]["code"], "usage")
        self.assertFalse(self.root.exists())

    def test_unknown_command_is_shown_harmlessly_with_a_hint(self):
        sentence, _ = self.complaint("\x1b[2Jls", code=2)
        self.assertIn("\\u{1b}", sentence)
        self.assertIn("--help", sentence)

    def test_what_was_probably_meant(self):
        for args, meant in [
            (("sttus",), "status"),
            (("refesh", "b"), "refresh"),
            (("l",), "ls"),
            (("gc", "--dryrun"), "--dry-run"),
            (("gc", "--dry-rnu=yes"), "--dry-run"),
            (("put", "b", "k", "s", "--mvoe"), "--move"),
            (("--jsn", "ls"), "--json"),
            (("install", "b", "k", "d", "--link-mod", "copy"), "--link-mode"),
            (("--suprevise",), "--supervise"),
        ]:
            with self.subTest(args):
                sentence, document = self.complaint(*args, code=2)
                self.assertIn(f" (did you mean {meant}?); see cachetool", sentence)
                self.assertEqual(document["error"]["code"], "usage")

    def test_nothing_is_guessed_from_afar(self):
        for args in [
            ("frobnicate",),
            ("x",),
            ("",),
            ("x" * 100000,),
            ("gc", "--frobnicate"),
            ("ls", "--=b"),
            ("gc", "--" + "x" * 100000),
            ("gc", "--suprevise"),  # another command's
            ("gc", "-x"),
        ]:
            with self.subTest(args[-1][:20]):
                self.assertNotIn("did you mean", self.complaint(*args, code=2)[0])

    def test_bucket_names_that_can_never_work(self):
        source = self.tree(file="text")
        for bucket in ["x" * 200, b"\xff\xfe"]:
            with self.subTest(bucket):
                _, document = self.complaint("put", bucket, "k", source, code=2)
                self.assertEqual(document["error"]["code"], "invalid")

    def test_keys_that_can_never_work(self):
        source = self.tree(file="text")
        for key in ["x" * 4097, b"\xc3", b"\xed\xa0\x80"]:
            with self.subTest(key):
                self.complaint("put", "b", key, source, code=2)


class Options(CacheTest):
    def test_stand_before_and_after_the_command(self):
        self.put()
        for args in [
            ("--json", "get", "b", "k"),
            ("get", "--json", "b", "k"),
            ("get", "b", "k", "--json"),
        ]:
            self.assertEqual(json.loads(self.tool(*args))["key"], "k")

    def test_may_be_given_twice_and_the_last_one_counts(self):
        self.assertEqual(
            self.tool("--quiet", "--cache", "/a", "dir", "--cache=/b", "--quiet"), "/b\n"
        )

    def test_a_value_may_be_spelled_like_an_option(self):
        self.assertEqual(self.tool("--cache", "json", "dir"), f"{self.dir}/json\n")

    def test_quiet(self):
        _, err = self.finish(self.start("gc", "--quiet"))
        self.assertEqual(err, "")
        _, err = self.finish(self.start("gc"))
        self.assertIn("no cache", err)


class ChoiceOfTheCache(CacheTest):
    def dir_with(self, *args, code=0, **env):
        chosen = {k: v for k, v in self.env.items() if k not in ("HOME", "LARDER_CACHE_DIR")}
        done = subprocess.run(
            [TOOL, "dir", *args],
            env={**chosen, **env},
            capture_output=True,
            timeout=HANGS,
            cwd=self.dir,
            check=False,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.decode().rstrip("\n")

    def test_in_this_order(self):
        everything = {"LARDER_CACHE_DIR": "/named", "XDG_CACHE_HOME": "/xdg", "HOME": "/home/ada"}
        self.assertEqual(self.dir_with("--cache", "/option", **everything), "/option")
        self.assertEqual(self.dir_with(**everything), "/named")
        del everything["LARDER_CACHE_DIR"]
        self.assertEqual(self.dir_with(**everything), "/xdg/larder")
        self.assertEqual(self.dir_with(**{**everything, "LARDER_CACHE_DIR": ""}), "/xdg/larder")
        self.assertEqual(
            self.dir_with(**{**everything, "XDG_CACHE_HOME": "relative"}), "/home/ada/.cache/larder"
        )
        self.assertEqual(self.dir_with(HOME="/home/ada"), "/home/ada/.cache/larder")
        self.dir_with(code=2)

    def test_is_absolute_and_touches_nothing(self):
        self.assertEqual(self.dir_with("--cache", "here"), f"{self.dir}/here")
        self.assertEqual(self.json("dir")["path"], str(self.root))
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_only_commands_that_fill_a_cache_make_one(self):
        for args, code in [
            (["ls"], 0),
            (["stats"], 0),
            (["status"], 0),
            (["verify"], 0),
            (["gc"], 0),
            (["refresh", "--all"], 0),
            (["get", "b", "k"], 3),
            (["info", "b", "k"], 3),
            (["remove", "b", "k"], 3),
            (["install", "b", "k", "d"], 3),
            (["exec", "b", "k", "--", "true"], 3),
        ]:
            with self.subTest(args):
                self.tool(*args, code=code)
                self.assertFalse(self.root.exists())
                if code == 0:
                    self.json(*args)
        self.put()
        self.assertTrue(self.root.is_dir())

    def test_looking_at_a_cache_that_is_being_created(self):
        self.root.mkdir(parents=True)
        (self.root / "CACHEDIR.TAG").touch()  # the first file to be made
        (self.root / "participants").mkdir()
        self.assertEqual(self.json("ls")["entries"], [])
        self.tool("get", "b", "k", code=3)

    def test_another_users_cache_can_be_read(self):
        stranger = self.stranger()
        entry = self.put()
        subprocess.run(["chmod", "-R", "a+rX", self.dir], check=True)
        self.assertEqual(self.tool("get", "b", "k", **stranger), f"{entry}\n")
        self.assertEqual(len(self.json("ls", **stranger)["entries"]), 1)
        out, err = self.finish(
            self.start("exec", "b", "k", "--", "sh", "-c", 'cat "$LARDER_ENTRY"/file', **stranger)
        )
        self.assertEqual(out, "text")
        self.assertIn("the cache is read-only here", err)
        for args in [
            ("put", "b", "k", str(entry.parent.parent.parent.parent / "source")),
            ("remove", "b", "k"),
            ("gc",),
        ]:
            self.complaint(*args, code=1, **stranger)

    def test_a_root_that_is_a_file_or_full_of_something_else(self):
        self.root.write_text("mine")
        self.complaint("ls", code=1)
        self.assertEqual(self.root.read_text(), "mine")
        self.root.unlink()
        self.tree("cache", letter="mine")
        _, document = self.complaint("put", "b", "k", self.tree(), code=1)
        self.assertEqual(document["error"]["code"], "refused")
        self.assertEqual([path.name for path in self.root.iterdir()], ["letter"])


class BrokenStdout(CacheTest):
    """Data that did not arrive is a failure: a script must not take an empty answer for an answer.
    """

    ASKING = [
        ("dir",),
        ("get", "b", "k"),
        ("ls",),
        ("ls", "--json"),
        ("info", "b", "k"),
        ("stats",),
        ("status",),
        ("gc", "--json"),
        ("verify", "--json"),
        ("--help",),
        ("--version",),
    ]

    def assert_told(self, args, stdout, **more):
        _, err = self.finish(self.start(*args, stdout=stdout, **more), code=1)
        self.assertIn("standard output", err)

    def test_full_disk(self):
        self.put()
        with open("/dev/full", "wb") as full:
            for args in self.ASKING:
                with self.subTest(args):
                    self.assert_told(args, full)

    def test_pipe_that_nobody_reads_ends_it_silently(self):
        """As SIGPIPE ends other programs: `cachetool ls | head` is nothing to complain about."""
        self.put()
        self.tool("remove", "b", "k")
        self.put()
        for args in [
            *self.ASKING,
            ("why", "b", "k"),
            ("trash",),
            ("man",),
            ("completion", "bash"),
            ("gc", "--dry-run"),
            ("refresh", "b", "--dry-run"),
            ("get", "b", "none", "--json"),
            ("frobnicate", "--json"),
        ]:
            with self.subTest(args):
                read_end, write_end = os.pipe()
                os.close(read_end)
                process = self.start(*args, stdout=write_end)
                os.close(write_end)
                _, err = process.communicate(timeout=HANGS)
                if args[0] == "frobnicate" or "none" in args:
                    self.assertNotIn(
                        b"standard output", err
                    )  # an error of its own comes first, and its code stays
                else:
                    self.assertEqual(process.returncode, 141)
                    self.assertNotIn(b"pipe", err)
                    self.assertNotIn(b"standard output", err)

    def test_closed(self):
        self.put()
        for args in self.ASKING:
            with self.subTest(args):
                self.assert_told(args, None, preexec_fn=lambda: os.close(1))

    def test_closed_stdout_never_becomes_a_file_of_the_cache(self):
        for closed in ([0, 1, 2], [1, 2], [1]):
            self.start(
                "build",
                "b",
                "k",
                "--",
                "sh",
                "-c",
                "echo noise; echo noise >&2; :",
                preexec_fn=lambda fds=closed: [os.close(fd) for fd in fds],
                stdout=None,
                stderr=subprocess.DEVNULL,
            ).wait(HANGS)
            self.json("verify")
            self.assertTrue(self.json("verify")["sound"])

    def test_programs_die_of_a_broken_pipe_as_ever(self):
        self.put()
        for mode in ([], ["--supervise"]):
            out = self.tool(
                "exec",
                "b",
                "k",
                *mode,
                "--",
                "sh",
                "-c",
                "(kill -PIPE $(sh -c 'echo $PPID'); echo survived); :",
            )
            self.assertEqual(out, "")


if __name__ == "__main__":
    unittest.main()
