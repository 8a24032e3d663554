# SPDX-License-Identifier: MIT
"""File systems in user space that refuse, interrupt, fold case or shorten names. The program odd_fs
mounts one over a directory.
"""

import os
import pathlib
import select
import subprocess
import unittest

from harness import HANGS, TOOL, CacheTest

ODD_FS = os.environ["ODD_FS"]

# The operations that change names, and those that do not. The numbers have no common divisor with
# the number of operations that a call makes, so that a call which is made again gets on.
CHANGES = (
    "mkdir",
    "unlink",
    "rmdir",
    "symlink",
    "rename",
    "noreplace",
    "exchange",
    "link",
    "create",
)
OTHERS = ("getattr", "readlink", "readdir", "open", "read", "write", "chmod", "utimens", "fsync")


class OddTest(CacheTest):
    def setUp(self):
        super().setUp()
        if not ODD_FS:
            self.skipTest("odd_fs was not built: there is no libfuse3-dev")
        self.source = self.tree("src", f1="one", f2="two", UPPER="three")
        (pathlib.Path(self.source) / "sub").mkdir()
        (pathlib.Path(self.source) / "sub" / "inner").write_text("four")
        os.symlink("f1", f"{self.source}/link")
        self.mounts = 0

    def mount(self, *rules):
        """Mounts an odd file system, on which the cache lies from now on."""
        self.mounts += 1
        below, place = self.dir / f"below-{self.mounts}", self.dir / f"odd-{self.mounts}"
        below.mkdir()
        place.mkdir()
        process = subprocess.Popen(
            [ODD_FS, *rules, "--", str(below), str(place)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(self.unmount, process, place)
        ready = select.select([process.stdout], [], [], HANGS)[0]
        if not ready or process.stdout.readline() != b"mounted\n":
            process.kill()
            self.skipTest(f"nothing can be mounted here: {process.communicate()[1].decode()}")
        self.root = place / "cache"
        self.env["LARDER_CACHE_DIR"] = str(self.root)
        return place

    @staticmethod
    def unmount(process, place):
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)
        process.communicate(timeout=HANGS)

    def behind(self, path):
        """Returns where a path of the odd file system lies, for those who must not be bothered."""
        return str(path).replace(f"{self.dir}/odd-", f"{self.dir}/below-")

    def assert_is_source(self, tree):
        self.assert_same_tree(self.source, self.behind(tree))

    def live_a_life(self, place, has_builds=True):
        """Puts, replaces, installs, removes, refreshes and collects."""
        for _ in range(2):
            self.assert_is_source(self.tool("put", "b", "k", self.source).strip())
        self.tool("put", "b", "other", self.source)
        if has_builds:
            self.tool("build", "b", "built", "--", "sh", "-c", 'echo text >"$LARDER_STAGE"/file')
        self.tool("install", "b", "k", str(place / "installed"))
        self.assert_is_source(place / "installed")
        self.tool("pin", "b", "k")
        self.tool("unpin", "b", "k")
        self.tool("remove", "b", "other")
        self.tool("gc")
        document = self.json("verify")
        self.assertTrue(document["sound"], document)
        self.assertEqual((document["live"], document["garbage"]), (1 + has_builds, 0))
        self.tool("refresh", "b")
        self.tool("gc")
        self.assertEqual(self.json("verify")["entries"], 0)
        for where in "archive", "deleting", "retired/links", "retired/buckets", "staging/0":
            self.assertEqual(os.listdir(self.behind(self.root / where)), [], where)


class Refuses(OddTest):
    def test_nothing(self):
        self.live_a_life(self.mount())

    def test_linkat_that_answers_eacces_install_copies(self):
        self.live_a_life(self.mount("link=EACCES"))

    def test_renames_with_flags(self):
        for error in "EINVAL", "EACCES", "EPERM", "EOVERFLOW":
            self.live_a_life(self.mount(f"noreplace={error}", f"exchange={error}"))

    def test_target_that_refuses_chmod_or_utime_install_goes_on_with_a_warning(self):
        self.tool("put", "b", "k", self.source)
        cache = self.env["LARDER_CACHE_DIR"]
        for error in "EPERM", "EOPNOTSUPP", "EINVAL":
            place = self.mount(f"chmod={error}", f"utimens={error}")
            self.env["LARDER_CACHE_DIR"] = cache
            document = self.json("install", "b", "k", str(place / "installed"))
            self.assertEqual((document["copied"], document["inexact"]), (4, 6))
            self.assert_is_source(place / "installed")

    def test_symlinks_links_are_files(self):
        place = self.mount("symlink=EACCES")
        os.unlink(f"{self.source}/link")
        self.live_a_life(place)
        self.assertIn("links file", (self.root / "format").read_text())


class Interrupts(OddTest):
    """EINTR is retried for all calls, and the first try's work is not taken for another's. No
    program but cachetool works there: few others make a call again.
    """

    def test_before_the_effect(self):
        self.live_a_life(
            self.mount(
                *(f"{op}=EINTR@%2" for op in CHANGES), *(f"{op}=EINTR@%13" for op in OTHERS)
            ),
            False,
        )

    def test_after_the_effect(self):
        for op in CHANGES:
            self.live_a_life(self.mount(f"{op}:after=EINTR@%2"), False)

    def test_after_the_effect_all_together(self):
        self.live_a_life(
            self.mount(
                *(f"{op}:after=EINTR@%2" for op in CHANGES), *(f"{op}=EINTR@%13" for op in OTHERS)
            ),
            False,
        )

    def test_a_stage_that_is_left_empty(self):
        self.mount("readdir=EINTR@%2")
        for key in "one", "two", "three", "four":
            err, _ = self.complaint("build", "b", key, "--", "true", code=1)
            self.assertIn("left LARDER_STAGE empty", err)

    def test_exchange_always(self):
        self.live_a_life(self.mount("exchange=EINTR"), False)


class Hides(OddTest):
    """A file that is unlinked while it is open keeps a name until it is closed."""

    def test_a_life(self):
        place = self.mount("hide")
        self.live_a_life(place)
        for _ in range(2):
            self.tool("put", "b", "k", self.source)
            self.tool("destroy")
            self.assertEqual(os.listdir(self.behind(place)), ["installed"])

    def test_destroy_of_a_cache_in_use(self):
        self.mount("hide")
        self.tool("put", "b", "k", self.source)
        process = self.start(
            "exec", "b", "k", "--", "sh", "-c", "echo ready; read _", stdin=subprocess.PIPE
        )
        self.assertEqual(process.stdout.readline(), b"ready\n")
        self.assertIn(str(process.pid), self.complaint("destroy", code=4)[0])
        self.assertEqual(os.listdir(self.behind(self.root / "participants")), ["0"])
        self.tool("get", "b", "k")

    def test_an_entry_that_a_program_reads_without_a_lease(self):
        self.mount("hide")
        path = pathlib.Path(self.tool("put", "b", "k", self.source).strip())
        with open(path / "f1", encoding="utf-8") as file:
            self.tool("refresh", "--keep-garbage", "b")
            self.complaint("gc", code=1)
            self.assertEqual(file.read(), "one")
        self.tool("gc")
        self.assertEqual(os.listdir(self.behind(self.root / "deleting")), [])

    def test_destroy_beside_a_program_that_has_a_deleted_table_open(self):
        self.mount("hide")
        self.tool("put", "b", "k", self.source)
        with open(self.root / "participants" / "0", "rb"):
            self.assertIn("files of it open", self.complaint("destroy", code=4)[0])
            self.tool("get", "b", "k")
        self.tool("destroy")


class Names(OddTest):
    def test_names_end_at_143_bytes(self):
        self.mount("names=143")
        keys = ["k" * length for length in (1, 143, 144, 200, 201, 4096)]
        for key in keys:
            self.tool("put", "b", key, self.source)
            self.tool("pin", "b", key)
            self.assert_is_source(self.tool("get", "b", key).strip())
        self.assertIn("names 143\n", (self.root / "format").read_text())
        self.assertEqual(sorted(entry["key"] for entry in self.json("ls")["entries"]), keys)
        self.tool("remove", "b", *keys)
        self.tool("gc")
        self.assertTrue(self.json("verify")["sound"])
        self.assertIn("larder works here", self.tool("doctor"))

    def test_names_end_too_early(self):
        self.mount("names=40")
        err, _ = self.complaint("put", "b", "k", self.source, code=1)
        self.assertIn("names may have only 40 bytes", err)

    def test_case_is_folded(self):
        place = self.mount("fold")
        os.unlink(f"{self.source}/UPPER")
        for key in "key", "Key", "KEY":
            self.tool("put", "b", key, self.source)
        self.assertEqual(len(self.json("ls")["entries"]), 3)
        self.tool("install", "b", "Key", str(place / "installed"))
        self.assert_is_source(place / "installed")
        self.tool("remove", "b", "Key")
        self.tool("gc")
        self.assertEqual(self.json("verify")["live"], 2)


if __name__ == "__main__":
    unittest.main()
