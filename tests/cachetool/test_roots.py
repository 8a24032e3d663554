# SPDX-License-Identifier: MIT
"""The commands link, unlink and roots, and how gc names what a path keeps."""

import json
import os
import unittest

import schema
from harness import CacheTest


class Roots(CacheTest):
    def setUp(self):
        super().setUp()
        self.tool("put", "b", "k", self.tree("source", file="text"))
        self.site = self.dir / "site"
        self.site.mkdir()
        self.path = self.site / "linked"

    def roots(self, *args):
        document = json.loads(self.tool("--json", "roots", *args))
        self.assertEqual(schema.complaints("roots", document), [])
        verb = args[0] if args else "ls"
        self.assert_documented(document, f"roots {verb}")
        return document

    def test_a_linked_entry_outlives_a_refresh_and_goes_with_its_path(self):
        self.tool("link", "b", "k", self.path)
        self.assertTrue(self.path.is_symlink())
        self.assertEqual((self.path / "file").read_text(), "text")
        self.tool("refresh", "b")
        collected = self.json("gc")
        self.assertEqual(collected["entries"], 0)
        self.assertEqual([root["path"] for root in collected["rooted"]], [str(self.path)])
        self.assertEqual((self.path / "file").read_text(), "text")
        roots = self.roots()["roots"]
        self.assertEqual([(root["state"], root["key"]) for root in roots], [("leads", "k")])
        self.tool("unlink", self.path)
        self.assertFalse(os.path.lexists(self.path))
        self.assertEqual(self.json("gc")["entries"], 1)
        self.assertEqual(self.roots("ls")["roots"], [])

    def test_why_names_the_path(self):
        self.tool("link", "b", "k", self.path)
        self.assertIn(f"linked to {self.path}", self.tool("why", "b", "k"))
        self.assertEqual(self.json("why", "b", "k")["roots"][0]["path"], str(self.path))
        self.tool("remove", "b", "k")
        self.tool("gc")
        self.assertIn(f"kept by its link {self.path}", self.tool("why", "b", "k", code=3))

    def test_a_relative_path_is_that_of_the_working_directory(self):
        self.tool("link", "b", "k", "site/here")
        self.assertEqual(self.roots()["roots"][0]["path"], str(self.site / "here"))
        self.tool("unlink", "site/here")

    def test_prune_forgets_paths_that_are_gone(self):
        self.tool("link", "b", "k", self.path)
        self.path.unlink()
        self.assertEqual(self.roots()["roots"][0]["state"], "gone")
        dry = self.roots("prune", "--dry-run")
        self.assertEqual((dry["dry_run"], len(dry["dropped"]), dry["kept"]), (True, 1, 0))
        done = self.roots("prune")
        self.assertEqual((done["dry_run"], len(done["dropped"]), done["kept"]), (False, 1, 0))
        self.assertEqual(self.roots()["roots"], [])

    def test_what_can_not_be_linked(self):
        self.assertIn("nothing", self.complaint("link", "b", "nothing", self.path, code=3)[0])
        self.path.mkdir()
        self.assertIn("no symlink", self.complaint("link", "b", "k", self.path, code=1)[0])
        self.assertTrue(self.path.is_dir())
        self.complaint("unlink", self.site / "other", code=3)
        self.complaint("roots", "frobnicate", code=2)
        self.complaint("roots", "--unreachable", code=2)


if __name__ == "__main__":
    unittest.main()
