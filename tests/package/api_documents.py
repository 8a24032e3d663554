# SPDX-License-Identifier: MIT
"""Makes the API documents. Doxygen may not warn, and each header, each page and each function of
the C interface must be in them.

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
doxyfile = (source / "docs/api/Doxyfile").read_text()
made = subprocess.run(
    ["doxygen", "-"],
    input=f"{doxyfile}OUTPUT_DIRECTORY = {work}\n",
    cwd=source,
    text=True,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
)
if made.returncode != 0:
    sys.exit(made.stdout)


def has_page(name):
    return (work / "html" / f"{name}.html").exists()


headers = [path.name for path in (source / "include/larder").iterdir()]
missing = [name for name in headers if not has_page(name.replace(".", "_8"))]
pages = re.findall(r"docs/(\w+)\.md", re.search(r"INPUT .*?\w\n", doxyfile, re.S)[0])
missing += [page for page in pages if not has_page(f"md_docs_{page}")]
in_c = (work / "html/larder_8h.html").read_text()
functions = re.findall(r"^\s*(larder_\w+);$", (source / "src/larder.map").read_text(), re.M)
missing += [name for name in functions if not re.search(rf"[ >]{name}(</b>)?(</a>)?[ <]", in_c)]
print(f"{len(headers)} headers, {len(pages)} pages, {len(functions)} functions in C")
if missing or not headers or not pages or not functions:
    sys.exit(f"missing in the documents: {', '.join(missing)}")
