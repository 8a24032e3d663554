# SPDX-License-Identifier: MIT
"""What another user, a mount or a flag keeps a destroy and a repair from doing: nothing is half
done, and the message says why.
"""

import os
import subprocess
import unittest

from harness import TOOL, CacheTest

USER = 65534


class OtherUsers(CacheTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("not root, who can become another user")
        os.chown(self.dir, USER, USER)
        self.own = self.stranger()

    def run_as_user(self, *args, code=0, before=()):
        """Runs the command as the user to whom the cache belongs. Returns stdout and stderr."""
        how = dict(self.own)
        tool = how.pop("tool")
        if before:
            args, tool = [*before[1:], tool, *args], before[0]
        return self.finish(self.start(*args, tool=tool, **how), code)

    def put_as_user(self, bucket="b", key="k"):
        source = self.tree(f"source-{bucket}-{key}", file="text")
        self.run_as_user("put", bucket, key, source)

    def assert_refused(self, path, before=()):
        """A destroy and its dry run are refused, name the owner of the path, and change nothing."""
        for option in ["-n"], []:
            _, err = self.run_as_user("destroy", *option, code=1, before=before)
            self.assertIn(f"{path}: it belongs to user root (0)", err)
            self.assertIn("ask that user, or an administrator", err)
        self.run_as_user("get", "b", "k")

    def give_to_root(self, path):
        subprocess.run(["chown", "-hR", "0:0", path], check=True)


class Destroy(OtherUsers):
    def test_a_refreshed_bucket_of_another_user(self):
        self.put_as_user()
        self.put_as_user("c")
        self.run_as_user("refresh", "c", "--keep-garbage")
        (retired,) = (self.root / "retired" / "buckets").iterdir()
        self.give_to_root(retired)
        self.assert_refused(retired)

    def test_the_tree_of_an_entry_of_another_user(self):
        self.put_as_user()
        (entry,) = (self.root / "archive").iterdir()
        self.give_to_root(entry / "tree")
        (entry / "tree").chmod(0o700)
        for option in ["-n"], []:
            _, err = self.run_as_user("destroy", *option, code=1)
            self.assertIn(f"{entry / 'tree'}: it belongs to user root (0)", err)
        self.assertTrue((self.root / "buckets" / "b" / "k" / "file").exists())

    def test_a_sticky_directory_of_another_user(self):
        self.put_as_user()
        bucket = self.root / "buckets" / "b"
        self.give_to_root(bucket)
        bucket.chmod(0o1777)
        self.assert_refused(bucket)
        os.chown(bucket / "k", USER, USER, follow_symlinks=False)
        self.run_as_user("destroy")

    def test_the_superuser_of_a_user_namespace(self):
        inside = ["unshare", "--user", "--map-root-user", "--"]
        tried = subprocess.run(
            [*inside, "true"], check=False, capture_output=True, user=USER, group=USER
        )
        if tried.returncode != 0:
            self.skipTest(f"no user namespaces: {tried.stderr.decode()}")
        self.put_as_user()
        bucket = self.root / "buckets" / "b"
        os.chown(bucket, 0, 0)
        bucket.chmod(0o700)
        for option in ["-n"], []:
            _, err = self.run_as_user("destroy", *option, code=1, before=inside)
            self.assertIn(f"{bucket}: it belongs to user ", err)
        _, err = self.run_as_user("get", "b", "k", code=1, before=inside)
        self.assertIn("belongs to user nobody (65534)", err)
        os.chown(bucket, USER, USER)
        self.run_as_user("get", "b", "k")

    def test_a_superuser_without_privileges(self):
        bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]
        os.chown(self.dir, 0, 0)
        self.put()
        bucket = self.root / "buckets" / "b"
        os.chown(bucket, USER, USER)
        bucket.chmod(0o700)
        for option in ["-n"], []:
            process = self.start(*bare[1:], TOOL, "destroy", *option, tool=bare[0])
            _, err = self.finish(process, 1)
            self.assertIn(f"{bucket}: it belongs to user nobody (65534)", err)
        _, err = self.finish(self.start(*bare[1:], TOOL, "get", "b", "k", tool=bare[0]), 1)
        self.assertIn("belongs to user nobody (65534)", err)
        self.tool("get", "b", "k")
        self.tool("destroy")

    def test_what_is_to_be_deleted_belongs_to_another_user(self):
        self.put_as_user()
        doomed = self.root / "deleting" / "0000000000000000000000doom"
        (doomed / "tree").mkdir(parents=True)
        os.chown(doomed, USER, USER)
        (doomed / "tree").chmod(0o700)
        self.assert_refused(doomed / "tree")

    def test_root_destroys_all_of_it(self):
        self.put_as_user()
        self.tool("destroy")
        self.assertFalse(self.root.exists())


class Repair(CacheTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("not root, who can mount and set flags")
        self.put()

    def blocked_name(self):
        blocking = self.root / "buckets" / "b" / "kk"
        blocking.mkdir()
        (blocking / "mine").write_text("precious")
        return blocking

    def test_what_lies_behind_a_mount_is_not_deleted(self):
        blocking = self.blocked_name()
        buckets = self.root / "buckets"
        if subprocess.run(["mount", "--bind", buckets, buckets], check=False).returncode != 0:
            self.skipTest("this sandbox mounts nothing")
        self.addCleanup(subprocess.run, ["umount", "--quiet", buckets], check=False)
        out = self.tool("verify", "--repair", code=5)
        self.assertIn("it was not repaired", out)
        self.assertIn("something is mounted at one of the two places: unmount it", out)
        self.assertEqual((blocking / "mine").read_text(), "precious")
        subprocess.run(["umount", buckets], check=True)
        self.tool("verify", "--repair")
        (moved,) = (self.root / "deleting").rglob("mine")
        self.assertEqual(moved.read_text(), "precious")

    def test_it_says_why_it_has_not_repaired(self):
        (self.root / "CACHEDIR.TAG").unlink()
        (self.root / "pins" / "b").mkdir(parents=True)
        tag = self.root / "CACHEDIR.TAG"
        pin = self.root / "pins" / "b" / "kk"
        for path in tag, pin:
            path.mkdir()
            if subprocess.run(["chattr", "+i", path], check=False).returncode != 0:
                path.rmdir()
                self.skipTest("no immutable directories here")
            self.addCleanup(subprocess.run, ["chattr", "-i", path], check=False)
        findings = self.json("verify", "--repair", code=5)["findings"]
        said = {finding["path"]: finding["what"] for finding in findings}
        for path in tag, pin:
            self.assertIn("it was not repaired: rename", said[str(path)])
            self.assertIn("Operation not permitted", said[str(path)])


if __name__ == "__main__":
    unittest.main()
