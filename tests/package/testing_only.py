# SPDX-License-Identifier: MIT
"""Checks that the library has nothing of what exists for tests alone: the points, and Linux that
acts like Windows. The library of the tests has it, and shows that this check can find it.

    testing_only.py LIBRARY LIBRARY_OF_TESTS
"""

import re
import subprocess
import sys

FOR_TESTS = re.compile(r"larder::os::(set_point_hook|point\(|like_windows::|\w*like_windows)")


def symbols_for_tests(library):
    """Returns the symbols of an archive, defined or used, that are for tests alone. Weak ones do
    not count: a compiler that does not optimize keeps the inline functions that do nothing."""
    listed = subprocess.run(["nm", "-C", library], capture_output=True, text=True, check=True)
    return sorted({line[17:] for line in listed.stdout.splitlines()
                   if FOR_TESTS.search(line) and line[17] not in "WwVv"})


def main():
    library, library_of_tests = sys.argv[1:]
    found = symbols_for_tests(library)
    if found:
        print(f"{library} has what is for tests alone:", *found, sep="\n  ")
    known = "\n".join(symbols_for_tests(library_of_tests))
    missing = [name for name in ("point(", "set_point_hook", "like_windows::", "is_like_windows")
               if f"larder::os::{name}" not in known]
    if missing:
        print(f"{library_of_tests} lacks what this check looks for:", *missing, sep="\n  ")
    return 1 if found or missing else 0


if __name__ == "__main__":
    sys.exit(main())
