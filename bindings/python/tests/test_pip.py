# SPDX-License-Identifier: MIT
"""The real pip installs from the cache. The wheels are made here, so no network is needed."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import larder

ENVIRONMENTS = 10


def make_wheel(directory: Path, name: str, requires: str = "") -> Path:
    """Makes a wheel with a package of some modules, an entry point, and a script."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": f"def main():\n    print('this is {name}')\n",
        **{f"{name}/part_{part}.py": f"value = {part}\n" for part in range(20)},
        f"{name}-1.0.data/scripts/{name}-script": f"#!python\nimport {name}\n{name}.main()\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-command = {name}:main\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record += f"{path},sha256={digest.rstrip(b'=').decode()},{len(text)}\n"
    wheel = directory / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if "scripts/" in path else 0o100644) << 16
            archive.writestr(entry, text)
    return wheel


def command(wheels: Path, target: Path, *packages: str) -> list[str]:
    return [
        *(sys.executable, "-B", "-m", "larder.pip", "--python", str(target), "install"),
        *("--no-index", "--find-links", str(wheels), "--disable-pip-version-check", "--quiet"),
        *packages,
    ]


def output_of(program: Path) -> str:
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout


def site_packages(target: Path) -> Path:
    return target / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def test_ten_environments_at_once_while_the_cache_is_purged(work: Path) -> None:
    wheels = work / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "bread")
    make_wheel(wheels, "cheese", requires="bread")
    targets = [work / f"env{number}" for number in range(ENVIRONMENTS)]
    for target in targets:
        venv.create(target, with_pip=False, symlinks=True)

    environment = {**os.environ, "LARDER_PIP_CACHE": str(work / "cache")}
    with larder.Cache(work / "cache") as cache:
        bucket = cache.bucket("wheels-v1")
        processes = [
            subprocess.Popen(command(wheels, target, "cheese"), env=environment)
            for target in targets
        ]
        deleted = 0
        while any(process.poll() is None for process in processes):
            bucket.refresh()
            deleted += cache.collect().entries
        assert [process.returncode for process in processes] == [0] * ENVIRONMENTS
        assert cache.verify().sound
        bucket.refresh()
        assert deleted + cache.collect().entries >= 2  # each wheel was there at least once

    for target in targets:
        for name in ("bread", "cheese"):
            assert output_of(target / "bin" / f"{name}-command") == f"this is {name}\n"
            assert output_of(target / "bin" / f"{name}-script") == f"this is {name}\n"
            assert (site_packages(target) / name / "part_19.py").read_text() == "value = 19\n"
        assert not list(site_packages(target).glob(".larder-pip-*"))


def test_the_second_environment_shares_the_files_of_the_first(work: Path) -> None:
    wheels = work / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "bread")
    environment = {
        **os.environ,
        "LARDER_PIP_CACHE": str(work / "cache"),
        "LARDER_PIP_LINK_MODE": "hardlink",
    }
    files = []
    for number in range(2):
        target = work / f"env{number}"
        venv.create(target, with_pip=False, symlinks=True)
        subprocess.run(command(wheels, target, "bread"), env=environment, check=True)
        files.append(site_packages(target) / "bread" / "__init__.py")
    assert files[0].samefile(files[1])
    with larder.Cache(work / "cache") as cache:
        assert len(cache.entries()) == 1
        # pip has written the path of the environment's Python into the scripts, and has changed
        # nothing in the cache.
        assert cache.verify().sound
        with cache.bucket("wheels-v1").get(cache.entries()[0].key) as lease:
            script = lease.path / "bread-1.0.data/scripts/bread-script"
            assert script.read_text().startswith("#!python\n")

    # pip itself can take the package out again.
    remove = [*(sys.executable, "-B", "-m", "larder.pip", "--python", str(work / "env0"))]
    subprocess.run([*remove, "uninstall", "--yes", "--quiet", "bread"], env=environment, check=True)
    assert not files[0].exists()
    assert files[1].exists()


def test_an_unknown_link_mode_is_refused(work: Path) -> None:
    environment = {**os.environ, "LARDER_PIP_LINK_MODE": "magic"}
    refused = subprocess.run(
        [sys.executable, "-B", "-m", "larder.pip", "list"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 2
    assert "set it to automatic, clone, hardlink or copy" in refused.stderr


def test_an_environment_that_is_not_there_is_named(work: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-B", "-m", "larder.pip", "--python", work / "nowhere", "list"],
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1
    assert f"cannot run {work / 'nowhere'}: No such file or directory" in refused.stderr
