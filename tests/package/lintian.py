# SPDX-License-Identifier: MIT
"""Debian's lintian finds no error in the packages that tests/package/packages.py has made.

    lintian.py DIRECTORY

Warnings are printed and do not fail the test. Exits with 77, "skipped", if lintian or the packages
are missing.
"""

import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77

if shutil.which("lintian") is None:
    print("skipped: lintian is not installed; scripts/setup installs it")
    sys.exit(SKIPPED)
packages = sorted(pathlib.Path(sys.argv[1]).glob("*.deb"))
if not packages:
    print(f"skipped: package.packages has left no *.deb in {sys.argv[1]}")
    sys.exit(SKIPPED)

# Without the user's own configuration, which may hide what lintian finds.
found = subprocess.run(
    ["lintian", "--no-cfg", "--allow-root", "--tag-display-limit", "0", "--fail-on", "error",
     "--show-overrides", *packages],
    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
print(found.stdout, end="")
print(f"lintian looked at {', '.join(path.name for path in packages)}")
sys.exit(found.returncode)
