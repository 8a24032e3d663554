# SPDX-License-Identifier: MIT
"""put, get, install, remove, ls, info, stats: entries one by one, and keys that are out to break
something.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import unicodedata
import unittest

from harness import TESTING_TOOL, TOOL, CacheTest
from terminal import shown_at_a_terminal

HOSTILE_KEYS = [
    "",
    ".",
    "..",
    "../../escape",
    "/etc/passwd",
    "a/b",
    "new\nline",
    "tab\tbed",
    "bell\x07",
    "\x1b[31mred",
    "back\\slash",
    "%",
    "%41",
    "A",
    "a",
    "ä",
    "a\u0308",
    "\u009b2J",
    "right\u202eleft",
    "-dash",
    "--json",
    "--",
    "snow\u2603",
    "x" * 4096,
    "CON",
    "trailing.",
    "trailing ",
    " ",
    "*",
    "$(id)",
    "'quote\"",
]


class PutAndGet(CacheTest):
    def test_put_prints_the_path_of_a_copy(self):
        source = pathlib.Path(self.tree(file="text"))
        (source / "empty").mkdir()
        (source / "link").symlink_to("file")
        entry = pathlib.Path(self.tool("put", "b", "k", str(source)).rstrip("\n"))
        self.assertTrue(entry.is_relative_to(self.root))
        self.assertEqual((entry / "file").read_text(), "text")
        self.assertTrue((entry / "empty").is_dir())
        self.assertEqual(os.readlink(entry / "link"), "file")
        self.assertTrue(source.is_dir())
        self.assertEqual(self.tool("get", "b", "k"), f"{entry}\n")

    def test_put_of_a_file(self):
        source = pathlib.Path(self.tree(file="text")) / "file"
        entry = pathlib.Path(self.json("put", "b", "k", str(source))["path"])
        self.assertEqual([path.name for path in entry.iterdir()], ["file"])

    def test_put_move_takes_the_source_itself(self):
        source = pathlib.Path(self.tree(file="text"))
        inode = (source / "file").stat().st_ino
        entry = pathlib.Path(self.tool("put", "b", "k", str(source), "--move").rstrip("\n"))
        self.assertFalse(source.exists())
        self.assertEqual((entry / "file").stat().st_ino, inode)

    def put_moved(self, source, **more):
        """Starts a `put --move` that can't be published as long as the bucket's lock is held."""
        return self.start("put", "b", "k", str(source), "--move", **more)

    def test_put_move_that_cannot_be_published_puts_the_source_back(self):
        self.put()
        source = pathlib.Path(self.tree(file="text"))
        inode = source.stat().st_ino
        held = self.hold("buckets")
        err, document = self.complaint(
            "--lock-timeout", "0.1", "put", "b", "k", str(source), "--move", code=4
        )
        self.assertEqual(document["error"]["code"], "busy")
        self.assertIn(f"{source} was put back", err)
        self.assertEqual(source.stat().st_ino, inode)
        self.assertEqual((source / "file").read_text(), "text")
        held.close()
        (self.root / "buckets/b/other").mkdir()  # no link of this cache
        err, _ = self.complaint("put", "b", "other", str(source), "--move", code=5)
        self.assertIn(f"{source} was put back", err)
        self.assertEqual(source.stat().st_ino, inode)
        self.tool("gc")
        self.assertEqual(len(list((self.root / "archive").iterdir())), 1)
        self.assertEqual([list(area.iterdir()) for area in (self.root / "staging").iterdir()], [[]])

    def test_put_move_that_a_signal_interrupts_puts_the_source_back(self):
        self.put()
        source = pathlib.Path(self.tree(file="text"))
        self.hold("buckets")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.put_moved(source)
            self.assertIn(b"waiting", process.stderr.readline())
            self.assertFalse(source.exists())
            process.send_signal(number)
            self.assertIn(f"{source} was put back", process.stderr.readline().decode())
            self.assert_ends_by(process, number)
            self.assertEqual((source / "file").read_text(), "text")

    def test_put_move_that_cannot_put_the_source_back_keeps_it(self):
        self.put()
        source = pathlib.Path(self.tree(file="text"))
        held = self.hold("buckets")
        process = self.put_moved(source)
        self.assertIn(b"waiting", process.stderr.readline())
        source.mkdir()
        (source / "another").touch()
        process.send_signal(signal.SIGINT)
        sentence = process.stderr.readline().decode()
        self.assert_ends_by(process, signal.SIGINT)
        kept = pathlib.Path(
            re.search(r" and is (/.*/tree), where no collection deletes it", sentence).group(1)
        )
        held.close()
        for _ in range(2):
            self.put(key="other")  # joins, and so reaps
            self.purge()
            self.tool("verify", "--repair")
            self.assertEqual((kept / "file").read_text(), "text")
            self.assertTrue((source / "another").exists())
        self.assertIn(
            {"kind": "foreign", "path": str(kept)},
            [{k: one[k] for k in ("kind", "path")} for one in self.json("verify")["findings"]],
        )
        kept.rename(self.dir / "moved-away")

    def test_put_replaces(self):
        old, new = self.put(file="old"), self.put(file="new")
        self.assertNotEqual(old, new)
        self.assertEqual(self.tool("get", "b", "k"), f"{new}\n")
        self.tool("gc")
        self.assertFalse(old.exists())

    def test_documents(self):
        put = self.json("put", "b", "k", self.tree(file="text"))
        self.assertEqual((put["bucket"], put["key"]), ("b", "k"))
        self.assertTrue(put.pop("added"))
        self.assertEqual(self.json("get", "b", "k"), put)

    def test_missing_entry(self):
        self.put()
        for args in [
            ("get", "b", "other"),
            ("get", "other", "k"),
            ("info", "b", "other"),
            ("install", "b", "other", "d"),
        ]:
            _, document = self.complaint(*args, code=3)
            self.assertEqual(document["error"]["code"], "miss")

    def test_source_that_is_not_there(self):
        _, document = self.complaint("put", "b", "k", "nowhere", code=1)
        self.assertIn("nowhere", document["error"]["message"])

    def test_source_in_the_cache_or_above_it(self):
        entry = self.put()
        for source in [entry, self.root, self.dir]:
            for move in ([], ["--move"]):
                self.complaint("put", "b", "other", str(source), *move, code=2)
        self.assertTrue(entry.is_dir())

    def test_get_writes_nothing(self):
        self.put()
        before = sorted((str(path), path.lstat().st_mtime_ns) for path in self.root.rglob("*"))
        self.tool("get", "b", "k")
        self.tool("ls")
        self.tool("info", "b", "k")
        self.tool("stats")
        self.tool("status")
        self.assertEqual(
            sorted((str(path), path.lstat().st_mtime_ns) for path in self.root.rglob("*")), before
        )


class Install(CacheTest):
    def test_fills_the_destination(self):
        self.put(file="text", other="more")
        document = self.json("install", "b", "k", "new/place")
        self.assertEqual((self.dir / "new/place/file").read_text(), "text")
        self.assertEqual(document["cloned"] + document["hardlinked"] + document["copied"], 2)
        self.assertEqual(document["bytes"], 8)
        self.assertEqual(self.tool("install", "b", "k", "another"), "")

    def test_modes(self):
        entry = self.put(file="text")
        self.assertEqual(
            self.json("install", "b", "k", "linked", "--link-mode", "hardlink")["hardlinked"], 1
        )
        self.assertTrue((self.dir / "linked/file").samefile(entry / "file"))
        self.assertEqual(self.json("install", "b", "k", "copied", "--link-mode=copy")["copied"], 1)
        self.assertFalse((self.dir / "copied/file").samefile(entry / "file"))
        self.json("install", "b", "k", "auto", "--link-mode", "auto")

    def test_what_stands_in_the_way_stays(self):
        self.put(file="text")
        self.tree("taken", file="mine")
        _, document = self.complaint("install", "b", "k", "taken", code=1)
        self.assertEqual(document["error"]["code"], "exists")
        self.assertEqual((self.dir / "taken/file").read_text(), "mine")

    def test_into_the_cache_is_refused(self):
        entry = self.put()
        self.complaint("install", "b", "k", str(entry / "sub"), code=2)
        self.assertFalse((entry / "sub").exists())


class Remove(CacheTest):
    def test_takes_keys_out(self):
        for key in ["one", "two", "three"]:
            self.put(key=key)
        self.assertEqual(self.json("remove", "b", "one", "two")["removed"], ["one", "two"])
        self.tool("get", "b", "one", code=3)
        self.tool("get", "b", "three")
        self.assertEqual(self.tool("remove", "b", "three"), "")

    def test_tries_all_and_says_which_were_missing(self):
        for key in ["one", "three"]:
            self.put(key=key)
        document = self.json("remove", "b", "one", "two", "three", code=3)
        self.assertEqual(document["removed"], ["one", "three"])
        self.assertEqual(document["error"]["code"], "miss")
        self.tool("get", "b", "three", code=3)


class Listing(CacheTest):
    def test_ls_info_stats(self):
        self.put("b", "one", file="x" * 1000)
        self.put("b", "two", file="x" * 2000, other="y")
        self.put("c", "three")
        entries = self.json("ls")["entries"]
        self.assertEqual(
            [(entry["bucket"], entry["key"]) for entry in entries],
            [("b", "one"), ("b", "two"), ("c", "three")],
        )
        self.assertEqual(
            [(entry["bytes"], entry["files"]) for entry in entries[:2]], [(1000, 1), (2001, 2)]
        )
        for entry in entries:
            del entry["last_used"]  # looking is a use
        self.complaint("ls", "nothing", code=3)
        self.assertEqual(
            [entry["key"] for entry in self.json("ls", "b")["entries"]], ["one", "two"]
        )
        self.assertEqual(
            {**self.json("info", "b", "two"), "last_used": None}, {**entries[1], "last_used": None}
        )
        self.assertRegex(entries[0]["published"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertRegex(entries[0]["producer"], r"^cachetool \d")
        stats = self.json("stats")
        self.assertEqual(
            [(bucket["bucket"], bucket["entries"], bucket["bytes"]) for bucket in stats["buckets"]],
            [("b", 2, 3001), ("c", 1, 4)],
        )
        self.assertEqual((stats["total"]["entries"], stats["total"]["files"]), (3, 4))
        self.assertEqual(stats["total"]["oldest"], entries[0]["published"])

    def test_metadata(self):
        self.tree("source", file="text")
        self.tool("put", "b", "k", "source", "--metadata", 'W/"33a64df5" ä\n')
        self.tool("build", "b", "other", "--metadata=built", "--allow-empty", "--", "true")
        self.assertEqual(self.json("info", "b", "k")["metadata"], 'W/"33a64df5" ä\n')
        self.assertRegex(self.tool("info", "b", "k"), r'\nmetadata +W/"33a64df5" ä\\n\n')
        self.assertEqual(
            {entry["key"]: entry["metadata"] for entry in self.json("ls")["entries"]},
            {"k": 'W/"33a64df5" ä\n', "other": "built"},
        )
        _, document = self.complaint("put", "b", "k", "source", "--metadata", "m" * 1025, code=2)
        self.assertIn("1025 bytes", document["error"]["message"])

    def test_tables(self):
        self.put("bucket", "one", file="x" * 2048)
        self.assertRegex(
            self.tool("ls"), r"\A +SIZE .* BUCKET +KEY\n *2\.0 KiB +1 +\d+ s .* bucket +one\n\Z"
        )
        self.assertRegex(self.tool("ls", "bucket"), r"\A +SIZE .* KEY\n *2\.0 KiB .*  one\n\Z")
        self.assertIn("2.0 KiB (2048 bytes) in 1 file", self.tool("info", "bucket", "one"))
        self.assertRegex(self.tool("stats"), r"(?m)^ +1 +2\.0 KiB .* \(all\)$")

    def test_record_that_cannot_be_read(self):
        entry = self.put()
        (entry.parent / "record").write_bytes(b"nonsense")
        self.complaint("info", "b", "k", code=5)
        listed = json.loads(self.tool("ls", "--json"))["entries"]
        self.assertEqual(
            [(entry["bucket"], entry["key"], entry["error"]["code"]) for entry in listed],
            [("b", "k", "damaged")],
        )
        self.assertEqual(self.json("stats")["total"]["unreadable"], 1)


class HostileKeys(CacheTest):
    def test_are_kept_apart_and_exact_in_json(self):
        paths = {}
        for key in HOSTILE_KEYS:
            paths[key] = self.put(key=key, file=f"[{key[:50]}]")
        self.assertEqual(
            sorted(path.name for path in self.dir.iterdir() if path.name != "home"), ["cache"]
        )
        for key in HOSTILE_KEYS:
            with self.subTest(key[:50]):
                self.assertEqual(self.tool("get", "--empty-key", "--", "b", key), f"{paths[key]}\n")
                self.assertEqual((paths[key] / "file").read_text(), f"[{key[:50]}]")
        entries = self.json("ls")["entries"]
        self.assertEqual(
            {entry["key"]: entry["path"] for entry in entries},
            {key: str(path) for key, path in paths.items()},
        )

    def test_never_control_a_terminal(self):
        for key in HOSTILE_KEYS:
            self.put(key=key)
        for args in [("ls",), ("ls", "b")] + [
            ("info", "--empty-key", "--", "b", key) for key in HOSTILE_KEYS
        ]:
            out = self.tool(*args)
            self.assertFalse(
                [
                    c
                    for c in out
                    if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c == "\u202e")
                ],
                args,
            )
        self.assertIn("new\\nline\n", self.tool("ls"))
        self.assertIn("back\\\\slash\n", self.tool("ls"))
        self.assertIn('  ""\n', self.tool("ls"))
        sentence, _ = self.complaint("get", "b", "\x1b[2Jmissing", code=3)
        self.assertNotIn("\x1b", sentence)

    def test_never_control_a_terminal_in_json(self):
        key = "a\x7fb\x85c\x9b2Jd\u2028e\u2029f\u00a0\u00e4"
        self.put("b", key)
        listed = self.tool("ls", "--json")
        self.assertEqual(json.loads(listed)["entries"][0]["key"], key)
        for character in "\x7f\x85\x9b\u2028\u2029":
            self.assertNotIn(character, listed)

    def test_as_bucket_names(self):
        for bucket in [key for key in HOSTILE_KEYS if key and len(key) < 100]:
            with self.subTest(bucket):
                path = self.put(bucket=bucket)
                self.assertEqual(self.tool("get", "--", bucket, "k"), f"{path}\n")
                self.assertEqual(
                    self.json("refresh", "--keep-garbage", "--", bucket)["refreshed"], [bucket]
                )
                self.tool("get", "--", bucket, "k", code=3)
        self.assertEqual(
            sorted(path.name for path in self.dir.iterdir() if path.name != "home"), ["cache"]
        )


class InterruptedInstall(CacheTest):
    def interrupt(self, destination, number):
        """Interrupts an install at its first file, and lets it go on from file to file. Returns
        whether the signal has ended it.
        """
        process = self.start(
            "install",
            "b",
            "k",
            str(destination),
            "--link-mode",
            "hardlink",
            tool=TESTING_TOOL,
            env={"LARDER_TEST_POINTS": "tree.link=stop"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        process.send_signal(number)
        while os.WIFSTOPPED(status):
            process.send_signal(signal.SIGCONT)
            _, status = os.waitpid(process.pid, os.WUNTRACED)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode == -number

    def test_leaves_nothing_incomplete(self):
        self.put(**{f"file{number}": "text" for number in range(3000)})
        around = self.dir / "around"
        around.mkdir()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.assertTrue(self.interrupt(around / "missing", number))
            self.assertEqual(list(around.iterdir()), [])
        (around / "there").mkdir()
        self.assertTrue(self.interrupt(around / "there", signal.SIGINT))
        self.assertEqual(list(around.rglob(".larder-*")), [])
        self.tool("install", "b", "k", str(around / "there"), "--replace")
        self.assertEqual(len(list((around / "there").iterdir())), 3000)


class PlacesOutsideTheCache(CacheTest):
    def test_are_no_reason_to_examine_the_cache(self):
        cache = self.tree("theirs")
        stranger = self.stranger(LARDER_CACHE_DIR=cache)
        self.put()
        source = pathlib.Path(self.tree("secret", file="text"))
        (source / "sub").mkdir(mode=0)
        place = pathlib.Path(self.tree("place"))
        os.chown(cache, 65534, 65534)
        self.tool("put", "b", "k", str(place), **stranger)
        for args in (["put", "b", "k", str(source)], ["install", "b", "k", str(place / "dest")]):
            with self.subTest(args):
                sentence, _ = self.complaint(*args, code=1, **stranger)
                self.assertIn("Permission denied", sentence)
                self.assertNotIn("doctor", sentence)


class WideCharacters(CacheTest):
    def test_count_for_what_a_terminal_needs(self):
        keys = ["\u65e5\u672c\u8a9e" * 12, "x" * 90, "a\u0308" * 9, "\uff21" * 31 + "b"]
        for key in keys:
            self.put(key=key)
        for columns in (60, 61, 80):
            for locale in ("C", "C.UTF-8"):
                shown = shown_at_a_terminal(
                    [TOOL, "ls"], {**self.env, "LC_ALL": locale}, str(self.dir), columns
                )
                for line in shown.splitlines():
                    wide = sum(
                        (
                            0
                            if unicodedata.combining(one)
                            else 2 if unicodedata.east_asian_width(one) in "WF" else 1
                        )
                        for one in line
                    )
                    self.assertLessEqual(wide, columns, line)
                self.assertIn("a\u0308" * 9, shown)


if __name__ == "__main__":
    unittest.main()
