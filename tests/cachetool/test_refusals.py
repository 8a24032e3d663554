# SPDX-License-Identifier: MIT
"""File systems and sandboxes that refuse calls in odd ways. Where larder has a second way, every
refusal of the first one leads to it, whether larder knows the error or not.
"""

import json
import os
import subprocess
import unittest

from harness import HANGS, TOOL, CacheTest

REFUSE = os.environ["REFUSE"]

# Known refusals and strange ones. The last one comes from no file system at all.
ERRORS = (
    "EPERM",
    "EACCES",
    "ENOSYS",
    "EOPNOTSUPP",
    "EINVAL",
    "EOVERFLOW",
    "EINTR",
    "EIO",
    "ENOTTY",
    "EDOM",
)
CLONE = "ioctl:1=0x40049409"  # FICLONE
LOCK = "fcntl:1=37"  # F_OFD_SETLK


class RefusalTest(CacheTest):
    def setUp(self):
        super().setUp()
        tried = subprocess.run(
            [REFUSE, "openat2=EDOM", "--", "true"], check=False, capture_output=True, text=True
        )
        if tried.returncode != 0:
            self.skipTest(tried.stderr)
        self.source = self.tree("src", f1="one", f2="two")
        os.mkdir(f"{self.source}/sub")
        os.symlink("f1", f"{self.source}/link")

    def refused(self, rules, *arguments, code=0):
        """Runs the command while calls are refused. Returns its stdout and stderr."""
        process = self.start(*rules, "--", TOOL, *arguments, tool=REFUSE)
        out, err = process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, code, f"{rules} {arguments}: {err.decode()}")
        return out.decode(), err.decode()

    def each_error(self):
        """Gives each error in a cache of its own."""
        for number, error in enumerate(ERRORS):
            self.root = self.dir / f"cache-{number}"
            self.env["LARDER_CACHE_DIR"] = str(self.root)
            yield error

    def assert_sound(self):
        self.tool("gc")
        document = self.json("verify")
        self.assertTrue(document["sound"], document)


class SecondWays(RefusalTest):
    def test_linkat_that_answers_eacces_install_copies(self):
        for error in self.each_error():
            self.tool("put", "b", "k", self.source)
            place = str(self.dir / f"installed-{error}")
            document, _ = self.refused(
                [f"linkat={error}", f"{CLONE}={error}"], "--json", "install", "b", "k", place
            )
            self.assertIn('"copied": 2', document)
            self.assert_same_tree(self.source, place)

    def test_target_that_refuses_chmod_or_utime_install_goes_on_with_a_warning(self):
        os.chmod(f"{self.source}/f1", 0o755)
        os.utime(f"{self.source}/f2", (1, 1))
        self.tool("put", "b", "k", self.source)
        for error in [*ERRORS[:7], "ENOTTY", "EDOM"]:
            for calls in (["fchmod"], ["utimensat"], ["fchmod", "utimensat"]):
                for mode in "auto", "copy":
                    rules = [f"{call}={error}" for call in calls] + ["linkat=EACCES"]
                    place = str(self.dir / f"installed-{error}-{len(calls)}-{calls[0]}-{mode}")
                    out, err = self.refused(
                        rules, "--json", "install", "b", "k", place, "--link-mode", mode
                    )
                    self.assert_same_tree(self.source, place)
                    # Two files, and two directories.
                    self.assertEqual(json.loads(out)["inexact"], 4, (rules, out))
                    self.assertEqual(json.loads(out)["copied"], 2)
                    self.assertIn("4 files and directories in " + place + " have not the mode", err)
                    # What was made is filled, too.
                    _, err = self.refused(
                        rules,
                        "--quiet",
                        "install",
                        "b",
                        "k",
                        place,
                        "--link-mode",
                        mode,
                        "--replace",
                    )
                    self.assertIn("2 files and directories in ", err)
        # A hard link has all that its source has.
        document, err = self.refused(
            ["fchmod=EPERM", f"{CLONE}=EACCES"],
            "--json",
            "install",
            "b",
            "k",
            str(self.dir / "linked"),
            "--link-mode",
            "hardlink",
        )
        self.assertEqual(
            (json.loads(document)["hardlinked"], json.loads(document)["inexact"]), (2, 2)
        )
        # A full or broken disk is no refusal.
        for error in "EIO", "ENOSPC":
            place = str(self.dir / f"broken-{error}")
            self.refused(
                [f"fchmod={error}"], "install", "b", "k", place, "--link-mode", "copy", code=1
            )
            self.assertFalse(os.path.exists(place))

    def test_attributes_that_can_not_be_read_or_set_are_counted_and_never_empty(self):
        try:
            for path in (f"{self.source}/f1", f"{self.source}/sub"):
                os.setxattr(path, "user.larder", b"value")
        except OSError as error:
            self.skipTest(f"attributes: {error}")
        self.tool("put", "b", "k", self.source)
        for call in "fgetxattr", "fsetxattr", "flistxattr":
            for error in [*ERRORS[:7], "ENOTTY", "EDOM"]:
                place = str(self.dir / f"installed-{call}-{error}")
                out, err = self.refused(
                    [f"{call}={error}", "linkat=EACCES"], "--json", "install", "b", "k", place
                )
                self.assert_same_tree(self.source, place)
                for path in ("f1", "sub"):
                    self.assertNotIn("user.larder", os.listxattr(f"{place}/{path}"), (call, error))
                if (call, error) == (
                    "flistxattr",
                    "EOPNOTSUPP",
                ):  # the file system has no attributes
                    self.assertEqual(json.loads(out)["inexact"], 0)
                    continue
                # A file whose list can't be read may have some. So all count: two files, two
                # directories.
                lost = 4 if call == "flistxattr" else 2
                self.assertEqual(json.loads(out)["inexact"], lost, (call, error))
                self.assertIn(f"{lost} files and directories in {place}", err)
        place = str(self.dir / "whole")
        document = self.json("install", "b", "k", place, "--link-mode", "copy")
        self.assertEqual(document["inexact"], 0)
        self.assertEqual(os.getxattr(f"{place}/f1", "user.larder"), b"value")

    def test_cache_that_refuses_chmod_or_utime_put_and_restore_fail(self):
        self.tool("put", "b", "k", self.source)
        self.tool("remove", "b", "k")
        for call, said in ("fchmod", "set mode"), ("utimensat", "set time"):
            for command in (
                ["put", "b", "k", self.source],
                ["trash", "restore", "--bucket", "b", "--key", "k"],
            ):
                _, err = self.refused([f"{call}=EPERM"], *command, code=1)
                self.assertIn(said, err)
        self.tool("get", "b", "k", code=3)

    def test_clone_ioctl_that_answers_eacces_put_copies(self):
        for error in self.each_error():
            path, _ = self.refused([f"{CLONE}={error}"], "put", "b", "k", self.source)
            self.assert_same_tree(self.source, path.strip())
            self.assert_sound()

    def test_clone_that_is_refused_for_a_later_file_put_copies(self):
        for error in self.each_error():
            path, _ = self.refused([f"{CLONE}={error}@2+"], "put", "b", "k", self.source)
            self.assert_same_tree(self.source, path.strip())

    def test_renameat2_that_answers_eperm_put_into_a_new_cache(self):
        for error in self.each_error():
            self.refused([f"renameat2={error}"], "put", "b", "k", self.source)
            path, _ = self.refused([f"renameat2={error}"], "put", "b", "k", self.source)
            self.assert_same_tree(self.source, path.strip())
            self.refused([f"renameat2={error}"], "put", "b", "other", self.source)
            self.refused([f"renameat2={error}"], "remove", "b", "other")
            self.refused([f"renameat2={error}"], "refresh", "b")
            self.refused([f"renameat2={error}"], "gc")
            self.assert_sound()

    def test_copying_in_the_kernel_that_is_refused_midway(self):
        with open(f"{self.source}/large", "wb") as file:
            file.write(os.urandom(1 << 20))
        for error in self.each_error():
            for which in "", "@2+":
                path, _ = self.refused(
                    [f"copy_file_range={error}{which}", f"{CLONE}={error}"],
                    "put",
                    "b",
                    "k",
                    self.source,
                )
                self.assert_same_tree(self.source, path.strip())

    def test_openat2_that_is_refused_gc_deletes(self):
        for error in self.each_error():
            self.tool("put", "b", "k", self.source)
            self.tool("remove", "b", "k")
            self.refused([f"openat2={error}"], "gc")
            self.assertEqual(os.listdir(self.root / "archive"), [])
            self.assertEqual(os.listdir(self.root / "deleting"), [])

    def test_shared_mapping_that_is_refused_the_table_is_written(self):
        for error in self.each_error():
            self.refused([f"mmap:3=1={error}"], "put", "b", "k", self.source)  # MAP_SHARED
            out, _ = self.refused(
                [f"mmap:3=1={error}"], "exec", "b", "k", "--", TOOL, "--json", "status"
            )
            self.assertEqual([lease["key"] for lease in json.loads(out)["leases"]], ["k"])

    def test_fsync_that_is_refused_the_file_system_is_synced(self):
        for error in self.each_error():
            if error != "EIO":  # that is the disk's answer, and no refusal
                self.refused([f"fsync={error}"], "put", "b", "k", self.source)

    def test_getrandom_refused_the_device_is_read(self):
        for error in self.each_error():
            self.refused([f"getrandom={error}"], "put", "b", "k", self.source)

    def test_memory_that_the_kernel_does_not_wipe(self):
        for error in self.each_error():
            self.refused([f"madvise={error}"], "put", "b", "k", self.source)


class NoSecondWay(RefusalTest):
    """What nothing can replace is an error that says what to do. Nothing waits, aborts or breaks.
    """

    @unittest.skipIf(
        "SANITIZED" in os.environ, "the sanitizers repeat an interrupted write for ever"
    )
    def test_writes_that_signals_always_interrupt_end_doctor(self):
        process = self.start("write=EINTR", "--", TOOL, "doctor", tool=REFUSE)
        process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, 1)

    def test_locks_that_are_refused_are_an_error_at_once(self):
        for error in self.each_error():
            _, err = self.refused([f"{LOCK}={error}"], "put", "b", "k", self.source, code=1)
            self.assertIn("refuses file locks (fcntl F_OFD_SETLK of the whole file)", err)
            self.assertLess(len(os.listdir(self.root / "participants")), 2)

    def test_a_full_disk_adds_no_tables(self):
        self.tool("put", "b", "k", self.source)
        for _ in range(3):
            _, err = self.refused(["pwrite64=ENOSPC"], "exec", "b", "k", "--", "true", code=1)
            self.assertIn("No space left", err)
        self.assertEqual(os.listdir(self.root / "participants"), ["0"])
        self.assertEqual(os.listdir(self.root / "staging"), ["0"])
        # A pool that is empty gets one table, and not one for each try.
        os.remove(self.root / "participants/0")
        for _ in range(3):
            self.refused(["pwrite64=ENOSPC"], "exec", "b", "k", "--", "true", code=1)
        self.assertEqual(os.listdir(self.root / "participants"), ["0"])
        self.tool("exec", "b", "k", "--", "true")

    def test_an_entry_of_another_cache_is_not_moved_whatever_can_not_be_told(self):
        other = str(self.dir / "other")
        entry = self.tool("--cache", other, "put", "b", "k", self.source).rstrip("\n")
        stands = f"{self.dir}/stands"
        for call in (
            "openat",
            "open",
            "newfstatat",
            "stat",
            "lstat",
            "statx",
            "readlink",
            "readlinkat",
            "fstat",
            "read",
        ):
            for error in ("EACCES", "EIO"):
                for number in range(1, 25):
                    process = self.start(
                        f"{call}={error}@{number}",
                        "--",
                        TOOL,
                        "put",
                        "--move",
                        "b",
                        "k",
                        entry,
                        tool=REFUSE,
                    )
                    _, err = process.communicate(timeout=HANGS)
                    self.assertNotEqual(process.returncode, 0, (call, error, number))
                    self.assertTrue(os.path.isdir(entry), (call, error, number, err))
        self.tool("--cache", other, "verify")

    def test_nothing_is_installed_into_a_cache_whatever_can_not_be_told(self):
        other = self.dir / "other"
        entry = self.tool("--cache", str(other), "put", "b", "k", self.source).rstrip("\n")
        self.tool("put", "b", "k", self.source)
        for call in (
            "openat",
            "open",
            "newfstatat",
            "stat",
            "lstat",
            "statx",
            "readlink",
            "readlinkat",
        ):
            for number in range(1, 25):
                process = self.start(
                    f"{call}=EACCES@{number}",
                    "--",
                    TOOL,
                    "install",
                    "b",
                    "k",
                    f"{entry}/new",
                    tool=REFUSE,
                )
                process.communicate(timeout=HANGS)
                self.assertNotEqual(process.returncode, 0, (call, number))
                self.assertFalse(os.path.exists(f"{entry}/new"), (call, number))

    def test_getrandom_refused_is_an_error(self):
        bare = self.dir / "bare"
        (bare / "shm").mkdir(parents=True)
        # What the test itself uses may lie in /dev/shm.
        hide_dev = """
            test ! -d /dev/shm || mount --bind /dev/shm "$0/shm"
            mount --rbind "$0" /dev && exec "$@"
        """
        for error in self.each_error():
            # In this root there is no /dev/urandom either.
            process = self.start(
                "--mount",
                "--",
                "sh",
                "-c",
                hide_dev,
                str(bare),
                REFUSE,
                f"getrandom={error}",
                "--",
                TOOL,
                "put",
                "b",
                "k",
                self.source,
                tool="unshare",
            )
            _, err = process.communicate(timeout=HANGS)
            if b"unshare" in err or b"mount:" in err:
                self.skipTest(err.decode())
            self.assertEqual(process.returncode, 1, err.decode())
            self.assertRegex(err.decode(), "draw a random number /dev/urandom: this sandbox")

    def test_readlink_that_is_refused_is_no_damage(self):
        self.tool("put", "b", "k", self.source)
        for error in ERRORS:
            process = self.start(
                f"readlinkat={error}@1+", "--", TOOL, "--json", "get", "b", "k", tool=REFUSE
            )
            out, _ = process.communicate(timeout=HANGS)
            self.assertIn(process.returncode, (0, 1), out)
        self.assertTrue(self.json("verify")["sound"])

    def test_renames_that_deny_the_mark_end_a_destroy(self):
        self.tool("put", "b", "k", self.source)
        rules = [f"{call}=ENOENT" for call in ("rename", "renameat", "renameat2")]
        _, said = self.refused(rules, "destroy", code=1)
        self.assertIn("No such file or directory", said)
        self.assert_same_tree(self.source, self.tool("get", "b", "k").strip())
        self.tool("destroy")
        self.assertFalse(self.root.exists())

    def test_a_table_that_can_not_be_opened_says_what_to_do(self):
        self.tool("put", "b", "k", self.source)
        found = 0
        for number in range(1, 100):
            process = self.start(
                f"openat=EPERM@{number}", "--", TOOL, "--json", "gc", tool=REFUSE
            )
            out, _ = process.communicate(timeout=HANGS)
            error = json.loads(out or "{}").get("error", {})
            if "/participants/" not in (error.get("path") or ""):
                continue
            found += 1
            self.assertIn("`cachetool ", error["message"])
        self.assertGreater(found, 0)

    def test_pin_that_is_denied_to_its_removal_is_no_pin_that_is_missing(self):
        self.tool("put", "b", "k", self.source)
        self.tool("pin", "b", "k")
        _, said = self.refused(["unlinkat=ENOENT"], "unpin", "b", "k", code=1)
        self.assertIn("denies it to each call that changes it", said)
        self.assertIn("doctor` tests one", said)
        # If it is denied once, it is removed at the second attempt.
        self.refused(["unlinkat=ENOENT@1"], "unpin", "b", "k")
        self.tool("unpin", "b", "k", code=3)


if __name__ == "__main__":
    unittest.main()
