# SPDX-License-Identifier: MIT
"""Checks that the project keeps to the words of docs/words.md.

    words.py SOURCE_DIR [CACHETOOL]

- Each identifier in the table's C++ column is declared in include/larder, and each one in its C
  column in larder.h. CACHETOOL knows each command and option. Each name on disk is in src/format.
- The table is complete: it has every command, and every directory of a cache.
- No identifier is a word that the table has replaced.
- No two types have the same name, and no type has an everyday word for its name.
"""

import collections
import pathlib
import re
import subprocess
import sys

# Identifiers that were replaced, as regular expressions, and what replaced them.
REPLACED = {
    r"trash_name|move_to_trash|in_trash|trashed": "deleting",
    r"retired_entries|larder_cache_retired": "trash",
    r"purge\w*|\w+_purge\w*|Purge\w*": "refresh",
    r"build_once\w*|BuildOnce\w*": "get_or_build",
    r"made_before_main": "os::before_main",
    r"names_what_is_there": "link_names_complete_entry",
    r"key_path_by_way_of|way_back|KeyWay": "key_path_via_entry",
    r"is_complete_though_closed|is_complete_by_open": "has_tree",
}

# Words that say nothing about a type that is named by one of them alone.
EVERYDAY = set(
    "Ask Caller Ending Ends Found Free Full Given Gone Had Hand Held Known Left Look Made Met Move "
    "Moved Next Now Other Own Pair Part Piece Place Placed Ran Said Seen Side Some Taken Team "
    "Thing Top Turn Way What Where Who Whole Word Work".split()
)

# Types that may share a name or have an everyday one, and why.
EXCEPTIONS = {
    "Listing": "os/posix has one for Linux and one for macOS, and os/windows one for Windows",
    "Region": "os/posix and os/windows have one each",
    "ChildState": "cachetool/system/posix and cachetool/system/windows have one each",
    "SavedState": "cachetool/system/posix and cachetool/system/windows have one each",
}

# Commands that are about the command itself, so that no word belongs to them.
OWN_COMMANDS = {"completion"}

ROOMS = ("include/larder", "src", "cachetool", "stress")


def table_of(page):
    """Returns the rows of the table with the column "on disk": (word, C++, C, command, disk), each
    cell a list of the names in it."""
    rows = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and cells[0] != "word" and "---" not in line:
            rows.append([cells[0], *(re.findall(r"`([^`]+)`", cell) for cell in cells[1:])])
    return rows


def code_of(text):
    """Returns C or C++ without its comments and without the contents of its strings."""
    token = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])'"
    return re.sub(token, lambda found: '""' if found[0][0] == '"' else " ", text, flags=re.S)


def sources(root, *folders):
    """Yields (path, code) for each C++ and C file below the folders."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".h", ".c"):
                yield path.relative_to(root), code_of(path.read_text(encoding="utf-8"))


def body_of(code, name):
    """Returns what stands between the braces of a class, struct or enum, or None if there is no
    such type."""
    found = re.search(rf"\b(?:class|struct|enum class|enum) {name}\b[^;{{(]*{{", code)
    if found is None:
        return None
    depth, end = 1, found.end()
    while depth > 0:
        depth += {"{": 1, "}": -1}.get(code[end], 0)
        end += 1
    return code[found.end() : end]


def is_declared(name, code):
    """Returns true if the headers declare `name`, which may be "Class::member"."""
    scope, _, member = name.rpartition("::")
    if scope:
        body = body_of(code, scope)
        return body is not None and re.search(rf"\b{member}\b", body) is not None
    return body_of(code, name) is not None or re.search(rf"\b{name}\(", code) is not None


def faults_of_table(root, rows):
    """Yields a fault for each name in the columns C++, C and on disk that does not exist, and for
    each directory of a cache that has no word."""
    headers = "\n".join(
        code for path, code in sources(root, "include/larder") if path.suffix != ".h"
    )
    c_header = code_of((root / "include/larder/larder.h").read_text(encoding="utf-8"))
    formats = "\n".join(path.read_text() for path in sorted((root / "src/format").rglob("*.?pp")))
    on_disk = set(re.findall(r'"([^"\n]+)"', formats))
    for word, in_cpp, in_c, _, disk in rows:
        for name in in_cpp:
            if not is_declared(name, headers):
                yield f"{word}: include/larder does not declare {name}"
        for name in in_c:
            if re.search(rf"\b{name}\b", c_header) is None:
                yield f"{word}: larder.h does not declare {name}"
        for name in disk:
            for part in re.sub(r"<\w+>", "", name).split("/"):
                if part and part not in on_disk:
                    yield f'{word}: src/format has no name "{part}"'
    shown = {part for row in rows for name in row[4] for part in name.split("/")}
    for part in re.findall(r'\b\w+_name = "(\w+)"', formats):
        if part not in shown:
            yield f'the column "on disk" does not have "{part}"'


def faults_of_commands(rows, help_of):
    """Yields a fault for each command or option that does not exist, and for each command that has
    no word. `help_of` returns the help of a command, or all of it for None."""
    existing = set(re.findall(r"^  ([a-z]+) {2,}", help_of(None), re.M)) | OWN_COMMANDS
    named = set()
    for word, _, _, commands, _ in rows:
        for name in commands:
            command, *rest = name.split()
            if command.startswith("--"):
                command, rest = None, [command]
            elif command not in existing:
                yield f"{word}: there is no command {command}"
                continue
            named.add(command)
            for part in rest:
                if re.search(rf"(?<![\w-]){part}\b", help_of(command)) is None:
                    yield f"{word}: the help of {command} does not have {part}"
    for command in sorted(existing - named - OWN_COMMANDS):
        yield f"the table does not have the command {command}"


def faults_of_identifiers(root):
    """Yields a fault for each identifier that the table has replaced."""
    for path, code in sources(root, *ROOMS):
        for old, new in REPLACED.items():
            for found in sorted(set(re.findall(rf"\b(?:{old})\b", code))):
                yield f"{path}: write {new} in place of {found}"


def types_of(code):
    """Yields (name, outer, kind) for each class, struct and enum that the code defines. `outer` is
    the type around it, or None."""
    keyword = r"\b(?P<kind>enum class|enum|class|struct)\s+(?:alignas\([^)]*\)\s*)?"
    name = r"(?:\w+::)*(?P<name>\w+)(?:\s+final)?\s*(?::(?!:)[^;{}]*)?{"
    token = keyword + name + "|[{}]"
    code = re.sub(r"template <[^{};]*?>(?=\s*(class|struct)\b)", "", code)
    around = []
    for found in re.finditer(token, code):
        if found[0] == "}":
            if around:
                around.pop()
            continue
        if found["name"]:
            outer = next((name for name in reversed(around) if name), None)
            yield found["name"], outer, found["kind"]
        around.append(found["name"])


def faults_of_types(root, exceptions=EXCEPTIONS):
    """Yields a fault for each name that two types share, and for each everyday name.

    Namespaces do not excuse a shared name. An enum inside a class is named together with the class,
    as code outside the class must do, so `Event::Kind` and `Finding::Kind` differ."""
    where = collections.defaultdict(list)
    for path, code in sources(root, *ROOMS):
        if path.suffix in (".h", ".c"):
            continue
        for name, outer, kind in types_of(code):
            shown = f"{outer}::{name}" if outer and kind.startswith("enum") else name
            where[shown].append(str(path))
    for name, paths in sorted(where.items()):
        if name in exceptions:
            continue
        if len(paths) > 1:
            yield f"{len(paths)} types are named {name}: {', '.join(paths)}"
        if name.split("::")[-1] in EVERYDAY:
            yield f"{paths[0]}: {name} is an everyday word; say what it is"


def main(arguments):
    root = pathlib.Path(arguments[0])
    rows = table_of((root / "docs/words.md").read_text(encoding="utf-8"))
    faults = [] if rows else ["docs/words.md has no table"]
    faults += faults_of_table(root, rows)
    if len(arguments) > 1 and arguments[1]:
        texts = {}

        def help_of(command):
            if command not in texts:
                words = [arguments[1], *([command] if command else []), "--help"]
                texts[command] = subprocess.run(words, stdout=subprocess.PIPE, text=True).stdout
            return texts[command]

        faults += faults_of_commands(rows, help_of)
    faults += faults_of_identifiers(root)
    faults += faults_of_types(root)
    print(f"{len(rows)} words")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
