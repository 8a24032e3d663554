# SPDX-License-Identifier: MIT
"""Reads a cache by itself, without larder: what its keys name, byte for byte, and what is left over.

A second pair of eyes: what larder's own `verify` says is checked too, but a mistake that larder makes twice, once in writing and once in reading, is
seen here.
"""

import os
import re
import stat

TARGET = re.compile(r"\.\./\.\./archive/([0-9a-z]{26})/tree\n?")


def write_tree(path, text):
    """A small tree with something of everything, different for each `text`."""
    os.makedirs(f"{path}/folder/empty")
    for name, mode in {"file": 0o644, "empty": 0o600, "folder/program": 0o755}.items():
        with open(f"{path}/{name}", "w", encoding="utf-8") as file:
            file.write("" if name == "empty" else f"{text} in {name}\n")
        os.chmod(f"{path}/{name}", mode)
    os.symlink("../file", f"{path}/folder/link")


def read_tree(path):
    """Everything below `path`, by its relative name: what it is, its mode and its content. None where no directory is."""
    if os.path.islink(path) or not os.path.isdir(path):
        return None
    found = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            status = os.lstat(full)
            content = b""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(full)
            elif stat.S_ISREG(status.st_mode):
                with open(full, "rb") as file:
                    content = file.read()
            found[os.path.relpath(full, path)] = (stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), content)
    return found


def read_link(path):
    """The id that a link names; None where it is no link of larder's."""
    if os.path.islink(path):
        text = os.readlink(path)
    else:
        with open(path, encoding="utf-8") as file:
            text = file.read(100)
    match = TARGET.fullmatch(text)
    return match and match.group(1)


def names(path):
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def read_keys(root):
    """(bucket, key) -> (id, tree) for every key; a tree that is not there is None."""
    keys = {}
    for bucket in names(f"{root}/buckets"):
        for key in names(f"{root}/buckets/{bucket}"):
            entry = read_link(f"{root}/buckets/{bucket}/{key}")
            keys[bucket, key] = (entry, entry and read_tree(f"{root}/archive/{entry}/tree"))
    return keys


def leftovers(root, kept):
    """What a collection should have deleted (invariant 6). `kept` are the ids that are leased: retired, and staying."""
    left = [f"staging/{number}/{name}" for number in names(f"{root}/staging") for name in names(f"{root}/staging/{number}")]
    left += [f"deleting/{name}" for name in names(f"{root}/deleting")]
    left += [f"retired/buckets/{name}" for name in names(f"{root}/retired/buckets")]
    left += [f"retired/links/{name}" for name in names(f"{root}/retired/links") if read_link(f"{root}/retired/links/{name}") not in kept]
    wanted = {entry for entry, _ in read_keys(root).values()} | set(kept)
    left += [f"archive/{name}" for name in names(f"{root}/archive") if name not in wanted]
    return left
