# SPDX-License-Identifier: MIT
"""Prints what Doxygen reads in place of a file.

A header gets the marks that Doxygen needs in its comments. In a comment, "Errors:" and the like at
the start of a line become the heading of a paragraph. The comments of larder.h have no marks of
their own, so those before a declaration and those behind a field get some.

A page gets links that lead inside the documents.
"""

import pathlib
import re
import sys

PARTS = r"(Requires|Errors(?: of a limit)?|Concurrency|Crash|Fork):"
PAGES = {"tutorial.md", "library.md", "keys.md", "migrating.md", "comparison.md", "words.md"}
HEADER = r"\.\./include/larder/\w+\.h(pp)?"


def header(text):
    text = re.sub(
        r"\A(?:// [^\n]*\n)+",
        lambda about: "/// @file\n" + re.sub("^//", "///", about[0], flags=re.M),
        text,
    )
    return re.sub(rf"^(\s*/// ){PARTS} ", r"\1@par \2\n\1", text, flags=re.M)


def c_header(text):
    text = re.sub(r"\A/\* ", "/** @file\n * ", text)
    text = re.sub(r"^(\s*)/\* (?!-)", r"\1/** ", text, flags=re.M)
    text = re.sub(r"(?<=[;,\w)]) +/\* (?=[^\n]*\*/)", " /**< ", text)
    text = re.sub(rf"^((?:/\*)? \* ){PARTS} ", r"\1@par \2\n * ", text, flags=re.M)
    return text


def page(text):
    """Replaces each link to a page that is not part of the documents by its words."""

    def link(match):
        words, target = match.groups()
        name = target.split("/")[-1].split("#")[0]
        if target.startswith("http") or name in PAGES:
            return match[0]
        return f'@ref {name} "{words}"' if re.fullmatch(HEADER, target) else words

    return re.sub(r"(?<!!)\[([^]]+)\]\(([^)\s]+)\)", link, text)


source = pathlib.Path(sys.argv[1])
change = {".hpp": header, ".h": c_header, ".md": page}[source.suffix]
licence = re.compile(r"\A(//|/\*) SPDX[^\n]*\n")
sys.stdout.write(change(licence.sub("", source.read_text(encoding="utf-8"))))
