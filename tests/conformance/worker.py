#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Works on a cache by larder_format, as a process that the tests start.

    worker.py ROOT churn SEED ROUNDS   puts, gets, builds, removes and refreshes
    worker.py ROOT stop POINT          prints a line at a point of a put, and waits to be killed

Each entry has files of equal content, so that a torn one shows.
"""

from __future__ import annotations

import os
import pathlib
import random
import sys
from typing import Callable, Optional

import larder_format

BUCKETS = ["one", "two"]
KEYS = ["a", "b", "c"]
FILES = 5


def fill_with(text: str) -> Callable[[str], None]:
    """Returns how to make a tree whose files all hold this text."""

    def fill(tree: str) -> None:
        for number in range(FILES):
            folder = pathlib.Path(tree, str(number))
            folder.mkdir()
            (folder / "file").write_text(text)

    return fill


def check(tree: str) -> None:
    """Raises an error unless the tree is whole."""
    texts = [pathlib.Path(tree, str(number), "file").read_text() for number in range(FILES)]
    if len(set(texts)) != 1 or len(os.listdir(tree)) != FILES:
        raise AssertionError(f"torn: {tree}: {texts}")


def churn(root: str, seed: int, rounds: int) -> None:
    """Makes random calls. An odd seed replaces links where it could exchange them."""
    chance = random.Random(seed)
    held = []
    with larder_format.Cache(root, exchange=seed % 2 == 0) as cache:
        for number in range(rounds):
            bucket, key = chance.choice(BUCKETS), chance.choice(KEYS)
            fill = fill_with(f"{seed} {number}")
            do = chance.choices(["put", "get", "build", "remove", "refresh"], [4, 6, 2, 1, 1])[0]
            lease: Optional[larder_format.Lease] = None
            if do == "put":
                lease = cache.put(bucket, key, fill)
            elif do == "get":
                lease = cache.get(bucket, key)
            elif do == "build":
                lease = cache.get_or_build(bucket, key, fill)
            elif do == "remove":
                cache.remove(bucket, key)
            else:
                cache.refresh(bucket)
            if lease:
                held.append(lease)
            for one in held:
                check(one.path)
            if len(held) > 5:
                held.pop(chance.randrange(len(held))).release()


class Stopping(larder_format.Cache):
    """A cache whose put() stops at a point."""

    point = ""

    def stop_at(self, point: str) -> None:
        if point == self.point:
            print("stopped", flush=True)
            sys.stdin.read()

    def _publish(self, *arguments):  # type: ignore[no-untyped-def]
        self.stop_at("recorded")
        return super()._publish(*arguments)

    def _make_bucket(self, *arguments):  # type: ignore[no-untyped-def]
        self.stop_at("bucket")
        super()._make_bucket(*arguments)

    def _make(self, directory: int, name: str, text: str) -> None:
        super()._make(directory, name, text)
        self.stop_at(f"staged {name[0]}")

    def _retire(self, *arguments):  # type: ignore[no-untyped-def]
        self.stop_at("published")
        super()._retire(*arguments)


def stop(root: str, point: str) -> None:
    """Replaces the entry of a key, makes another bucket, and stops somewhere on the way."""
    cache = Stopping(root, exchange=point != "staged o")
    with cache:
        cache.put("one", "a", fill_with("old"))

        def fill(tree: str) -> None:
            fill_with("new")(tree)
            cache.stop_at("filled")

        cache.point = point
        cache.put("one", "a", fill)
        cache.put("another", "a", fill)
        cache.stop_at("done")


if __name__ == "__main__":
    if sys.argv[2] == "churn":
        churn(sys.argv[1], int(sys.argv[3]), int(sys.argv[4]))
    else:
        stop(sys.argv[1], sys.argv[3])
