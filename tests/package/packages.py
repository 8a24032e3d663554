# SPDX-License-Identifier: MIT
"""Makes the packages out of what is built, looks into them, and builds and runs programs out of what they hold.

    packages.py BUILD_DIR WORK_DIR

Exits with 77, "skipped", where Debian's tools are missing.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tarfile

build, work = map(pathlib.Path, sys.argv[1:])
here = pathlib.Path(__file__).parent
version, minor = os.environ["VERSION"], ".".join(os.environ["VERSION"].split(".")[:2])
for tool in ("dpkg-deb", "dpkg-shlibdeps", "pkg-config"):
    if shutil.which(tool) is None:
        print(f"there is no {tool}")
        sys.exit(77)


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def check(holds, what):
    if not holds:
        sys.exit(f"NOT SO: {what}")


def only(found, what):
    found = list(found)
    check(len(found) == 1, f"there is one {what}: {found}")
    return found[0]


shutil.rmtree(work, ignore_errors=True)
(work / "root").mkdir(parents=True)
# Ninja, whatever it was built by: cpack would build all that is not built yet before it packs, were that a Makefile. Here it packs what there is.
cpack = (os.environ["CPACK"], "--config", build / "CPackConfig.cmake", "-B", work, "-D", "CPACK_CMAKE_GENERATOR=Ninja")
run(*cpack, "-G", "DEB", "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip")  # nobody keeps these, and xz takes four times as long
run(*cpack, "-G", "TGZ")


def contents_of(deb):
    return {re.sub(r" -> .*", "", line.split(maxsplit=5)[5]).removeprefix(".") for line in run("dpkg-deb", "--contents", deb).splitlines()}


def fields_of(deb):
    return dict(line.split(": ", 1) for line in run("dpkg-deb", "--field", deb).splitlines()
                if ": " in line and not line.startswith(" "))


def ends(names, end):
    return any(name.endswith(end) for name in names)


# The split: what runs programs, what builds them, and the command.
runtime = only(work.glob(f"liblarder{minor}_{version}-1_*.deb"), "runtime package")
development = only(work.glob(f"liblarder-dev_{version}-1_*.deb"), "development package")
tool = only(work.glob(f"cachetool_{version}-1_*.deb"), "package of the command")
check(len(list(work.glob("*.deb"))) == 3, "there are three packages")

names = {name for name in contents_of(runtime) if not name.endswith("/")}
check(all(re.search(rf"/liblarder\.so\.{minor}(\.\d+)?$", name) for name in names), f"the runtime package holds the library alone: {names}")
check(len(names) == 2, f"the library and the name it is loaded by: {names}")
fields = fields_of(runtime)
check("libstdc++6" in fields["Depends"] and "libc6" in fields["Depends"], f"it depends on what it was linked to: {fields['Depends']}")
check("boost" not in fields["Depends"], f"and not on Boost: {fields['Depends']}")
shlibs = run("dpkg-deb", "--info", runtime, "shlibs")
check(f"liblarder {minor} liblarder{minor}" in shlibs, f"it says who provides the library: {shlibs}")

names = contents_of(development)
for end in ("/liblarder.so", "/liblarder.a", "/larder/larder.h", "/larder/larder.hpp", "/pkgconfig/larder.pc", "/cmake/larder/larder-config.cmake"):
    check(ends(names, end), f"the development package has {end}")
check(not ends(names, f"/liblarder.so.{minor}"), "and not what is in the other one")
fields = fields_of(development)
check(f"liblarder{minor} (= {version}-1)" in fields["Depends"] and "libexpected-dev" in fields["Depends"],
      f"it depends on the library and on what the headers need: {fields['Depends']}")

check(contents_of(tool) >= {"/usr/bin/cachetool"}, "the command is /usr/bin/cachetool")
check("libboost-program-options" in fields_of(tool)["Depends"], f"it depends on what it was linked to: {fields_of(tool)['Depends']}")

with tarfile.open(only(work.glob("larder-*.tar.gz"), "archive")) as archive:
    names = archive.getnames()
check(all(re.match(rf"larder-{version}-\w+(/|$)", name) for name in names), "all that is in it is below one directory")
for end in ("bin/cachetool", "liblarder.a", f"liblarder.so.{version}", "larder.pc", "larder/larder.h"):
    check(ends(names, end), f"the archive has {end}")

# Programs, out of the unpacked packages and nothing else.
for deb in (runtime, development, tool):
    run("dpkg-deb", "--extract", deb, work / "root")
pc = only(work.glob("root/usr/lib/**/larder.pc"), "file for pkg-config")
environment = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent), "LD_LIBRARY_PATH": str(pc.parent.parent)}


def flags(*asked):
    return shlex.split(run("pkg-config", *asked, "larder", env=environment))


check(flags("--modversion") == [version], "pkg-config knows the version")
linked = {
    "c": (os.environ["CC"], "-std=c99", here / "consumer/main.c", *flags("--cflags", "--libs")),
    "c-static": (os.environ["CC"], "-std=c99", here / "consumer/main.c",
                 *[re.sub("^-llarder$", "-l:liblarder.a", flag) for flag in flags("--static", "--cflags", "--libs")]),
    "cxx": (os.environ["CXX"], "-std=c++20", here / "consumer/main.cpp", *flags("--cflags", "--libs")),
}
for name, command in linked.items():
    program = work / name
    run(*command, "-o", program)
    needed = run("readelf", "-d", program)
    check((f"liblarder.so.{minor}" in needed) == (name != "c-static"), f"{name} is linked to the library that it asked for")
    run(program, work / "cache", env=environment)

# They all used one cache, and so does the command.
listed = run(work / "root/usr/bin/cachetool", "--cache", work / "cache", "--json", "ls", "consumer-v1", env=environment)
check('"greeting"' in listed, f"cachetool finds what they put there: {listed}")
print("packages: " + ", ".join(sorted(path.name for path in work.glob("*.deb"))))
