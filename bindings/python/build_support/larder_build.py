# SPDX-License-Identifier: MIT
"""The build backend of the package: scikit-build-core, and larder's sources in the sdist.

The sources lie above the package's directory, where no sdist can reach. So an sdist is made of a
copy of the package, with the sources in its directory `cpp`. CMakeLists.txt takes them from there
if they are there.
"""

import os
import pathlib
import shutil
import tempfile

from scikit_build_core import build
from scikit_build_core.build import *  # noqa: F403  (all other hooks of PEP 517 and PEP 660)

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ("CMakeLists.txt", "LICENSE", "cachetool", "cmake", "include", "src")


def build_sdist(sdist_directory, config_settings=None):
    """Makes an sdist that a wheel can be built from, anywhere. Writes nothing into the sources."""
    if (PACKAGE / "cpp").exists():  # this is an sdist itself
        return build.build_sdist(sdist_directory, config_settings)
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch, "package")
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        for name in SOURCES:
            source, target = PACKAGE.parent.parent / name, copy / "cpp" / name
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                target.parent.mkdir(exist_ok=True)
                shutil.copy2(source, target)
        before = os.getcwd()
        os.chdir(copy)  # where the hook looks for the package
        try:
            return build.build_sdist(os.path.abspath(os.path.join(before, sdist_directory)),
                                     config_settings)
        finally:
            os.chdir(before)
