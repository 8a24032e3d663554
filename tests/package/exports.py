# SPDX-License-Identifier: MIT
"""Checks what the shared library exports: the public names, each with larder's version, and nothing
else. Checks its name, and which libraries it needs.

    exports.py LIBRARY HEADER SONAME
"""

import re
import subprocess
import sys

library, header, soname = sys.argv[1:]
wrong = []

# The mangled names of the public C++ functions begin like this.
PUBLIC = re.compile(
    r"_ZNK?6larder(6Bucket|5Cache|5Lease|7Staging|5Error7message|12VerifyReport5sound"
    r"|13ContentReport5sound)"
    r"|_ZN6larder(7name_of|11materialize)"
)
# The libraries that every C++ program needs, and those of the sanitizers.
EXPECTED = re.compile(
    r"(libstdc\+\+|libc\+\+(abi)?|libgcc_s|libm|libc|libpthread|ld-linux.*|lib[atu]san|libubsan)\.so"
)


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# Each name that a program could be bound to.
exported, c_functions = [], set()
for line in output_of("nm", "-D", "--defined-only", library).splitlines():
    _, kind, name = line.split(maxsplit=2)
    if (kind, name) == ("A", "LARDER_0"):
        continue
    exported.append(name)
    symbol, _, version = name.partition("@@")
    if version != "LARDER_0":
        wrong.append(f"{name} does not have larder's version")
    if kind != "T":
        wrong.append(f"{name} is exported, but is no function ({kind})")
    if symbol.startswith("larder_"):
        c_functions.add(symbol)
    elif not PUBLIC.match(symbol):
        wrong.append(f"{name} is exported, but no public header declares it")
if not exported:
    wrong.append("nothing is exported")

# The C interface is complete.
text = re.sub(r"/\*.*?\*/", "", open(header).read(), flags=re.S)
declared = set(re.findall(r"\b(larder_[a-z_]+)\([^)]", text))
wrong += [f"{name} is declared, but not exported" for name in sorted(declared - c_functions)]
wrong += [f"{name} is exported, but not declared" for name in sorted(c_functions - declared)]
if len(declared) < 50:
    wrong.append(f"only {len(declared)} functions were found in {header}")

# The name by which it is loaded, and what it loads itself.
dynamic = output_of("readelf", "-d", library)
if re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) != [soname]:
    wrong.append(f"its SONAME is not {soname}")
for needed in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
    if not EXPECTED.match(needed):
        wrong.append(f"it needs {needed}")

print(f"{len(exported)} names are exported, {len(c_functions)} of them C functions")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
