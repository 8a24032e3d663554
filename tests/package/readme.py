# SPDX-License-Identifier: MIT
"""Compiles the program that README.md shows, without linking it.

    readme.py README INCLUDE_DIR... with the compiler in the environment variable CXX
"""

import os
import pathlib
import re
import subprocess
import sys

page, *folders = sys.argv[1:]
shown = re.findall(r"```cpp\n(.*?)```", pathlib.Path(page).read_text(), re.S)
if len(shown) != 1:
    sys.exit(f"README.md shows {len(shown)} programs; this test expects one")
# The function that unpacks a wheel is the reader's.
include, program = shown[0].split("\n", 1)
unzip = "larder::Result<> unzip(const std::filesystem::path&, const std::filesystem::path&);"
compiler = [os.environ["CXX"], "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
includes = [f"-I{folder}" for folder in folders]
text = f"{include}\n{unzip}\n{program}"
sys.exit(subprocess.run([*compiler, *includes, "-xc++", "-"], input=text, text=True).returncode)
