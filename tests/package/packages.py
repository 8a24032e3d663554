# SPDX-License-Identifier: MIT
"""Makes the packages of what is built, looks into them, and builds and runs programs with them.

    packages.py BUILD_DIR WORK_DIR

Leaves the Debian packages in WORK_DIR, for tests/package/lintian.py. Exits with 77, "skipped", if
one of Debian's tools is missing.
"""

import gzip
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
debian = f"{version}-0larder1"
for tool in ("dpkg-deb", "dpkg-shlibdeps", "pkg-config"):
    if shutil.which(tool) is None:
        print(f"skipped: {tool} is not installed; scripts/setup installs it")
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
# Ninja, whatever the build was made by: with a Makefile cpack would first build all that is not
# built yet. With Ninja it packs what there is.
cpack = (os.environ["CPACK"], "--config", build / "CPackConfig.cmake", "-B", work,
         "-D", "CPACK_CMAKE_GENERATOR=Ninja")
# These packages are thrown away, and xz takes four times as long.
run(*cpack, "-G", "DEB", "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip")
run(*cpack, "-G", "TGZ")


def contents_of(deb):
    return {re.sub(r" -> .*", "", line.split(maxsplit=5)[5]).removeprefix(".")
            for line in run("dpkg-deb", "--contents", deb).splitlines()}


def fields_of(deb):
    return dict(line.split(": ", 1) for line in run("dpkg-deb", "--field", deb).splitlines()
                if ": " in line and not line.startswith(" "))


def ends(names, end):
    return any(name.endswith(end) for name in names)


# The split: what runs programs, what builds them, and the command.
runtime = only(work.glob(f"liblarder{minor}_{debian}_*.deb"), "runtime package")
development = only(work.glob(f"liblarder-dev_{debian}_*.deb"), "development package")
tool = only(work.glob(f"cachetool_{debian}_*.deb"), "package of the command")
check(len(list(work.glob("*.deb"))) == 3, "there are three packages")

names = {name for name in contents_of(runtime)
         if not name.endswith("/") and not re.match("/usr/share/(doc|lintian)/", name)}
check(all(re.search(rf"/liblarder\.so\.{minor}(\.\d+)?$", name) for name in names),
      f"the runtime package holds the library alone: {names}")
check(len(names) == 2, f"the library and the name it is loaded by: {names}")
fields = fields_of(runtime)
check("libstdc++6" in fields["Depends"] and "libc6" in fields["Depends"],
      f"it depends on what it was linked to: {fields['Depends']}")
check("boost" not in fields["Depends"], f"and not on Boost: {fields['Depends']}")
shlibs = run("dpkg-deb", "--info", runtime, "shlibs")
check(f"liblarder {minor} liblarder{minor}" in shlibs,
      f"it says which package provides the library: {shlibs}")

names = contents_of(development)
for end in ("/liblarder.so", "/liblarder.a", "/larder/larder.h", "/larder/larder.hpp",
            "/pkgconfig/larder.pc", "/cmake/larder/larder-config.cmake"):
    check(ends(names, end), f"the development package has {end}")
check(not ends(names, f"/liblarder.so.{minor}"), "and not what is in the other one")
fields = fields_of(development)
check(f"liblarder{minor} (= {debian})" in fields["Depends"]
      and "libexpected-dev" in fields["Depends"],
      f"it depends on the library and on what the headers need: {fields['Depends']}")
check(fields["Recommends"] == "libssl-dev",
      f"and only recommends what larder::content needs: {fields['Recommends']}")

names = contents_of(tool)
check("/usr/bin/cachetool" in names, "the command is /usr/bin/cachetool")
check(ends(names, "/man/man1/cachetool.1.gz") and not ends(names, ".1"), "its manual is compressed")
fields = fields_of(tool)
check("libboost-program-options" in fields["Depends"],
      f"it depends on what it was linked to: {fields['Depends']}")

with tarfile.open(only(work.glob("larder-*.tar.gz"), "archive")) as archive:
    names = archive.getnames()
check(all(re.match(rf"larder-{version}-\w+(/|$)", name) for name in names),
      "all that is in it is below one directory")
for end in ("bin/cachetool", "liblarder.a", f"liblarder.so.{version}", "larder.pc",
            "larder/larder.h", "/LICENSE", "man1/cachetool.1"):
    check(ends(names, end), f"the archive has {end}")

# Programs, out of the unpacked packages and nothing else.
for deb in (runtime, development, tool):
    run("dpkg-deb", "--extract", deb, work / "root")

# Under which terms, what has changed, and since when: in each package.
for deb in (runtime, development, tool):
    package = fields_of(deb)["Package"]
    check(fields_of(deb)["Version"] == debian, f"{package} has the version {debian}")
    documents = work / "root/usr/share/doc" / package
    terms = (documents / "copyright").read_text()
    for text in ("\nCopyright: 2026 The larder authors\nLicense: Expat\n",
                 "\nLicense: Expat\n Permission is hereby granted, free of charge,",
                 "\n .\n THE SOFTWARE IS PROVIDED \"AS IS\",", "\n SOFTWARE.\n"):
        check(text in terms, f"the licence of {package} has {text!r}: {terms}")
    check(not (documents / "LICENSE").exists(), f"{package} has its licence once")
    entry = gzip.decompress((documents / "changelog.Debian.gz").read_bytes()).decode()
    check(entry.startswith(f"larder ({debian}) "), f"{package} has an entry for {debian}: {entry}")
    changes = gzip.decompress((documents / "changelog.gz").read_bytes()).decode()
    check(changes.startswith("# Changelog"), f"{package} has larder's own list of changes")

pc = only(work.glob("root/usr/lib/**/larder.pc"), "file for pkg-config")
environment = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent),
               "LD_LIBRARY_PATH": str(pc.parent.parent)}


def flags(*asked):
    return shlex.split(run("pkg-config", *asked, "larder", env=environment))


check(flags("--modversion") == [version], "pkg-config knows the version")
linked = {
    "c": (os.environ["CC"], "-std=c99", here / "consumer/main.c", *flags("--cflags", "--libs")),
    "c-static": (os.environ["CC"], "-std=c99", here / "consumer/main.c",
                 *[re.sub("^-llarder$", "-l:liblarder.a", flag)
                   for flag in flags("--static", "--cflags", "--libs")]),
    "cxx": (os.environ["CXX"], "-std=c++20", here / "consumer/main.cpp",
            *flags("--cflags", "--libs")),
}
for name, command in linked.items():
    program = work / name
    run(*command, "-o", program)
    needed = run("readelf", "-d", program)
    check((f"liblarder.so.{minor}" in needed) == (name != "c-static"),
          f"{name} is linked to the library that it asked for")
    run(program, work / "cache", env=environment)

# They all used one cache, and so does the command.
listed = run(work / "root/usr/bin/cachetool", "--cache", work / "cache", "--json", "ls",
             "consumer-v1", env=environment)
check('"greeting"' in listed, f"cachetool finds what they put there: {listed}")
print("packages: " + ", ".join(sorted(path.name for path in work.glob("*.deb"))))
