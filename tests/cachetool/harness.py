# SPDX-License-Identifier: MIT
"""What the tests of the command share: a cache of their own, the binary as a process, and the
documented JSON.
"""

import fcntl
import filecmp
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import unittest

import schema

TOOL = os.environ["CACHETOOL"]
TESTING_TOOL = os.environ.get("CACHETOOL_TESTING", TOOL)
MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs" / "cachetool.md"

# Nothing here takes seconds; whatever takes this long hangs.
HANGS = 60


def documented(name):
    """The example document of a command in the manual."""
    found = re.search(
        r"^```json %s\n(.*?)^```" % name, MANUAL.read_text(encoding="utf-8"), re.S | re.M
    )
    return json.loads(found.group(1))


class Signal:
    """One process tells another that something has happened: a pipe, handed on by number, used
    once.
    """

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        for end in (self.read_end, self.write_end):
            os.set_inheritable(end, True)
        self.fds = (self.read_end, self.write_end)
        self.give = (
            f"echo $$ >/dev/fd/{self.write_end}"  # for the shell; what is told is the shell's pid
        )
        self.take = f"read _ </dev/fd/{self.read_end}"

    def set(self):
        os.write(self.write_end, b"go\n")

    def wait(self):
        """What was told, as soon as it is."""
        if not select.select([self.read_end], [], [], HANGS)[0]:
            raise AssertionError("nothing happened")
        return os.read(self.read_end, 4096).decode().strip()

    def is_set(self):
        return bool(select.select([self.read_end], [], [], 0)[0])

    def close(self):
        for end in self.fds:
            os.close(end)


class CacheTest(unittest.TestCase):
    """Each test has a directory, a cache root in it that is not there yet, and processes that end
    with the test.
    """

    def setUp(self):
        self.dir = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix="larder-cachetool-")))
        self.addCleanup(self.delete_directory)
        self.root = self.dir / "cache"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("LARDER_", "XDG_"))}
        self.env["HOME"] = str(self.dir / "home")
        self.env["LARDER_CACHE_DIR"] = str(self.root)

    def delete_directory(self):
        # Not by shutil.rmtree or os.walk: a tree may be deeper than Python recurses.
        if os.geteuid() != 0:
            subprocess.run(["chmod", "-R", "u+rwx", self.dir], check=True)
        subprocess.run(["rm", "-rf", self.dir], check=True)

    def signal(self):
        made = Signal()
        self.addCleanup(made.close)
        return made

    def start(self, *args, signals=(), env=None, tool=TOOL, **more):
        """Starts the command, and ends it (by its id) when the test ends."""
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        fds = [fd for one in signals for fd in one.fds]
        process = subprocess.Popen(
            [tool, *args], env={**self.env, **(env or {})}, pass_fds=fds, cwd=self.dir, **more
        )
        self.addCleanup(self.end, process)
        return process

    def stranger(self, **env):
        """Returns how to start() the command as a user who owns nothing here. Skips the test if
        this user can't become another one.
        """
        if os.geteuid() != 0:
            self.skipTest("not root, who can become another user")
        self.dir.chmod(0o755)
        # A copy: where this was built, no other user may be able to look.
        tool = shutil.copy(TOOL, self.dir / "cachetool")
        return {"user": 65534, "group": 65534, "extra_groups": [], "tool": tool, "env": env}

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait(HANGS)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def finish(self, process, code=0):
        """Waits for the end of a process and checks its exit code. Returns its stdout and stderr.
        """
        out, err = process.communicate(timeout=HANGS)
        out, err = (out or b"").decode(), (err or b"").decode()
        self.assertEqual(process.returncode, code, f"{process.args}\nstdout: {out}\nstderr: {err}")
        self.assert_advice_names_the_cache(process, out + err)
        return out, err

    def assert_advice_names_the_cache(self, process, said):
        """What a user is told to run must find the cache that it is about. The manual is about no
        cache, and documents have the library's own words.
        """
        if not {"--json", "--help", "help", "man", "completion"}.intersection(
            map(str, process.args)
        ):
            self.assertNotRegex(said, "`cachetool (?!--cache )")

    def tool(self, *args, code=0, **more):
        """Runs the command to its end. Returns its stdout."""
        return self.finish(self.start(*args, **more), code)[0]

    def complaint(self, *args, code, **more):
        """Runs a command that fails, in both ways of talking. Returns the sentence and the error
        document.
        """
        out, err = self.finish(self.start(*args, **more), code)
        self.assertEqual(out, "")
        self.assertRegex(err, r"\Acachetool: ")
        document = json.loads(self.finish(self.start("--json", *args, **more), code)[0])
        self.assert_documented({"error": document["error"]}, "error")
        self.assertEqual(schema.complaints("error", {"error": document["error"]}), [])
        self.assertEqual(document["error"]["exit_code"], code)
        return err, document

    def json(self, *args, code=0, **more):
        """Runs the command with --json. Returns the document, the only thing on stdout, after
        comparing it with manual and schema.
        """
        document = json.loads(self.tool("--json", *args, code=code, **more))
        self.assertEqual(schema.complaints(args[0], document), [])
        if "error" not in document:
            self.assert_documented(document, args[0])
        return document

    def assert_documented(self, document, name):
        self.assert_same_shape(document, documented(name), name)

    def assert_same_shape(self, actual, example, where):
        if isinstance(example, dict):
            self.assertIsInstance(actual, dict, where)
            self.assertEqual(list(actual), list(example), where)
            for field in example:
                if actual[field] is not None:
                    self.assert_same_shape(actual[field], example[field], f"{where}.{field}")
        elif isinstance(example, list):
            self.assertIsInstance(actual, list, where)
            for element in actual if example else []:
                self.assert_same_shape(element, example[0], f"{where}[]")
        else:
            self.assertIs(type(actual), type(example), f"{where}: {actual!r}")

    def tree(self, name="source", **files):
        """Makes a directory of files, and returns its path."""
        path = self.dir / name
        path.mkdir(parents=True)
        for file, text in files.items():
            (path / file).write_text(text)
        return str(path)

    def assert_same_tree(self, expected, actual):
        """Compares the names of two trees, and the content of their files."""

        def compare(comparison):
            self.assertEqual(
                comparison.left_only
                + comparison.right_only
                + comparison.diff_files
                + comparison.funny_files,
                [],
            )
            for below in comparison.subdirs.values():
                compare(below)

        filecmp.clear_cache()
        compare(filecmp.dircmp(expected, actual))

    def put(self, bucket="b", key="k", **files):
        """Makes an entry. Returns its path."""
        source = self.tree(f"source-{os.urandom(4).hex()}", **(files or {"file": "text"}))
        return pathlib.Path(
            self.tool(
                "put", "--move", *([] if key else ["--empty-key"]), "--", bucket, key, source
            ).rstrip("\n")
        )

    def hold(self, lock):
        """Holds a lock of the cache as another process would, until the test ends. "collector" is
        one byte of the locks' file; "buckets" are the bytes of every bucket's lock.
        """
        start, length = {"collector": (1, 1), "buckets": (3 << 60, 1 << 60)}[lock]
        file = open(self.root / "locks", "r+b")
        self.addCleanup(file.close)
        fcntl.lockf(file, fcntl.LOCK_EX, length, start)
        return file

    def purge(self):
        """All that anyone can do to get rid of entries."""
        self.tool("refresh", "--all")
        self.tool("gc")

    def assert_ends_by(self, process, number):
        process.wait(HANGS)
        self.assertEqual(process.returncode, -number)


def ignore_signals(*numbers):
    """For Popen's preexec_fn: as nohup does, and a shell for its background jobs."""

    def ignore():
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    return ignore
