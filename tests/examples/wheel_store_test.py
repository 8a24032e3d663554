# SPDX-License-Identifier: MIT
"""Tests the example in Python: makes wheels, and installs them through the store and the shared
library."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

PROGRAM = os.environ["WHEEL_STORE"]


# Unpacks a wheel for as long as the test wants.
BUILDER = """
import pathlib, sys, wheel_store
def unpack(wheel, directory):
    print("unpacks", flush=True)
    sys.stdin.readline()
wheel_store.unpack = unpack
with wheel_store.WheelStore(sys.argv[1]) as store:
    store.install(pathlib.Path(sys.argv[2]), sys.argv[3])
"""
# Waits for it, and says when it begins to wait and when the wait has ended.
WAITER = """
import pathlib, sys, time, wheel_store
class Store(wheel_store.WheelStore):
    asked = False
    def keep_waiting(self, data):
        if not self.asked:
            self.asked = True
            print("waits", flush=True)
        return super().keep_waiting(data)
with Store(sys.argv[1]) as store:
    try:
        store.install(pathlib.Path(sys.argv[2]), sys.argv[3])
    except KeyboardInterrupt:
        print(time.monotonic(), flush=True)
"""


def make_wheel(directory, name, version="1.0", files=None):
    path = pathlib.Path(directory) / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in (files or {f"{name}/__init__.py": f"version = {version!r}\n"}).items():
            entry = zipfile.ZipInfo(inside)
            entry.external_attr = (0o100755 if inside.endswith(".sh") else 0o100644) << 16
            archive.writestr(entry, text)
        archive.writestr(
            f"{name}-{version}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        )
    return path


class WheelStore(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(dir=os.environ.get("LARDER_TEST_DIR"))
        self.addCleanup(self.temporary.cleanup)
        self.work = pathlib.Path(self.temporary.name)
        self.cache = self.work / "cache"

    def command(self, *arguments):
        return [sys.executable, "-B", PROGRAM, "--cache", str(self.cache), *map(str, arguments)]

    def run_store(self, *arguments, status=0):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def test_installs_and_unpacks_once(self):
        wheels = [
            make_wheel(self.work, "one"),
            make_wheel(
                self.work, "two", files={"two.py": "import one\n", "two/run.sh": "#!/bin/sh\n"}
            ),
        ]
        first, second = self.work / "env-1", self.work / "env-2"
        said = self.run_store("install", *wheels, "--target", first)
        self.assertEqual(
            said,
            "one-1.0-py3-none-any.whl: 2 files, unpacked\n"
            "two-1.0-py3-none-any.whl: 3 files, unpacked\n",
        )
        said = self.run_store("install", *wheels, "--target", second)
        self.assertEqual(
            said,
            "one-1.0-py3-none-any.whl: 2 files, from the store\n"
            "two-1.0-py3-none-any.whl: 3 files, from the store\n",
        )
        for target in (first, second):
            self.assertEqual((target / "two/run.sh").stat().st_mode & 0o777, 0o755)
            imported = subprocess.run(
                [sys.executable, "-B", "-c", "import two; print(two.one.version)"],
                env={**os.environ, "PYTHONPATH": str(target)},
                capture_output=True,
                text=True,
            )
            self.assertEqual(imported.stdout, "1.0\n", imported.stderr)

    def test_a_wheel_with_a_direct_url_of_its_own_is_unpacked_as_it_is(self):
        """PEP 610 makes the hash optional, and pip installs such a wheel too."""
        text = '{"url": "https://example.org/one.whl", "archive_info": {}}'
        name = "one-1.0.dist-info/direct_url.json"
        wheel = make_wheel(self.work, "one", files={"one.py": "", name: text})
        for target in (self.work / "env-1", self.work / "env-2"):
            self.run_store("install", wheel, "--target", target)
            self.assertEqual((target / name).read_text(), text)

    def test_two_wheels_of_one_name_differ(self):
        target = self.work / "env"
        self.run_store("install", make_wheel(self.work, "one"), "--target", target)
        said = self.run_store(
            "install",
            make_wheel(self.work, "one", files={"one/__init__.py": "rebuilt = True\n"}),
            "--target",
            target,
        )
        self.assertIn("unpacked", said)
        self.assertEqual((target / "one/__init__.py").read_text(), "rebuilt = True\n")

    def test_processes_share_one_unpacking(self):
        wheel = make_wheel(
            self.work, "big", files={f"big/part{i}.py": "x = 1\n" * 100 for i in range(200)}
        )
        running = [
            subprocess.Popen(
                self.command("install", wheel, "--target", self.work / f"env-{i}"),
                stdout=subprocess.PIPE,
                text=True,
            )
            for i in range(4)
        ]
        said = [process.communicate(timeout=60)[0] for process in running]
        self.assertEqual([process.returncode for process in running], [0] * 4)
        self.assertEqual(sorted("unpacked" in text for text in said), [False, False, False, True])
        for i in range(4):
            self.assertEqual(len(list((self.work / f"env-{i}/big").iterdir())), 200)

    def test_purge_keeps_what_was_installed(self):
        wheel, target = make_wheel(self.work, "one"), self.work / "env"
        self.run_store("install", wheel, "--target", target)
        self.run_store("purge")
        self.assertEqual(list((self.cache / "archive").iterdir()), [])
        self.assertEqual((target / "one/__init__.py").read_text(), "version = '1.0'\n")
        self.assertIn("unpacked", self.run_store("install", wheel, "--target", target))

    def test_a_broken_wheel_is_reported(self):
        broken = self.work / "broken-1.0-py3-none-any.whl"
        broken.write_bytes(b"no wheel at all")
        said = self.run_store("install", broken, "--target", self.work / "env", status=1)
        self.assertIn(f"build {broken}: File is not a zip file", said)
        self.assertEqual(list((self.cache / "archive").iterdir()), [])
        self.assertFalse((self.work / "env").exists())

    def start(self, script, wheel):
        running = subprocess.Popen(
            [sys.executable, "-B", "-c", script, self.cache, wheel, self.work / "env"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(pathlib.Path(PROGRAM).parent)},
        )
        self.addCleanup(running.communicate, timeout=60)
        self.addCleanup(running.kill)
        return running

    def test_an_interrupt_ends_a_wait_at_once(self):
        wheel = make_wheel(self.work, "slow")
        builder = self.start(BUILDER, wheel)
        self.assertEqual(builder.stdout.readline(), "unpacks\n")
        took = []
        for _ in range(5):
            waiter = self.start(WAITER, wheel)
            self.assertEqual(waiter.stdout.readline(), "waits\n")
            begun = time.monotonic()
            waiter.send_signal(signal.SIGINT)
            took.append(float(waiter.stdout.readline()) - begun)
            self.assertEqual(waiter.wait(timeout=60), 0)
        # The machine may be busy, so the quickest of five counts.
        self.assertLess(min(took), 0.2, took)
        builder.stdin.write("\n")
        builder.stdin.flush()
        self.assertEqual(builder.wait(timeout=60), 0)

    def test_an_error_of_larder_is_reported(self):
        self.cache.mkdir()
        (self.cache / "something").write_text("else")
        said = self.run_store(
            "install", make_wheel(self.work, "one"), "--target", self.work / "env", status=1
        )
        self.assertIn(str(self.cache), said)
        self.assertNotIn("Traceback", said)


if __name__ == "__main__":
    unittest.main()
