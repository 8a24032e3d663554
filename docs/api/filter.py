# SPDX-License-Identifier: MIT
"""What Doxygen is to read in place of a file: headers with its marks in their comments, pages with links that lead inside the documents.

In a comment, what begins a line with "Errors:" and the like becomes a paragraph with that heading. In larder.h, whose comments are ordinary ones, those
before a declaration and behind a field are marked.
"""

import pathlib
import re
import sys

PARTS = r"(Requires|Errors(?: of a limit)?|Concurrency|Crash|Fork):"
PAGES = {path.name for path in pathlib.Path("docs").glob("*.md")} & {"tutorial.md", "library.md", "keys.md", "migrating.md", "comparison.md"}


def header(text):
    text = re.sub(r"\A(?:// [^\n]*\n)+", lambda about: "/// @file\n" + re.sub("^//", "///", about[0], flags=re.M), text)
    return re.sub(rf"^(\s*/// ){PARTS} ", r"\1@par \2\n\1", text, flags=re.M)


def c_header(text):
    text = re.sub(r"\A/\* ", "/** @file\n * ", text)
    text = re.sub(r"^(\s*)/\* (?!-)", r"\1/** ", text, flags=re.M)
    text = re.sub(r"(?<=[;,\w)]) +/\* (?=[^\n]*\*/)", " /**< ", text)
    text = re.sub(rf"^((?:/\*)? \* ){PARTS} ", r"\1@par \2\n * ", text, flags=re.M)
    return text


def page(text):
    """Links to pages that are not among the documents become their texts."""

    def link(match):
        words, target = match.groups()
        name = target.split("/")[-1].split("#")[0]
        if target.startswith("http") or name in PAGES:
            return match[0]
        return f"@ref {name} \"{words}\"" if re.fullmatch(r"\.\./include/larder/\w+\.h(pp)?", target) else words

    return re.sub(r"(?<!!)\[([^]\n]+)\]\(([^)\s]+)\)", link, text)


source = pathlib.Path(sys.argv[1])
change = {".hpp": header, ".h": c_header, ".md": page}[source.suffix]
sys.stdout.write(change(source.read_text(encoding="utf-8")))
