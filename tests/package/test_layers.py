# SPDX-License-Identifier: MIT
"""Plants includes that break the layers, and checks that layers.py finds each of them."""

import pathlib
import tempfile
import unittest

import layers

LIST = """
set(larder_sources
    base/error.cpp
    os/file.cpp
    protocol/get.cpp
    protocol/collect.cpp
)
set(larder_public_sources
    api/cache.cpp
)
"""


class Layers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/CMakeLists.txt", LIST)
        for tree, rooms in layers.ROOMS.items():
            for room in rooms:
                self.plant(f"{tree}/{room}/some.hpp")
        for name in layers.listed_sources(self.root):
            self.plant("src/" + name)
            self.plant("src/" + name.replace(".cpp", ".hpp"))

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def plant(self, name, *included):
        self.write(name, "".join(f'#include "{other}"\n' for other in included))

    def assert_found(self, *parts):
        faults = list(layers.faults_of(self.root))
        self.assertEqual(1, len(faults), faults)
        for part in parts:
            self.assertIn(part, faults[0])

    def test_nothing_is_found_in_code_that_keeps_the_layers(self):
        self.plant("src/protocol/get.cpp", "protocol/get.hpp", "os/file.hpp", "base/error.hpp")
        self.plant("src/os/posix/file.cpp", "os/file.hpp")
        self.write("src/CMakeLists.txt", LIST.replace("os/file.cpp", "os/posix/file.cpp"))
        (self.root / "src/os/file.cpp").unlink()
        self.plant("stress/main.cpp", "stress/run/some.hpp")
        self.plant("stress/random.hpp")
        self.plant("stress/system/some.hpp", "stress/random.hpp")
        self.assertEqual([], list(layers.faults_of(self.root)))

    def test_a_file_includes_one_of_a_later_room(self):
        for tree, lower, upper in (
            ("src", "cache/some.hpp", "observe/some.hpp"),
            ("stress", "judge/some.hpp", "run/some.hpp"),
            ("cachetool", "system/some.hpp", "term/some.hpp"),
        ):
            if tree not in layers.ROOMS:
                continue
            with self.subTest(tree=tree):
                prefix = "" if tree == "src" else tree + "/"
                self.plant(f"{tree}/{lower}", prefix + upper)
                self.assert_found(f"{tree}/{lower} includes {upper}")
                self.plant(f"{tree}/{lower}")

    def test_a_file_includes_one_of_its_room_that_is_listed_later(self):
        self.plant("src/protocol/get.cpp", "protocol/collect.hpp")
        self.assert_found("src/protocol/get.cpp", "protocol/collect.cpp", "listed after")

    def test_a_header_does(self):
        self.plant("src/protocol/get.hpp", "protocol/collect.hpp")
        self.assert_found("src/protocol/get.hpp", "protocol/collect.cpp", "listed after")

    def test_a_file_does_by_a_header_without_a_source(self):
        self.plant("src/protocol/key_ref.hpp", "protocol/collect.hpp")
        self.plant("src/protocol/get.cpp", "protocol/key_ref.hpp")
        self.assert_found("src/protocol/get.cpp", "protocol/collect.cpp", "listed after")

    def test_headers_include_each_other(self):
        self.plant("src/tree/a.hpp", "tree/b.hpp")
        self.plant("src/tree/b.hpp", "tree/a.hpp")
        self.assert_found("tree/a.hpp -> tree/b.hpp -> tree/a.hpp")

    def test_a_folder_is_no_room(self):
        self.plant("src/misc/deep/some.hpp")
        self.assert_found("src/misc/deep/some.hpp", "no room")

    def test_a_room_is_empty(self):
        (self.root / "src/observe/some.hpp").unlink()
        self.assert_found("src/observe", "without sources")

    def test_a_source_is_not_listed(self):
        self.plant("src/tree/new.cpp")
        self.assert_found("src/tree/new.cpp", "not listed")

    def test_a_listed_source_does_not_exist(self):
        (self.root / "src/protocol/get.cpp").unlink()
        self.assert_found("protocol/get.cpp", "does not exist")

    def test_the_list_mixes_the_rooms(self):
        lines = LIST.replace("    os/file.cpp\n", "").replace(
            "    protocol/collect.cpp\n", "    protocol/collect.cpp\n    os/file.cpp\n"
        )
        self.write("src/CMakeLists.txt", lines)
        self.assert_found("os/file.cpp", "later room")


if __name__ == "__main__":
    unittest.main()
