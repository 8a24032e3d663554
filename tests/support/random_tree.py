#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a random directory tree: python3 random_tree.py SEED DIR [MAX_DEPTH].

The tree has files with holes, hard links, modes, times, attributes of users, names of any bytes,
deep chains, empty directories and all sorts of symlinks. The same seed makes the same tree.
Attributes are left out where the file system has none. tests/support/trees_differ.py compares two
trees.
"""

import errno
import os
import random
import sys

# Every byte but NUL and the slash may stand in a name.
NAME_BYTES = [byte for byte in range(1, 256) if byte != ord("/")]
MODES = [0o644, 0o600, 0o755, 0o444, 0o400, 0o777, 0o640, 0o711]
HOLE = 64 * 1024
LINK_TEXTS = [b".", b"..", b"/", b"/nowhere", b"nowhere/at/all", b"../../../..", b"x" * 4000,
              b"new\nline", b"\xff\xfe", b" "]


class RandomTree:
    """Makes one tree."""

    def __init__(self, seed, max_depth=1000):
        self.random = random.Random(seed)
        self.max_depth = max_depth
        self.has_attributes = True
        self.files = []  # paths of regular files, for hard links

    def make(self, top):
        """Fills the directory `top`, which must exist and be empty."""
        top = os.fsencode(top)
        self.fill(top, b"", self.random.randint(5, 30), 0)
        if self.random.random() < 0.5:
            self.make_chain(top)
        self.finish(top)

    def name(self, longest=40):
        while True:
            length = 1 if self.random.random() < 0.3 else self.random.randint(1, longest)
            name = bytes(self.random.choice(NAME_BYTES) for _ in range(length))
            if name not in (b".", b".."):
                return name

    def fill(self, top, below, many, depth):
        for _ in range(many):
            name = self.name()
            path = os.path.join(top, below, name)
            if os.path.lexists(path):
                continue
            chance = self.random.random()
            if chance < 0.25 and depth < 6:
                os.mkdir(path)
                if self.random.random() < 0.8:
                    self.fill(top, os.path.join(below, name), self.random.randint(0, 8), depth + 1)
            elif chance < 0.4:
                os.symlink(self.link_text(top), path)
                self.set_time(path)
            elif chance < 0.55 and self.files:
                os.link(self.random.choice(self.files), path)
            else:
                self.make_file(path)

    def make_chain(self, top):
        """Makes directories inside each other. Their names are short, so that tools reach the end.
        """
        directory = os.open(top, os.O_RDONLY)
        name = b"chain"
        for _ in range(self.random.choice([3, 40, 200, self.max_depth])):
            try:
                os.mkdir(name, dir_fd=directory)
            except FileExistsError:
                break
            inner = os.open(name, os.O_RDONLY, dir_fd=directory)
            os.close(directory)
            directory, name = inner, b"d"
        os.close(os.open(b"end", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=directory))
        os.utime(b"end", ns=(10**18, 10**18), dir_fd=directory)
        os.close(directory)

    def link_text(self, top):
        if self.files and self.random.random() < 0.5:
            return os.path.relpath(self.random.choice(self.files), top)
        return self.random.choice(LINK_TEXTS)

    def make_file(self, path):
        with open(path, "wb") as file:
            for _ in range(self.random.randint(0, 3)):
                if self.random.random() < 0.4:
                    file.seek(HOLE * self.random.randint(1, 20), os.SEEK_CUR)
                file.write(self.random.randbytes(self.random.randint(0, 9000)))
            if self.random.random() < 0.2:
                file.truncate(file.tell() + HOLE * self.random.randint(1, 20))
        self.set_attributes(path)
        os.chmod(path, self.random.choice(MODES))
        self.set_time(path)
        self.files.append(path)

    def set_attributes(self, path):
        for number in range(self.random.choice([0, 0, 0, 1, 3])):
            if not self.has_attributes:
                return
            try:
                value = self.random.randbytes(self.random.randint(0, 100))
                os.setxattr(path, f"user.larder.{number}", value, follow_symlinks=False)
            except OSError as error:
                if error.errno != errno.ENOTSUP:
                    raise
                self.has_attributes = False

    def set_time(self, path):
        seconds = self.random.choice([0, 1, 981173106, 1700000000, 4000000000])
        time = seconds * 10**9 + self.random.randrange(10**9)
        os.utime(path, ns=(time, time), follow_symlinks=False)

    def finish(self, top):
        """Gives the directories their attributes, modes and times, from the innermost outwards."""
        for path in reversed(directories_below(top)):
            if self.has_attributes and self.random.random() < 0.3:
                os.setxattr(path, "user.larder", self.random.randbytes(20))
            os.chmod(path, self.random.choice([0o755, 0o700, 0o555, 0o777, 0o750]))
            self.set_time(path)


def directories_below(top):
    """Returns the paths of all directories, each after the one around it. Any depth will do."""
    found = [os.fsencode(top)]
    for path in found:
        with os.scandir(path) as names:
            found += sorted(name.path for name in names if name.is_dir(follow_symlinks=False))
    return found


if __name__ == "__main__":
    RandomTree(int(sys.argv[1]), *map(int, sys.argv[3:])).make(sys.argv[2])
