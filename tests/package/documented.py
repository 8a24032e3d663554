# SPDX-License-Identifier: MIT
"""Does what docs/library.md says: writes each file that it shows, and runs each command, against an install tree.

    documented.py PAGE BUILD_DIR WORK_DIR

A block that follows `<!-- file: NAME -->` is a file; one that follows `<!-- run -->` is commands for sh, run with what a user would have set: where
the install tree is. Any other block of C, C++, CMake or Python would be shown without being tried, and is an error.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

page, build, work = map(pathlib.Path, sys.argv[1:])
shutil.rmtree(work, ignore_errors=True)
project = work / "project"
project.mkdir(parents=True)
prefix = work / "prefix"
for component in ("larder_runtime", "larder_development"):
    subprocess.run(["cmake", "--install", build, "--prefix", prefix, "--component", component], check=True, stdout=subprocess.DEVNULL)
# add_subdirectory finds larder's sources there.
(project / "third_party").mkdir()
(project / "third_party/larder").symlink_to(page.resolve().parent.parent)
libraries = next(prefix.glob("lib*/**/pkgconfig")).parent
environment = {**os.environ, "CMAKE_PREFIX_PATH": str(prefix), "PKG_CONFIG_PATH": str(libraries / "pkgconfig"), "LD_LIBRARY_PATH": str(libraries),
               "XDG_CACHE_HOME": str(work / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}

files = commands = 0
blocks = re.finditer(r"(?:<!-- (file: (?P<file>\S+)|(?P<run>run)) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```", page.read_text(), re.S)
for block in blocks:
    if block["file"]:
        path = project / block["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["text"])
        files += 1
    elif block["run"]:
        done = subprocess.run(["sh", "-eu"], input=block["text"], cwd=project, env=environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(f"{page.name} says\n\n{block['text']}\nwhich failed:\n{done.stdout}")
        commands += 1
    elif block["language"] != "text":
        sys.exit(f"{page.name} shows what this test does not try:\n\n{block['text']}")
print(f"{files} files, {commands} blocks of commands")
sys.exit(0 if files and commands else 1)
