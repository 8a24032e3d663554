# SPDX-License-Identifier: MIT
"""What a user may mistype, leave out or expect from other tools, and what the command answers."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import schema
from harness import HANGS, MANUAL, TOOL, CacheTest
from terminal import shown_at_a_terminal


class Units(CacheTest):
    def test_a_size_without_a_unit_is_refused_and_evicts_nothing(self):
        self.put()
        for option in ["--max-size", "--min-free"]:
            for number in ["5", "5.0", "10000000000"]:
                for command in (["gc"], ["why", "b", "k"]):
                    sentence, _ = self.complaint(*command, option, number, code=2)
                    self.assertIn(
                        f'{option} wants a size with its unit, such as 500MB or 10GiB, not '
                        f'"{number}"',
                        sentence,
                    )
        self.tool("get", "b", "k")

    def test_nothing_is_zero_in_every_unit(self):
        self.put()
        for option, value in [
            ("--min-free", "0"),
            ("--max-size", "5B"),
            ("--max-size", "0"),
            ("--max-age", "0"),
            ("--grace", "0"),
        ]:
            self.json("gc", "--dry-run", option, value)
        for option in ["--max-age", "--grace"]:
            self.assertIn("a duration with its unit", self.complaint("gc", option, "30", code=2)[0])
        self.assertIn(
            "a duration with its unit",
            self.complaint("refresh", "b", "--older-than", "30", code=2)[0],
        )
        self.json("refresh", "b", "--older-than", "2 days".replace(" ", ""), "--grace", "1hour")


class EmptyWords(CacheTest):
    def test_an_unset_variable_publishes_takes_and_pins_nothing(self):
        source = self.tree(file="text")
        for args, place in [
            (("put", "b", "", source), "KEY"),
            (("put", "", "k", source), "BUCKET"),
            (("put", "b", "k", ""), "SOURCE"),
            (("build", "b", "", "--", "true"), "KEY"),
            (("exec", "", "k", "--", "true"), "BUCKET"),
            (("get", "b", ""), "KEY"),
            (("install", "b", "k", ""), "DEST"),
            (("remove", "b", "k", ""), "KEY"),
            (("pin", "b", ""), "KEY"),
            (("unpin", "b", ""), "KEY"),
            (("info", "b", ""), "KEY"),
            (("why", "b", ""), "KEY"),
            (("ls", ""), "BUCKET"),
            (("refresh", "b", ""), "BUCKET"),
            (("trash", "restore", ""), "ID"),
            (("doctor", ""), "DIR"),
            (("status", "--watch", ""), "SECONDS"),
        ]:
            with self.subTest(args):
                sentence, _ = self.complaint(*args, code=2)
                self.assertIn(f"{place} is empty: perhaps a variable is not set", sentence)
                self.assertEqual("--empty-key" in sentence, place == "KEY")
        self.assertFalse(self.root.exists())

    def test_an_unset_variable_is_no_value_of_an_option(self):
        for args in [
            ("ls", "--key", ""),
            ("refresh", "b", "--key", ""),
            ("trash", "restore", "--bucket", ""),
            ("gc", "--keep", ""),
            ("gc", "--plan", ""),
            ("gc", "--apply", ""),
            ("ls", "--cache", ""),
            ("ls", "--log", ""),
            ("man", "--into", ""),
        ]:
            with self.subTest(args):
                self.assertIn(
                    "is empty: perhaps a variable is not set", self.complaint(*args, code=2)[0]
                )

    def test_the_empty_key_can_be_meant(self):
        source = self.tree(file="text")
        self.tool("put", "--empty-key", "b", "", source)
        self.tool("get", "b", "", "--empty-key")
        self.assertEqual(self.json("remove", "b", "", "--empty-key")["removed"], [""])


class UnknownBuckets(CacheTest):
    def setUp(self):
        super().setUp()
        self.put("wheels-v1", "numpy")

    def test_are_named_with_what_was_meant(self):
        for args in [
            ("ls", "wheels"),
            ("refresh", "wheels"),
            ("refresh", "wheels", "-n"),
            ("remove", "wheels", "numpy"),
            ("get", "wheels", "numpy"),
            ("info", "wheels", "numpy"),
            ("install", "wheels", "numpy", "d"),
            ("exec", "wheels", "numpy", "--", "true"),
            ("why", "wheels", "numpy"),
        ]:
            with self.subTest(args):
                out, err = self.finish(self.start(*args), 3)
                self.assertEqual(
                    (out, err), ("", "cachetool: no bucket wheels; did you mean wheels-v1?\n")
                )
        self.assertIn(
            "no bucket wheels; did you mean wheels-v1?",
            self.finish(self.start("unpin", "wheels", "numpy"), 3)[1],
        )
        self.assertIn(
            "no bucket wheels; did you mean wheels-v1?",
            self.finish(self.start("pin", "wheels", "numpy"))[1],
        )
        self.assertIn("no bucket frobs; `cachetool", self.finish(self.start("ls", "frobs"), 3)[1])
        self.tool("get", "wheels-v1", "numpy")

    def test_do_not_keep_the_others_from_being_refreshed(self):
        document = self.json("refresh", "wheels", "wheels-v1", code=3)
        self.assertEqual(
            (document["refreshed"], document["error"]["code"]), (["wheels-v1"], "miss")
        )

    def test_that_are_keys(self):
        sentence, _ = self.complaint("get", "numpy", "wheels-v1", code=3)
        self.assertIn(
            "no bucket numpy, but there is a bucket wheels-v1: BUCKET comes before KEY", sentence
        )


class WordsOfPut(CacheTest):
    def test_in_the_wrong_order(self):
        self.tree("unpacked", file="text")
        sentence, _ = self.complaint("put", "wheels-v1", "./unpacked", "a", code=2)
        self.assertIn(
            "SOURCE a does not exist, but KEY ./unpacked does: are the words in the wrong order?",
            sentence,
        )
        self.assertIn(
            "BUCKET ./unpacked does",
            self.complaint("put", "./unpacked", "wheels-v1", "a", code=2)[0],
        )
        self.assertIn("No such file", self.complaint("put", "wheels-v1", "a", "b", code=1)[0])
        self.assertFalse(self.root.exists())


class OtherToolsWords(CacheTest):
    def test_that_are_accepted(self):
        self.put()
        self.assertEqual(
            len(self.json("ls")["entries"]), len(json.loads(self.tool("list", "--json"))["entries"])
        )
        self.assertEqual(
            json.loads(self.tool("refresh", "-n", "b", "--json"))["keys"],
            [{"bucket": "b", "key": "k"}],
        )
        self.assertIn("would delete", self.tool("gc", "-n"))
        self.assertEqual(self.finish(self.start("rm", "-q", "b", "k")), ("", ""))
        self.assertEqual(self.tool("help", "gc"), self.tool("gc", "--help"))
        self.assertEqual(self.tool("help"), self.tool("--help"))
        self.assertEqual(self.tool("-V"), self.tool("--version"))
        self.assertEqual(self.tool("version"), self.tool("--version"))
        self.assertEqual(
            json.loads(self.tool("trash", "--json")), json.loads(self.tool("trash", "ls", "--json"))
        )
        self.complaint("help", "frobnicate", code=2)

    def test_that_are_hinted_at(self):
        for word, meant in [
            ("prune", "gc"),
            ("clean", "gc"),
            ("clear", "refresh"),
            ("purge", "refresh"),
            ("size", "stats"),
            ("du", "stats"),
            ("path", "get"),
            ("add", "put"),
            ("delete", "remove"),
            ("undo", "trash"),
            ("run", "exec"),
            ("check", "verify"),
        ]:
            with self.subTest(word):
                self.assertIn(f"(did you mean {meant}?)", self.complaint(word, code=2)[0])

    def test_a_key_that_begins_with_a_dash(self):
        for args in [("remove", "b", "-key"), ("put", "b", "-1", "d"), ("trash", "restore", "-x")]:
            self.assertIn(
                "a word that begins with a dash goes after --", self.complaint(*args, code=2)[0]
            )


class WhatIsSaid(CacheTest):
    def said(self, *args, code=0):
        return self.finish(self.start(*args), code)[1]

    def test_how_far_a_limit_evicts(self):
        for number in range(12):
            self.put(key=str(number))
        dry = self.tool("gc", "--max-entries", "11", "--dry-run").splitlines()
        self.assertRegex(dry[0], r"^would delete 2 entries ")
        self.assertEqual(
            dry[1], "evicting down to 10 entries (90 % of --max-entries; see --low-water)"
        )
        self.assertEqual(
            [line.split(":")[0] for line in dry[2:]], ["would evict (max-entries)"] * 2
        )
        self.assertIn(
            "evicting down to 10 entries (90 % of --max-entries; see --low-water)",
            self.said("gc", "--max-entries", "11"),
        )
        self.assertNotIn(
            "evicting down", self.said("gc", "--max-entries", "9", "--low-water", "100%")
        )
        self.assertIn(
            "evicting down to 18 B (90 % of --max-size", self.said("gc", "--max-size", "20B")
        )

    def test_what_remove_and_pin_did(self):
        self.put()
        self.put(key="other")
        self.assertIn("pinned b k\n", self.said("pin", "b", "k"))
        self.assertIn(
            "pinned b later, for the entry that it may get: it has none yet\n",
            self.said("pin", "b", "later"),
        )
        self.assertIn("unpinned b k\n", self.said("unpin", "b", "k"))
        self.assertRegex(
            self.said("remove", "b", "k"),
            r"removed k of b; `cachetool .*trash restore --bucket b --key k` brings it back until "
            r"the next gc or refresh, if its entry is whole\n",
        )
        self.put(key="third")
        self.put(key="*")
        self.assertRegex(
            self.said("remove", "b", "third", "*"),
            r"removed 2 keys of b; `cachetool .*trash` lists what can be brought back",
        )
        self.put(key="*")
        self.assertRegex(
            self.said("remove", "b", "*"),
            r"removed \* of b; `cachetool .*trash restore --bucket b --key '\\\*'` brings it back",
        )
        for args in [("pin", "b", "k"), ("unpin", "b", "k"), ("remove", "b", "other")]:
            self.assertEqual(self.said("--quiet", *args), "")

    def test_remove_promises_a_restore_of_a_whole_entry_only(self):
        for spoil in ["link", "record", "manifest", "file"]:
            with self.subTest(spoil):
                source = self.tree(spoil, file="text")
                entry = pathlib.Path(self.tool("put", "--digest", "none", "b", "k", source).strip())
                link = self.root / "buckets" / "b" / "k"
                if spoil == "link":
                    link.unlink()
                    link.symlink_to("cut-off")
                elif spoil == "file":
                    (entry / "file").write_text("longer")
                else:
                    (entry.parent / spoil).unlink()
                said = self.said("remove", "b", "k")
                self.assertRegex(said, r"brings it back until .*, if its entry is whole\n$")
                restored = self.start("trash", "restore", "--bucket", "b", "--key", "k")
                restored.communicate()
                self.assertNotEqual(restored.returncode, 0)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_remove_reads_no_lease_table(self):
        self.put()
        self.put(key="other")
        for options in ([], ["--quiet"], ["--json"]):
            self.put()
            user = self.start(
                "exec", "b", "other", "--", "sh", "-c", "echo ready; read _", stdin=subprocess.PIPE
            )
            self.assertEqual(user.stdout.readline(), b"ready\n")
            (table,) = [
                process["participant"]
                for process in self.json("status")["processes"]
                if process["pid"] == user.pid
            ]
            trace = self.dir / "trace"
            strace = ["-f", "-qq", "-y", "-o", trace, "-e", "trace=pread64,read", TOOL]
            # Leaks can't be looked for under strace.
            self.finish(
                self.start(
                    *strace,
                    *options,
                    "remove",
                    "b",
                    "k",
                    tool="strace",
                    env={"ASAN_OPTIONS": "detect_leaks=0"},
                )
            )
            reads = [
                line
                for line in trace.read_text().splitlines()
                if f"/participants/{table}>" in line
            ]
            self.assertEqual(reads, [])
            user.stdin.close()
            user.wait()

    def test_pins_without_an_entry_are_listed(self):
        self.put()
        for bucket, key in [("b", "k"), ("b", "later"), ("new", "later")]:
            self.tool("pin", bucket, key)
        document = json.loads(self.tool("--json", "ls", "--pinned"))
        self.assertEqual(schema.complaints("ls", document), [])
        listed = document["entries"]
        self.assertEqual(
            [(one["bucket"], one["key"], "error" in one) for one in listed],
            [("b", "k", False), ("b", "later", True), ("new", "later", True)],
        )
        self.assertEqual({one["error"]["code"] for one in listed[1:]}, {"miss"})
        self.assertRegex(self.tool("ls", "--pinned"), r"(?m)^ +- +- +- +- +p +new +later$")
        self.assertEqual(
            [
                one["key"]
                for one in json.loads(self.tool("--json", "ls", "new", "--pinned"))["entries"]
            ],
            ["later"],
        )
        self.assertEqual([one["key"] for one in self.json("ls")["entries"]], ["k"])
        self.complaint("ls", "new", code=3)

    def test_why_after_an_undo(self):
        self.put()
        self.tool("remove", "b", "k")
        self.assertRegex(
            self.tool("why", "b", "k", code=3),
            r"(?m)^no such entry\nthe entry published .* ago was taken out; .* restores it$",
        )
        self.tool("trash", "restore", "--bucket", "b")
        self.assertRegex(
            self.tool("why", "b", "k"),
            r"(?ms)^kept: .*^a former entry published .* ago was taken out; .*trash restore "
            r"--replace \w+` puts it "
            r"in the place of the present one$",
        )

    def test_how_a_purge_can_be_undone_or_that_it_cannot(self):
        self.put()
        self.assertIn(
            "this purge can't be undone; with --keep-garbage or --grace 1h the next one can\n",
            self.said("refresh", "b"),
        )
        for options in (["--keep-garbage"], ["--grace", "1h"]):
            self.put(key="a key")
            self.assertRegex(
                self.said("refresh", "b", *options),
                r"`cachetool --cache \S+ trash restore --bucket b` undoes the purge",
            )
            self.tool("trash", "restore", "--bucket", "b")
            self.tool("get", "b", "a key")
        self.assertRegex(
            self.said("refresh", "b", "--key", "a *", "--grace", "1h"),
            r"trash restore --bucket b --key 'a \*'` undoes",
        )

    def test_a_purge_names_only_what_is_left_of_itself(self):
        # An entry of another bucket in use does not bring this one back.
        self.put("used")
        user = self.start("exec", "used", "k", "--", "cat", stdin=subprocess.PIPE)
        self.wait_for_lease("used")
        self.put("b")
        self.tool("refresh", "used")
        said = self.said("refresh", "b")
        self.assertIn("this purge can't be undone", said)
        self.assertNotIn("trash restore", said)
        # Of three keys, only the one in use comes back.
        for key in ("k", "l", "m"):
            self.put("three", key)
        other = self.start("exec", "three", "l", "--", "cat", stdin=subprocess.PIPE)
        self.wait_for_lease("three")
        self.assertRegex(
            self.said("refresh", "three"),
            r"until the next gc or refresh, `cachetool .*trash restore --bucket three` brings "
            r"back 1 key, and no more than that\n",
        )
        self.assertIn(
            "restored 1 entry", self.finish(self.start("trash", "restore", "--bucket", "three"))[1]
        )
        for process in (user, other):
            process.stdin.close()
            process.wait()

    def wait_for_lease(self, bucket):
        while not any(
            one["bucket"] == bucket
            for one in json.loads(self.tool("--json", "ls", "--leased"))["entries"]
        ):
            pass

    def test_the_undo_is_promised_until_the_next_gc_or_refresh(self):
        self.put()
        self.assertIn("until the next gc or refresh, ", self.said("refresh", "b", "--keep-garbage"))
        self.put()
        self.tool("remove", "b", "k")
        self.assertIn(
            "was taken out; until the next gc or refresh, ", self.tool("why", "b", "k", code=3)
        )

    def test_a_refresh_of_a_key_purges_nothing(self):
        self.put("wheels-v1", "k1")
        self.put("wheels-v1", "k2")
        sentence, document = self.complaint("refresh", "wheels-v1", "k1", code=3)
        self.assertRegex(
            sentence,
            r"no bucket k1, but bucket wheels-v1 has such a key: nothing was purged; "
            r"`cachetool .*refresh --key k1 wheels-v1` purges that key alone",
        )
        self.assertEqual(document["refreshed"], [])
        for key in ("k1", "k2"):
            self.tool("get", "wheels-v1", key)

    def test_a_refresh_says_first_which_buckets_do_not_exist(self):
        self.put("x")
        self.put("y")
        _, err = self.finish(self.start("refresh", "x", "nosuch", "y", "nor-this"), 3)
        lines = [line.removeprefix("cachetool: ") for line in err.splitlines()]
        self.assertRegex(lines[0], "^no bucket nosuch; ")
        self.assertRegex(lines[1], "^no bucket nor-this; ")
        self.assertRegex(lines[2], "^purged x: ")
        self.assertEqual(lines[-1], "2 of 4 buckets did not exist: nosuch, nor-this")

    def test_grace_keeps_what_was_just_taken_out(self):
        self.put()
        self.put(key="other")
        self.tool("remove", "b", "k")
        refreshed = self.json("refresh", "b", "--grace", "1h")
        self.assertEqual(
            (refreshed["collected"]["in_grace"], refreshed["collected"]["entries"]), (2, 0)
        )
        self.assertEqual(self.json("gc", "--grace", "1h")["in_grace"], 2)
        self.assertIn("2 taken out too recently, kept for now", self.said("gc", "--grace", "1h"))
        self.assertEqual(self.json("gc")["entries"], 2)

    def test_a_wait_that_was_given_up_in_one_sentence(self):
        ready, go = self.signal(), self.signal()
        first = self.start(
            "build",
            "--allow-empty",
            "b",
            "slow",
            "--",
            "sh",
            "-c",
            f"{ready.give}; {go.take}",
            signals=[ready, go],
        )
        ready.wait()
        sentence = self.said("build", "--lock-timeout", "0.1", "b", "slow", "--", "true", code=4)
        self.assertRegex(
            sentence,
            rf"\Acachetool: gave up after 0\.1 s, because slow of b is still being built by pid "
            rf"{first.pid} \(.*\), for \d+ s\n\Z",
        )
        go.set()
        self.finish(first)

    def test_advice_names_the_cache_as_a_shell_reads_it(self):
        root = self.dir / "it's a cache"
        self.tool("put", "b", "k", self.tree(file="text"), "--cache", str(root))
        said = self.finish(
            self.start(
                "--cache",
                "it's a cache",
                "refresh",
                "b",
                "--keep-garbage",
                env={"LARDER_CACHE_DIR": ""},
            )
        )[1]
        advice = said.split("`")[1].replace("cachetool", '"$0"', 1)
        restored = subprocess.run(
            ["sh", "-c", advice, os.environ["CACHETOOL"]],
            cwd=self.dir,
            env={**self.env, "LARDER_CACHE_DIR": ""},
            capture_output=True,
            timeout=HANGS,
            check=True,
        )
        self.assertEqual(restored.stdout.count(b"\n"), 1)
        self.tool("get", "b", "k", "--cache", str(root))


class NarrowTerminals(CacheTest):
    LONG = "numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64-" + "x" * 250 + "-end"

    def setUp(self):
        super().setUp()
        self.put("wheels-v1", self.LONG, file="x" * 3000)
        self.put("a-bucket-with-a-long-name", "k")

    def shown(self, columns, *args, **env):
        return shown_at_a_terminal(
            [TOOL, *args], {**self.env, **env}, self.dir, columns
        ).splitlines()

    def test_tables_fit_and_break_no_word(self):
        self.tool("pin", "wheels-v1", self.LONG)
        for columns in (40, 60, 80):
            for args in [("ls",), ("ls", "wheels-v1"), ("stats",), ("status",), ("trash",)]:
                with self.subTest(columns=columns, args=args):
                    lines = self.shown(columns, *args)
                    self.assertEqual([line for line in lines if len(line) > columns], [])
            row = next(line for line in self.shown(columns, "ls", "wheels-v1") if "numpy" in line)
            self.assertRegex(
                row,
                (
                    r"^ *2\.9 KiB .* p +numpy-\S*…x*-end$"
                    if columns > 40
                    else r"^ *2\.9 KiB .*numpy-\S*…x*-end$"
                ),
            )
            row = next(line for line in self.shown(columns, "ls") if "numpy" in line)
            self.assertIn("wheels-v1", row)
        self.assertRegex(self.shown(40, "ls")[1], r" a-\S*…\S*name +k$")
        # A user who sets COLUMNS knows better than the terminal.
        self.assertTrue(all(len(line) <= 50 for line in self.shown(80, "ls", COLUMNS="50")))

    def test_info_breaks_between_words(self):
        lines = self.shown(40, "info", "a-bucket-with-a-long-name", "k")
        self.assertIn("           (", "\n".join(lines))
        # What must be copied whole is longer.
        self.assertEqual([line.split()[0] for line in lines if len(line) > 40], ["path"])

    def test_elsewhere_nothing_is_shortened(self):
        self.assertIn(self.LONG, self.tool("ls"))
        self.assertIn(self.LONG, self.tool("ls", env={"COLUMNS": "40"}))
        self.assertRegex(self.tool("ls").splitlines()[0], r"SIZE +FILES +AGE +USED +BUCKET +KEY$")


class Unsafe(CacheTest):
    def test_allow_unsafe_uses_a_cache_that_others_may_write_to(self):
        entry = self.put()
        self.root.chmod(0o777)
        _, document = self.complaint("get", "b", "k", code=1)
        self.assertEqual(document["error"]["code"], "refused")
        self.assertEqual(self.tool("--allow-unsafe", "get", "b", "k"), f"{entry}\n")
        self.assertEqual(self.tool("get", "b", "k", "--allow-unsafe"), f"{entry}\n")
        self.tool("--allow-unsafe", "exec", "b", "k", "--", "true")
        self.assertEqual(self.tool("complete", "--", "get", "b", ""), "words\n")
        self.assertEqual(
            self.tool("complete", "--", "--allow-unsafe", "get", "b", ""), "words\nk\n"
        )


class RepeatedOptions(CacheTest):
    def test_are_refused_if_only_one_value_counts(self):
        for args in (
            ["ls", "--key", "a", "--key", "b"],
            ["gc", "--max-age", "1d", "--max-age", "2d"],
            ["refresh", "b", "--grace", "1h", "--grace", "1h"],
        ):
            with self.subTest(args):
                sentence, _ = self.complaint(*args, code=2)
                self.assertRegex(
                    sentence, r"--[a-z-]+ is given more than once, and takes one [A-Z]+;"
                )

    def test_add_up_where_a_list_makes_sense(self):
        for bucket in ("b", "c", "d"):
            self.put(bucket)
        self.tool("refresh", "--keep-garbage", "b", "c", "d")
        self.complaint("trash", "restore", "--bucket", "b", "--bucket", "none", code=3)
        self.complaint("get", "b", "k", code=3)
        restored = json.loads(
            self.tool(
                "--json", "trash", "restore", "--bucket", "b", "--bucket", "c", "--bucket", "b"
            )
        )["restored"]
        self.assertEqual([one["bucket"] for one in restored], ["b", "c"])
        self.complaint("get", "d", "k", code=3)
        self.tool("gc", "--max-entries", "0", "--keep", "b/*", "--keep", "c/*")
        self.tool("get", "b", "k")
        self.tool("get", "c", "k")
        self.assertEqual(self.tool("--json", "--json", "dir"), self.tool("--json", "dir"))


class Words(CacheTest):
    def test_that_a_command_does_not_take_are_named(self):
        for args, hint in [
            (
                ["exec", "b", "k", "ls"],
                "`--` is missing before COMMAND; usage: cachetool exec BUCKET KEY -- COMMAND...",
            ),
            (
                ["build", "b", "k", "touch", "f"],
                "`--` is missing before COMMAND; usage: cachetool build",
            ),
            (["exec", "b", "k"], "`--` and COMMAND are missing; usage: cachetool exec"),
            (["exec", "b", "k", "--"], "`--` and COMMAND are missing; usage: cachetool exec"),
            (["exec", "b", "--", "ls"], "KEY is missing; usage: cachetool exec"),
            (
                ["exec", "b", "k", "sh", "-c", "ls"],
                "unrecognised option '-c'; `--` goes before COMMAND and its options; ",
            ),
            (
                ["exec", "b", "k", "more", "--", "true"],
                'exec takes at most 2 words, and "more" is one more; usage',
            ),
            (["get"], "BUCKET is missing; usage: cachetool get"),
            (["get", "b"], "KEY is missing; usage: cachetool get"),
            (["put", "b", "k"], "SOURCE is missing; usage: cachetool put"),
            (["put", "b/k", "source"], 'BUCKET and KEY are two words, and "b/k" is one; usage'),
            (["remove", "b"], "KEY is missing; usage: cachetool remove"),
            (["completion"], "bash|zsh|fish is missing; usage: cachetool completion"),
            (
                ["gc", "wheels-v1"],
                'gc takes no word such as "wheels-v1", because it is about the whole cache, which '
                '--cache DIR names; '
                "usage: cachetool gc",
            ),
            (
                ["gc", "--max-size", "10", "GiB"],
                'a number and its unit are one word, such as 10GiB or 30d, and "GiB" stands '
                'alone; usage',
            ),
            (
                ["why", "b", "k", "--max-age", "30", "d"],
                'a number and its unit are one word, such as 10GiB or 30d, and "d" stands alone; '
                'usage',
            ),
            (["get", "b", "k", "s"], 'get takes at most 2 words, and "s" is one more; usage'),
            (
                ["verify", "b"],
                "only --content takes buckets and --budget: add --content",
            ),
            (["verify", "--budget", "1s"], "only --content takes buckets and --budget"),
            (
                ["destroy", "dir"],
                'destroy takes no word such as "dir", because it is about the whole cache, which '
                '--cache DIR names; usage',
            ),
            (["get", "b/k"], 'BUCKET and KEY are two words, and "b/k" is one; usage'),
            (["get", "b", "k", "l"], 'get takes at most 2 words, and "l" is one more; usage'),
        ]:
            with self.subTest(args):
                self.assertIn("cachetool: " + hint, self.complaint(*args, code=2)[0])


class Hints(CacheTest):
    def test_say_what_was_probably_meant(self):
        for args, hint in [
            (
                ["gc", "--max-age", "30m"],
                '--max-age wants a duration with its unit (s, min, h, d or w), such as 12h or '
                '30d, not "30m"',
            ),
            (["gc", "--min-free", "10"], 'not "10"; a percentage of the disk ends with %'),
            (["ls", "--limit=-1"], '--limit wants a whole number that is not negative, not "-1"'),
            (
                ["--cache", "put", "wheels-v1", "k", "d"],
                'there is no command "wheels-v1", and --cache has taken "put" as its DIR;',
            ),
        ]:
            with self.subTest(args):
                self.assertIn(hint, self.complaint(*args, code=2)[0])
        (self.dir / "file").write_text("text")
        self.assertIn(
            "this is no directory: name the one around it",
            self.tool("doctor", str(self.dir / "file"), code=1),
        )

    def test_lead_from_a_purged_bucket_to_no_other(self):
        self.put("wheels")
        self.put("wheels-v1")
        self.tool("refresh", "wheels-v1")
        self.assertNotIn("did you mean", self.complaint("refresh", "wheels-v1", code=3)[0])
        self.assertIn("did you mean wheels?", self.complaint("refresh", "whels", code=3)[0])

    def test_of_a_restore_that_replaces_nothing(self):
        self.put()
        self.put()
        self.assertIn(
            "b k has an entry again, and is left alone; --replace replaces it",
            self.finish(self.start("trash", "restore", "--bucket", "b"))[1],
        )


class Readme(CacheTest):
    def test_its_commands_run_from_top_to_bottom(self):
        readme = (MANUAL.parent.parent / "README.md").read_text(encoding="utf-8")
        block = readme[readme.index("```sh\ncachetool put") :]
        lines = block[block.index("\n") + 1 : block.index("\n```")].splitlines()
        self.assertGreater(len(lines), 7)
        self.tree("unpacked", file="text")
        (self.dir / "bin").mkdir()
        (self.dir / "bin" / "cachetool").symlink_to(TOOL)
        env = {**self.env, "PATH": f"{self.dir}/bin:{os.environ['PATH']}"}
        for line in lines:
            with self.subTest(line):
                done = subprocess.run(
                    ["sh", "-c", line],
                    env=env,
                    cwd=self.dir,
                    capture_output=True,
                    text=True,
                    timeout=HANGS,
                )
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
