# SPDX-License-Identifier: MIT
"""Plants differences between a small page and a small source, and checks that protocol_page.py
finds each of them."""

import pathlib
import tempfile
import unittest

import protocol_page

PAGE = """# The protocol

| from | to | by | function |
|---|---|---|---|
| - | staged | stage | `Stage::make` in `src/stage.cpp` |
| staged | - | dropped | `Stage::~Stage` in `src/stage.cpp` |
| live | retired | remove | `remove` in `src/stage.cpp` |
| live | retired | refresh | `Partial::take` in `src/stage.cpp` |

larder record 1
bucket b
end 4e8ca03e

## Crashes

| killed at | what is left |
|---|---|
| `stage.made` | a directory, as in `src/stage.cpp` |

The same for a get.

| killed at | what is left |
|---|---|
| `get.new` or `get.old` | - |

## Errors that tests cause

| point | effect |
|---|---|
| `os.sync` | `fsync` fails |

## The end

| `get.lost` |
|---|
| `get.found` |
"""

MODELS = """| step | function |
|---|---|
| stage | `Stage::make` in `src/stage.cpp` |

See `src/stage.cpp`.
"""

SOURCE = """
// Here is no os::point("stage.comment").
Result<Stage> Stage::make(RootRef root, const Context& context) {
    (void)os::point("stage.made");
    (void)os::point(is_new(root) ? "get.new"
                                 : "get.old");
    if (const int error = point("os.sync")) return fail(error);
}
Stage::~Stage() { remove(id_); }
class Partial {
    bool take(const std::string& path) const noexcept {
        return true;
    }
};
Result<> remove(const KeyRef& key) {
    return {};
}
"""

TEST = 'for (const char* point : {"stage.made", "get.new", "get.old"}) check(point);\n'


class ProtocolPage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.plant("docs/protocol.md", PAGE)
        self.plant("docs/model/README.md", MODELS)
        self.plant("src/stage.cpp", SOURCE)
        self.plant("tests/protocol/crash.cpp", TEST)

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name, old, new):
        text = (self.root / name).read_text(encoding="utf-8")
        self.assertIn(old, text)
        self.plant(name, text.replace(old, new, 1))

    def expect(self, *faults):
        self.assertEqual(protocol_page.faults_in(self.root), list(faults))

    def test_page_and_source_agree(self):
        self.expect()

    def test_a_point_that_is_not_in_the_page(self):
        self.change("src/stage.cpp", "return true;", '(void)os::point("take.new"); return true;')
        self.expect(
            'stage.cpp has the point "take.new", which is not in "Crashes"',
            'crash.cpp kills no process at "take.new"',
        )

    def test_an_error_that_is_not_in_the_page(self):
        self.change("src/stage.cpp", "return true;", 'return os::point("os.take") == 0;')
        self.expect('stage.cpp has the point "os.take", which is not in "Errors that tests cause"')

    def test_a_point_that_is_not_in_the_source(self):
        self.change("src/stage.cpp", '(void)os::point("stage.made");', '// os::point("stage.made")')
        self.expect('"Crashes" names "stage.made"; src/ has no such point, or not of this kind')

    def test_a_point_that_is_named_twice(self):
        self.change("docs/protocol.md", "`get.new` or `get.old`", "`get.new`, `get.new`, `get.old`")
        self.expect('"Crashes" names "get.new" twice')

    def test_a_point_of_the_other_kind(self):
        self.change("src/stage.cpp", '(void)os::point("stage', 'return os::point("stage')
        self.expect(
            '"Crashes" names "stage.made"; src/ has no such point, or not of this kind',
            'stage.cpp has the point "stage.made", which is not in "Errors that tests cause"',
        )

    def test_a_point_without_a_kill(self):
        self.change("tests/protocol/crash.cpp", '"get.old"', '/* "get.old" */')
        self.expect('crash.cpp kills no process at "get.old"')

    def test_a_section_that_is_missing(self):
        self.change("docs/protocol.md", "## Errors that tests cause", "## Faults")
        self.expect(
            'the section "Errors that tests cause" names no point',
            'stage.cpp has the point "os.sync", which is not in "Errors that tests cause"',
        )

    def test_a_function_that_has_another_name(self):
        for old, new, missing in (
            ("Stage::~Stage()", "Other::~Other()", "Stage::~Stage"),
            ("bool take(", "bool took(", "Partial::take"),
            ("Result<> remove(", "Result<> unlink(", "remove"),
        ):
            self.plant("src/stage.cpp", SOURCE)
            self.change("src/stage.cpp", old, new)
            self.expect(f"docs/protocol.md: src/stage.cpp defines no {missing}")
        self.plant("src/stage.cpp", SOURCE)
        self.change("src/stage.cpp", "Stage::make(RootRef", "Stage::begin(RootRef")
        self.expect(
            "docs/protocol.md: src/stage.cpp defines no Stage::make",
            "docs/model/README.md: src/stage.cpp defines no Stage::make",
        )

    def test_a_function_that_is_only_declared(self):
        self.change("src/stage.cpp", "Result<> remove(const KeyRef& key) {", "Result<> remove(); {")
        self.expect("docs/protocol.md: src/stage.cpp defines no remove")

    def test_a_row_without_a_function(self):
        self.change("docs/protocol.md", "`remove` in `src/stage.cpp`", "remove")
        row = "live | retired | remove | remove"
        self.expect(f"docs/protocol.md: this row names no function in a file: {row}")

    def test_a_file_that_does_not_exist(self):
        self.change("docs/model/README.md", "See `src/stage.cpp`", "See `src/stages.cpp`")
        self.expect("docs/model/README.md names src/stages.cpp, which does not exist")

    def test_a_record_with_another_checksum(self):
        self.change("docs/protocol.md", "bucket b\n", "bucket c\n")
        self.expect("the record's checksum is 5797917f, not 4e8ca03e")


if __name__ == "__main__":
    unittest.main()
