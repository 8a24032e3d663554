# SPDX-License-Identifier: MIT
"""Fixtures: a cache in a temporary directory, and other processes that tests talk to by pipes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import larder
import pytest

TIMEOUT = 60  # arbitrary, because nothing here takes a second


class Child:
    """Another Python process. Its program prints lines and reads lines."""

    def __init__(self, program: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-u", "-c", program, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Returns the next line that the program prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def go_on(self) -> None:
        """Sends an empty line, for which the program waits."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """Waits for the end of the program, and returns its exit code."""
        self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    """Starts other processes. The end of the test ends them."""
    children: list[Child] = []

    def start(program: str, *arguments: object) -> Child:
        children.append(Child(program, *arguments))
        return children[-1]

    yield start
    for started in children:
        started.process.kill()
        started.process.communicate()


@pytest.fixture
def work() -> Iterator[Path]:
    """Returns an empty directory. Its path is short, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("LARDER_TEST_DIR")) as directory:
        yield Path(directory)


@pytest.fixture
def cache(work: Path) -> Iterator[larder.Cache]:
    with larder.Cache(work / "cache", count=True) as opened:
        yield opened


@pytest.fixture
def bucket(cache: larder.Cache) -> larder.Bucket:
    return cache.bucket("wheels-v1")


def hello(staging: larder.Staging) -> None:
    """A build of one file."""
    (staging.path / "text").write_text("Hello!")
