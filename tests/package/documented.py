# SPDX-License-Identifier: MIT
"""Follows a page: writes each file that it shows, and runs each command, against an install tree.

    documented.py PAGE BUILD_DIR WORK_DIR

A block after `<!-- file: NAME -->` is a file. A block after `<!-- run -->` holds commands for sh.
They run in the environment of a user who has set where the install tree is. Other blocks must be
plain `text`, because this test does not try them.
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
    install = ["cmake", "--install", build, "--prefix", prefix, "--component", component]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
# add_subdirectory finds larder's sources here.
(project / "third_party").mkdir()
(project / "third_party/larder").symlink_to(page.resolve().parent.parent)
libraries = next(prefix.glob("lib*/**/pkgconfig")).parent
environment = {
    **os.environ,
    "CMAKE_PREFIX_PATH": str(prefix),
    "PKG_CONFIG_PATH": str(libraries / "pkgconfig"),
    "LD_LIBRARY_PATH": str(libraries),
    "XDG_CACHE_HOME": str(work / "cache"),
    "PYTHONDONTWRITEBYTECODE": "1",
}


def run(commands):
    """Runs commands in the project. Ends the test if one of them fails."""
    done = subprocess.run(
        ["sh", "-eu"],
        input=commands,
        cwd=project,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        sys.exit(f"{page.name} says\n\n{commands}\nwhich failed:\n{done.stdout}")


files = commands = 0
MARK = r"(?:<!-- (file: (?P<file>\S+)|(?P<run>run)) -->\n)?"
BLOCK = MARK + r"```(?P<language>\w*)\n(?P<text>.*?)```"
for block in re.finditer(BLOCK, page.read_text(), re.S):
    if block["file"]:
        path = project / block["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["text"])
        files += 1
    elif block["run"]:
        run(block["text"])
        commands += 1
    elif block["language"] != "text":
        sys.exit(f"{page.name} shows what this test does not try:\n\n{block['text']}")
print(f"{files} files, {commands} blocks of commands")
sys.exit(0 if files and commands else 1)
