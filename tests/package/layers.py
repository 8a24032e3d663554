# SPDX-License-Identifier: MIT
"""The layers of src/: a file includes what src/CMakeLists.txt lists before it, never what comes after."""

import pathlib
import re
import sys

src = pathlib.Path(sys.argv[1])
listed = re.search(r"set\(larder_sources\n(.*?)\)", (src / "CMakeLists.txt").read_text(), re.S).group(1).split()
stems = [name.removesuffix(".cpp") for name in listed]
headers = {str(path.relative_to(src)).removesuffix(".hpp") for path in src.rglob("*.hpp")}


def place(stem):
    """Where a file stands. A header without a source of its own stands before the first of its folder that includes it."""
    if stem in stems:
        return stems.index(stem)
    folder = [i for i, other in enumerate(stems) if other.startswith(stem.split("/")[0] + "/")]
    users = [i for i in folder if f'"{stem}.hpp"' in (src / f"{stems[i]}.cpp").read_text()]
    return min(users or folder) - 0.5


climbing = []
for path in sorted(src.rglob("*.?pp")):
    stem = str(path.relative_to(src)).rsplit(".", 1)[0]
    for included in re.findall(r'#include "([a-z_]+/[a-z_]+)\.hpp"', path.read_text()):
        if included in headers and place(included) > place(stem):
            climbing.append(f"{path.relative_to(src)} includes {included}.hpp, which comes after it")

unlisted = sorted(str(path.relative_to(src)) for path in src.rglob("*.cpp") if str(path.relative_to(src)) not in listed)
for line in climbing + [f"{name} is not listed" for name in unlisted]:
    print(line)
sys.exit(1 if climbing or unlisted else 0)
