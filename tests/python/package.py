# SPDX-License-Identifier: MIT
"""Builds the Python package's wheel as a user does, installs it, and runs the package's tests.

    package.py PACKAGE_DIR WORK_DIR VERSION

The build and the environment stay in WORK_DIR, so a second run takes only the time of the tests. It
exits with 77, "skipped", if pip cannot download what the package needs.
"""

import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv

package, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
version = sys.argv[3]
sys.stdout.reconfigure(line_buffering=True)
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # so that nothing is written into the sources


def run(*command, **options):
    print("+", *command)
    return subprocess.run([str(part) for part in command], check=True, **options)


def pip(*arguments):
    run(python, "-m", "pip", "--disable-pip-version-check", *arguments)


said = re.search(r'^version = "(.*)"$', (package / "pyproject.toml").read_text(), re.M)
if not said or said[1] != version:
    sys.exit(f"pyproject.toml has version {said and said[1]}, and the project has {version}")

include = pathlib.Path(sysconfig.get_path("include"), "Python.h")
if not include.exists():
    print(f"there is no {include}; scripts/setup installs it where Debian has it")
    sys.exit(77)

environment = work / "environment"
python = environment / "bin" / "python"
if not python.exists():
    venv.create(environment, with_pip=True)
needed = ["scikit-build-core>=0.10,<1", "cffi>=1.16", "mypy>=1.10", "pytest>=8"]
try:
    pip("install", "--quiet", *needed)
except subprocess.CalledProcessError:
    print("pip cannot download what the package needs; check the network, and run this again")
    sys.exit(77)

# What is optimized takes three times as long to compile, and these tests would not be faster.
wheels = work / "wheels"
for old in wheels.glob("*.whl"):
    old.unlink()
settings = {
    "build-dir": work / "wheel",
    "cmake.build-type": "Debug",
    "cmake.define.CMAKE_CXX_FLAGS_DEBUG": "-O0",
}
options = [part for name, value in settings.items() for part in ("-C", f"{name}={value}")]
pip("wheel", "--quiet", "--no-deps", *options, "--wheel-dir", wheels, package)
(wheel,) = wheels.glob("*.whl")
if f"larder-{version}-cp310-abi3-" not in wheel.name:
    sys.exit(f"{wheel.name} does not use the stable ABI")
pip("install", "--quiet", "--no-deps", "--force-reinstall", wheel)

# The sdist holds all that CMake needs.
hook = "import larder_build, sys; print(larder_build.build_sdist(sys.argv[1]))"
paths = {**os.environ, "PYTHONPATH": str(package / "build_support")}
run(python, "-B", "-c", hook, work, cwd=package, env=paths)
with tarfile.open(work / f"larder-{version}.tar.gz") as archive:
    names = set(archive.getnames())
top = f"larder-{version}"
sources = package.parent.parent
for folder in ("src", "include", "cachetool", "cmake"):
    for path in (sources / folder).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            name = f"{top}/cpp/{path.relative_to(sources)}"
            if name not in names:
                sys.exit(f"the sdist lacks {name}")
for name in ("CMakeLists.txt", "cpp/CMakeLists.txt", "cpp/LICENSE", "src/larder/py.typed"):
    if f"{top}/{name}" not in names:
        sys.exit(f"the sdist lacks {name}")

run(python, "-B", "-m", "pytest", "-q", cwd=package)
