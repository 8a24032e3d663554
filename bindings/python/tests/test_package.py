# SPDX-License-Identifier: MIT
"""What is in the wheel: the command, the stable ABI, and the types."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import larder
from larder import _larder

PACKAGE = Path(__file__).parent.parent
CACHETOOL = Path(sysconfig.get_path("scripts")) / "cachetool"


def test_the_command_is_installed_and_works(cache: larder.Cache, bucket: larder.Bucket) -> None:
    def build(staging: larder.Staging) -> None:
        (staging.path / "file").write_text("")

    said = subprocess.run([CACHETOOL, "--version"], check=True, capture_output=True, text=True)
    assert larder.__version__ in said.stdout
    with bucket.get_or_build("a-key", build):
        listed = subprocess.run(
            [CACHETOOL, "--cache", cache.root, "ls"], check=True, capture_output=True, text=True
        )
    assert "a-key" in listed.stdout


def test_one_version_everywhere() -> None:
    assert importlib.metadata.version("larder") == larder.__version__


def test_the_stable_abi_is_used() -> None:
    assert Path(str(_larder.__file__)).name == "_larder.abi3.so"
    tags = [str(file) for file in importlib.metadata.files("larder") or () if file.name == "WHEEL"]
    assert len(tags) == 1
    wheel = importlib.metadata.distribution("larder").read_text("WHEEL") or ""
    assert re.search(r"^Tag: cp310-abi3-", wheel, re.M)


def test_all_that_is_public_is_there() -> None:
    assert sorted(larder.__all__) == list(larder.__all__)
    for name in larder.__all__:
        public = getattr(larder, name)
        assert not isinstance(public, type) or public.__doc__, f"{name} has no docstring"


def test_mypy_finds_nothing(work: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", work, "--config-file", "pyproject.toml"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
