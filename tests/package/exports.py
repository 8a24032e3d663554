# SPDX-License-Identifier: MIT
"""What the shared library gives to the world: the public names, each with larder's version, and nothing else.

    exports.py LIBRARY HEADER SONAME
"""

import re
import subprocess
import sys

library, header, soname = sys.argv[1:]
wrong = []

# Every name that a program could be bound to.
exported, c_functions = [], set()
for line in subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout.splitlines():
    _, kind, name = line.split(maxsplit=2)
    if (kind, name) == ("A", "LARDER_0"):
        continue
    exported.append(name)
    symbol, _, version = name.partition("@@")
    if version != "LARDER_0":
        wrong.append(f"{name} has no version, or another's")
    if kind != "T":
        wrong.append(f"{name} is exported, and no function ({kind})")
    if symbol.startswith("larder_"):
        c_functions.add(symbol)
    elif not re.match(r"_ZNK?6larder(6Bucket|5Cache|5Lease|7Staging|5Error7message|12VerifyReport5sound)|_ZN6larder(7name_of|11materialize)", symbol):
        wrong.append(f"{name} is exported, and declared in no public header")
if not exported:
    wrong.append("nothing is exported")

# The C interface, whole.
text = re.sub(r"/\*.*?\*/", "", open(header).read(), flags=re.S)
declared = set(re.findall(r"\b(larder_[a-z_]+)\([^)]", text))
wrong += [f"{name} is declared, and not exported" for name in sorted(declared - c_functions)]
wrong += [f"{name} is exported, and not declared" for name in sorted(c_functions - declared)]
if len(declared) < 50:
    wrong.append(f"only {len(declared)} functions were found in {header}")

# What it is loaded by, and what it loads: nothing that is not part of every C++ program.
dynamic = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
if re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) != [soname]:
    wrong.append(f"its SONAME is not {soname}")
for needed in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
    if not re.match(r"(libstdc\+\+|libc\+\+(abi)?|libgcc_s|libm|libc|libpthread|ld-linux.*|lib[atu]san|libubsan)\.so", needed):
        wrong.append(f"it needs {needed}")

print(f"{len(exported)} names are exported, {len(c_functions)} of them C functions")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
