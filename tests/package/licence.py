# SPDX-License-Identifier: MIT
"""Every source of ours names its licence in its first lines, and LICENSE is that licence.

    licence.py SOURCE_DIR

Sources are C, C++, Python, Rust, shell, JavaScript, CMake, models, the linker's map, and each file
that begins with "#!". Data (JSON, patches, scenarios, histories, corpora) and pages need no line.
"""

import os
import pathlib
import re
import sys

LINE = "SPDX-License-Identifier: MIT"
KINDS = {".c", ".cmake", ".cpp", ".h", ".hpp", ".js", ".map", ".pml", ".py", ".rs", ".sh"}
NAMES = {"CMakeLists.txt", "Doxyfile"}
# What a build, an editor or a version control system puts beside the sources.
FOREIGN = re.compile(r"build|__pycache__|\.(?!ci$).*")


def files_below(top):
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not FOREIGN.fullmatch(name)
                      and not os.path.exists(f"{folder}/{name}/CMakeCache.txt")]
        yield from (pathlib.Path(folder) / name for name in names)


def is_source(path, first):
    made_into = path.with_suffix("") if path.suffix == ".in" else path
    return made_into.suffix in KINDS or path.name in NAMES or first.startswith("#!")


def first_lines(path):
    """Returns the first line, and the line after it, as far as they are text."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(), file.readline()


source = pathlib.Path(sys.argv[1])
sources, without = 0, []
for path in files_below(source):
    first, second = first_lines(path)
    if is_source(path, first):
        sources += 1
        if LINE not in (second if first.startswith("#!") else first):
            without.append(str(path.relative_to(source)))

wrong = [f"{name}: its first line (after \"#!\") is not \"{LINE}\"" for name in sorted(without)]
licence = (source / "LICENSE").read_text()
if not re.match(r"MIT License\n\nCopyright \(c\) 2026 The larder authors\n\nPermission", licence):
    wrong.append("LICENSE does not begin as the MIT licence of the larder authors")
if sources < 300:
    wrong.append(f"only {sources} sources were found in {source}")
print(f"{sources} sources")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
