# SPDX-License-Identifier: MIT
"""Plants faults of format in small trees, and checks that format.py finds each of them."""

import pathlib
import tempfile
import unittest

import format

WIDE = "word " * 20 + "end"


class Format(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def faults(self):
        return format.faults_in(self.root)

    def test_a_wide_line_is_found_in_every_language(self):
        marks = {
            "src/a.cpp": "// ",
            "src/a.hpp": "// ",
            "tests/a.c": "// ",
            "a.md": "",
            "a.py": "# ",
            "a.rs": "// ",
            "CMakeLists.txt": "# ",
            "cmake/a.cmake": "# ",
            ".ci/run": "#!/usr/bin/env bash\n# ",
            "bench/run": "#!/usr/bin/env python3\n# ",
        }
        for name, mark in marks.items():
            self.plant(name, mark + WIDE + "\n")
        faults = self.faults()
        for name in marks:
            self.assertTrue(any(fault.startswith(name + ":") for fault in faults), (name, faults))
        self.assertEqual(len(faults), len(marks))

    def test_the_hundredth_column_is_the_last(self):
        self.plant("a.md", "a " * 49 + "éé\n" + "a " * 49 + "ééé\n")
        self.assertEqual(self.faults(), ["a.md:2: 101 columns"])

    def test_what_cannot_be_broken_may_be_wide(self):
        self.plant("a.md", "- <https://example.org/" + "a" * 100 + ">\n")
        self.plant("a.hpp", "    /// https://example.org/" + "a" * 100 + "\n")
        self.assertEqual(self.faults(), [])

    def test_a_row_of_a_table_may_not_be_wide(self):
        self.plant("a.md", "| a |\n|---|\n| " + WIDE + " |\n")
        self.assertEqual(len(self.faults()), 1)

    def test_blanks_in_the_wrong_place(self):
        self.plant("a.py", "one = 1 \n\ttwo = 2\n")
        self.plant("b.md", "no newline")
        self.plant("c.md", "two newlines\n\n")
        self.plant("run", "#!/usr/bin/env bash\ncat <<-END\n\tmay be a tab\nEND\n")
        self.assertEqual(
            self.faults(),
            [
                "a.py:1: ends in a blank",
                "a.py:2: is indented by a tab",
                "b.md:0: the file must end with one newline",
                "c.md:2: the file must end with one newline",
            ],
        )

    def test_a_link_to_no_file(self):
        self.plant("docs/a.md", "[a](a.md#top), [b](b.md), [c](../c/), ![d](../d.svg)\n")
        self.plant("docs/c.md", "[a](a.md), [web](https://example.org/x), [here](#here)\n")
        faults = ["../c/", "../d.svg", "b.md"]
        self.assertEqual(self.faults(), [f"docs/a.md:1: there is no {name}" for name in faults])

    def test_build_trees_and_data_are_not_looked_at(self):
        self.plant("out/CMakeCache.txt", "")
        for name in ("out/a.cpp", "build/dev/a.cpp", ".git/a.py", "tests/corpus/a.md", "a.svg"):
            self.plant(name, WIDE + " \n")
        self.assertEqual(self.faults(), [])

    def test_a_symlink_is_not_looked_at(self):
        self.plant("a/a.md", "[b](b.md)\n")
        self.plant("a/b.md", "\n")
        (self.root / "c").mkdir()
        (self.root / "c" / "a.md").symlink_to("../a/a.md")
        self.assertEqual(self.faults(), [])

    def test_includes(self):
        self.plant("include/larder/cache.hpp", "")
        self.plant("src/os/file.hpp", "")
        self.plant("stress/run/run.hpp", "")
        right = '#include <larder/cache.hpp>\n#include <vector>\n#include "os/file.hpp"\n'
        self.plant("src/os/right.cpp", right)
        self.plant("stress/run/right.cpp", right + '#include "stress/run/run.hpp"\n')
        self.assertEqual(self.faults(), [])

        self.plant("src/os/a.cpp", '#include "larder/cache.hpp"\n')
        self.plant("src/os/b.cpp", "\n#include <os/file.hpp>\n")
        self.plant("src/os/c.cpp", '#include "file.hpp"\n')
        self.plant("stress/run/d.cpp", "#include <stress/run/run.hpp>\n")
        self.plant("stress/run/e.cpp", '#include "run.hpp"\n')
        self.assertEqual(
            self.faults(),
            [
                "src/os/a.cpp:1: include <larder/cache.hpp>: it is public",
                'src/os/b.cpp:2: include "os/file.hpp": it is private',
                'src/os/c.cpp:1: name "file.hpp" from the root of its tree',
                'stress/run/d.cpp:1: include "stress/run/run.hpp": it is private',
                'stress/run/e.cpp:1: name "run.hpp" from the root of its tree',
            ],
        )

    def test_code_that_clang_format_would_change(self):
        command = format.formatter()
        if command is None:
            self.skipTest("there is no clang-format 14")
        self.plant(".clang-format", "BasedOnStyle: Google\n")
        self.plant("src/a.cpp", "int one() { return 1; }\n")
        self.assertEqual(format.faults_of_code(self.root, command), "")
        self.plant("src/b.hpp", "int   two( );\n")
        self.assertIn("b.hpp:1", format.faults_of_code(self.root, command))


if __name__ == "__main__":
    unittest.main()
