# SPDX-License-Identifier: MIT
"""Compares docs/protocol.md with the source: the points, the functions, the bytes of the record.

    protocol_page.py SOURCE_DIR

The rules:

- At a point of src/ whose result is discarded, `(void)os::point("NAME")`, a test kills a process.
  Each of them stands in a table of the section "Crashes", and tests/protocol/crash.cpp names it.
- A point whose result is used makes a call fail. Each of them stands in the table of the section
  "Errors that tests cause".
- The tables of both sections name no other point, and none twice.
- In a table whose last column is "function", each row says `FUNCTION` in `FILE`. Wherever the page
  or docs/model/README.md says so, that file defines that function.
- Each file of src/ or tests/ that these two name exists.
- The record that the page shows ends with the checksum of its lines.
"""

import pathlib
import re
import sys
import zlib

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
STRING = re.compile(r'"([^"\n]*)"')
POINT_NAME = re.compile(r"[a-z_]+\.[a-z0-9_-]+")
FUNCTION = re.compile(r"`([\w:~]+)`\s+in\s+`(src/[\w/]+\.cpp)`")
DOCUMENTS = ("docs/protocol.md", "docs/model/README.md")
CRASHES = "Crashes"
ERRORS = "Errors that tests cause"


def code_of(path):
    """Returns a source without its comments."""
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def up_to_closing(text, start):
    """Returns the text from `start` to the parenthesis that closes the one open there."""
    depth, end = 1, start
    while depth > 0:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return text[start : end - 1]


def points_in_source(src):
    """Returns the points at which a process can be killed, and those that cause an error; each as
    a dictionary from a name to its file."""
    crashes, errors = {}, {}
    for path in sorted(src.rglob("*.?pp")):
        code = code_of(path)
        for call in re.finditer(r"(\(void\)\s*)?\b(?:os::)?point\(", code):
            for name in STRING.findall(up_to_closing(code, call.end())):
                (crashes if call[1] else errors).setdefault(name, path.name)
    return crashes, errors


def section_of(page, heading):
    """Returns the text below `## heading`, up to the next heading of that level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.S | re.M)
    return found[1] if found else ""


def tables_of(text):
    """Returns each table as a list of rows, the head first; a row is a list of cells."""
    tables = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()]
        tables.append([rows[0]] + rows[2:])
    return tables


def points_in(section):
    """Returns the points in the first columns of a section's tables, as often as they are named."""
    cells = [row[0] for table in tables_of(section) for row in table[1:]]
    names = [name for cell in cells for name in re.findall(r"`([^`]*)`", cell)]
    return [name for name in names if POINT_NAME.fullmatch(name)]


def compare_points(heading, in_source, in_page):
    """Yields what differs between the points in the source and those in a section."""
    if not in_page:
        yield f'the section "{heading}" names no point'
    for name in sorted(set(in_source) - set(in_page)):
        yield f'{in_source[name]} has the point "{name}", which is not in "{heading}"'
    for name in sorted(set(in_page) - set(in_source)):
        yield f'"{heading}" names "{name}"; src/ has no such point, or not of this kind'
    for name in sorted({name for name in in_page if in_page.count(name) > 1}):
        yield f'"{heading}" names "{name}" twice'


def defines(code, function):
    """Returns true if the source has the body of a function, inside its class or outside."""
    owner, _, name = function.rpartition("::")
    spellings = [rf"\b{re.escape(function)}"]
    if owner and re.search(rf"\b(class|struct) {re.escape(owner)}\b[^;]*\{{", code):
        spellings.append(rf"(?<![\w:~]){re.escape(name)}")
    for call in re.finditer(rf"({'|'.join(spellings)})\(", code):
        after = code[call.end() + len(up_to_closing(code, call.end())) + 1 :]
        if re.match(r"(\s|const\b|noexcept\b|override\b)*\{", after):
            return True
    return False


def faults_of_functions(root, name):
    """Yields the rows that name no function, and the functions that their files do not define."""
    document = (root / name).read_text(encoding="utf-8")
    tables = [table for table in tables_of(document) if table[0][-1] == "function"]
    if not tables:
        yield f"{name} has no table of functions"
    for row in (row for table in tables for row in table[1:]):
        if not FUNCTION.fullmatch(row[-1]):
            yield f"{name}: this row names no function in a file: {' | '.join(row)}"
    for function, file in sorted(set(FUNCTION.findall(document))):
        if not (root / file).exists() or not defines(code_of(root / file), function):
            yield f"{name}: {file} defines no {function}"


def faults_of_files(root, name):
    """Yields the files that a document names and that do not exist."""
    document = (root / name).read_text(encoding="utf-8")
    for file in sorted(set(re.findall(r"`((?:src|tests)/[^`]*)`", document))):
        if not (root / file).exists():
            yield f"{name} names {file}, which does not exist"


def faults_of_record(page):
    """Yields what is wrong with the record that the page shows."""
    record = re.search(r"^(larder record 1\n.*?)end ([0-9a-f]{8})\n", page, re.S | re.M)
    if not record:
        yield "the page shows no record"
    elif f"{zlib.crc32(record[1].encode()):08x}" != record[2]:
        yield f"the record's checksum is {zlib.crc32(record[1].encode()):08x}, not {record[2]}"


def faults_in(root):
    """Returns all that differs between the page and the source, as lines of text."""
    page = (root / "docs/protocol.md").read_text(encoding="utf-8")
    crashes, errors = points_in_source(root / "src")
    in_crashes = points_in(section_of(page, CRASHES))
    killed = STRING.findall(code_of(root / "tests/protocol/crash.cpp"))
    return [
        *compare_points(CRASHES, crashes, in_crashes),
        *compare_points(ERRORS, errors, points_in(section_of(page, ERRORS))),
        *(f'crash.cpp kills no process at "{name}"' for name in sorted(set(crashes) - set(killed))),
        *(fault for name in DOCUMENTS for fault in faults_of_functions(root, name)),
        *(fault for name in DOCUMENTS for fault in faults_of_files(root, name)),
        *faults_of_record(page),
    ]


if __name__ == "__main__":
    faults = faults_in(pathlib.Path(sys.argv[1]))
    print("\n".join(faults) if faults else "docs/protocol.md and the source agree")
    sys.exit(1 if faults else 0)
