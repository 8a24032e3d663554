# SPDX-License-Identifier: MIT
"""Plants faults in a small page, and checks that hostile_page.py finds each of them."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import hostile_page

PAGE = """# What the world does to a cache

## A kind

- a test of C++:
  `some.cpp` "a test whose name has two parts, and is long"
- the same, by its beginning:
  `some.cpp` "a test whose name has…"
- a test of Python:
  `test_some.py` `test_it`
"""
CPP = """TEST_CASE(
    "a test whose name has two parts, "
    "and is long") {
}
"""


class HostilePage(unittest.TestCase):
    def complaints(self, page, cpp=CPP):
        with tempfile.TemporaryDirectory() as directory:
            source = pathlib.Path(directory)
            for name, text in {
                "docs/hostile.md": page,
                "tests/hostile/some.cpp": cpp,
                "tests/cachetool/test_some.py": "def test_it(self):\n    pass\n",
            }.items():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_text(text)
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                code = hostile_page.main(source)
        self.assertIn(code, (0, 1))
        return said.getvalue() if code else ""

    def test_a_true_page(self):
        self.assertEqual(self.complaints(PAGE), "")

    def test_a_test_that_does_not_exist(self):
        for old, new in (
            ("two parts", "one part"),
            ("name has…", "name had…"),
            ("`test_it`", "`test_that`"),
            ("`some.cpp` \"a test whose name has two", "`other.cpp` \"a test whose name has two"),
        ):
            with self.subTest(new):
                self.assertIn("there is no such test", self.complaints(PAGE.replace(old, new)))
        self.assertIn("there is no such test", self.complaints(PAGE, CPP.replace("long", "short")))

    def test_a_row_without_a_test(self):
        self.assertIn("names no test", self.complaints(PAGE + "- a fault:\n  it was mended\n"))
        self.assertIn("names no test", self.complaints("# Empty\n"))


if __name__ == "__main__":
    unittest.main()
