# SPDX-License-Identifier: MIT
"""The API documents can be made, without a warning, and have a page on every header and an entry for every function of the C interface.

    api_documents.py SOURCE_DIR WORK_DIR
"""

import pathlib
import re
import shutil
import subprocess
import sys

source, work = map(pathlib.Path, sys.argv[1:])
shutil.rmtree(work, ignore_errors=True)
work.mkdir(parents=True)
settings = (source / "docs/api/Doxyfile").read_text() + f"OUTPUT_DIRECTORY = {work}\n"
made = subprocess.run(["doxygen", "-"], input=settings, cwd=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
if made.returncode != 0:
    sys.exit(made.stdout)

missing = []
for header in (source / "include/larder").iterdir():
    name = header.name.replace(".", "_8")
    if not (work / "html" / f"{name}.html").exists():
        missing.append(header.name)
in_c = (work / "html/larder_8h.html").read_text()
functions = re.findall(r"^\s*(larder_\w+);$", (source / "src/larder.map").read_text(), re.M)
missing += [function for function in functions if not re.search(rf"[ >]{function}(</b>)?(</a>)?[ <]", in_c)]
for page in ("tutorial", "library", "keys", "migrating", "comparison"):
    if not (work / "html" / f"md_docs_{page}.html").exists():
        missing.append(page)
print(f"{len(functions)} functions in C")
sys.exit(f"not in the documents: {', '.join(missing)}" if missing or not functions else 0)
