# SPDX-License-Identifier: MIT
"""put in bulk and from other caches: ways to link, entries that are there, times, and batches."""

import json
import os
import pathlib
import subprocess
import unittest

import schema
from harness import CacheTest


class Put(CacheTest):
    def put_as(self, *args):
        return pathlib.Path(self.tool("put", *args).rstrip("\n"))


class LinkModes(Put):
    def test_a_hard_link_shares_the_file_and_a_copy_does_not(self):
        source = pathlib.Path(self.tree(file="text"))
        inode = (source / "file").stat().st_ino
        linked = self.put_as("b", "linked", source, "--link-mode", "hardlink")
        copied = self.put_as("b", "copied", source, "--link-mode", "copy")
        self.assertEqual((linked / "file").stat().st_ino, inode)
        self.assertNotEqual((copied / "file").stat().st_ino, inode)
        self.assertEqual((self.put_as("b", "file", source / "file", "--link-mode", "hardlink") /
                          "file").stat().st_ino, inode)

    def test_a_source_that_is_changed_later_is_noticed(self):
        source = pathlib.Path(self.tree(file="text"))
        self.put_as("b", "k", source, "--link-mode", "hardlink")
        self.tool("install", "b", "k", self.dir / "before")
        with open(source / "file", "w") as file:
            file.write("another")
        err, _ = self.complaint("install", "b", "k", self.dir / "after", code=5)
        self.assertIn("file", err)
        self.assertFalse((self.dir / "after").exists())

    def test_a_way_that_does_not_work_puts_nothing(self):
        source = pathlib.Path(self.tree(file="text"))
        other = pathlib.Path("/dev/shm") / self.dir.name
        if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == source.stat().st_dev:
            self.skipTest("no second file system")
        self.addCleanup(subprocess.run, ["rm", "-rf", other], check=True)
        self.complaint("--cache", other, "put", "b", "k", source, "--link-mode", "hardlink", code=1)
        self.tool("--cache", other, "get", "b", "k", code=3)

    def test_two_ways_exclude_each_other(self):
        err, _ = self.complaint(
            "put", "b", "k", self.tree(file="x"), "--move", "--link-mode", "copy", code=2
        )
        self.assertIn("--move and --link-mode exclude each other", err)
        self.complaint("put", "b", "k", self.tree("other", f="x"), "--link-mode", "soft", code=2)


class IfMissing(Put):
    def test_an_entry_that_is_there_stays(self):
        first = self.json("put", "b", "k", self.tree("one", file="one"), "--if-missing")
        self.assertTrue(first["added"])
        second = self.json("put", "b", "k", self.tree("two", file="two"), "--if-missing")
        self.assertEqual(second, {**first, "added": False})
        self.assertEqual((pathlib.Path(first["path"]) / "file").read_text(), "one")
        self.assertEqual(self.put_as("b", "k", self.tree("three", file="3"), "--if-missing"),
                         pathlib.Path(first["path"]))

    def test_it_is_no_use_of_the_entry(self):
        source = self.tree(file="text")
        self.put_as("b", "k", source, "--last-used", "2024-02-29T01:02:03Z")
        self.put_as("b", "k", source, "--if-missing")
        self.assertEqual(self.json("info", "b", "k")["last_used"], "2024-02-29T01:02:03.000000Z")

    def test_a_moved_source_that_is_not_wanted_stays(self):
        self.put_as("b", "k", self.tree("one", file="one"))
        source = pathlib.Path(self.tree("two", file="two"))
        self.tool("put", "b", "k", source, "--move", "--if-missing")
        self.assertTrue((source / "file").is_file())
        self.tool("put", "b", "other", source, "--move", "--if-missing")
        self.assertFalse(source.exists())


class Times(Put):
    def test_they_are_those_of_the_other_cache(self):
        self.put_as("b", "k", self.tree(file="text"), "--published", "2020-05-17", "--last-used",
                 "@1600000000.5", "--producer", "uv 0.13")
        info = self.json("info", "b", "k")
        self.assertEqual(info["published"], "2020-05-17T00:00:00.000000Z")
        self.assertEqual(info["last_used"], "2020-09-13T12:26:40.500000Z")
        self.assertEqual(info["producer"], "uv 0.13")

    def test_limits_and_refreshes_go_by_them(self):
        source = self.tree(file="text")
        for key, used in ("old", "2020-01-01"), ("older", "2019-01-01"), ("new", None):
            self.put_as("b", key, source, *(["--last-used", used] if used else []))
        self.tool("gc", "--max-entries", "2", "--low-water", "100%")
        self.tool("get", "b", "older", code=3)
        self.tool("gc", "--max-age", "30d")
        self.tool("get", "b", "old", code=3)
        self.put_as("b", "past", source, "--published", "2020-01-01")
        self.tool("refresh", "b", "--older-than", "30d")
        self.tool("get", "b", "past", code=3)
        self.tool("get", "b", "new")

    def test_a_use_makes_it_young_again(self):
        self.put_as("b", "k", self.tree(file="text"), "--last-used", "2020-01-01")
        self.tool("exec", "b", "k", "--", "true")
        self.tool("gc", "--max-age", "30d")
        self.tool("get", "b", "k")

    def test_what_is_no_time_of_the_past(self):
        source = self.tree(file="text")
        for text in ("yesterday", "2020-13-01", "2021-02-29", "2020-01-01T25:00:00Z", "2020-01-01T",
                     "2020-01-01T00:00:00.Zx", "@", "@x", "@-5", "@1e300", "9999-01-01",
                     "2020-1-1", "12h"):
            with self.subTest(text):
                err, _ = self.complaint("put", "b", "k", source, "--published", text, code=2)
                self.assertIn("--published wants a time", err)
        self.assertFalse(self.root.exists())


class Batches(Put):
    def write(self, *lines):
        path = self.dir / "batch"
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def document(self, *args, **more):
        """Returns the document of a batch, which has a shape of its own."""
        document = json.loads(self.tool("--json", *args, **more))
        self.assertEqual(schema.complaints("put", document), [])
        return document

    def test_each_line_is_an_entry(self):
        one, two = self.tree("one", file="1"), self.tree("two", file="2")
        batch = self.write(
            f"a\tone\t{one}",
            "",
            f"b\ttwo words\t{two}\t2020-05-17\t@1600000000\thttps://two",
            f"b\tthree\t{one}\t\t2021-01-01",
        )
        paths = self.tool("put", "--batch", batch, "--producer", "test").splitlines()
        self.assertEqual([pathlib.Path(path, "file").read_text() for path in paths],
                         ["1", "2", "1"])
        info = self.json("info", "b", "two words")
        self.assertEqual((info["published"], info["last_used"], info["metadata"], info["producer"]),
                         ("2020-05-17T00:00:00.000000Z", "2020-09-13T12:26:40.000000Z",
                          "https://two", "test"))
        self.assertEqual(self.json("info", "b", "three")["last_used"],
                         "2021-01-01T00:00:00.000000Z")
        again = self.document("put", "--batch", batch, "--if-missing")["entries"]
        self.assertEqual([one["added"] for one in again], [False] * 3)
        self.assertEqual([one["path"] for one in again], paths)

    def test_standard_input(self):
        source = self.tree(file="text")
        process = self.start("put", "--batch", "-", stdin=subprocess.PIPE)
        out, _ = process.communicate(f"b\tk\t{source}".encode())  # without a line break
        self.assertEqual(process.returncode, 0)
        self.assertEqual(out.decode(), self.tool("get", "b", "k"))

    def test_a_line_that_fails_is_named_and_stops_no_other(self):
        source = self.tree(file="text")
        batch = self.write(
            f"b\tone\t{self.dir}/none",
            f"b\ttwo\t{source}",
            "b two",
            f"b\t\t{source}",
            f"b\tthree\t{source}\ttomorrow",
            f"{'x' * 5000}\tk\t{source}",
            f"b\tfour\t{source}",
        )
        document = self.document("put", "--batch", batch, code=1)
        self.assertEqual([entry["key"] for entry in document["entries"]], ["two", "four"])
        self.assertIn(f"{batch}:1: ", document["error"]["message"])
        _, err = self.finish(self.start("put", "--batch", batch), 1)
        for line in 1, 3, 4, 5, 6:
            self.assertIn(f"{batch}:{line}: ", err)

    def test_nothing_to_put_makes_no_cache(self):
        self.assertEqual(self.tool("put", "--batch", self.write("")), "")
        self.assertFalse(self.root.exists())

    def test_mistakes(self):
        err, _ = self.complaint("put", "b", "k", "s", "--batch", self.write(""), code=2)
        self.assertIn("either BUCKET KEY SOURCE or --batch", err)
        self.complaint("put", "--batch", self.dir / "none", code=1)
        self.complaint("put", "--batch", self.dir, code=1)
        self.complaint("put", "b", "k", code=2)


if __name__ == "__main__":
    unittest.main()
