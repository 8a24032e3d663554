# SPDX-License-Identifier: MIT
"""What a user runs into who has read README.md alone, at a narrow terminal: the answers say what is
so and what to do next.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import time
import unittest

from harness import HANGS, TESTING_TOOL, TOOL, CacheTest
from terminal import shown_at_a_terminal


class Newcomer(CacheTest):
    def said(self, *args, code=0, **more):
        """What a command says on stderr, without the name of the cache in its advice."""
        err = self.finish(self.start(*args, **more), code)[1]
        return err.replace(f"--cache {self.root} ", "")

    def shown(self, columns, *args, **env):
        return shown_at_a_terminal([TOOL, *args], {**self.env, **env}, str(self.dir), columns)


class Caches(Newcomer):
    def test_a_new_cache_is_announced(self):
        self.assertIn(f"made a new cache at {self.root}\n", self.said("pin", "b", "k"))
        self.assertNotIn("made a new cache", self.said("pin", "b", "l"))
        other = self.dir / "other"
        self.assertIn(
            f"made a new cache at {other}\n",
            self.said("put", "b", "k", self.tree(file="x"), "--cache", str(other)),
        )
        self.assertEqual(
            self.said(
                "put",
                "b",
                "k",
                self.tree("more", file="x"),
                "--cache",
                str(self.dir / "third"),
                "--quiet",
            ),
            "",
        )

    def test_nothing_that_was_checked_is_not_sound(self):
        said = self.said("verify")
        self.assertIn("there is no cache at", said)
        self.assertIn("nothing was checked", said)
        self.assertNotIn("sound", said)

    def test_a_tilde_that_no_shell_expanded_becomes_no_directory(self):
        for path in ("~/cache", "~"):
            for args, env in ((["--cache", path], {}), ([], {"LARDER_CACHE_DIR": path})):
                sentence, _ = self.complaint(*args, "pin", "b", "k", code=2, env=env)
                self.assertIn(
                    f'the cache {path} begins with a ~ that no shell has expanded: say '
                    f'"$HOME{path[1:]}"',
                    sentence,
                )
        self.assertFalse((self.dir / "~").exists())
        self.tool("--cache", "./~/cache", "pin", "b", "k")
        self.assertTrue((self.dir / "~" / "cache").is_dir())

    def test_one_that_can_only_be_read_says_why_and_what_works_there(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount")
        place = self.dir / "mounted"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True)
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        root = place / "cache"
        env = {"LARDER_CACHE_DIR": str(root)}
        self.tool("put", "b", "k", self.tree(file="x"), env=env)
        self.tool("remove", "b", "k", env=env)
        self.tool("put", "b", "k", self.tree("other", file="x"), env=env)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        for args in (
            ["gc"],
            ["gc", "-n"],
            ["refresh", "b"],
            ["refresh", "-n", "b"],
            ["verify"],
            ["put", "b", "l", self.tree("third")],
            ["pin", "b", "k"],
            ["unpin", "b", "k"],
            ["remove", "b", "k"],
            ["trash", "empty"],
            ["why", "b", "k", "--max-age", "1d"],
            ["build", "b", "l", "--", "true"],
            ["destroy"],
            ["destroy", "-n"],
        ):
            with self.subTest(args):
                sentence, document = self.complaint(*args, code=1, env=env)
                self.assertEqual(
                    sentence,
                    f"cachetool: the cache {root} can only be read: its file system is mounted "
                    f"read-only, or this user "
                    "may not write there; make it writable, or name another one\n",
                )
                self.assertEqual(document["error"]["code"], "read_only")
        for args in (
            ["dir"],
            ["get", "b", "k"],
            ["exec", "b", "k", "--", "true"],
            ["install", "b", "k", "out"],
            ["ls"],
            ["info", "b", "k"],
            ["why", "b", "k"],
            ["stats"],
            ["status"],
            ["trash", "ls"],
            ["build", "b", "k", "--", "false"],
        ):
            with self.subTest(args):
                self.tool(*args, env=env)
        # The mount is the one cause, and doctor gives it once.
        probes = json.loads(self.tool("doctor", "--json", code=1, env=env))["probes"]
        self.assertEqual(
            [probe["name"] for probe in probes if probe["verdict"] == "broken"], ["mount"]
        )

    def test_a_full_disk_is_no_reason_to_delete_from_an_empty_cache(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount")
        place = self.dir / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], check=True)
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        big = self.tree("big")
        pathlib.Path(big, "file").write_bytes(os.urandom(2 << 20))
        env = {"LARDER_CACHE_DIR": str(place / "cache")}
        sentence, _ = self.complaint("put", "b", "big", big, code=1, env=env)
        self.assertTrue(
            sentence.endswith("; make room there, or name a cache on another disk\n"), sentence
        )
        self.tool("put", "b", "small", self.tree(file="x"), env=env)
        sentence, _ = self.complaint("put", "b", "big", big, code=1, env=env)
        self.assertRegex(sentence, r"; `cachetool .*gc` works on a full disk, and makes room\n\Z")

    def test_another_users_cache_is_no_reason_to_delete_it(self):
        stranger = self.stranger()
        self.put()
        self.root.chmod(0o700)
        sentence, _ = self.complaint("ls", code=1, **stranger)
        self.assertIn("ask that user for the right to read it, or name another directory", sentence)
        self.assertNotIn("delete", sentence)


class Destroy(Newcomer):
    def test_wants_the_cache_by_its_name(self):
        default = self.dir / "home" / ".cache" / "larder"
        env = {"LARDER_CACHE_DIR": ""}
        self.tool("put", "b", "k", self.tree(file="x"), "--cache", str(default))
        for options in ([], ["--dry-run"]):
            sentence, _ = self.complaint("destroy", *options, code=2, env=env)
            self.assertIn(
                f"destroy wants the cache by its name: `cachetool --cache {default} destroy` "
                f"deletes",
                sentence,
            )
        self.tool("get", "b", "k", env=env)
        self.tool("destroy", "--cache", str(default), env=env)
        self.assertFalse(default.exists())

    def test_dry_run_prints_and_changes_nothing(self):
        self.put(file="12345")
        self.put("c", "l", file="12345")
        self.assertEqual(
            self.tool("destroy", "-n"),
            f"would delete the cache {self.root}: 2 entries (10 B) in 2 buckets\n",
        )
        self.assertEqual(
            self.json("destroy", "--dry-run"),
            {"path": str(self.root), "dry_run": True, "destroyed": False},
        )
        ready, go = self.signal(), self.signal()
        user = self.start(
            "exec", "b", "k", "--", "sh", "-c", f"{ready.give}; {go.take}", signals=[ready, go]
        )
        ready.wait()
        self.assertIn(str(user.pid), self.complaint("destroy", "-n", code=4)[0])
        go.set()
        self.finish(user)
        self.tool("get", "b", "k")
        (self.root / "notes.txt").write_text("precious")
        for options in (["-n"], []):
            self.assertIn("notes.txt", self.complaint("destroy", *options, code=1)[0])
        (self.root / "notes.txt").unlink()
        # What can't be opened is deleted all the same.
        (self.root / "format").unlink()
        self.assertEqual(
            self.tool("destroy", "-n"),
            f"would delete the cache {self.root}: what it holds can't be listed\n",
        )
        self.assertFalse((self.root / "format").exists())
        self.tool("destroy")
        self.assertEqual(self.tool("destroy", "-n"), "")


class Values(Newcomer):
    def test_durations_of_waits_may_have_a_unit(self):
        self.put()
        for value in ("2", "2.5", "2s", "1min", "0.5h"):
            self.tool("ls", "--lock-timeout", value)
        for value in ("2m", "soon", "-1s", "s"):
            sentence, _ = self.complaint("ls", f"--lock-timeout={value}", code=2)
            self.assertIn(
                f'--lock-timeout wants seconds, such as 2.5, or a duration with its unit, such as '
                f'10min, not "{value}"',
                sentence,
            )
        self.assertIn(
            "--watch wants seconds, 0.1 at least, such as 2, 0.5 or 10s, not",
            self.complaint("status", "--watch", "0.5m", code=2)[0],
        )
        self.assertIn("0.1 at least", self.complaint("status", "--watch", "0.01s", code=2)[0])

    def test_a_space_may_stand_before_a_unit(self):
        self.put()
        for args in (
            ["gc", "-n", "--max-size", "10 GiB"],
            ["gc", "-n", "--max-age", "30 d"],
            ["refresh", "-n", "b", "--older-than", "2 days"],
        ):
            self.tool(*args)
        for value in ("10  GiB", "10 ", " 10GiB", "GiB"):
            self.complaint("gc", "--max-size", value, code=2)

    def test_low_water_goes_with_a_limit_that_has_one(self):
        self.put()
        for args in (["gc"], ["gc", "--max-age", "30d"], ["why", "b", "k"]):
            sentence, _ = self.complaint(*args, "--low-water", "50%", code=2)
            self.assertIn("--low-water goes with --max-size, --max-entries or --min-free", sentence)
        for limit in (["--max-size", "1GiB"], ["--max-entries", "5"], ["--min-free", "0"]):
            self.tool("gc", *limit, "--low-water", "50%")

    def test_a_bucket_that_was_taken_for_a_value(self):
        self.assertIn(
            '--older-than wants a duration with its unit (s, min, h, d or w), such as 12h or 30d, '
            'not "b"',
            self.complaint("refresh", "--older-than", "b", code=2)[0],
        )

    def test_ages_below_an_hour_are_not_exact(self):
        self.put()
        warning = (
            "a use is known to the hour only, "
            "so a --max-age below 1h may evict what was used after that"
        )
        self.assertIn(warning, self.said("gc", "--max-age", "59min"))
        self.assertNotIn(warning, self.said("gc", "--max-age", "1h"))
        for args in (["info", "b", "k"], ["why", "b", "k"]):
            self.assertRegex(self.tool(*args), r"last used +at most \d+ s ago\n")
        record = next(self.root.glob("archive/*/record"))
        os.utime(record, ns=(0, 10**18))
        self.assertRegex(
            self.tool("info", "b", "k"),
            r"last used +(at most \d+ s ago|\d+ d ago, or up to an hour later)\n",
        )


class Words(Newcomer):
    def test_suggestions(self):
        self.put()
        for args, hint in [
            (["PUT", "b", "k", "x"], 'there is no command "PUT" (did you mean put?)'),
            (["Ls"], "(did you mean ls?)"),
            (["restore"], "(did you mean trash restore?)"),
            (["undo"], "(did you mean trash?)"),
            ([""], "the command is empty: perhaps a variable is not set\n"),
            (["gc", "--apply", "."], "--apply .: this is a directory, and no plan\n"),
            (
                ["install", "b", "k", "."],
                f"DEST . contains {self.root}, where the files come from\n",
            ),
            (["install", "b", "k", "cache/x"], f"DEST cache/x lies inside the cache {self.root}\n"),
            (
                ["trash", "restor"],
                "trash wants ls, restore ID..., restore --bucket BUCKET or empty (did you mean "
                "restore?)",
            ),
            (["trash", "emtpy"], "(did you mean empty?)"),
            (["ls", "--pin"], "(did you mean --pinned?)"),
            (["gc", "--max-s", "1GiB"], "(did you mean --max-size?)"),
        ]:
            with self.subTest(args):
                self.assertIn(hint, self.complaint(*args, code=2)[0])
        self.assertEqual(self.tool("trash", "list"), self.tool("trash", "ls"))
        for args in (["-v"], ["ls", "-l"]):
            self.assertNotIn("goes after --", self.complaint(*args, code=2)[0])
        self.assertIn(
            "a word that begins with a dash goes after --",
            self.complaint("get", "b", "-key", code=2)[0],
        )

    def test_names_with_spaces_are_in_quotes(self):
        self.put("b", "my key")
        self.put("b c", "k")
        self.assertIn('removed "my key" of b; ', self.said("remove", "b", "my key"))
        self.assertIn('no bucket "b d"; did you mean "b c"?', self.said("ls", "b d", code=3))
        self.assertIn(
            'bucket b has no entry "a key"',
            self.said("get", "b", "a key", code=3) if self.put("b", "other") else "",
        )
        self.assertIn('pinned "b c" k\n', self.said("pin", "b c", "k"))
        self.assertIn('purged "b c": ', self.said("refresh", "b c", "--keep-garbage"))
        self.put("b", "my key")
        self.assertEqual(self.tool("refresh", "-n", "b"), 'b "my key"\nb other\n')
        self.assertIn(
            'would evict (max-entries): b "my key" (', self.tool("gc", "-n", "--max-entries", "0")
        )
        # Tables have columns, and JSON has the keys as they are.
        self.assertRegex(self.tool("ls", "b"), r"(?m)  my key$")

    def test_a_pin_says_that_it_worked(self):
        self.put("wheels-v1", "k")
        self.assertIn(
            "pinned wheel-v1 k, for the entry that it may get: it has none yet; there is no "
            "bucket wheel-v1; did you mean wheels-v1?\n",
            self.said("pin", "wheel-v1", "k"),
        )
        self.assertIn("pinned wheels-v1 k\n", self.said("pin", "wheels-v1", "k"))

    def test_nothing_to_purge_is_said(self):
        self.put()
        self.tool("refresh", "--all")
        self.assertEqual(
            self.said("refresh", "--all"),
            "cachetool: there is no bucket, so there is nothing to purge\n",
        )

    def test_an_empty_list_is_said_to_be_one(self):
        self.tool("pin", "b", "k")
        self.tool("unpin", "b", "k")
        self.assertIn("no entry to list\n", self.said("ls"))
        self.assertIn("the trash is empty\n", self.said("trash"))
        self.assertEqual(self.tool("status"), "no process uses the cache\n")
        self.assertEqual(self.said("ls", "--quiet"), "")


class Installs(Newcomer):
    def test_an_obstacle_is_named_once(self):
        self.put(file="x", other="y")
        place = pathlib.Path(self.tree("place", file="mine"))
        self.assertIn(
            f"{place}/file stands there already; --replace replaces files and symlinks; what was "
            f"installed in {place} before that "
            "stays there\n",
            self.complaint("install", "b", "k", str(place), code=1)[0],
        )
        self.assertEqual((place / "file").read_text(), "mine")
        (place / "other").unlink(missing_ok=True)
        (place / "other").mkdir()
        self.assertIn(
            f"{place}/other is a directory, and a file should go there: move it away; ",
            self.complaint("install", "b", "k", str(place), "--replace", code=1)[0],
        )
        for path in (place / "file", str(place / "file") + "/"):
            self.assertIn(
                "file is no directory: name a directory, or a path that is free\n",
                self.complaint("install", "b", "k", str(path), code=1)[0],
            )

    def test_a_file_where_a_directory_should_go(self):
        source = pathlib.Path(self.tree("source"))
        (source / "sub").mkdir()
        (source / "sub" / "file").write_text("x")
        self.tool("put", "b", "k", str(source))
        place = self.tree("place", sub="mine")
        for options in ([], ["--replace"]):
            self.assertIn(
                f"{place}/sub is no directory, and a directory should go there: move it away; ",
                self.complaint("install", "b", "k", place, *options, code=1)[0],
            )

    def test_only_what_happened_is_counted(self):
        self.put(one="x", two="y")
        self.assertIn(
            "2 files hard-linked: 2 B in out\n",
            self.said("install", "b", "k", "out", "--link-mode", "hardlink"),
        )
        self.assertIn(
            "2 files copied: 2 B in copy\n",
            self.said("install", "b", "k", "copy", "--link-mode", "copy"),
        )
        self.tool("put", "b", "empty", self.tree("empty"))
        self.assertIn("no files: 0 B in nothing\n", self.said("install", "b", "empty", "nothing"))

    def test_the_litter_of_a_killed_one_is_taken_away_by_the_next(self):
        self.put(**{f"file{number}": "x" for number in range(10)})
        killed = self.start(
            "install",
            "b",
            "k",
            "place/killed",
            "--link-mode",
            "hardlink",
            tool=TESTING_TOOL,
            env={"LARDER_TEST_POINTS": "tree.link=kill"},
        )
        self.assert_ends_by(killed, 9)
        around = self.dir / "place"
        self.assertRegex([path.name for path in around.iterdir()][0], r"\A\.larder-")
        self.tool("install", "b", "k", "elsewhere")
        self.assertEqual(len(list(around.iterdir())), 1)
        self.tool("install", "b", "k", "place/next")
        self.assertEqual([path.name for path in around.iterdir()], ["next"])


class Programs(Newcomer):
    def test_the_signal_that_ended_a_command_has_a_name(self):
        self.assertIn(
            "sh was ended by signal 9 (Killed); nothing was kept\n",
            self.said("build", "b", "k", "--", "sh", "-c", "kill -9 $$", code=137),
        )
        self.assertIn(
            "sh ended with 137; nothing was kept\n",
            self.said("build", "b", "k", "--", "sh", "-c", "exit 137", code=137),
        )

    def test_a_collection_after_one_that_was_killed(self):
        self.put(file="x" * 10000)
        self.tool("remove", "b", "k")
        killed = self.start(
            "gc", tool=TESTING_TOOL, env={"LARDER_TEST_POINTS": "collect.unlocked=kill"}
        )
        self.assert_ends_by(killed, 9)
        self.assertRegex(
            self.said("gc"),
            r"deleted 0 entries \(0 B\), and what an earlier collection or dead processes left; "
            r"the disk got back \d",
        )


class Narrow(Newcomer):
    def test_doctor_loses_no_reason(self):
        (self.dir / "file").write_text("x")
        shown = self.shown(60, "doctor", str(self.dir / "file"))
        self.assertNotIn("…", shown)
        self.assertIn("Not a directory", re.sub(r"\s+", " ", shown))
        lines = self.shown(60, "doctor", str(self.dir)).splitlines()
        table = lines[lines.index(next(line for line in lines if line.startswith("VERDICT"))) :]
        self.assertEqual([line for line in table if len(line) > 60], [])
        self.assertNotIn("…", "\n".join(table))
        self.assertTrue(any("publishes" in line or "puts" in line for line in table), table)

    def test_what_a_gc_would_evict_fits(self):
        long = "x" * 300
        self.put("b", long)
        lines = self.shown(60, "gc", "-n", "--max-entries", "0").splitlines()
        line = next(line for line in lines if line.startswith("would evict"))
        self.assertLessEqual(len(line), 60)
        self.assertIn("…", line)
        self.assertIn(long, self.tool("gc", "-n", "--max-entries", "0"))

    def test_dry_runs_and_doctor_fit(self):
        # Short keys, and a use of which the age is no "0 s".
        for number in range(12):
            self.put("many", f"k{number}")
            link = self.root / "buckets" / "many" / f"k{number}"
            os.utime(link, (time.time() - 1440,) * 2, follow_symlinks=False)
        for words in (
            ["gc", "-n", "--max-entries", "0"],
            ["gc", "-n", "--max-size", "1B", "--low-water", "50%"],
            ["refresh", "-n", "--all"],
            ["destroy", "-n", "--cache", str(self.root)],
            ["doctor", "."],
        ):
            for columns in (60, 80):
                shown = self.shown(columns, *words)
                with self.subTest(words=words, columns=columns):
                    # One long word, such as a path, can't be broken, and messages are not.
                    wide = [
                        line
                        for line in shown.splitlines()
                        if len(line) > columns
                        and " " in line.strip()
                        and not line.startswith("cachetool:")
                    ]
                    self.assertEqual(wide, [])

    def test_stats_lists_what_it_counts(self):
        self.put()
        for text in (self.tool("stats"), self.shown(60, "stats")):
            self.assertRegex(text, r"(?m)^below 64 KiB +1 +4 B +\[#{10}\] 100%$")
            self.assertNotIn("below 1 MiB", text)

    def test_info_is_short(self):
        self.put()
        text = self.tool("info", "b", "k")
        self.assertRegex(text, r"(?m)^size +4 B in 1 file$")
        self.assertNotIn("boot", text)
        self.put("b", "big", file="x" * 2000)
        self.assertRegex(
            self.tool("info", "b", "big"), r"(?m)^size +2\.0 KiB \(2000 bytes\) in 1 file$"
        )


class Advice(Newcomer):
    """What is advised can be typed as it stands, whatever the names are."""

    BUCKET, KEY, OTHER = "-my b", "-k [1]*", "-k 1 and more"

    def type_advice(self, text, shell="sh"):
        """Types the one command that the text advises."""
        commands = re.findall(r"`cachetool ([^`]*)`", text)
        self.assertEqual(len(commands), 1, text)
        shell = [shell, "-c", f"{shlex.quote(TOOL)} {commands[0]}"]
        # Without the variable that names the cache.
        env = {name: value for name, value in self.env.items() if name != "LARDER_CACHE_DIR"}
        done = subprocess.run(shell, env=env, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def keys(self):
        return [entry["key"] for entry in self.json("ls")["entries"]]

    def put_both(self):
        source = self.tree(file="text")
        for key in (self.KEY, self.OTHER):
            self.tool("put", "--", self.BUCKET, key, source)

    def test_unpin(self):
        self.put_both()
        self.tool("pin", "--", self.BUCKET, self.KEY)
        self.type_advice(self.tool("--cache", str(self.root), "why", "--", self.BUCKET, self.KEY))
        self.assertNotIn("pinned", self.tool("why", "--", self.BUCKET, self.KEY))

    def test_restore(self):
        self.put_both()
        self.tool("remove", "--", self.BUCKET, self.OTHER)
        removed = self.start(
            "--cache", str(self.root), "remove", "--", self.BUCKET, self.KEY
        )
        self.type_advice(self.finish(removed)[1])
        self.assertEqual(self.keys(), [self.KEY])

    def test_refresh_of_one_key(self):
        self.put_both()
        refused = self.start(
            "--cache", str(self.root), "refresh", "--", self.BUCKET, self.KEY
        )
        self.type_advice(self.finish(refused, 3)[1])
        self.assertEqual(self.keys(), [self.OTHER])

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_names_with_control_characters(self):
        # The last one has marks that reorder a line.
        names = ["k\nx", "k\x1b[31m", "a\tb'c\\d7", "e\u202ef"]
        source = self.tree(file="text")
        for key in names:
            with self.subTest(key):
                for each in (key, "knx"):
                    self.tool("put", "b\r", each, source)
                self.tool("remove", "b\r", "knx")
                removed = self.start("--cache", str(self.root), "remove", "b\r", key)
                self.type_advice(self.finish(removed)[1], shell="bash")
                self.assertEqual(self.keys(), [key])
                self.tool("pin", "b\r", key)
                why = self.tool("--cache", str(self.root), "why", "b\r", key)
                pinned = [line for line in why.splitlines() if line.startswith("pinned")]
                self.type_advice(pinned[0], shell="bash")
                self.assertNotIn("pinned", self.tool("why", "b\r", key))
                self.tool("remove", "b\r", key)

    def test_no_name_of_a_word_is_advised(self):
        for name in "abcd":
            self.put(name, "k")
        said = self.said("refresh", "--all", "--keep-garbage")
        for command in re.findall(r"`cachetool ([^`]*)`", said):
            self.assertNotRegex(command, r"\b[A-Z]{2,}\b")


class Completion(Newcomer):
    def test_unpin_offers_what_is_pinned(self):
        for key in ("k", "l"):
            self.put("b", key)
        self.put("c", "k")
        self.tool("pin", "b", "l", "later")
        self.assertEqual(self.tool("complete", "--", "unpin", ""), "words\nb\n")
        self.assertEqual(self.tool("complete", "--", "unpin", "b", ""), "words\nl\nlater\n")
        self.assertEqual(self.tool("complete", "--", "pin", "b", ""), "words\nk\nl\n")


if __name__ == "__main__":
    unittest.main()
