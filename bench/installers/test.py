#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests bench/installers/run: a tool that fails has no result, and the figures are what their names
say."""

import importlib.machinery
import importlib.util
import pathlib
import shutil
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("run", str(HERE / "run"))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)


class Figures(unittest.TestCase):
    def test_ratios_are_of_pairs(self):
        self.assertEqual(run.pair_ratios([2, 9, 4], [1, 3, 8]), [2, 3, 0.5])
        with self.assertRaises(ValueError):
            run.pair_ratios([1, 2], [1])

    def test_the_median_of_the_ratios_is_not_the_ratio_of_the_medians(self):
        row = run.ratio_row("trio", "warm", "uv_over_larder", [2, 30, 3], [1, 10, 2])
        self.assertEqual((row["uv_over_larder"], row["p10"], row["p90"]), (2, 1.5, 3))

    def test_goals(self):
        for what, over, met in (
            ("warm", 1.3, True),
            ("warm", 1.29, False),
            ("cold", 1.0, True),
            ("cold", 0.99, False),
            ("indirection", 1.05, True),
            ("indirection", 1.06, False),
        ):
            self.assertEqual(
                run.ratio_row("trio", what, "ratio", [over], [1])["met"], met, (what, over)
            )

    def test_percentiles_are_values(self):
        values = list(range(20, 0, -1))
        self.assertEqual(
            [run.percentile(values, percent) for percent in (0, 10, 50, 90, 100)],
            [1, 2, 10, 18, 20],
        )
        self.assertEqual(run.percentile([7], 10), 7)


class Uv(unittest.TestCase):
    def test_names_wheels_in_two_ways_and_knows_the_interpreter_beforehand(self):
        with tempfile.TemporaryDirectory() as name:
            here = pathlib.Path(name)
            (here / "known/interpreter-v4").mkdir(parents=True)
            (here / "known/interpreter-v4/info").write_text("the interpreter")
            wheels = [here / "app-1.0-py3-none-any.whl"]
            tools = run.uv_tools("uv", "python3", wheels, None, here / "known")
            self.assertIn(wheels[0], tools["wheel paths"].command("target", "cache"))
            self.assertIn("app==1.0", tools["--find-links"].command("target", "cache"))
            for tool in tools.values():
                tool.prepare_cache(here / "cache")
            info = here / "cache/interpreter-v4/info"
            self.assertEqual(info.read_text(), "the interpreter")


class Runs(unittest.TestCase):
    """Installers that are a line of shell."""

    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix="larder-bench-test-"))
        self.addCleanup(shutil.rmtree, self.here, ignore_errors=True)

    def tool(self, name, script):
        return run.Tool(
            name,
            lambda target, cache: [
                "/bin/sh",
                "-ec",
                f'mkdir -p "$0/app-1.dist-info" "$0/bin" "$1"; cd "$0"; {script}',
                target,
                cache,
            ],
        )

    GOOD = (
        "echo 1 > app.py; echo a > app-1.dist-info/METADATA;"
        "echo mine > app-1.dist-info/RECORD; echo '#!mine' > bin/app"
    )

    def measure(self, script, what="warm"):
        tools = [self.tool("uv", self.GOOD), self.tool("larder", script)]
        return run.measure(tools, what, 3, self.here / "work")

    def refused(self, script, *expected):
        with self.assertRaises(run.Failed) as caught:
            self.measure(script)
        for text in expected:
            self.assertIn(text, str(caught.exception))

    def test_equal_installers(self):
        for what in ("warm", "cold"):
            results, files = self.measure(self.GOOD, what)
            self.assertEqual(files, 3)
            self.assertEqual(
                {name: len(values["seconds"]) for name, values in results.items()},
                {"uv": 3, "larder": 3},
            )

    def test_what_each_tool_writes_of_its_own_may_differ(self):
        self.measure(
            f"{self.GOOD}; echo other > app-1.dist-info/RECORD;"
            "echo x > app-1.dist-info/INSTALLER; echo '#!other' > bin/app"
        )

    def test_one_that_installs_nothing(self):
        self.refused("true", "larder has installed nothing")

    def test_one_that_fails(self):
        self.refused("echo so sorry; exit 3", "so sorry")

    def test_a_file_missing_or_too_much(self):
        self.refused(f"{self.GOOD}; rm app.py", "app.py (only by uv)")
        self.refused(f"{self.GOOD}; rm bin/app", "bin/app (only by uv)")
        self.refused(f"{self.GOOD}; echo > more.py", "more.py (only by larder)")
        self.refused(
            f"{self.GOOD}; mkdir deep; echo > deep/INSTALLER", "deep/INSTALLER (only by larder)"
        )

    def test_other_content_of_the_same_size(self):
        self.refused(f"{self.GOOD}; echo 2 > app.py", "app.py (differs)")

    def test_one_that_works_only_while_its_cache_is_empty(self):
        self.refused(
            f'[ -e "$1/seen" ] || {{ {self.GOOD}; }}; touch "$1/seen"',
            "larder has installed nothing",
        )

    def test_a_cold_cache_is_empty_each_time_and_a_warm_one_is_not(self):
        script = f'{self.GOOD}; echo x >> "$1/seen"; wc -l < "$1/seen" > count.py'
        same = run.Tool("larder", self.tool("larder", script).command)
        results, _ = run.measure(
            [self.tool("uv", f"{self.GOOD}; echo 1 > count.py"), same],
            "cold",
            3,
            self.here / "work",
        )
        self.assertEqual(len(results["larder"]["seconds"]), 3)
        with self.assertRaises(run.Failed):
            run.measure(
                [self.tool("uv", f"{self.GOOD}; echo 1 > count.py"), same],
                "warm",
                3,
                self.here / "work",
            )


if __name__ == "__main__":
    unittest.main()
