# SPDX-License-Identifier: MIT
"""stats --openmetrics, read by the parser of Prometheus' own library for Python."""

import unittest

from harness import CacheTest

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:  # a Python beside the distribution's
    text_string_to_metric_families = None

DIALS = ["larder_entries", "larder_entries_unreadable", "larder_size_bytes", "larder_files"]
TIMES = ["larder_oldest_published_timestamp_seconds", "larder_newest_published_timestamp_seconds"]
HISTOGRAMS = ["larder_entry_size_bytes", "larder_entry_unused_seconds"]


@unittest.skipUnless(text_string_to_metric_families, "this Python has no prometheus_client")
class OpenMetrics(CacheTest):
    def families(self):
        """Returns each family's samples, {labels: value}, after a strict parse of all."""
        text = self.tool("stats", "--openmetrics")
        self.assertTrue(text.endswith("\n# EOF\n"))
        return {
            family.name: {
                tuple(sorted(sample.labels.items())): sample.value for sample in family.samples
            }
            for family in text_string_to_metric_families(text)
        }

    def test_numbers_and_times_of_each_bucket(self):
        source = self.tree(one="12345", two="1")
        for bucket, key in ("wheels", "a"), ("wheels", "b"), ("tools", "a"):
            self.tool("put", bucket, key, source, "--published", "2020-01-01")
        self.tool("put", "wheels", "c", source, "--published", "2021-01-01")
        found = self.families()
        self.assertEqual(list(found), DIALS + TIMES + HISTOGRAMS)
        wheels, tools = (("bucket", "wheels"),), (("bucket", "tools"),)
        self.assertEqual(found["larder_entries"], {wheels: 3, tools: 1})
        self.assertEqual(found["larder_entries_unreadable"], {wheels: 0, tools: 0})
        self.assertEqual(found["larder_size_bytes"], {wheels: 18, tools: 6})
        self.assertEqual(found["larder_files"], {wheels: 6, tools: 2})
        self.assertEqual(found[TIMES[0]], {wheels: 1577836800, tools: 1577836800})
        self.assertEqual(found[TIMES[1]], {wheels: 1609459200, tools: 1577836800})

    def test_histograms_add_up(self):
        big = self.tree("big", file="x" * 65536)
        below = self.tree("below", file="x" * 65535)
        self.tool("put", "b", "big", big, "--last-used", "2020-01-01")
        self.tool("put", "b", "below", below)
        found = self.families()
        sizes = {labels[0][1]: value for labels, value in found[HISTOGRAMS[0]].items()}
        self.assertEqual(sizes["65535.0"], 1)
        self.assertEqual(sizes["1048575.0"], 2)
        self.assertEqual(sizes["+Inf"], 2)
        unused = {labels[0][1]: value for labels, value in found[HISTOGRAMS[1]].items()}
        self.assertEqual(unused["3599.0"], 1)
        self.assertEqual(unused["31535999.0"], 1)
        self.assertEqual(unused["+Inf"], 2)

    def test_names_of_all_sorts(self):
        source = self.tree(file="text")
        # The second name, with its line break written as \n, may not become the third one.
        names = ['quote"back\\slash', "new\nline", "new\\nline", "snow \u2603", "{} # EOF"]
        for name in names:
            self.tool("put", name, "k", source)
        found = {labels[0][1] for labels in self.families()["larder_entries"]}
        self.assertIn('quote"back\\\\slash', found)
        self.assertIn("snow \u2603", found)
        self.assertIn("{} # EOF", found)
        self.assertEqual(len(found), len(names))

    def test_no_cache(self):
        self.assertEqual(self.families()["larder_entries"], {})

    def test_it_is_no_json(self):
        err, _ = self.finish(self.start("stats", "--openmetrics", "--json"), 2)
        self.assertIn("exclude each other", err)


if __name__ == "__main__":
    unittest.main()
