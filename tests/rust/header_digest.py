# SPDX-License-Identifier: MIT
"""Prints a digest of what larder.h and content.h declare: of their text without comments.

    header_digest.py INCLUDE_DIR

bindings/rust/generate writes it into the bindings, and the test rust.package compares it. So a
change of the interface is noticed without bindgen, and a change of a comment is none.
"""

import hashlib
import pathlib
import re
import sys


def declarations(header):
    """Returns the text of a header without comments, with one blank for any white space."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    return " ".join(text.split())


def digest(include_dir):
    """Returns the digest of the declarations of both headers."""
    folder = pathlib.Path(include_dir) / "larder"
    texts = [declarations((folder / name).read_text(encoding="utf-8"))
             for name in ("larder.h", "content.h")]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


if __name__ == "__main__":
    print(digest(sys.argv[1]))
