# SPDX-License-Identifier: MIT
"""import: caches as uv and go make them."""

import os
import pathlib
import unittest

from harness import CacheTest

TIME = 1600000000
WHEN = "2020-09-13T12:26:40.000000Z"


class Import(CacheTest):
    def wheel(self, index, package, name, identity):
        """Stores a wheel as uv 0.13 does: a link to a directory of the archive."""
        tree = pathlib.Path(self.tree(f"uv/archive-v0/{identity}/{package}", module="text"))
        link = self.dir / "uv" / "wheels-v8" / index / package / name
        link.parent.mkdir(parents=True, exist_ok=True)
        (link.parent / f"{name}.http").write_text("what uv knows of it")
        (link.parent / f"{name}.lock").write_text("")
        depth = len(link.parent.relative_to(self.dir / "uv").parts)
        link.symlink_to("/".join([".."] * depth + ["archive-v0", identity]))
        os.utime(link, (TIME, TIME), follow_symlinks=False)
        return tree.parent

    def module(self, name, partial=False):
        """Stores a module as go 1.21 does. `name` is in go's escaped form."""
        tree = pathlib.Path(self.tree(f"mod/{name}", file="text"))
        path, version = name.rsplit("@", 1)
        known = self.dir / "mod" / "cache" / "download" / path / "@v"
        known.mkdir(parents=True, exist_ok=True)
        (known / f"{version}.ziphash").write_text("h1:")
        os.utime(known / f"{version}.ziphash", (TIME, TIME))
        if partial:
            (known / f"{version}.partial").write_text("")
        tree.chmod(0o555)
        return tree


class FromUv(Import):
    def setUp(self):
        super().setUp()
        self.tree_of_it = self.wheel("pypi", "typing-extensions", "4.1.0-py3-none-any", "a1")
        self.wheel("index/0b5f", "tool", "1.0-cp311-cp311-linux_x86_64", "b2")
        self.uv = str(self.dir / "uv")

    def test_wheels_have_the_names_of_their_files_and_their_times(self):
        entries = self.json("import", "uv", self.uv)["entries"]
        self.assertEqual(
            [entry["key"] for entry in entries],
            ["0b5f/tool-1.0-cp311-cp311-linux_x86_64.whl",
             "typing_extensions-4.1.0-py3-none-any.whl"],
        )
        self.assertEqual([entry["added"] for entry in entries], [True, True])
        self.assert_same_tree(self.tree_of_it, entries[1]["path"])
        info = self.json("info", "uv", entries[1]["key"])
        self.assertEqual((info["published"], info["last_used"]), (WHEN, WHEN))
        self.assertEqual(info["producer"], "uv (imported)")

    def test_it_can_be_run_again(self):
        first = self.json("import", "uv", self.uv)["entries"]
        self.wheel("pypi", "new", "2-py3-none-any", "c3")
        _, err = self.finish(self.start("import", "uv", self.uv))
        self.assertIn("imported 1 entry into uv; 2 were there already", err)
        again = self.json("import", "uv", self.uv)["entries"]
        self.assertEqual([one["id"] for one in again if one["key"] == first[0]["key"]],
                         [first[0]["id"]])

    def test_a_dry_run_prints_a_batch(self):
        document = self.json("import", "uv", self.uv, "--dry-run")
        self.assertEqual([one["added"] for one in document["entries"]], [True, True])
        self.assertFalse(self.root.exists())
        batch = self.dir / "batch"
        batch.write_text(self.tool("import", "uv", self.uv, "-n").splitlines(keepends=True)[1])
        self.tool("put", "--batch", batch)
        info = self.json("info", "uv", "typing_extensions-4.1.0-py3-none-any.whl")
        self.assertEqual((info["published"], info["last_used"]), (WHEN, WHEN))
        document = self.json("import", "uv", self.uv, "--dry-run")
        self.assertEqual([one["added"] for one in document["entries"]], [True, False])

    def test_what_is_not_whole_or_not_of_uv_is_left_out(self):
        links = self.dir / "uv" / "wheels-v8" / "pypi" / "odd"
        links.mkdir()
        outside = self.tree("outside", secret="text")
        (links / "1-out").symlink_to(outside)
        (links / "2-out").symlink_to("../../../../outside")
        (links / "3-none").symlink_to("../../../archive-v0/gone")
        (links / "4-whole").symlink_to("../../../archive-v0")
        _, err = self.finish(self.start("import", "uv", self.uv))
        self.assertIn("imported 2 entries into uv; 0 were there already; 4 are incomplete", err)

    def test_places(self):
        for variable, place in ("UV_CACHE_DIR", "uv"), ("XDG_CACHE_HOME", ""):
            env = {variable: str(self.dir / place), "LARDER_CACHE_DIR": str(self.root / variable)}
            self.assertEqual(len(self.json("import", "uv", env=env)["entries"]), 2)

    def test_hard_links(self):
        entries = self.json("import", "uv", self.uv, "--link-mode", "hardlink", "--into", "w")
        entry = entries["entries"][1]
        self.assertEqual(entry["bucket"], "w")
        module = "typing-extensions/module"
        self.assertTrue(os.path.samefile(f"{entry['path']}/{module}", self.tree_of_it / module))


class FromGo(Import):
    def test_modules_have_the_names_that_people_write(self):
        tree = self.module("github.com/!burnt!sushi/toml@v1.3.2")
        self.module("golang.org/x/text@v0.14.0")
        self.module("golang.org/x/mod@v0.1.0", partial=True)
        entries = self.json("import", "gomod", self.dir / "mod")["entries"]
        self.assertEqual([entry["key"] for entry in entries],
                         ["github.com/BurntSushi/toml@v1.3.2", "golang.org/x/text@v0.14.0"])
        self.assert_same_tree(tree, entries[0]["path"])
        self.assertEqual(os.stat(entries[0]["path"]).st_mode & 0o777, 0o555)
        info = self.json("info", "gomod", entries[0]["key"])
        self.assertEqual((info["published"], info["last_used"]), (WHEN, WHEN))
        env = {"GOPATH": str(self.dir / "gopath")}
        (self.dir / "gopath" / "pkg").mkdir(parents=True)
        (self.dir / "gopath" / "pkg" / "mod").symlink_to(self.dir / "mod")
        self.complaint("import", "gomod", self.dir / "none", code=2)
        self.assertEqual([one["added"] for one in self.json("import", "gomod", env=env)["entries"]],
                         [False, False])


class Mistakes(Import):
    def test_other_places_and_tools(self):
        self.complaint("import", "npm", code=2)
        self.complaint("import", code=2)
        err, _ = self.complaint("import", "uv", self.tree("empty"), code=2)
        self.assertIn("is no cache of uv", err)
        self.complaint("import", "uv", self.dir / "none", code=1)
        self.assertFalse(self.root.exists())


if __name__ == "__main__":
    unittest.main()
