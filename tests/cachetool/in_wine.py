# SPDX-License-Identifier: MIT
"""Runs the tests of the command in Wine: those of tests/cachetool, and the tests for Windows alone.

    scripts/wine --session python3 -B in_wine.py [NAME...]

A NAME is that of a module, a class or a test, as unittest takes them. A test that is named itself
runs in any case. CACHETOOL, CACHETOOL_TESTING and WINDOWS_PROGRAM name the programs.

The tests themselves run on Linux. Paths of a test's directory are translated to those of drive Z:
where they go to the command, and back where they come from it. LEFT_OUT names the tests that can't
run in this way, and says why.
"""

import os
import pathlib
import re
import sys
import unittest

import harness
from left_out_on_windows import LEFT_OUT

PROJECT = pathlib.Path(__file__).resolve().parents[2]
WINE = str(PROJECT / "scripts" / "wine")
# Wine says this before each program that it starts.
WINES_OWN = re.compile(rb"wine: failed to open L\"C:[^\n]*wineboot.exe\": c0000135\r?\n")


def to_windows(text, directory):
    """Returns the text with each path below the directory as Windows names it."""
    def translated(match):
        return "Z:" + match[0].replace("/", "\\")
    return re.sub(re.escape(str(directory)) + r"(/[^\s\"']*)?", translated, text)


def from_windows(text, directory):
    """Returns the text with each path below the directory as Linux names it."""
    for backslash in ("\\\\", "\\"):  # in JSON, and elsewhere
        begin = "Z:" + str(directory).replace("/", backslash)
        text = re.sub(re.escape(begin) + r"[^\s\"'`]*",
                      lambda match, one=backslash: match[0][2:].replace(one, "/"), text)
    return text


class InWine:
    """Replaces two methods of harness.CacheTest."""

    linux_start = harness.CacheTest.start

    def start(self, *args, env=None, tool=harness.TOOL, **more):
        words = [to_windows(os.fsdecode(arg), self.dir) for arg in args]
        variables = {name: to_windows(os.fspath(value), self.dir) for name, value in {
            **self.env, **(env or {}), "PATH": os.environ["PATH"]}.items()}
        return InWine.linux_start(self, tool, *words, tool=WINE, env=variables, **more)

    def finish(self, process, code=0):
        out, err = process.communicate(timeout=harness.HANGS)
        out = from_windows((out or b"").decode(), self.dir)
        err = from_windows(WINES_OWN.sub(b"", err or b"").decode(), self.dir)
        # Linux keeps eight bits of an exit code.
        self.assertEqual(process.returncode, code % 256,
                         f"{process.args}\nstdout: {out}\nstderr: {err}")
        self.assert_advice_names_the_cache(process, out + err)
        return out, err


class ToldAtOnce(unittest.TextTestResult):
    """Prints a failure when it comes, because the whole run takes minutes."""

    def printErrors(self):
        pass

    def addError(self, test, err):
        super().addError(test, err)
        self.stream.writeln(self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.stream.writeln(self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.stream.writeln(f"{subtest}\n{(self.failures + self.errors)[-1][1]}")


def tests_of(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from tests_of(one)
        else:
            yield one


def names_of(test):
    """Returns the names by which LEFT_OUT may name a test: of its module, its class and itself."""
    parts = test.id().split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def main():
    harness.CacheTest.start = InWine.start
    harness.CacheTest.finish = InWine.finish
    loader = unittest.TestLoader()
    modules = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("*test_*.py"))
    everything = list(tests_of(loader.loadTestsFromNames(
        [name for name in modules if name not in LEFT_OUT])))
    known = {name for test in everything for name in names_of(test)} | set(modules)
    stale = sorted(set(LEFT_OUT) - known)
    if stale:
        sys.exit(f"left_out_on_windows.py names tests that do not exist: {stale}")

    wanted = list(tests_of(loader.loadTestsFromNames(sys.argv[1:]))) if sys.argv[1:] else everything
    run = [test for test in wanted
           if test.id() in sys.argv or not set(names_of(test)) & set(LEFT_OUT)]
    runner = unittest.TextTestRunner(verbosity=2, resultclass=ToldAtOnce)
    result = runner.run(unittest.TestSuite(run))
    print(f"{len(run)} tests ran in Wine; {len(wanted) - len(run)} of other tests, and "
          f"{sum(name in modules for name in LEFT_OUT)} modules, are left out: see "
          "left_out_on_windows.py", file=sys.stderr)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
