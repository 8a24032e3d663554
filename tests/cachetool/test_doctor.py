# SPDX-License-Identifier: MIT
"""doctor: on the file systems that are here, and on some that are made or pretended."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import HANGS, TESTING_TOOL, TOOL, CacheTest

# In these words the manual and scripts know them.
PROBES = {
    "mount",
    "access times",
    "space",
    "symlinks",
    "rename",
    "exchange",
    "rename no-replace",
    "rename of directories",
    "case",
    "normalization",
    "clones",
    "shared blocks",
    "hard links",
    "times",
    "times of symlinks",
    "locks of bytes",
    "locks of files",
    "shared memory",
    "network",
    "larder",
}

NOT_SEEN = "a file system whose mount can't be seen from here"
needs_strace = unittest.skipUnless(shutil.which("strace"), "strace is not installed")


def verdicts(document):
    return {probe["name"]: probe["verdict"] for probe in document["probes"]}


def mount_point(directory):
    """Returns where the file system of a directory is mounted. Returns None if that mount can't be
    seen from here: the top of a chroot is none.
    """
    point = subprocess.run(
        ["stat", "-c", "%m", directory], capture_output=True, text=True, check=True
    ).stdout.strip()
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return point if point in [line.split()[1] for line in mounts] else None


class Doctor(CacheTest):
    def doctor(self, *args, code=0, removed=True, **more):
        document = self.json("doctor", *args, code=code, **more)
        self.assertEqual(document["works"], code == 0)
        if removed:
            self.assertEqual(list(self.dir.rglob("larder-doctor-*")), [])
        return document

    def assert_works_on(self, kind, directory):
        document = self.doctor(directory)
        mounted_at = mount_point(directory)
        if mounted_at is None:
            kind = NOT_SEEN
        self.assertEqual(document["file_system"]["type"], kind)
        self.assertLessEqual(PROBES, set(verdicts(document)))
        self.assertNotIn("broken", verdicts(document).values())
        self.assertEqual(document["file_system"]["mount_point"], mounted_at or "")
        return document

    def of_kind(self, kind, candidates):
        for place in candidates:
            found = subprocess.run(
                ["stat", "-f", "-c", "%T", place], capture_output=True, text=True, check=False
            ).stdout.strip()
            if kind in found and os.access(place, os.W_OK):
                made = tempfile.mkdtemp(dir=place)
                self.addCleanup(os.rmdir, made)
                return made
        self.skipTest(f"no {kind} among {candidates}")
        return None

    def test_tmpfs(self):
        verdict = verdicts(
            self.assert_works_on("tmpfs", self.of_kind("tmpfs", ["/dev/shm", "/tmp", "/run"]))
        )
        self.assertEqual(
            (verdict["clones"], verdict["exchange"], verdict["larder"]), ("limited", "ok", "ok")
        )

    def test_ext4(self):
        verdict = verdicts(
            self.assert_works_on(
                "ext4", self.of_kind("ext", ["/tmp", "/var/tmp", os.path.expanduser("~")])
            )
        )
        self.assertEqual(
            (verdict["clones"], verdict["exchange"], verdict["larder"]), ("limited", "ok", "ok")
        )

    def test_for_people(self):
        out, err = self.finish(self.start("doctor"))
        seen = r"\w+ on .*, mounted at /" if mount_point(self.dir) else NOT_SEEN
        self.assertRegex(out, rf"\A{self.dir}: {seen}")
        for probe in PROBES:
            self.assertRegex(out, rf"(?m)^(ok|limited) +{probe}  ")
        self.assertTrue(out.endswith("\nlarder works here\n"))
        self.assertRegex(
            err,
            rf"\Acachetool: {self.root} does not exist yet, so this is about {self.dir}, where it "
            rf"would be made\n"
            rf"cachetool: judging the file system of {self.dir}, in the new directory "
            rf".*larder-doctor-\w+\n\Z",
        )
        self.assertEqual(self.finish(self.start("doctor", "--quiet"))[1], "")

    def test_beside_a_cache(self):
        self.assertEqual(
            self.doctor("--cache", "a/b/c")["probed_in"], str(self.dir)
        )  # of a cache that is not there yet, and was not made
        self.assertEqual(list(self.dir.iterdir()), [])
        self.root.mkdir()
        self.assertEqual(self.doctor()["probed_in"], str(self.dir))
        self.assertEqual(list(self.root.iterdir()), [])
        self.put()
        before = sorted(map(str, self.root.rglob("*")))
        changed = os.stat(self.root).st_mtime_ns
        self.assertEqual(self.doctor()["probed_in"], str(self.dir))
        self.assertEqual(
            (sorted(map(str, self.root.rglob("*"))), os.stat(self.root).st_mtime_ns),
            (before, changed),
        )
        self.assertEqual(
            self.doctor(self.tree("other", file="text"))["probed_in"], f"{self.dir}/other"
        )

    def test_a_mistyped_place_is_not_judged_by_what_stands_above(self):
        sentence, _ = self.complaint("doctor", "/no/such/place", code=2)
        self.assertIn(
            "there is no directory /no/such/place; to judge the nearest one that exists, run "
            "`cachetool",
            sentence,
        )
        self.assertIn(" doctor /`", sentence)
        sentence, _ = self.complaint("doctor", f"{self.dir}/an other", code=2)
        self.assertIn(f" doctor {self.dir}`", sentence)
        self.assertEqual(list(self.dir.iterdir()), [])

    def someone_else(self):
        """Returns how to start() the command as a user who can't write here: another one than root,
        who can write anywhere.
        """
        stranger = self.stranger() if os.geteuid() == 0 else {}
        subprocess.run(["chmod", "-R", "a+rX", self.dir], check=True)
        return stranger

    def test_directory_that_cannot_be_written(self):
        place = self.tree("theirs")
        os.chmod(place, 0o555)
        document = self.doctor("--cache", f"{place}/cache", code=1, **self.someone_else())
        self.assertEqual(verdicts(document)["permission"], "broken")
        self.assertIn(
            place,
            next(probe["found"] for probe in document["probes"] if probe["name"] == "permission"),
        )

    def mount(self, kind, options):
        place = self.tree(f"mount-{kind}-{os.urandom(2).hex()}")
        if (
            os.geteuid() != 0
            or subprocess.run(
                ["mount", "-t", kind, "-o", options, kind, place], capture_output=True, check=False
            ).returncode
            != 0
        ):
            self.skipTest(f"can't mount {kind}")
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        return place

    def test_mount_options(self):
        place = self.mount("tmpfs", "noatime,size=10m,nr_inodes=100")
        document = self.doctor(place)
        self.assertEqual(document["file_system"]["mount_point"], place)
        self.assertEqual(
            (verdicts(document)["access times"], verdicts(document)["space"]),
            ("limited", "limited"),
        )
        with open(f"{place}/full", "wb") as full, self.assertRaises(OSError):
            while True:
                full.write(b"x" * 65536)
                full.flush()
        document = self.doctor(place, code=1)
        self.assertEqual(verdicts(document)["space"], "broken")
        for probe in document["probes"]:
            self.assertNotIn("choose another file system", probe["effect"], probe["name"])
        said = self.tool("doctor", place, code=1)
        self.assertIn(
            "the disk is full, so whether larder works here can't be told: make room, and run "
            "doctor again\n",
            said,
        )
        self.assertNotIn("does not work here", said)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        self.assertEqual(verdicts(self.doctor(place, code=1))["mount"], "broken")

    def test_overlay(self):
        layers = self.mount("tmpfs", "size=20m")
        for name in ("lower", "upper", "work"):
            os.mkdir(f"{layers}/{name}")
        place = self.mount(
            "overlay", f"lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/work"
        )
        document = self.doctor(place)
        self.assertEqual(
            (document["file_system"]["type"], verdicts(document)["layers"]), ("overlay", "limited")
        )

    def pretend(self, inject, code, removed=True):
        """What doctor says where these system calls fail, in all its processes."""
        return self.doctor(
            code=code, removed=removed, tool="strace", args_before=self.strace(inject)
        )

    def strace(self, inject):
        # What is not traced is not injected either. A search for leaks, under the sanitizer, can't
        # be traced.
        return [
            "-E",
            "ASAN_OPTIONS=detect_leaks=0",
            "-f",
            "-qq",
            "-o",
            f"{self.dir}/trace",
            "-e",
            "trace=" + inject.split(":")[0],
            "-e",
            f"inject={inject}",
            TOOL,
        ]

    def start(self, *args, args_before=(), **more):
        return super().start(*args_before, *args, **more)

    @needs_strace
    def test_file_systems_that_can_do_less(self):
        for inject, code, expected in [
            (
                "renameat2:error=EINVAL",
                0,
                {"exchange": "limited", "rename no-replace": "limited", "larder": "ok"},
            ),
            (
                "symlink,symlinkat:error=EPERM",
                0,
                {"symlinks": "limited", "exchange": "ok", "larder": "ok"},
            ),
            ("link,linkat:error=EPERM", 0, {"hard links": "limited", "larder": "ok"}),
            (
                "utimensat:error=EPERM",
                0,
                {"times": "limited", "times of symlinks": "limited", "larder": "ok"},
            ),
            ("mkdir,mkdirat:error=EROFS", 1, {"permission": "broken"}),
        ]:
            with self.subTest(inject):
                verdict = verdicts(self.pretend(inject, code=code))
                self.assertEqual({name: verdict.get(name) for name in expected}, expected)

    @needs_strace
    def test_no_locks(self):
        # No directory can be listed without that call, either: what is left is told.
        verdict = verdicts(self.pretend("fcntl:error=ENOLCK", code=1, removed=False))
        broken = {name for name, what in verdict.items() if what == "broken"}
        self.assertEqual(broken, {"locks of bytes", "locks of files", "larder"})
        (left,) = self.dir.glob("larder-doctor-*")
        shutil.rmtree(left)
        _, err = self.finish(
            self.start("doctor", tool="strace", args_before=self.strace("fcntl:error=ENOLCK")),
            code=1,
        )
        self.assertRegex(
            err, r"cachetool: .*larder-doctor-\w+ could not be removed \(.*\): please delete it"
        )

    def narrow_locks(self, how):
        """Returns the environment in which locks know only 32 bits of an offset."""
        if "NARROW_LOCKS_LIBRARY" not in os.environ:
            self.skipTest("this build can't preload a library")
        return {"LD_PRELOAD": os.environ["NARROW_LOCKS_LIBRARY"], "NARROW_LOCKS": how}

    def test_locks_of_high_bytes_that_are_refused(self):
        narrow = self.narrow_locks("refuse")
        verdict = verdicts(self.doctor(code=1, env=narrow))
        broken = {name for name, what in verdict.items() if what == "broken"}
        self.assertEqual(broken, {"locks of bytes", "larder"})
        # What the command says names the call, the file, and what to do.
        self.put()
        source = self.tree(file="text")
        for command, call in [
            (("remove", "b", "k"), "F_OFD_SETLK"),
            (("put", "b", "new", source), "F_OFD_GETLK"),
            (("build", "b", "new", "--", "true"), "F_OFD_SETLK"),
        ]:
            _, err = self.finish(self.start(*command, env=narrow), code=1)
            self.assertRegex(
                err,
                rf"lock {self.root}/locks: .*refuses file locks \(fcntl {call} of byte \d{{19}}\); "
                "name a directory on another file system",
            )

    def test_locks_that_take_high_bytes_for_low_ones(self):
        document = self.doctor(code=1, env=self.narrow_locks("cut"))
        (probe,) = [each for each in document["probes"] if each["name"] == "locks of bytes"]
        self.assertEqual(
            (probe["verdict"], probe["found"]), ("broken", "take different bytes for one")
        )

    def test_network_is_what_the_library_takes_for_one(self):
        document = self.doctor(
            code=1, tool=TESTING_TOOL, env={"LARDER_TEST_POINTS": "open.network=1"}
        )
        self.assertEqual(
            {name for name, verdict in verdicts(document).items() if verdict == "broken"},
            {"network"},
        )
        self.assertIn(
            "network file system (NFS)",
            next(probe["found"] for probe in document["probes"] if probe["name"] == "network"),
        )

    @needs_strace
    def test_leaves_nothing_when_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for call in ("renameat2:when=1", "linkat:when=1", "renameat2:when=5"):
                inject = call.replace(":", f":signal={number.value}:")
                process = self.start("doctor", tool="strace", args_before=self.strace(inject))
                out, _ = process.communicate(timeout=HANGS)
                self.assertEqual((process.returncode, out), (-number, b""), (number, call))
                self.assertEqual(list(self.dir.glob("larder-doctor-*")), [])

    def test_leaves_nothing_when_its_reader_has_gone(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        self.finish(self.start("doctor", stdout=write_end), code=141)
        os.close(write_end)
        self.assertEqual(list(self.dir.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
