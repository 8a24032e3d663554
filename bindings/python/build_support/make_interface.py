# SPDX-License-Identifier: MIT
"""Writes the C source of the module larder._larder, from larder's own headers.

    make_interface.py INCLUDE_DIR OUTPUT.c

cffi reads declarations but runs no preprocessor. So this takes out what is the preprocessor's:
comments, conditions and constants. The declarations that remain are those of the header, and the
compiler checks them against it once more. The package has no second copy of them.
"""

import pathlib
import re
import sys

import cffi

# The functions of Python that larder calls: see larder/_calls.py.
CALLBACKS = """
extern "Python" {
    int larder_python_build(larder_staging*, void*, larder_error**);
    int32_t larder_python_keep_waiting(void*);
    int32_t larder_python_on_wait(const larder_wait*, void*);
    void larder_python_on_event(const larder_event*, void*);
    void larder_python_on_key(const char*, void*);
    int larder_python_on_entry(const char*, const char*, const larder_entry_info*,
                               const larder_error*, void*);
}
"""


def declarations(header: str) -> str:
    """Returns what a header declares: its text without comments and the preprocessor's lines."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    text = re.sub(r"#ifdef __cplusplus\n.*?#endif", "", text, flags=re.S)
    constants = re.findall(r"^#define (LARDER_[A-Z_]+) +\S", text, flags=re.M)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    return text + "".join(f"#define {name} ...\n" for name in constants)


def main(include_dir: str, output: str) -> None:
    headers = ("larder/larder.h", "larder/content.h")
    ffi = cffi.FFI()
    for header in headers:
        ffi.cdef(declarations((pathlib.Path(include_dir) / header).read_text(encoding="utf-8")))
    ffi.cdef(CALLBACKS)
    ffi.set_source("larder._larder", "".join(f"#include <{header}>\n" for header in headers))
    ffi.emit_c_code(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
