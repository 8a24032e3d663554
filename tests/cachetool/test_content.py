# SPDX-License-Identifier: MIT
"""put and build make digests, and verify --content finds what has changed since."""

import json
import os
import pathlib
import subprocess
import time
import unittest

import schema
from harness import CacheTest


class Content(CacheTest):
    def put_copy(self, *options, bucket="b", key="k"):
        """Copies a source into the cache. Returns the path of the entry's tree."""
        source = self.tree(f"source-{os.urandom(4).hex()}", file="text", other="text")
        return pathlib.Path(self.tool("put", *options, bucket, key, source).rstrip("\n"))

    def algorithm_of(self, tree):
        """Returns the name of the digests' algorithm, by the entry's manifest."""
        lines = (tree.parent / "manifest").read_bytes().split(b"\n")
        return next(line for line in lines if line.startswith(b"digest ")).decode()[7:]

    def content(self, *args, code=0):
        document = json.loads(self.tool("--json", "verify", "--content", *args, code=code))
        self.assertEqual(schema.complaints("verify", document), [])
        self.assert_documented(document, "verify --content")
        return document

    def test_put_and_build_make_digests_unless_told_otherwise(self):
        self.assertEqual(self.algorithm_of(self.put_copy()), "sha256")
        self.assertEqual(self.algorithm_of(self.put_copy("--digest", "sha256")), "sha256")
        self.assertEqual(self.algorithm_of(self.put_copy("--digest", "none")), "none")
        self.assertEqual(self.algorithm_of(self.put_copy("--move")), "none")
        self.assertEqual(self.algorithm_of(self.put_copy("--move", "--digest", "sha256")), "sha256")
        for options, expected in [((), "sha256"), (("--digest", "none"), "none")]:
            tree = self.tool(
                "build", *options, "b", f"built-{expected}", "--", "sh", "-c",
                'echo x > "$LARDER_STAGE/x"',
            )
            self.assertEqual(self.algorithm_of(pathlib.Path(tree.rstrip("\n"))), expected)
        self.complaint("put", "--digest", "md5", "b", "k", self.tree("source", x="x"), code=2)

    def test_an_edit_through_a_hard_link_is_found_and_named(self):
        tree = self.put_copy()
        destination = self.root.parent / "installed"
        self.tool("install", "--link-mode", "hardlink", "b", "k", destination)
        with open(destination / "file", "r+") as file:
            file.write("TEXT")
        # Later than the publish by more than any clock is coarse.
        status = (destination / "file").stat()
        os.utime(destination / "file", (status.st_atime, status.st_mtime + 2))
        report = self.json("verify", code=5)  # which reads this file alone
        self.assertEqual([finding["kind"] for finding in report["findings"]], ["changed"])
        self.assertIn("its bytes", report["findings"][0]["what"])
        err, _ = self.complaint("install", "b", "k", "another", code=5)
        self.assertIn(f"{tree / 'file'}: its bytes are not those", err)
        report = self.content(code=5)
        self.assertFalse(report["sound"])
        self.assertEqual([finding["kind"] for finding in report["findings"]], ["changed"])
        self.assertEqual(report["findings"][0]["path"], str(tree / "file"))
        self.assertIn("hard link", report["findings"][0]["what"])
        self.assertIn(str(tree / "file"), self.tool("verify", "--content", code=5))
        report = self.content("--repair")
        self.assertTrue(report["findings"][0]["repaired"])
        self.tool("get", "b", "k", code=3)
        self.assertEqual((tree / "file").read_text(), "TEXT")
        self.assertEqual(self.content()["entries"], 0)

    def test_a_copy_without_its_times_is_judged_by_digests_alike_by_all(self):
        self.put_copy(key="good")
        edited = self.put_copy(key="edited")
        self.put_copy("--digest", "none", key="untold")
        subprocess.run(["cp", "-rd", self.root, f"{self.root}-copy"], check=True)
        self.root.rename(f"{self.root}-old")
        pathlib.Path(f"{self.root}-copy").rename(self.root)
        (edited / "file").write_text("TEXT")
        for file in self.root.glob("archive/*/tree/file"):
            os.utime(file, (0, time.time() + 2))  # no clock is as coarse as that
        for report in (self.json("verify", code=5), self.content(code=5)):
            findings = {finding["path"].split("/")[-3]: finding for finding in report["findings"]}
            self.assertEqual(len(findings), 2)
            self.assertIn("its bytes", findings.pop(edited.parent.name)["what"])
            (untold,) = findings.values()
            self.assertEqual(untold["kind"], "changed")
            self.assertIn("no digest that this program can compare", untold["what"])
        self.tool("install", "b", "good", "good")
        for key, why in (("edited", "its bytes are not"), ("untold", "it was modified after")):
            err, _ = self.complaint("install", "b", key, "out", code=5)
            self.assertIn(f"/tree/file: {why}", err)
            self.assertIn("remove the key", err)
        self.json("verify", "--repair")
        self.assertTrue(self.content()["sound"])
        self.tool("install", "b", "good", "again")
        for key in ("edited", "untold"):
            self.tool("install", "b", key, "out", code=3)

    def test_buckets_and_budget(self):
        for bucket in ["one", "two"]:
            for key in ["k1", "k2"]:
                self.put_copy(bucket=bucket, key=key)
        self.put_copy("--digest", "none", bucket="two", key="k3")
        report = self.content()
        self.assertEqual((report["entries"], report["unchecked"]), (5, 0))
        self.assertEqual(report["without_digests"], 1)
        self.assertEqual((report["files"], report["bytes"]), (8, 32))
        self.assertEqual(self.content("one")["entries"], 2)
        self.assertEqual(self.content("one", "two")["entries"], 5)
        self.assertEqual(self.content("--budget", "1h")["entries"], 5)
        report = self.content("--budget", "0")
        self.assertEqual((report["entries"], report["unchecked"]), (1, 4))
        self.complaint("verify", "--content", "three", code=3)
        self.complaint("verify", "one", code=2)
        self.complaint("verify", "--budget", "1s", code=2)

    def test_no_cache(self):
        report = self.content()
        self.assertEqual((report["sound"], report["entries"]), (True, 0))
        self.assertFalse(self.root.exists())


if __name__ == "__main__":
    unittest.main()
