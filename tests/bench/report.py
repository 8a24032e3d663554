# SPDX-License-Identifier: MIT
"""The page and the picture of the benchmarks: bench/report.py, and bench/results that it made."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
WIDTH = 100
PICTURE_LINES = 300
SVG = "{http://www.w3.org/2000/svg}"


def spread(median):
    return {"median": median, "p10": median * 0.9, "p90": median * 1.1}


def floor_row(name, processes, ratio, floor_us):
    return {"row": name, "floor": "two <calls>", "goal": 1.4, "processes": processes,
            "ratio": spread(ratio), "floor_microseconds": spread(floor_us),
            "larder_microseconds": spread(floor_us * ratio)}


def floor(system):
    busy = {"p50": 1400.0, "p99": 2750.0}
    return {"bench": "floor", "file_system": system, "rows": [
        floor_row("get, hit", 1, 1.25, 1.5), floor_row("get, hit", 2, 1.5, 1.5),
        floor_row("delete & forget", 1, 0.1, 2_500_000),
        {"row": "get beside puts", "goal": 1.2, "ratio_of_p50": 1.03,
         "nanoseconds": {"get_busy": busy, "links_busy": {"p50": 1300.0, "p99": 1850.0}}},
        {"row": "memory", "keys": 1_000_000, "more_bytes_than_with_100": 17},
        {"row": "memory of a gc", "keys": 1_000_000, "bytes_for_each": 33.8, "seconds": 10.05}]}


def peer_row(peer, entries, processes, phase, median, ratio):
    return {"peer": peer, "version": "1.2", "entries": entries, "processes": processes,
            "phase": phase, "median": median, "ratio_to_larder": ratio, "note": f"what {peer} does"}


def beside(peer, lost):
    return {"peer": peer, "version": "1.2", "part": "beside", "acknowledged": 1200, "lost": lost,
            "read_back": 900, "failed_puts": 3, "collections": 4567, "note": f"what {peer} does"}


def installer_row(tool, median):
    return {"set": "trio", "what": "warm", "tool": tool, **spread(median)}


DOCUMENTS = {
    "machine": {"processor": "a processor", "load before": 0.123456},
    "floor-a": floor("ext4"),
    "floor-b": floor("tmpfs"),
    "peers": {"bench": "peers",
              "rows": [peer_row("larder", 500, 1, "put", 0.274, 1.0),
                       peer_row("other", 500, 1, "put", 0.548, 2.01),
                       peer_row("other", 5000, 2, "get", 7.654, None)],
              "skipped": [{"peer": "slow", "entries": 5000, "processes": 1, "why": "too slow"},
                          {"peer": "slow", "entries": 5000, "processes": 2, "why": "too slow"},
                          {"peer": "absent", "why": "not installed"}],
              "failed": [{"peer": "broken", "entries": 500, "processes": 4,
                          "why": "a trace\n of calls\ndriver.Failed: exit code 1"}]},
    "installers": {"rows": [installer_row("uv", 0.06), installer_row("larder", 0.05)],
                   "ratios": [{"set": "trio", "what": "warm", "uv_over_larder": 1.22, "goal": 1.3}],
                   "notes": ["a note " * 30]},
    "correctness": {"rows": [beside("larder", 0), beside("other", 41),
                             {"peer": "other", "version": "1.2", "part": "killed", "during": "put",
                              "kills": 10, "midway": 9, "read_back": 13, "lost": 0, "note": "",
                              "next_put": {"usual": 0.0006, "median": 0.0161, "worst": 2.1335}}],
                    "skipped": [], "failed": []},
}


def report(documents):
    """Runs report.py. Returns the page and the picture; the picture may be None."""
    with tempfile.TemporaryDirectory() as name:
        results, page = pathlib.Path(name) / "results", pathlib.Path(name) / "page"
        results.mkdir()
        page.mkdir()
        for stem, document in documents.items():
            (results / f"{stem}.json").write_text(json.dumps(document))
        subprocess.run([sys.executable, "-B", BENCH / "report.py", results, page], check=True)
        picture = page / "floor.svg"
        return (page / "README.md").read_text(), picture.read_text() if picture.exists() else None


def wide_lines(text):
    return [line for line in text.splitlines() if len(line) > WIDTH]


class Page(unittest.TestCase):
    def setUp(self):
        self.page, self.picture = report(DOCUMENTS)

    def test_has_each_figure(self):
        for text in (
                "| load before | 0.12 |", "- get, hit: two <calls>",
                "| get, hit | 1.40 | 1.25 (1.12–1.38) | 1.50 µs | 1.88 µs |",
                "| get, hit | 1.50 (1.35–1.65) |",
                "| delete & forget | 1.40 | 0.10 (0.09–0.11) | 2.50 s | 250.00 ms |",
                "17 bytes more with 1,000,000 keys", "34 bytes for each of 1,000,000 keys",
                "- **other** 1.2: what other does", "| other | 0.548 |", "| other | 2.01 |",
                "| seconds | put, 2 | get, 2 |", "| other |  | 7.654 |",
                "- slow: left out (5,000 entries by 1 and 2 processes): too slow",
                "- absent: left out: not installed",
                "- broken: failed and was not measured again (500 entries by 4 processes): exit "
                "code 1",
                "| trio | warm | 0.060 (0.054–0.066) | 0.050 (0.045–0.055) | 1.22 | 1.3 |",
                "| other | 1,200 | 41 of 900 | 3 | 4,567 |",
                "| other | put | 9 of 10 | 0.6 | 16.1 | 2133.5 | 0 of 13 |"):
            self.assertIn(text, self.page)
        joined = " ".join(self.page.split())
        self.assertIn("the median is 1.03 × that of get alone", joined)
        self.assertIn("percentile is 2.8 µs, and 1.9 µs for two bare", joined)
        self.assertIn("scales with 0.83 of the floor's own factor", joined)

    def test_is_narrow(self):
        self.assertEqual(wide_lines(self.page), [])

    def test_picture_has_a_bar_for_each_ratio(self):
        drawn = xml.etree.ElementTree.fromstring(self.picture)
        bars = [bar for group in drawn.iter(f"{SVG}g") for bar in group.iter(f"{SVG}rect")]
        self.assertEqual(len(bars), 4)
        words = [text.text.strip() for text in drawn.iter(f"{SVG}text")]
        for word in ("get, hit", "delete & forget", "ext4", "tmpfs", "0.125", "4"):
            self.assertIn(word, words)
        widths = [float(bar.get("width")) for bar in bars]
        self.assertEqual(widths[:2], widths[2:])
        self.assertGreater(widths[0], widths[1])

    def test_of_the_floor_alone_has_no_other_section(self):
        page, picture = report({"floor": DOCUMENTS["floor-a"]})
        self.assertEqual(re.findall("^## (.*)", page, re.M), ["Against the floor"])
        self.assertIsNotNone(picture)

    def test_without_the_floor_has_no_picture(self):
        page, picture = report({"peers": DOCUMENTS["peers"]})
        self.assertIsNone(picture)
        self.assertNotIn("svg", page)


class Results(unittest.TestCase):
    """What stands in the tree is small: a page, and the pictures that it shows."""

    def test_nothing_but_a_page_and_its_pictures(self):
        results = BENCH / "results"
        page = (results / "README.md").read_text()
        shown = re.findall(r"!\[[^]]*\]\(([^)]*)\)", page)
        self.assertTrue(shown)
        self.assertEqual(sorted(path.name for path in results.iterdir()),
                         sorted(["README.md", *shown]))
        for name in shown:
            text = (results / name).read_text()
            self.assertLess(len(text.splitlines()), PICTURE_LINES)
            xml.etree.ElementTree.fromstring(text)
        self.assertEqual(wide_lines(page), [])


if __name__ == "__main__":
    unittest.main()
