# SPDX-License-Identifier: MIT
"""Plants words that docs/words.md does not allow, and checks that words.py finds each of them."""

import pathlib
import tempfile
import unittest

import words

PAGE = """
| word | C++ | C | command | on disk |
|---|---|---|---|---|
| cache | `Cache` | `larder_cache` | `dir` | `format` |
| trash | `Cache::trash` | `larder_cache_trash` | `trash ls`, `--log` | `retired/links/` |
| materialize | `materialize` | – | – | `archive/<id>/` |
"""

HEADER = """
// A cache. Comments may say purge.
class Cache {
public:
    void trash() const;
};
void materialize(const Cache& from);
"""

C_HEADER = "typedef struct larder_cache larder_cache;\nint larder_cache_trash(void);\n"

LAYOUT = """
inline constexpr const char* format_name = "format";
inline constexpr const char* retired_name = "retired";
inline constexpr const char* links_name = "links";
inline constexpr const char* archive_name = "archive";
"""

HELP = {
    None: "  dir        print it\n  trash      list\n\nOptions:\n  --log FILE append\n",
    "dir": "usage: dir\n",
    "trash": "usage: trash ls\n",
}


class Words(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.plant("include/larder/cache.hpp", HEADER)
        self.plant("include/larder/larder.h", C_HEADER)
        self.plant("src/format/layout.hpp", LAYOUT)

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def table(self, page=PAGE):
        return list(words.faults_of_table(self.root, words.table_of(page)))

    def commands(self, page=PAGE, texts=HELP):
        return list(words.faults_of_commands(words.table_of(page), texts.__getitem__))

    def types(self, *codes, exceptions=()):
        for number, code in enumerate(codes):
            self.plant(f"src/os/{number}.cpp", code)
        return list(words.faults_of_types(self.root, exceptions))

    def test_what_is_right_has_no_fault(self):
        self.assertEqual(len(words.table_of(PAGE)), 3)
        self.assertEqual(self.table(), [])
        self.assertEqual(self.commands(), [])
        self.assertEqual(
            self.types("struct Walk {};", "struct Lock { enum class Kind { a }; };"), []
        )
        self.assertEqual(list(words.faults_of_identifiers(self.root)), [])

    def test_a_name_of_the_table_that_does_not_exist(self):
        for old, new, fault in [
            ("`Cache`", "`Store`", "cache: include/larder does not declare Store"),
            ("Cache::trash", "Cache::bin", "trash: include/larder does not declare Cache::bin"),
            ("Cache::trash", "Cache::materialize", "does not declare Cache::materialize"),
            ("`larder_cache`", "`larder_store`", "cache: larder.h does not declare larder_store"),
            ("archive/<id>/", "attic/<id>/", 'materialize: src/format has no name "attic"'),
        ]:
            faults = self.table(PAGE.replace(old, new))
            self.assertIn(fault, "\n".join(faults))

    def test_a_name_in_a_comment_or_a_string_is_no_declaration(self):
        text = HEADER.replace("void trash() const;", 'const char* name = "trash";  // trash')
        self.plant("include/larder/cache.hpp", text)
        self.assertEqual(self.table(), ["trash: include/larder does not declare Cache::trash"])

    def test_a_directory_without_a_word(self):
        self.plant("src/format/more.hpp", 'inline constexpr const char* pins_name = "pins";\n')
        self.assertEqual(self.table(), ['the column "on disk" does not have "pins"'])

    def test_commands(self):
        faults = self.commands(PAGE.replace("trash ls", "bin ls"))
        self.assertIn("trash: there is no command bin", faults)
        self.assertIn("the table does not have the command trash", faults)
        self.assertEqual(
            self.commands(PAGE.replace("trash ls", "trash show")),
            ["trash: the help of trash does not have show"],
        )
        self.assertEqual(
            self.commands(PAGE.replace("--log", "--logs")),
            ["trash: the help of None does not have --logs"],
        )

    def test_a_replaced_identifier(self):
        self.plant("src/os/old.cpp", "// purge and trash_name\nvoid purge_all(); int trashed;\n")
        self.plant("cachetool/old.cpp", 'const char* text = "purge"; struct KeyWay;\n')
        self.assertEqual(
            list(words.faults_of_identifiers(self.root)),
            [
                "src/os/old.cpp: write deleting in place of trashed",
                "src/os/old.cpp: write refresh in place of purge_all",
                "cachetool/old.cpp: write key_path_via_entry in place of KeyWay",
            ],
        )

    def test_two_types_of_one_name(self):
        self.assertEqual(
            self.types(
                "namespace a { struct Walk final : Base<int> {}; }",
                "namespace { class Cursor { struct Walk { int depth; }; }; }",
            ),
            ["2 types are named Walk: src/os/0.cpp, src/os/1.cpp"],
        )

    def test_a_type_that_is_defined_outside_its_class_is_one_type(self):
        self.assertEqual(self.types("class Tree { class Walk; };", "class Tree::Walk {};"), [])

    def test_what_is_no_definition(self):
        self.assertEqual(
            self.types(
                "struct stat one {}; class Later; struct stat two = {}; enum class Small : int;",
                "struct stat one {}; template <class Later> void f(struct stat& out) {}",
            ),
            [],
        )

    def test_enums_are_named_with_their_class(self):
        self.assertEqual(
            self.types(
                "struct Event { enum class Kind { a }; };", "class Lock { enum Kind { b }; };"
            ),
            [],
        )
        self.assertEqual(len(self.types("enum class Kind { a };", "enum class Kind { b };")), 1)

    def test_an_everyday_word(self):
        self.assertEqual(
            self.types(
                "struct Held {};", "class Lock { enum class Way { a }; struct HeldLock {}; };"
            ),
            [
                "src/os/0.cpp: Held is an everyday word; say what it is",
                "src/os/1.cpp: Lock::Way is an everyday word; say what it is",
            ],
        )
        self.assertEqual(len(self.types("struct Held {};", "", exceptions=("Held",))), 0)


if __name__ == "__main__":
    unittest.main()
