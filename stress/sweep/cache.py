# SPDX-License-Identifier: MIT
"""Reads a cache by itself, without larder: what its keys name, byte for byte, and what is left
over.

It is a second pair of eyes. larder's own `verify` is checked too, but it would not see a mistake
that larder makes twice, once in writing and once in reading.
"""

import errno
import os
import re
import stat
import struct
import subprocess

TARGET = re.compile(r"\.\./\.\./archive/([0-9a-z]{26})/tree\n?")


ATTRIBUTE = "user.larder"


def write_tree(path, text):
    """Writes a small tree with something of everything. It is different for each `text`. Where the
    file system has attributes, a file and a directory have one."""
    os.makedirs(f"{path}/folder/empty")
    for name, mode in {"file": 0o644, "empty": 0o600, "folder/program": 0o755}.items():
        with open(f"{path}/{name}", "w", encoding="utf-8") as file:
            file.write("" if name == "empty" else f"{text} in {name}\n")
        os.chmod(f"{path}/{name}", mode)
    os.symlink("../file", f"{path}/folder/link")
    for name in "file", "folder":
        try:
            os.setxattr(f"{path}/{name}", ATTRIBUTE, f"{text} of {name}".encode())
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise


def attributes(path):
    """Returns the attributes that users have set, as a sorted tuple of names and values."""
    try:
        names_there = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        return ()
    return tuple(sorted((name, os.getxattr(path, name, follow_symlinks=False))
                        for name in names_there if name.startswith("user.")))


def read_tree(path):
    """Reads everything below `path`: for each relative name its kind, mode, content and attributes.

    Returns None if no directory stands there.
    """
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
            kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
            found[os.path.relpath(full, path)] = (kind, mode, content, attributes(full))
    return found


def with_lost_attributes(tree, expected):
    """Returns the tree with those attributes that it lacks and `expected` has. An attribute of
    another value stays as it is, and so does a tree of other names.
    """
    if tree is None or expected is None or tree.keys() != expected.keys():
        return tree
    return {name: (*rest, wanted[-1] if set(found) <= set(wanted[-1]) else found)
            for (name, (*rest, found)), wanted in zip(sorted(tree.items()),
                                                      (expected[one] for one in sorted(tree)))}


def read_link(path):
    """Returns the id that a link names; None if it is no link of larder."""
    if os.path.islink(path):
        text = os.readlink(path)
    else:
        with open(path, encoding="utf-8") as file:
            text = file.read(100)
    match = TARGET.fullmatch(text)
    return match and match.group(1)


def entry_at(path, root):
    """Returns the id of the entry of a cache to which a symlink leads; None if none stands there.
    """
    if not os.path.lexists(path):
        return None
    match = re.fullmatch(rf"{re.escape(root)}/archive/([0-9a-z]{{26}})/tree", os.readlink(path))
    return match and match.group(1) or "elsewhere"


# Where a lease table has its own inode (TableHeaderBytes::file in src/format/lease_table.hpp).
INODE_IN_TABLE = struct.Struct("<Q")
INODE_AT = 504


def copy(root, target):
    """Copies a cache so that the leases in it count in the copy, too. larder passes over the leases
    in a table that was copied, because the table does not have the inode that it names."""
    subprocess.run(["cp", "-a", root, target], check=True)
    for name in names(f"{target}/participants"):
        with open(f"{target}/participants/{name}", "r+b") as table:
            table.seek(INODE_AT)
            if any(table.read(INODE_IN_TABLE.size)):
                table.seek(INODE_AT)
                table.write(INODE_IN_TABLE.pack(os.fstat(table.fileno()).st_ino))


def names(path):
    """Returns the sorted names in a directory; none if there is no directory."""
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def generation_of(root, bucket):
    """Returns the generation that the pointer of a bucket names; None if it is a directory."""
    path = f"{root}/buckets/{bucket}"
    if not os.path.islink(path) and os.path.isdir(path):
        return None
    text = os.readlink(path) if os.path.islink(path) else open_text(path)
    return os.path.basename(text.rstrip("\n"))


def open_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read(100)


def keys_of(root, bucket):
    """Returns the directory that holds the keys of a bucket."""
    generation = generation_of(root, bucket)
    return f"{root}/buckets/{bucket}" if generation is None else f"{root}/generations/{generation}"


def read_keys(root):
    """Returns (bucket, key) -> (id, tree) for every key. A tree that does not exist is None."""
    keys = {}
    for bucket in names(f"{root}/buckets"):
        for key in names(keys_of(root, bucket)):
            entry = read_link(f"{keys_of(root, bucket)}/{key}")
            keys[bucket, key] = (entry, entry and read_tree(f"{root}/archive/{entry}/tree"))
    return keys


def leftovers(root, kept):
    """Returns what a collection should have deleted (invariant 6).

    `kept` are the ids that are leased: they are retired, and stay.
    """
    left = [f"staging/{number}/{name}" for number in names(f"{root}/staging")
            for name in names(f"{root}/staging/{number}")]
    left += [f"deleting/{name}" for name in names(f"{root}/deleting")]
    left += [f"retired/buckets/{name}" for name in names(f"{root}/retired/buckets")]
    left += [f"retired/links/{name}" for name in names(f"{root}/retired/links")
             if read_link(f"{root}/retired/links/{name}") not in kept]
    used = {generation_of(root, bucket) for bucket in names(f"{root}/buckets")}
    left += [f"generations/{name}" for name in names(f"{root}/generations") if name not in used]
    wanted = {entry for entry, _ in read_keys(root).values()} | set(kept)
    left += [f"archive/{name}" for name in names(f"{root}/archive") if name not in wanted]
    return left
