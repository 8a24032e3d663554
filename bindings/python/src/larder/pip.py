# SPDX-License-Identifier: MIT
"""Runs the real pip, which takes the files of wheels from a cache where they lie unpacked.

    python -m larder.pip install rich                        into this environment
    python -m larder.pip --python .venv install rich         into another one

pip does all that it always does: it resolves, downloads, checks, writes scripts and RECORD, and
compiles. Only where it would unpack a wheel once more, the files come from the cache, by a clone, a
hard link or a copy. Any number of processes may install at once, and the cache may be purged
meanwhile: `cachetool --cache DIR refresh wheels-v1`.

These variables of the environment are read:

    LARDER_PIP_CACHE      the cache; by default `larder-pip` in the user's directory of caches
    LARDER_PIP_LINK_MODE  automatic (the default), clone, hardlink or copy. Choose copy or clone if
                          you edit installed files in place.

The environment given by --python needs neither larder nor pip, but the same minor version of
Python, because pip then runs in that Python.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import larder

# Runs in the Python of another environment. It finds the modules here, and then takes their place
# out of sys.path again, so that pip sees what that environment holds, and nothing else.
_IN_ANOTHER = """
import os, sys
before = sys.path[1:]
sys.path[:] = sys.argv[1].split(os.pathsep) + before
try:
    import _cffi_backend, larder.pip, pip._internal.cli.main
except ImportError as error:
    sys.exit(f"larder.pip: {sys.executable} cannot load larder and pip: {error}; it must have the "
             "same minor version as the Python in which larder is installed")
sys.path[:] = before
sys.exit(larder.pip.main(sys.argv[2:]))
"""


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "larder-pip")


class _Wheels:
    """The wheels of the cache, and which of them pip installs now."""

    def __init__(self, cache: larder.Cache, mode: larder.LinkMode) -> None:
        self._bucket = cache.bucket("wheels-v1")
        self._mode = mode
        self._trees: dict[str, Path] = {}  # by the path of the wheel

    def put_beside(self, wheel: str, site_packages: str) -> Path:
        """Puts the files of a wheel into a new directory in `site_packages`, from which a rename
        brings each of them to its place. Returns the directory."""
        with open(wheel, "rb") as file:
            digest = _sha256(file)

        def unpack(staging: larder.Staging) -> None:
            _unpack(wheel, staging.path)

        os.makedirs(site_packages, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".larder-pip-", dir=site_packages))
        try:
            # Two wheels may have one name, so the key has the digest.
            key = f"{os.path.basename(wheel)} {digest}"
            with self._bucket.get_or_build(
                key, unpack, producer=f"larder.pip {larder.__version__}"
            ) as lease:
                larder.materialize(lease, made, mode=self._mode)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        return made

    def take_part_in(self, pip_wheel: Any, users: Sequence[Any]) -> None:
        """Lets pip's module for wheels take files from here. `users` are modules that have imported
        its function by name."""
        install, save = pip_wheel.install_wheel, pip_wheel.ZipBackedFile.save
        signature = inspect.signature(install)

        def install_wheel(*arguments: Any, **named: Any) -> None:
            given = signature.bind(*arguments, **named).arguments
            wheel = os.fspath(given["wheel_path"])
            tree = self.put_beside(wheel, given["scheme"].purelib)
            self._trees[wheel] = tree
            try:
                install(*arguments, **named)
            finally:
                del self._trees[wheel]
                shutil.rmtree(tree, ignore_errors=True)

        def save_file(file: Any) -> None:
            if not self._move(file):
                save(file)

        pip_wheel.install_wheel = install_wheel
        pip_wheel.ZipBackedFile.save = save_file
        for module in users:
            if getattr(module, "install_wheel", None) is install:
                module.install_wheel = install_wheel

    def _move(self, file: Any) -> bool:
        """Moves a file to its place. Returns false if pip must unpack it: pip edits scripts in
        place, and they may be links to files of the cache."""
        tree = self._trees.get(os.fspath(file._zip_file.filename))
        name: str = file.src_record_path
        if tree is None or ".data/scripts/" in name:
            return False
        os.makedirs(os.path.dirname(file.dest_path), exist_ok=True)
        try:
            if not stat.S_ISREG(os.lstat(tree / name).st_mode):
                return False
            os.replace(tree / name, file.dest_path)
        except OSError:  # zipfile had to change the name, or the place is on another file system
            return False
        file.written = True  # a newer pip removes such files if the installation fails
        return True


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _unpack(wheel: str, directory: Path) -> None:
    """Unpacks a wheel, with the modes that pip would set."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = archive.extract(entry, directory)
            mode = entry.external_attr >> 16
            if stat.S_ISREG(mode) and mode & 0o111:
                os.chmod(path, os.stat(path).st_mode | 0o111)


def _run_in(interpreter: str, arguments: Sequence[str]) -> int:
    """Runs pip in the Python of another environment: its interpreter, or its directory."""
    if os.path.isdir(interpreter):
        place = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        interpreter = os.path.join(interpreter, *place)
    modules = [importlib.import_module(name) for name in ("larder", "_cffi_backend", "pip")]
    places = {
        str(Path(str(module.__file__)).parent.parent)
        if hasattr(module, "__path__")
        else str(Path(str(module.__file__)).parent)
        for module in modules
    }
    command = [interpreter, "-c", _IN_ANOTHER, os.pathsep.join(sorted(places)), *arguments]
    try:
        return subprocess.run(command).returncode
    except OSError as error:
        print(
            f"larder.pip: cannot run {interpreter}: {error.strerror}; name an environment or its "
            "Python",
            file=sys.stderr,
        )
        return 1


def main(arguments: Sequence[str]) -> int:
    """Runs pip with these arguments, and returns its exit code."""
    if len(arguments) > 1 and arguments[0] == "--python":
        return _run_in(arguments[1], arguments[2:])
    if arguments and arguments[0].startswith("--python="):
        return _run_in(arguments[0].partition("=")[2], arguments[1:])

    mode_name = os.environ.get("LARDER_PIP_LINK_MODE", "automatic")
    try:
        mode = larder.LinkMode[mode_name.upper()]
    except KeyError:
        print(
            f"larder.pip: LARDER_PIP_LINK_MODE is {mode_name}; set it to automatic, clone, "
            "hardlink or copy",
            file=sys.stderr,
        )
        return 2
    pip_main: Any = importlib.import_module("pip._internal.cli.main").main
    try:
        pip_wheel: Any = importlib.import_module("pip._internal.operations.install.wheel")
        users = [importlib.import_module("pip._internal.req.req_install")]
        parts = set(inspect.signature(pip_wheel.install_wheel).parameters)
        known = {"wheel_path", "scheme"} <= parts and callable(pip_wheel.ZipBackedFile.save)
    except (ImportError, AttributeError):
        known = False
    if not known:
        version = importlib.import_module("pip").__version__
        print(
            f"larder.pip: pip {version} is not known; it installs without the cache",
            file=sys.stderr,
        )
        return int(pip_main(list(arguments)))
    try:
        cache = larder.Cache(os.environ.get("LARDER_PIP_CACHE") or _default_cache())
    except larder.Error as error:
        print(f"larder.pip: {error}", file=sys.stderr)
        return 1
    with cache:
        _Wheels(cache, mode).take_part_in(pip_wheel, users)
        return int(pip_main(list(arguments)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
