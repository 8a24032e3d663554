# SPDX-License-Identifier: MIT
"""What a tree keeps on each way through the cache (docs/library.md, "What a tree keeps").

python3 test_copies.py --seconds 600 [--seed N] sends random trees through for that long."""

import argparse
import os
import pathlib
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest

from harness import TESTING_TOOL, CacheTest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))

import random_tree  # noqa: E402
import trees_differ  # noqa: E402

MODES = ["auto", "hardlink", "copy"]
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep


def allocated(path):
    return os.lstat(path).st_blocks * 512


def has_user_attributes(directory):
    try:
        os.setxattr(directory, "user.larder.probe", b"x")
        os.removexattr(directory, "user.larder.probe")
        return True
    except OSError:
        return False


class CopyTest(CacheTest):
    def entry(self, *args):
        return pathlib.Path(self.tool(*args).rstrip("\n"))

    def every_way_out(self, key="k"):
        """Yields the name of each way and the tree that it makes: installs, then a restore."""
        for mode in MODES:
            self.tool("install", "b", key, str(self.dir / f"out-{mode}"), "--link-mode", mode)
            yield f"install by {mode}", self.dir / f"out-{mode}"
        identity = self.json("info", "b", key)["id"]
        self.tool("remove", "b", key)
        self.tool("trash", "restore", identity)
        yield "restore", self.entry("get", "b", key)

    def source(self):
        path = self.dir / "source"
        path.mkdir()
        return path


class Rows(CopyTest):
    """One test for each thing that a tree keeps, or leaves out."""

    def test_a_hole_stays_a_hole(self):
        source = self.source()
        with open(source / "holes", "wb") as file:
            file.write(b"begin")
            file.seek(200 << 20)
            file.write(b"end")
            file.truncate(300 << 20)
        put = self.entry("put", "b", "k", str(source))
        for way, tree in [("put", put), *self.every_way_out()]:
            with self.subTest(way):
                self.assertEqual((tree / "holes").stat().st_size, 300 << 20)
                self.assertLess(allocated(tree / "holes"), 1 << 20)
                with open(tree / "holes", "rb") as file:
                    self.assertEqual(file.read(5), b"begin")
                    file.seek(200 << 20)
                    self.assertEqual(file.read(4), b"end\0")

    def test_41_hard_links_of_one_file_stay_one_file(self):
        source = self.source()
        (source / "0").write_bytes(os.urandom(500_000))
        (source / "deep/er").mkdir(parents=True)
        for number in range(1, 41):
            os.link(source / "0", source / ("deep/er" if number % 2 else ".") / str(number))
        (source / "alone").write_bytes(b"alone")
        os.link(source / "alone", self.dir / "outside the tree")
        put = self.entry("put", "b", "k", str(source))
        self.assertEqual(self.json("info", "b", "k")["bytes"], 500_005)
        for way, tree in [("put", put), *self.every_way_out()]:
            with self.subTest(way):
                names = [path for path in tree.rglob("*") if path.name.isdigit()]
                self.assertEqual(len(names), 41)
                self.assertEqual(len({path.stat().st_ino for path in names}), 1)
                self.assertEqual((tree / "alone").read_bytes(), b"alone")

    def test_the_top_keeps_its_mode_and_time(self):
        source = self.source()
        (source / "file").write_text("x")
        os.chmod(source, 0o750)
        os.utime(source, ns=(0, 981173106_123456789))
        put = self.entry("put", "b", "k", str(source))
        for way, tree in [("put", put), *self.every_way_out()]:
            with self.subTest(way):
                self.assertEqual(tree.stat().st_mtime_ns, 981173106_123456789)
                self.assertEqual(stat.S_IMODE(tree.stat().st_mode), 0o750)

    def test_user_attributes_are_kept(self):
        if not has_user_attributes(self.dir):
            self.skipTest("no user attributes here")
        source = self.source()
        (source / "dir").mkdir()
        (source / "file").write_text("x")
        (source / "file").chmod(0o444)
        for path in (source, source / "dir", source / "file"):
            os.setxattr(path, "user.larder", b"value\0" + os.fsencode(path.name))
        put = self.entry("put", "b", "k", str(source))
        for way, tree in [("put", put), *self.every_way_out()]:
            with self.subTest(way):
                for name in (".", "dir", "file"):
                    self.assertEqual(
                        os.getxattr(tree / name, "user.larder"),
                        b"value\0" + (os.fsencode(name) if name != "." else b"source"),
                    )

    def make_privileged(self):
        source = self.source()
        (source / "plain").write_text("x")
        for name, mode in [("set-uid", 0o4755), ("set-gid", 0o2755), ("sticky", 0o1777)]:
            (source / name).write_text("x")
            (source / name).chmod(mode)
        (source / "dir").mkdir()
        (source / "dir").chmod(0o1777)
        names = ["set-uid", "set-gid", "sticky", "dir"]
        if os.geteuid() == 0:
            (source / "capable").write_text("x")
            (source / "capable").chmod(0o755)
            os.setxattr(source / "capable", "security.capability", CAPABILITY)
            names.append("capable")
        return source, names

    def check_unprivileged(self, tree, names):
        for name in names:
            self.assertEqual(stat.S_IMODE((tree / name).stat().st_mode) & 0o7000, 0, name)
            self.assertNotIn("security.capability", os.listxattr(tree / name), name)

    def test_privileges_never_leave_unless_asked_for(self):
        source, names = self.make_privileged()
        put = self.entry("put", "b", "put", str(source))
        self.check_unprivileged(put, names)
        moved = self.entry("put", "b", "k", str(source), "--move")
        self.assertTrue((moved / "set-uid").stat().st_mode & stat.S_ISUID)  # the file itself
        for way, tree in self.every_way_out():
            with self.subTest(way):
                if way == "install by hardlink":  # that asks for the file itself
                    self.assertTrue((tree / "set-uid").stat().st_mode & stat.S_ISUID)
                    continue
                self.check_unprivileged(tree, names)
                if way != "install by copy":
                    self.assertGreater((tree / "plain").stat().st_nlink, 1)

    def test_an_access_control_list_does_not_leave(self):
        if shutil.which("setfacl") is None:
            self.skipTest("no setfacl")
        source = self.source()
        (source / "file").write_text("x")
        if subprocess.run(["setfacl", "-m", "u:1234:rwx", source / "file"], check=False).returncode:
            self.skipTest("no access control lists here")
        self.entry("put", "b", "k", str(source), "--move")
        for way, tree in self.every_way_out():
            with self.subTest(way):
                self.assertEqual(
                    "system.posix_acl_access" in os.listxattr(tree / "file"),
                    way == "install by hardlink",
                )

    def make_odd(self, kind, path):
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(str(path))
        else:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))

    def test_a_pipe_socket_or_device_is_refused_by_every_way_in(self):
        kinds = ["pipe", "socket"] + (["device"] if os.geteuid() == 0 else [])
        for kind in kinds:
            source = self.dir / kind
            (source / "inner").mkdir(parents=True)
            (source / "inner/file").write_text("x")
            self.make_odd(kind, source / "inner/odd")
            for way in (
                ["put", "b", "k", str(source)],
                ["put", "b", "k", str(source), "--move"],
                ["build", "b", "k", "--", "sh", "-c", f'cp -a {source}/. "$LARDER_STAGE"'],
            ):
                with self.subTest(kind=kind, way=way[0], move="--move" in way):
                    if kind == "socket" and way[0] == "build":
                        continue  # cp makes no sockets
                    error = self.finish(self.start(*way), 2)[1]
                    self.assertIn("inner/odd", error)
                    self.tool("get", "b", "k", code=3)
                    self.assertTrue((source / "inner/file").is_file())

    def test_put_follows_the_source_itself(self):
        source = self.source()
        (source / "file").write_text("text")
        (self.dir / "to-file").symlink_to("source/file")
        (self.dir / "to-link").symlink_to("to-file")
        (self.dir / "to-dir").symlink_to("source")
        for name in ("to-file", "to-link"):
            entry = self.entry("put", "b", name, str(self.dir / name))
            self.assertEqual([path.name for path in entry.iterdir()], [name])
            self.assertFalse((entry / name).is_symlink())
            self.assertEqual((entry / name).read_text(), "text")
        entry = self.entry("put", "b", "dir", str(self.dir / "to-dir"))
        self.assertEqual((entry / "file").read_text(), "text")
        self.complaint("put", "b", "dir", str(self.dir / "to-dir"), "--move", code=2)

    def as_user(self, *args, code=0):
        """Runs the command without root's rights, in a directory that belongs to the user."""
        more = {}
        if os.geteuid() == 0:
            more = self.stranger()
            for path in (self.dir, *self.dir.rglob("*")):
                os.chown(path, more["user"], more["group"], follow_symlinks=False)
        return self.finish(self.start(*args, **more), code)[0]

    def test_put_move_of_a_tree_that_its_owner_may_not_write(self):
        source = self.source()
        (source / "inner").mkdir()
        (source / "inner/file").write_text("x")
        for path in (source / "inner", source):
            path.chmod(0o555)
            os.utime(path, ns=(0, 10**18))
        entry = pathlib.Path(self.as_user("put", "b", "k", str(source), "--move").rstrip("\n"))
        self.assertFalse(source.exists())
        for path in (entry, entry / "inner"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o555)
            self.assertEqual(path.stat().st_mtime_ns, 10**18)
        self.as_user("install", "b", "k", str(self.dir / "out"), "--link-mode", "copy")
        self.assertEqual(stat.S_IMODE((self.dir / "out").stat().st_mode), 0o555)

    def test_install_replace(self):
        self.put(a="old", b="old")
        out = self.dir / "out"
        self.tool("install", "b", "k", str(out))
        (out / "mine").write_text("mine")
        self.put(a="new", c="new")
        error = self.complaint("install", "b", "k", str(out), code=1)[0]
        self.assertIn("--replace", error)
        self.assertEqual((out / "a").read_text(), "old")
        for mode in MODES:
            self.tool("install", "b", "k", str(out), "--replace", "--link-mode", mode)
            self.assertEqual(
                {path.name: path.read_text() for path in out.iterdir()},
                {"a": "new", "b": "old", "c": "new", "mine": "mine"},
            )

    def interrupted_install(self, out, *more):
        """Installs by copies, and is killed at the second file."""
        self.tool(
            "install",
            "b",
            "k",
            str(out),
            "--link-mode",
            "copy",
            *more,
            tool=TESTING_TOOL,
            env={"LARDER_TEST_POINTS": "tree.copy_file_range=kill"},
            code=-signal.SIGKILL,
        )

    def test_an_interrupted_install_completes_when_it_is_run_again(self):
        self.put(a="1" * 5000, b="2" * 5000)
        out = self.dir / "out"
        self.interrupted_install(out)
        self.assertFalse(out.exists())
        self.tool("install", "b", "k", str(out), "--link-mode", "copy")
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["a", "b"])

    def test_an_interrupted_install_into_a_directory_leaves_no_half_file(self):
        self.put(a="1" * 5000, b="2" * 5000)
        out = self.dir / "out"
        out.mkdir()
        self.interrupted_install(out)
        self.assertEqual([path.name for path in out.iterdir() if len(path.name) == 1], [])
        self.tool("install", "b", "k", str(out), "--link-mode", "copy", "--replace")
        self.assertEqual((out / "a").read_text(), "1" * 5000)
        self.assertEqual((out / "b").read_text(), "2" * 5000)


class RandomTrees(CopyTest):
    """Random trees come out as they went in, by each way in and each way out."""

    def go_through(self, seed, max_depth=1000):
        """Returns how many comparisons were made."""
        source = self.dir / f"source-{seed}"
        source.mkdir()
        random_tree.RandomTree(seed, max_depth).make(source)
        moved = self.dir / f"moved-{seed}"
        subprocess.run(["rsync", "-aHX", "--sparse", f"{source}/", f"{moved}/"], check=True)
        self.assertEqual(trees_differ.rsync_differences(source, moved), [])
        build = f'exec rsync -aHX --sparse {source}/ "$LARDER_STAGE/"'
        compared = 0
        for way, args in {
            "put": ["put", "b", "put", str(source)],
            "move": ["put", "b", "move", str(moved), "--move"],
            "build": ["build", "b", "build", "--", "sh", "-c", build],
        }.items():
            self.compare(seed, way, "in the cache", source, self.entry(*args))
            for out, tree in self.every_way_out(way):
                self.compare(seed, way, out, source, tree)
                compared += 1
                if out != "restore":
                    self.remove(tree)
            compared += 1
        self.remove(source)
        self.tool("refresh", "b")
        return compared

    def compare(self, seed, way, out, source, tree):
        self.assertEqual(trees_differ.differences(source, tree), [], f"seed {seed}, {way}, {out}")

    def remove(self, tree):
        for path in random_tree.directories_below(tree):
            os.chmod(path, 0o700)
        subprocess.run(["rm", "-rf", "--", tree], check=True)

    @unittest.skipUnless(shutil.which("rsync"), "no rsync")
    def test_trees_of_fixed_seeds(self):
        for seed in (1, 2):
            self.go_through(seed, max_depth=300)

    @unittest.skipUnless(shutil.which("rsync"), "no rsync")
    def test_a_tree_made_twice_of_one_seed_is_the_same(self):
        trees = [self.dir / "one", self.dir / "two"]
        for tree in trees:
            tree.mkdir()
            random_tree.RandomTree(7, 40).make(tree)
        self.assertEqual(trees_differ.differences(*trees), [])

    @unittest.skipUnless(shutil.which("rsync"), "no rsync")
    def test_the_comparison_sees_each_difference(self):
        source = self.source()
        with open(source / "holes", "wb") as file:
            file.truncate(10 << 20)
        (source / "a").write_text("same size")
        os.link(source / "a", source / "b")
        (source / "dir").mkdir()
        changes = {
            "a byte": lambda copy: (copy / "a").write_text("Same size"),
            "a mode": lambda copy: (copy / "a").chmod(0o600),
            "a time": lambda copy: os.utime(copy / "dir", (5, 5)),
            "the top's time": lambda copy: os.utime(copy, (5, 5)),
            "a hard link": lambda copy: (
                (copy / "b").unlink(),
                shutil.copy2(copy / "a", copy / "b"),
            ),
            "a name more": lambda copy: (copy / "more").touch(),
            "a name less": lambda copy: (copy / "dir").rmdir(),
            "a hole": lambda copy: (copy / "holes").write_bytes(bytes(10 << 20)),
        }
        if has_user_attributes(self.dir):
            changes["an attribute"] = lambda copy: os.setxattr(copy / "a", "user.x", b"x")
        for what, change in changes.items():
            copy = self.dir / what
            subprocess.run(["rsync", "-aHX", "--sparse", f"{source}/", f"{copy}/"], check=True)
            self.assertEqual(trees_differ.differences(source, copy), [])
            before = (copy / "holes").stat()
            change(copy)
            if what == "a hole":
                os.utime(copy / "holes", ns=(before.st_atime_ns, before.st_mtime_ns))
            with self.subTest(what):
                self.assertNotEqual(trees_differ.differences(source, copy), [])


class LongRun(RandomTrees):
    """Not found by unittest: main() runs it."""

    def runTest(self):
        end = time.monotonic() + self.seconds
        trees = compared = 0
        while time.monotonic() < end:
            compared += self.go_through(self.seed + trees)
            trees += 1
        print(
            f"seeds {self.seed} to {self.seed + trees - 1}: {trees} trees, {compared} comparisons"
        )


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, (Rows, RandomTrees)))


def main():
    parser = argparse.ArgumentParser(description="Sends random trees through the cache.")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    options = parser.parse_args()
    run = LongRun()
    run.seconds, run.seed = options.seconds, options.seed
    print(f"begins with seed {run.seed}", flush=True)
    sys.exit(not unittest.TextTestRunner().run(run).wasSuccessful())


if __name__ == "__main__":
    main()
