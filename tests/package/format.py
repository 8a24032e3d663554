# SPDX-License-Identifier: MIT
"""Checks the format of every source and document of the project.

    format.py SOURCE_DIR          lines, blanks, links and includes
    format.py --code SOURCE_DIR   what clang-format 14 would change

The second form exits with 77, "skipped", if there is no clang-format 14.

The rules:

- A line has at most 100 columns, unless nothing in it can be broken, such as a long link. Markdown,
  C++, C, Python, Rust, shell and CMake are checked.
- No line ends in a blank, and a file ends with one newline. Only shell scripts are indented by
  tabs, since a here document may need them.
- A link from one of our pages to another file leads to a file.
- A public header is included as <larder/NAME>, a private one as "folder/name.hpp". Sources in src/
  name it from src/; those in cachetool/ and stress/ name their own from the root of the project.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

COLUMNS = 100
CODE = (".cpp", ".hpp", ".c", ".h")
ENDINGS = CODE + (".md", ".py", ".rs", ".sh", ".cmake", ".cmake.in", ".cpp.in", "CMakeLists.txt")
SCRIPT = re.compile(rb"#!.*\b(python3|bash|sh)\b")


def is_checked(path):
    """Returns true for a file in a language that the rules are about. A symlink is none: the file
    to which it leads is checked."""
    if path.is_symlink():
        return False
    if path.name.endswith(ENDINGS):
        return True
    if "." in path.name:
        return False
    with path.open("rb") as file:
        return SCRIPT.match(file.readline()) is not None


def files_of(root):
    """Returns the checked files below a directory. Build trees and hidden directories are left out,
    except .ci."""
    found = []
    for folder, folders, names in os.walk(root):
        here = pathlib.Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if (name == ".ci" or not name.startswith("."))
            and name not in ("build", "corpus", "__pycache__")
            and not (here / name / "CMakeCache.txt").exists()
        )
        found += [here / name for name in names if is_checked(here / name)]
    return sorted(found)


def is_unbreakable(line):
    """Returns true if a line is one word, not counting a list's or a comment's mark before it."""
    return re.fullmatch(r"\s*(\S{1,3} )?\S+", line) is not None


def faults_of_lines(text, tabs=False):
    """Yields (line number, fault) for lines that are too wide and for blanks in the wrong place."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > COLUMNS and not is_unbreakable(line):
            yield number, f"{len(line)} columns"
        if line != line.rstrip():
            yield number, "ends in a blank"
        if not tabs and re.match(r" *\t", line):
            yield number, "is indented by a tab"
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield text.count("\n"), "the file must end with one newline"


def faults_of_includes(root, path, text):
    """Yields (line number, fault) for each include of our own headers that is not in our style."""
    room = path.relative_to(root).parts[0]
    bases = {
        "src": [root / "src"],
        "cachetool": [root, root / "src"],
        "stress": [root, root / "src"],
    }
    for found in re.finditer(r'^#include ([<"])([^>"]+)[>"]', text, re.M):
        mark, name = found.groups()
        number = text.count("\n", 0, found.start()) + 1
        if mark == '"' and name.startswith("larder/"):
            yield number, f"include <{name}>: it is public"
        elif mark == "<" and any((root / base / name).exists() for base in ("src", ".", "tests")):
            yield number, f'include "{name}": it is private'
        elif mark == '"' and room in bases:
            if not any((base / name).exists() for base in bases[room]):
                yield number, f'name "{name}" from the root of its tree'


def faults_of_links(path, text):
    """Yields (line number, fault) for each link of a page that leads to no file."""
    shown = False  # the line belongs to a block of code
    for number, line in enumerate(text.split("\n"), 1):
        shown ^= line.startswith("```")
        for target in [] if shown else re.findall(r"\]\(([^)\s#]+)[^)]*\)", line):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                yield number, f"there is no {target}"


def faults_in(root):
    """Returns all faults of a tree, as lines of text."""
    faults = []
    for path in files_of(root):
        name = str(path.relative_to(root))
        text = path.read_text(encoding="utf-8")
        shell = text.startswith("#!") and "sh\n" in text[:40]
        found = list(faults_of_lines(text, tabs=shell))
        if path.name.endswith(".md"):
            found += faults_of_links(path, text)
        if path.name.endswith(CODE):
            found += faults_of_includes(root, path, text)
        faults += [f"{name}:{number}: {fault}" for number, fault in sorted(found)]
    return faults


def formatter():
    """Returns the command of clang-format 14, or None if this machine has none."""
    for command in ("clang-format-14", "clang-format"):
        if shutil.which(command):
            said = subprocess.run([command, "--version"], capture_output=True, text=True).stdout
            if re.search(r"\bversion 14\.", said):
                return command
    return None


def faults_of_code(root, command):
    """Returns what clang-format would change, or an empty text."""
    code = [path for path in files_of(root) if path.name.endswith(CODE)]
    check = subprocess.run(
        [command, "--dry-run", "-Werror", *code], cwd=root, capture_output=True, text=True
    )
    return check.stderr if check.returncode != 0 else ""


def main(arguments):
    root = pathlib.Path(arguments[-1]).resolve()
    if arguments[0] == "--code":
        command = formatter()
        if command is None:
            print("there is no clang-format 14; scripts/setup installs it where Debian has it")
            return 77
        faults = faults_of_code(root, command)
        print(faults, end="")
        return 1 if faults else 0
    faults = faults_in(root)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
