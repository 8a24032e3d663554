# SPDX-License-Identifier: MIT
"""Checks the layers of src/. A file may include what src/CMakeLists.txt lists before it, and no
file that the list has after it.

    layers.py SRC_DIR
"""

import pathlib
import re
import sys

src = pathlib.Path(sys.argv[1])
lists = (src / "CMakeLists.txt").read_text()
listed = re.search(r"set\(larder_sources\n(.*?)\)", lists, re.S).group(1).split()
stems = [name.removesuffix(".cpp") for name in listed]
headers = {str(path.relative_to(src)).removesuffix(".hpp") for path in src.rglob("*.hpp")}


def includes_of(path):
    return re.findall(r'#include "([a-z_]+(?:/[a-z_]+)+)\.hpp"', path.read_text())


def rank(stem):
    """Returns where a file stands in the list. A header without a source of its own stands just
    before the first source of its folder that includes it. If there is none, it stands just after
    the last header of its folder that it includes, or else at the beginning of the folder."""
    if stem in stems:
        return stems.index(stem)
    folder = stem.rsplit("/", 1)[0] + "/"
    same = [number for number, other in enumerate(stems) if other.startswith(folder)]
    users = [number for number in same if stem in includes_of(src / listed[number])]
    if users:
        return min(users) - 0.5
    used = [stems.index(other) for other in includes_of(src / f"{stem}.hpp") if other in stems]
    return max([number + 0.5 for number in used if number in same], default=min(same) - 0.5)


faults = []
for path in sorted(src.rglob("*.?pp")):
    name = str(path.relative_to(src))
    if path.suffix == ".cpp" and name not in listed:
        faults.append(f"{name} is not listed in src/CMakeLists.txt")
        continue
    for included in includes_of(path):
        if included in headers and rank(included) > rank(name.rsplit(".", 1)[0]):
            faults.append(f"{name} includes {included}.hpp, which comes after it")
print("\n".join(faults))
sys.exit(1 if faults else 0)
