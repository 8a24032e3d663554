# SPDX-License-Identifier: MIT
"""The vcpkg port and the Conan recipe say what is true of the sources.

    registries.py SOURCE_DIR VERSION

Both name the licence, and the port names the project's version. The port depends on exactly the
libraries that the sources include: a missing one breaks a build in which nothing else is installed,
and one too many is built in vain. The recipe exports what an installation needs.
"""

import json
import pathlib
import re
import sys

source, version = pathlib.Path(sys.argv[1]), sys.argv[2]
wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)


def included_by(*folders):
    """Returns the names of the vcpkg ports whose headers the C++ sources in the folders include."""
    ports = set()
    for folder in folders:
        for path in (source / folder).rglob("*.[ch]pp"):
            for header in re.findall(r"^\s*#\s*include\s*<([^>]+)>", path.read_text(), re.M):
                library, _, rest = header.partition("/")
                if library == "boost":
                    part = rest.partition("/")[0].removesuffix(".hpp")
                    ports.add("boost-" + part.replace("_", "-"))
                elif library in ("fmt", "nlohmann", "openssl", "tl"):
                    ports.add({"nlohmann": "nlohmann-json", "tl": "tl-expected"}.get(library,
                                                                                     library))
    return ports


def named_by(dependencies):
    """Returns the dependencies that are no tools of vcpkg's own."""
    return {name for name in dependencies if isinstance(name, str)}


port = json.loads((source / "packaging/vcpkg/larder/vcpkg.json").read_text())
check(port["version"] == version, f"vcpkg.json has version {port['version']}, not {version}")
check(port["license"] == "MIT", f"vcpkg.json names the licence {port['license']}")
portfile = (source / "packaging/vcpkg/larder/portfile.cmake").read_text()
check("vcpkg_install_copyright" in portfile and "SKIP_COPYRIGHT_CHECK" not in portfile,
      "the portfile installs no licence")

content = included_by("src/content")
library = included_by("src", "include") - content
tool = included_by("cachetool") - library
check(content == {"openssl"}, f"src/content includes headers of {sorted(content)}")
check("tl-expected" in library, "no include of tl::expected was found in src/ and include/")
for what, dependencies, included in (
        ("vcpkg.json", port["dependencies"], library),
        ("the port's feature content", port["features"]["content"]["dependencies"], content),
        ("the port's feature tool", port["features"]["tool"]["dependencies"], tool)):
    for name in sorted(included - named_by(dependencies)):
        check(False, f"{what} lacks {name}, which the sources include")
    for name in sorted(named_by(dependencies) - included):
        check(False, f"{what} names {name}, which no source includes")

recipe = (source / "packaging/conan/conanfile.py").read_text()
check('license = "MIT"' in recipe, "the recipe does not name the licence")
exported = re.search(r"for pattern in \((.*?)\):", recipe, re.S)
patterns = set(re.findall(r'"([^"]+)"', exported.group(1))) if exported else set()
lists = (source / "cmake/install.cmake").read_text()
installed = [name for names in re.findall(r"install\(FILES ((?:[\w.]+\s+)+)DESTINATION", lists)
             for name in names.split()]
check("LICENSE" in installed, "cmake --install does not install the licence")
for name in installed:
    check(name in patterns, f"the recipe does not export {name}, which cmake --install installs")
for folder in re.findall(r"install\(DIRECTORY ([a-z]\S*)", lists):
    check(f"{folder}/*" in patterns or f"{folder.partition('/')[0]}/*" in patterns,
          f"the recipe does not export {folder}/, which cmake --install installs")
for pattern in patterns:
    check((source / pattern.removesuffix("/*")).exists(), f"the recipe exports {pattern}, which "
          "does not exist")

print(f"the library includes {', '.join(sorted(library))}")
print(f"cachetool also includes {', '.join(sorted(tool))}")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
