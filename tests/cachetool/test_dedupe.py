# SPDX-License-Identifier: MIT
"""gc --dedupe lets equal files of entries share their blocks, where the file system can."""

import json
import os
import pathlib
import subprocess
import unittest

from harness import CacheTest

BIG = 3_000_000  # bytes of each file: many blocks


class Dedupe(CacheTest):
    def mount(self, kind):
        """Mounts a new file system, and makes caches there from now on. Skips the test if that is
        not possible.
        """
        place = self.dir / "mounted"
        place.mkdir()
        image = self.dir / "image"
        with open(image, "wb") as file:
            file.truncate(700 << 20)
        for command in (
            [f"mkfs.{kind}", "-q", *(["-F"] if kind == "ext4" else ["-f"]), image],
            ["mount", "-o", "loop", image, place],
        ):
            try:
                done = subprocess.run(command, capture_output=True, check=False)
            except FileNotFoundError:
                self.skipTest(f"there is no {command[0]}")
            if done.returncode != 0:
                self.skipTest(f"can't mount {kind}: {done.stderr.decode()}")
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        self.root = place / "cache"
        self.env["LARDER_CACHE_DIR"] = str(self.root)
        return place

    def used(self, place):
        subprocess.run(["sync", "-f", place], check=True)
        status = os.statvfs(place)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def put_equal(self, *keys):
        """Publishes an entry with the same big file for each key. Returns their trees."""
        # The tree is built in the cache, because a copy from the same disk would be a clone.
        text = self.dir / "text"
        text.write_bytes(b"".join(b"%d\n" % i for i in range(BIG // 7))[:BIG])
        build = f'cat {text} > "$LARDER_STAGE/file"; chmod 640 "$LARDER_STAGE/file"'
        return [
            pathlib.Path(self.tool("build", "b", key, "--", "sh", "-c", build).strip())
            for key in keys
        ]

    def check_shares(self, kind):
        place = self.mount(kind)
        files = [tree / "file" for tree in self.put_equal("a", "b", "c")]
        before = [(file.read_bytes(), os.stat(file)) for file in files]
        used = self.used(place)
        report = json.loads(self.tool("--json", "gc", "--dedupe"))
        self.assert_documented(report, "gc")
        report = report["dedupe"]
        self.assertEqual(report["files"], 2)
        self.assertEqual(report["bytes"], 2 * len(before[0][0]))
        back = used - self.used(place)
        self.assertAlmostEqual(report["freed"], back, delta=0.01 * back)
        for file, (text, status) in zip(files, before):
            self.assertEqual(file.read_bytes(), text)
            now = os.stat(file)
            for field in ("st_ino", "st_mode", "st_mtime_ns", "st_nlink", "st_uid"):
                self.assertEqual(getattr(now, field), getattr(status, field), field)
        # An edit of one file does not reach the others.
        with open(files[0], "r+b") as edited:
            edited.write(b"EDITED")
        self.assertEqual(files[1].read_bytes(), before[1][0])
        self.assertEqual(files[2].read_bytes(), before[2][0])
        process = self.start("gc", "--dedupe", "--budget", "1min")
        said = self.finish(process)[1]
        self.assertIn("before", said)
        probes = self.json("doctor", place)["probes"]
        shared = next(probe for probe in probes if probe["name"] == "shared blocks")
        self.assertEqual(shared["verdict"], "ok")

    def test_equal_files_share_their_blocks_on_btrfs(self):
        self.check_shares("btrfs")

    def test_equal_files_share_their_blocks_on_xfs(self):
        self.check_shares("xfs")

    def test_a_file_system_that_cannot_share_blocks_is_named(self):
        self.mount("ext4")
        self.put_equal("a", "b")
        process = self.start("gc", "--dedupe")
        said = self.finish(process, code=1)[1]
        self.assertIn("deleted 0 entries", said)  # the collection has been made
        self.assertIn("btrfs can", said)

    def test_what_does_not_fit_is_refused(self):
        self.put()
        self.complaint("gc", "--budget", "1s", code=2)
        self.complaint("gc", "--dedupe", "--dry-run", code=2)
        self.complaint("gc", "--dedupe", "--plan", self.dir / "plan", "--max-size", "1", code=2)
        self.assertIsNone(self.json("gc")["dedupe"])


if __name__ == "__main__":
    unittest.main()
