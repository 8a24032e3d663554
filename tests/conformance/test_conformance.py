# SPDX-License-Identifier: MIT
"""larder and an independent implementation of docs/format.md work on one cache at the same time.

If one of these tests fails, then either that page or larder has changed without the other.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("cachetool", "golden", "support")]

import larder_format  # noqa: E402
import make_golden  # noqa: E402
import trees_differ  # noqa: E402
from harness import HANGS, CacheTest  # noqa: E402
from test_entries import HOSTILE_KEYS  # noqa: E402
from worker import BUCKETS, KEYS, fill_with  # noqa: E402

WORKER = pathlib.Path(__file__).with_name("worker.py")

# Escapes of three characters are cut at each of their characters; and one key is as long as a name.
LONG_KEYS = [
    *("x" * shift + "\u00e9" * 100 for shift in range(4)),
    *("y" * length for length in (199, 200, 201)),
]
ODD_BUCKETS = [
    ".", "..", "a/b", "Upper", "new\nline", "sn\u2603w", "%", "--x", "trailing.", "b" * 128
]


def assert_sound(test):
    """Lets `cachetool verify` judge the cache of a test, with and without --content."""
    for options in ([], ["--content"]):
        document = json.loads(test.tool("verify", "--json", *options))
        test.assertEqual((document["sound"], document["findings"]), (True, []))


class Kind:
    """The tests, for one kind of links and buckets. Each starts with an empty cache."""

    links = buckets = ""

    def setUp(self):
        super().setUp()
        self.env["CACHETOOL"] = os.environ["CACHETOOL"]
        make_golden.make_empty_cache(self.root, self.links, self.buckets)
        self.cache = self.open()

    def json(self, *args):
        """Returns the document of a command, whose form other tests check."""
        return json.loads(self.tool("--json", *args))

    def open(self, **more):
        cache = larder_format.Cache(self.root, **more)
        self.addCleanup(cache.close)
        self.assertEqual((cache.links, cache.buckets), (self.links, self.buckets))
        return cache

    def worker(self, *args):
        return self.start(
            "-B", WORKER, self.root, *map(str, args), tool=sys.executable,
            stdin=subprocess.PIPE, env={"PYTHONDONTWRITEBYTECODE": "1"},
        )

    def put_odd(self, bucket="b", key="k", **more):
        """Puts a tree of everything by Python. Returns its source and the lease."""
        source = self.dir / f"source-{os.urandom(4).hex()}"
        make_golden.make_source(source)

        def fill(tree):
            subprocess.run(["cp", "-a", f"{source}/.", tree], check=True)

        return source, self.cache.put(bucket, key, fill, **more)

    def assert_sound(self):
        assert_sound(self)

    def assert_exactly_the_live(self):
        """One gc leaves the entries that keys name, and nothing else."""
        self.tool("gc")
        live = {entry["id"] for entry in self.json("ls")["entries"]}
        self.assertEqual(set(os.listdir(self.root / "archive")), live)
        for name in ("retired/links", "retired/buckets", "deleting"):
            self.assertEqual(os.listdir(self.root / name), [], name)
        for stage in (self.root / "staging").iterdir():
            self.assertEqual(os.listdir(stage), [], stage)
        if self.buckets == "pointer":
            self.assertEqual(
                len(os.listdir(self.root / "generations")),
                len(os.listdir(self.root / "buckets")),
            )

    # Entries

    def test_larder_reads_what_python_put(self):
        source, lease = self.put_odd()
        self.assertEqual(self.tool("get", "b", "k"), f"{lease.path}\n")
        self.tool("install", "b", "k", str(self.dir / "out"))
        self.assertEqual(trees_differ.rsync_differences(source, self.dir / "out"), [])
        info = self.json("info", "b", "k")
        size = sum(
            path.stat().st_size for path in source.rglob("*")
            if path.is_file() and not path.is_symlink() and path.name != "same"
        )
        self.assertEqual((info["bytes"], info["files"]), (size, 6))
        self.assert_sound()

    def test_python_reads_what_larder_put(self):
        source = self.dir / "source"
        make_golden.make_source(source)
        path = self.tool("put", "b", "k", str(source)).rstrip("\n")
        self.assertEqual(self.cache.peek("b", "k"), path)
        with self.cache.get("b", "k") as lease:
            self.assertEqual(lease.path, path)
            self.assertEqual(trees_differ.rsync_differences(source, path), [])
        entry = pathlib.Path(path).parent
        record = larder_format.Record.of((entry / "record").read_bytes())
        self.assertEqual((record.bucket, record.key), ("b", "k"))
        lines = larder_format.lines_of_manifest((entry / "manifest").read_bytes())
        self.assertEqual(lines, larder_format.Survey.of(path).lines)

    def test_python_finds_damage(self):
        """Each byte of a record and of a manifest matters."""
        self.tool("put", "b", "k", self.tree(file="text", other="more"))
        entry = pathlib.Path(self.cache.peek("b", "k")).parent
        for name, parse in [
            ("record", larder_format.Record.of), ("manifest", larder_format.lines_of_manifest)
        ]:
            text = (entry / name).read_bytes()
            self.assertIsNotNone(parse(text))
            for at in range(len(text)):
                self.assertIsNone(parse(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]), at)
                self.assertIsNone(parse(text[:at]))

    def test_each_replaces_what_the_other_put(self):
        for exchange in (True, False):
            cache = self.open(exchange=exchange)
            with cache.put("b", "k", fill_with("python")) as lease:
                self.assertEqual(self.tool("get", "b", "k"), f"{lease.path}\n")
                path = self.put("b", "k")
                with cache.get("b", "k") as other:
                    self.assertEqual(other.path, str(path))
                    with cache.put("b", "k", fill_with("again")) as third:
                        self.assertEqual(self.tool("get", "b", "k"), f"{third.path}\n")
            self.assert_sound()
            self.assert_exactly_the_live()

    def test_each_removes_what_the_other_put(self):
        self.put("b", "k")
        self.assertTrue(self.cache.remove("b", "k"))
        self.assertFalse(self.cache.remove("b", "k"))
        self.assertFalse(self.cache.remove("no such bucket", "k"))
        self.tool("get", "b", "k", code=3)
        self.cache.put("b", "k", fill_with("text")).release()
        self.tool("remove", "b", "k")
        self.assertIsNone(self.cache.get("b", "k"))
        self.assert_exactly_the_live()

    def test_each_refreshes_what_the_other_put(self):
        self.put("b", "k")
        self.assertTrue(self.cache.refresh("b"))
        self.assertFalse(self.cache.refresh("b"))
        self.tool("get", "b", "k", code=3)
        self.cache.put("b", "k", fill_with("text")).release()
        self.tool("refresh", "b")
        self.assertIsNone(self.cache.get("b", "k"))
        self.assert_exactly_the_live()

    def test_what_fails_leaves_nothing(self):
        def fill(tree):
            fill_with("text")(tree)
            os.mkfifo(f"{tree}/pipe")

        self.assertRaises(ValueError, self.cache.put, "b", "k", fill)
        self.assert_exactly_the_live()
        self.assertEqual(self.json("ls")["entries"], [])

    def test_files_from_before_1970(self):
        source = pathlib.Path(self.tree(file="text"))
        os.utime(source / "file", ns=(0, -1_500_000_000))
        theirs = pathlib.Path(self.tool("put", "b", "theirs", str(source)).rstrip("\n")).parent

        def fill(tree):
            subprocess.run(["cp", "-a", source / "file", tree], check=True)

        with self.cache.put("b", "ours", fill) as lease:
            for entry in (theirs, pathlib.Path(lease.path).parent):
                text = (entry / "manifest").read_bytes()
                self.assertIn(b"\nnewest -2.500000000\n", text)
                self.assertIsNotNone(larder_format.lines_of_manifest(text))
        self.assert_sound()

    def test_an_old_link_gets_the_time_of_its_use(self):
        self.put("b", "k")
        directory, path = self.cache._place("b", "k")
        os.utime(path, (1, 1), dir_fd=directory, follow_symlinks=False)
        self.cache.get("b", "k").release()
        used = os.stat(path, dir_fd=directory, follow_symlinks=False).st_mtime
        self.assertLess(abs(time.time() - used), HANGS)
        said = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(used))
        self.assertTrue(self.json("info", "b", "k")["last_used"].startswith(said))

    def test_metadata_and_producer(self):
        self.put_odd(metadata=b"https://example.org/ \n")
        info = self.json("info", "b", "k")
        self.assertEqual(info["producer"], "larder_format.py")
        self.assertEqual(info["metadata"], "https://example.org/ \n")

    # Names

    def test_keys_have_the_same_names(self):
        self.tool("put", "b", "first", self.tree("one", file="text"))
        keys = ["first", *HOSTILE_KEYS, *LONG_KEYS]
        for key in keys[1:]:
            self.tool("put", "--empty-key", "--", "b", key, str(self.dir / "one"))
        expected = {larder_format.key_name(key, self.cache.names): key for key in keys}
        self.assertEqual(len(expected), len(keys))
        directory, path = self.cache._place("b", "k")
        folder = pathlib.Path(f"/proc/self/fd/{directory}", path).parent
        self.assertEqual(set(os.listdir(folder)), set(expected))
        for key in keys:
            with self.cache.get("b", key) as lease:
                record = pathlib.Path(lease.path).with_name("record").read_bytes()
                self.assertEqual(larder_format.Record.of(record).key, key)
        # and the other way: larder obtains what Python put
        self.cache.refresh("b")
        for key in keys:
            with self.cache.put("b", key, fill_with("text")) as lease:
                got = self.tool("get", "--empty-key", "--", "b", key)
                self.assertEqual(got, f"{lease.path}\n")
        self.assert_sound()

    def test_keys_of_a_cache_of_short_names(self):
        form = self.root / "format"
        form.write_text(form.read_text().replace("larder 5\n", "larder 5\nnames 143\n"))
        self.cache = self.open()
        self.assertEqual(self.cache.names, 143)
        for shift in range(4):
            key = "x" * shift + "\u00e9" * 100
            with self.cache.put("b", key, fill_with("text")) as lease:
                self.assertEqual(self.tool("get", "b", key), f"{lease.path}\n")
        self.assert_sound()

    def test_buckets_have_the_same_names(self):
        for bucket in ODD_BUCKETS:
            source, lease = self.put_odd(bucket)
            self.assertEqual(self.tool("get", "--", bucket, "k"), f"{lease.path}\n")
        self.assert_sound()
        self.assertTrue(all(map(self.cache.refresh, ODD_BUCKETS)))
        for bucket in ODD_BUCKETS:
            self.tool("put", "--", bucket, "k", str(source))
            path = self.cache.peek(bucket, "k")
            self.assertEqual(self.tool("get", "--", bucket, "k"), f"{path}\n")
        for bucket in ("", "b" * 129, "\u2603" * 15):
            self.tool("put", "--", bucket, "k", str(source), code=2)
            self.assertRaises(ValueError, self.cache.peek, bucket, "k")

    # Leases

    def test_a_lease_outlives_every_purge(self):
        purges = [["refresh", "b"], ["refresh", "--all"], ["remove", "b", "k"]]
        for put in (lambda: self.put_odd()[1], lambda: self.put() and self.cache.get("b", "k")):
            for purge in purges:
                lease = put()
                before = larder_format.Survey.of(lease.path)
                self.tool(*purge)
                self.tool("gc")
                self.tool("gc", "--max-entries", "0")
                self.assertEqual(larder_format.Survey.of(lease.path), before)
                self.assertIsNone(self.cache.get("b", "k"))
                lease.release()
                self.tool("gc")
                self.assertFalse(os.path.exists(lease.path))
        self.assert_exactly_the_live()

    def test_a_leased_entry_is_not_evicted(self):
        lease = self.put_odd()[1]
        self.tool("gc", "--max-entries", "0")
        self.assertEqual(self.cache.peek("b", "k"), lease.path)
        lease.release()
        self.tool("gc", "--max-entries", "0")
        self.assertIsNone(self.cache.peek("b", "k"))

    def test_status_names_the_process_until_it_leaves(self):
        lease = self.put_odd()[1]
        (process,) = self.json("status")["processes"]
        self.assertEqual(process["pid"], os.getpid())
        self.assertIn(os.path.basename(sys.executable), process["command"])
        self.assertIn(lease.identity, json.dumps(self.json("status")))
        self.cache.close()
        self.assertEqual(self.json("status")["processes"], [])
        # Its number is free for others.
        with self.open() as again:
            self.assertEqual(again.join().number, 0)

    def test_larders_lease_outlives_pythons_purges(self):
        self.put("b", "k", file="text")
        ready, go = self.signal(), self.signal()
        process = self.start(
            "exec", "b", "k", "--", "sh", "-c",
            f'{ready.give}; {go.take}; cat "$LARDER_ENTRY"/file', signals=[ready, go],
        )
        ready.wait()
        self.cache.put("b", "k", fill_with("new")).release()
        self.cache.remove("b", "k")
        self.cache.refresh("b")
        self.tool("gc")
        go.set()
        self.assertEqual(self.finish(process)[0], "text")
        self.assert_exactly_the_live()

    # Between two steps

    def before(self, owner, name, act):
        """Lets `act` happen before the next call of a function, and only once."""
        original = getattr(owner, name)

        def late(*args, **named):
            setattr(owner, name, original)
            act()
            return original(*args, **named)

        setattr(owner, name, late)
        self.addCleanup(setattr, owner, name, original)

    def test_a_purge_between_the_look_and_the_slot(self):
        self.put("b", "k")
        self.before(self.cache.join(), "take_slot", self.purge)
        self.assertIsNone(self.cache.get("b", "k"))
        self.assertEqual(self.json("status")["leases"], [])

    def test_a_replacement_between_the_look_and_the_slot(self):
        self.put("b", "k")
        self.before(self.cache.join(), "take_slot", lambda: self.put("b", "k") and self.tool("gc"))
        with self.cache.get("b", "k") as lease:
            self.assertEqual(self.tool("get", "b", "k"), f"{lease.path}\n")
            self.purge()
            self.assertTrue(os.path.exists(f"{lease.path}/file"))

    def test_a_refresh_between_the_look_and_the_rename(self):
        for exchange in (True, False):
            for has_link in (False, True):
                cache = self.open(exchange=exchange)
                self.put("b", "k" if has_link else "other")
                owner, name = (larder_format, "rename") if exchange else (os, "rename")
                self.before(owner, name, self.purge)
                with cache.put("b", "k", fill_with("text")) as lease:
                    # With pointers, a put may end in the generation that was taken away.
                    got = cache.peek("b", "k")
                    self.assertIn(got, [lease.path, None])
                self.assertEqual(os.listdir(cache.join().stage), [])
                self.assert_sound()
                cache.close()
                self.assert_exactly_the_live()

    def test_a_put_between_the_look_and_the_rename(self):
        """It can come there only under the shared lock."""
        for has_link in (False, True):
            self.put("b", "k" if has_link else "other")
            self.before(larder_format, "rename", lambda: self.put("b", "k"))
            with self.cache.put("b", "k", fill_with("text")) as lease:
                self.assertEqual(self.tool("get", "b", "k"), f"{lease.path}\n")
            self.assert_sound()
            self.assert_exactly_the_live()
            self.purge()

    # Death

    def test_what_a_killed_process_leaves_is_reaped(self):
        points = ["staged l", "filled", "recorded", "published", "bucket", "staged o", "done"]
        if self.buckets == "pointer":
            points.append("staged g")
        for point in points:
            with self.subTest(point):
                self.cache.refresh("another")
                process = self.worker("stop", point)
                self.assertEqual(process.stdout.readline(), b"stopped\n")
                self.assertIn(process.pid, [p["pid"] for p in self.json("status")["processes"]])
                # While it lives, nothing of it is touched.
                self.tool("gc")
                self.assert_sound()
                process.kill()
                process.wait(HANGS)
                self.assert_exactly_the_live()
                self.assert_sound()
                self.assertEqual(self.json("status")["processes"], [])
                with self.cache.get("one", "a") as lease:
                    text = pathlib.Path(lease.path, "0", "file").read_text()
                is_new = point in ("published", "bucket", "staged g", "done")
                self.assertEqual(text, "new" if is_new else "old")
                self.cache.close()
                self.cache = self.open()

    def test_an_interrupted_put_is_reaped_after_its_process_has_left(self):
        def fill(tree):
            fill_with("text")(tree)
            raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, self.cache.put, "b", "k", fill)
        self.cache.close()
        self.assert_exactly_the_live()

    # Damage

    def stand(self, make):
        """Makes something else in the place of the key's link."""
        directory, path = self.cache._place("b", "k")
        path = f"/proc/self/fd/{directory}/{path}"
        os.unlink(path)
        make(path)

    def test_what_is_no_link_is_a_miss_and_stays(self):
        self.put("b", "k")
        self.stand(os.mkdir)
        self.assertIsNone(self.cache.get("b", "k"))
        self.tool("get", "b", "k", code=3)
        for cache in (self.cache, self.open(exchange=False)):
            self.assertRaises(larder_format.Damaged, cache.put, "b", "k", fill_with("text"))
            self.assertRaises(larder_format.Damaged, cache.remove, "b", "k")
        self.tool("put", "b", "k", self.tree(file="text"), code=5)
        self.tool("remove", "b", "k", code=5)

    def test_a_link_that_names_nothing_is_a_miss_and_replaced(self):
        if self.links == "file":
            makes = [lambda path, text=text: pathlib.Path(path).write_bytes(text)
                     for text in (b"", bytes(46), b"../../archive/\xff", b"text\n")]
        else:
            makes = [lambda path: os.symlink("text", path)]
        for make in makes:
            for cache in (self.cache, self.open(exchange=False)):
                self.put("b", "k")
                self.stand(make)
                self.assertIsNone(cache.get("b", "k"))
                self.tool("get", "b", "k", code=3)
                with cache.put("b", "k", fill_with("text")) as lease:
                    self.assertEqual(self.tool("get", "b", "k"), f"{lease.path}\n")
                self.stand(make)
                self.assertTrue(cache.remove("b", "k"))
                self.assertFalse(cache.remove("b", "k"))

    # Locks

    def test_locks_are_the_same_locks(self):
        for bucket in ("b", "Odd \u2603"):
            self.put(bucket, "k")
            source = self.tree(f"source-{os.urandom(4).hex()}", file="text")
            name = larder_format.bucket_name(bucket)
            remove = ["remove", bucket, "k", "--lock-timeout", "0.1"]
            put = ["put", bucket, "k", source, "--lock-timeout", "0.1"]
            build = ["build", bucket, "Missing", "--lock-timeout", "0.1", "--", "true"]
            for kind, lock_name, shut in [
                (larder_format.GATE, name, [put, remove]),
                (larder_format.BUCKET, name, [put, remove]),
                (larder_format.BUILD, f"{name}/%4dissing", [build]),
            ]:
                byte = larder_format.lock_byte(kind, lock_name)
                with self.cache._lock(byte, larder_format.fcntl.F_WRLCK):
                    for args in shut:
                        self.tool(*args, code=4)
            # Shared, the bucket's lock admits a put and no remove.
            byte = larder_format.lock_byte(larder_format.BUCKET, name)
            with self.cache._lock(byte, larder_format.fcntl.F_RDLCK):
                self.tool(*put)
                self.tool(*remove, code=4)

    def test_python_waits_for_larders_builder(self):
        ready, go = self.signal(), self.signal()
        process = self.start(
            "build", "b", "Key \u00e9", "--", "sh", "-c",
            f'{ready.give}; {go.take}; echo larder >"$LARDER_STAGE"/file', signals=[ready, go],
        )
        ready.wait()
        with self.assertRaises(larder_format.Busy):
            self.cache.get_or_build("b", "Key \u00e9", fill_with("python"), seconds=0)
        go.set()
        with self.cache.get_or_build("b", "Key \u00e9", fill_with("python")) as lease:
            self.assertEqual(os.listdir(lease.path), ["file"])
        self.finish(process)

    def test_larder_waits_for_pythons_builder(self):
        def fill(tree):
            self.tool("build", "b", "Key \u00e9", "--lock-timeout", "0", "--", "true", code=4)
            fill_with("python")(tree)

        with self.cache.get_or_build("b", "Key \u00e9", fill) as lease:
            path = self.tool("build", "b", "Key \u00e9", "--", "false")
            self.assertEqual(path, f"{lease.path}\n")

    # All at once

    def test_all_at_once(self):
        source = self.dir / "source"
        source.mkdir()
        fill_with("larder")(source)
        workers = [self.worker("churn", seed, 300) for seed in (1, 2)]
        failed = []
        # A gc ends at once if another one is at it, and there may be no bucket to refresh.
        allowed = {"gc": 4, "refresh": 3}

        def loop(calls):
            try:
                while any(worker.poll() is None for worker in workers):
                    for args in calls:
                        process = self.start(*args)
                        said = process.communicate(timeout=HANGS)
                        if process.returncode not in (0, allowed.get(args[0])):
                            failed.append((args, process.returncode, said))
            except BaseException as error:  # the test's thread raises it
                failed.append(error)

        puts = [["put", bucket, key, str(source)] for bucket in BUCKETS for key in KEYS]
        purges = [["gc"], ["refresh", BUCKETS[0]], ["gc", "--max-entries", "3"]]
        loops = [
            threading.Thread(target=loop, args=(calls,))
            for calls in (puts + purges, purges + puts[::-1])
        ]
        for thread in loops:
            thread.start()
        for thread in loops:
            thread.join()
        for worker in workers:
            self.finish(worker)
        self.assertEqual(failed, [])
        self.assert_sound()
        self.assert_exactly_the_live()
        self.assert_sound()


class Symlinks(Kind, CacheTest):
    links, buckets = "symlink", "directory"


class Files(Kind, CacheTest):
    links, buckets = "file", "directory"


class PointerKind(Kind):
    """More tests, for buckets that are pointers."""

    def test_a_pointer_to_nowhere(self):
        self.put("b", "k")
        directory, path = self.cache._place("b", "k")
        os.unlink(path, dir_fd=directory)
        os.rmdir(os.path.dirname(path), dir_fd=directory)
        self.assertIsNone(self.cache.get("b", "k"))
        for cache in (self.cache, self.open(exchange=False)):
            with self.assertRaises(larder_format.Damaged):
                cache.put("b", "k", fill_with("text"))
        path = self.put("b", "k")
        self.assertEqual(self.cache.peek("b", "k"), str(path))


class Pointers(PointerKind, CacheTest):
    links, buckets = "symlink", "pointer"


class PointersAsFiles(PointerKind, CacheTest):
    links, buckets = "file", "pointer"


class Refusals(CacheTest):
    """What Python refuses, larder refuses as well."""

    def assert_refused(self, code=1):
        self.assertRaises(larder_format.LarderError, larder_format.Cache, self.root)
        self.tool("get", "b", "k", code=code)

    def test_other_formats(self):
        self.put()
        good = (self.root / "format").read_text()
        for text in [
            good.replace("5", "6"), good.replace("5", "3"), "larder destroyed\n", good + "more\n",
            good[:-1], good.replace("symlink", "other"), "",
        ]:
            with self.subTest(text):
                (self.root / "format").write_text(text)
                self.assertRaises(larder_format.LarderError, larder_format.Cache, self.root)
                self.assertNotIn(self.start("get", "b", "k").wait(HANGS), (0, 3))

    def test_others_may_write(self):
        self.put()
        for name in (".", "archive", "buckets"):
            (self.root / name).chmod(0o777)
            self.assert_refused()
            (self.root / name).chmod(0o700)

    def test_no_cache(self):
        self.root.mkdir()
        self.assert_refused(code=3)


class Golden(CacheTest):
    """Caches that an earlier larder has written."""

    def test_golden_caches(self):
        caches = sorted(make_golden.HERE.glob("*.tar.gz"))
        self.assertGreaterEqual(len(caches), 2)
        for number, path in enumerate(caches):
            with self.subTest(path.name):
                directory = self.dir / str(number)
                directory.mkdir()
                make_golden.unpack(path, directory)
                self.root = directory / "cache"
                self.env["LARDER_CACHE_DIR"] = str(self.root)
                self.check(directory)

    def check(self, directory):
        source = directory / "source"
        make_golden.make_source(source)
        assert_sound(self)
        with larder_format.Cache(self.root) as cache:
            self.assertIsNone(cache.get("tools-v1", "removed"))
            for number, (bucket, key) in enumerate(make_golden.ENTRIES):
                with cache.get(bucket, key) as lease:
                    self.assertEqual(self.tool("get", bucket, key), f"{lease.path}\n")
                    self.tool("install", bucket, key, str(directory / f"out-{number}"))
                    for tree in (lease.path, directory / f"out-{number}"):
                        self.assertEqual(trees_differ.rsync_differences(source, tree), [])
            # They were written in another boot, so Python takes no torn one.
            bucket, key = make_golden.ENTRIES[0]
            with open(f"{cache.peek(bucket, key)}/file", "ab") as file:
                file.write(b"more")
            self.assertIsNone(cache.get(bucket, key))
        self.tool("verify", code=5)


if __name__ == "__main__":
    unittest.main()
