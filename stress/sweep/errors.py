# SPDX-License-Identifier: MIT
"""Which system call may fail with which error, and who says so.

POSIX and Linux's manual pages list what a call may return; a file system may add ENOSPC wherever it has to write (btrfs and other file systems that
copy on write need space to delete as well), and EIO wherever it has to read or write. EINTR is listed where POSIX, or the manual page, has it: there
a call that was interrupted has done nothing, and has to be made again (close alone must not be: on Linux the descriptor is gone, and the file's data
are where they were).

Left out: ENOMEM, and the calls that the C library makes for memory (mmap of no file, brk): running out of memory ends the process by design.
"""

import re

OPENS = "openat openat2 open"
TABLE = [
    # calls, what their arguments must show, errors
    (OPENS, r"O_CREAT", "ENOSPC EIO EINTR EMFILE"),  # makes a file: open(2), and EINTR by POSIX (a slow open: FIFOs, network and FUSE)
    (OPENS, r"", "EIO EINTR EMFILE"),  # looks up a name: may read directories and inodes
    ("mkdirat mkdir symlinkat symlink linkat link", r"", "ENOSPC EIO"),  # add a name to a directory; POSIX has no EINTR
    ("renameat2 renameat rename", r"", "ENOSPC EIO"),  # the directory that gains a name may have to grow
    ("unlinkat unlink rmdir", r"", "ENOSPC EIO"),  # ENOSPC: btrfs, and xfs and ext4 beyond a quota's or a journal's end
    ("readlinkat readlink newfstatat fstat stat lstat statx faccessat faccessat2 access", r"", "EIO"),  # read an inode
    ("fstatfs statfs", r"", "EIO EINTR"),  # EINTR: fstatfs(2), fstatvfs in POSIX
    ("getdents64", r"", "EIO"),  # readdir in POSIX has no EINTR
    ("read pread64", r"", "EIO EINTR"),
    ("write pwrite64", r"", "ENOSPC EIO EINTR"),
    ("fsync fdatasync", r"", "ENOSPC EIO EINTR"),  # ENOSPC: what was written has no place until now; EINTR: POSIX
    ("copy_file_range", r"", "ENOSPC EIO EINTR"),  # EINTR: it waits for network file systems and FUSE, as write does
    ("ioctl", r"FICLONE", "ENOSPC EIO EINTR"),  # as copy_file_range; EINTR: POSIX
    ("ioctl", r"FS_IOC", "EIO"),  # reads or writes an inode's flags
    ("fchmod fchmodat", r"", "EIO EINTR"),  # EINTR: POSIX
    ("utimensat", r"", "EIO"),
    ("ftruncate fallocate", r"", "ENOSPC EIO EINTR"),
    ("close", r"", "ENOSPC EIO EINTR"),  # file systems with quotas, and those that write late, say so only now
    ("fcntl", r"F_OFD_(SETLK|GETLK)|F_SETLK|F_GETLK", "EIO EINTR"),  # EINTR: fcntl(2), for locks of files that are not on this machine
    ("fcntl", r"F_DUPFD", "EMFILE"),
    ("dup", r"", "EMFILE"),
    ("mmap", r"\d<", "EMFILE"),  # POSIX: too many mapped regions
    ("wait4 waitid", r"", "EINTR"),  # a signal that is handed on to the child
]


def errors_of(name, text):
    """The errors that this call may return; empty for one that can't fail in a way that is of interest here."""
    for calls, arguments, errors in TABLE:
        if name in calls.split() and re.search(arguments, text):
            return errors.split()
    return []
