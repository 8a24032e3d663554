# SPDX-License-Identifier: MIT
"""Checks that each test that docs/hostile.md names exists, in the file that it names. A name that
ends with an ellipsis is the beginning of that of a test.

    hostile_page.py SOURCE_DIR
"""

import pathlib
import re
import sys

ROW = re.compile(r'^- .+:\n  `(?P<file>\w+\.(?:py|cpp))` (?:`(?P<python>\w+)`|"(?P<cpp>.+)")$')


def tests_of(path):
    """Returns the names of the tests in a file. That of a C++ test may stand in several parts."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return set(re.findall(r"def (test_\w+)", text))
    cases = re.findall(r'TEST_CASE\(\s*((?:"[^"]*"\s*)+)', text)
    return {"".join(re.findall(r'"([^"]*)"', case)) for case in cases}


def main(source):
    page = (source / "docs/hostile.md").read_text(encoding="utf-8")
    known = {}
    for path in (source / "tests").rglob("*"):
        if path.suffix in (".py", ".cpp"):
            known.setdefault(path.name, set()).update(tests_of(path))
    wrong = []
    rows = re.findall(r"^- .*\n.*$", page, re.MULTILINE)
    for text in rows:
        row = ROW.match(text)
        if row is None:
            wrong.append(f"this names no test: {text}")
            continue
        name, tests = row["python"] or row["cpp"], known.get(row["file"], set())
        begins = name.endswith("…") and any(one.startswith(name[:-1]) for one in tests)
        if name not in tests and not begins:
            wrong.append(f"there is no such test: {row['file']}: {name}")
    if not rows:
        wrong.append("the page names no test")
    print("\n".join(wrong) or f"{len(rows)} tests are named, and exist")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
