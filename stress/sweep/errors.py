# SPDX-License-Identifier: MIT
"""Says which system call may fail with which error, and by which authority.

POSIX and the manual pages of Linux list what a call may return. A file system may add ENOSPC
wherever it has to write (btrfs and other file systems that copy on write need space to delete as
well), and EIO wherever it has to read or write. EINTR is listed where POSIX or the manual page has
it: a call that was interrupted there has done nothing and must be made again. Only close must not
be made again: on Linux the descriptor is gone, and the file's data are unharmed.

Left out are ENOMEM and the calls that the C library makes for memory (mmap without a file, brk):
running out of memory ends the process by design.
"""

import re

# What file systems and sandboxes answer that forbid a call, or do not know it. A sandbox may answer
# any call so. EINTR: file systems in user space and on the network may interrupt any call.
REFUSALS = "EPERM EACCES ENOSYS EOPNOTSUPP EINVAL EOVERFLOW EINTR".split()

# What a file system in user space or on the network answers to a call that changes names, because
# what it knows of them is out of date: a name is gone, or one has come. It may do so each time.
STALE_NAMES = {"renameat2": "ENOENT EEXIST", "renameat": "ENOENT EEXIST", "rename": "ENOENT EEXIST",
               "mkdirat": "ENOENT EEXIST", "symlinkat": "ENOENT EEXIST",
               "linkat": "ENOENT EEXIST", "unlinkat": "ENOENT"}

OPENS = "openat openat2 open"
# Each row: calls, a pattern for their arguments, errors. The first row that matches a call counts.
TABLE = [
    # Makes a file. open(2); EINTR by POSIX, for a slow open (FIFOs, network, FUSE).
    (OPENS, r"O_CREAT", "ENOSPC EIO EINTR EMFILE"),
    # Looks up a name: may read directories and inodes.
    (OPENS, r"", "EIO EINTR EMFILE"),
    # Add a name to a directory. POSIX has no EINTR.
    ("mkdirat mkdir symlinkat symlink linkat link", r"", "ENOSPC EIO"),
    # The directory that gains a name may have to grow.
    ("renameat2 renameat rename", r"", "ENOSPC EIO"),
    # ENOSPC: btrfs; xfs and ext4 beyond the end of a quota or a journal.
    ("unlinkat unlink rmdir", r"", "ENOSPC EIO"),
    # Read an inode.
    ("readlinkat readlink newfstatat fstat stat lstat statx", r"", "EIO"),
    ("faccessat faccessat2 access", r"", "EIO"),
    # EINTR: fstatfs(2), and fstatvfs in POSIX.
    ("fstatfs statfs", r"", "EIO EINTR"),
    # readdir in POSIX has no EINTR.
    ("getdents64", r"", "EIO"),
    ("read pread64", r"", "EIO EINTR"),
    ("write pwrite64", r"", "ENOSPC EIO EINTR"),
    # ENOSPC: what was written has no place on the disk until now. EINTR: POSIX.
    ("fsync fdatasync", r"", "ENOSPC EIO EINTR"),
    # EINTR: it waits for network file systems and FUSE, as write does.
    ("copy_file_range", r"", "ENOSPC EIO EINTR"),
    # As copy_file_range. EINTR: POSIX.
    ("ioctl", r"FICLONE", "ENOSPC EIO EINTR"),
    # Reads or writes the flags of an inode.
    ("ioctl", r"FS_IOC", "EIO"),
    # EINTR: POSIX.
    ("fchmod fchmodat", r"", "EIO EINTR"),
    ("utimensat", r"", "EIO"),
    ("ftruncate fallocate", r"", "ENOSPC EIO EINTR"),
    # File systems with quotas, and those that write late, report errors only now.
    ("close", r"", "ENOSPC EIO EINTR"),
    # EINTR: fcntl(2), for locks of files that are on another machine.
    ("fcntl", r"F_OFD_(SETLK|GETLK)|F_SETLK|F_GETLK", "EIO EINTR"),
    ("fcntl", r"F_DUPFD", "EMFILE"),
    ("dup", r"", "EMFILE"),
    # POSIX: too many mapped regions.
    ("mmap", r"\d<", "EMFILE"),
    # A signal that is handed on to the child.
    ("wait4 waitid", r"", "EINTR"),
]


def errors_of(name, text):
    """Returns the errors that a call may return; none if its failure is of no interest here."""
    for calls, arguments, errors in TABLE:
        if name in calls.split() and re.search(arguments, text):
            return errors.split()
    return []


def refusals_of(name, text):
    """Returns the refusals of a call. Memory without a file is left out, as above."""
    if name in ("munmap", "exit_group") or (name == "mmap" and not re.search(r"\d<", text)):
        return []
    return [*REFUSALS, *STALE_NAMES.get(name, "").split()]
