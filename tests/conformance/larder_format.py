# SPDX-License-Identifier: MIT
"""An independent implementation of the format of a cache, written from docs/format.md alone.

It links nothing of larder and shares no code with it. The tests let both work on one cache at the
same time, which shows that the page is complete. Linux, Python 3.9, the standard library.

A Cache is for one thread. Each function is named after a section of the page.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import pathlib
import platform
import re
import shutil
import stat
import struct
import time
import uuid
import zlib
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
ID = "[0-7][0-9a-hjkmnp-tv-z]{25}"
LONGEST_KEY, LONGEST_BUCKET = 4096, 128
TABLE_SIZE, SLOTS, FIRST_SLOT = 16_384, 256, 4_096
BUILD, GATE, BUCKET = 1, 2, 3  # kinds of locks
NOREPLACE, EXCHANGE = 1, 2  # flags of renameat2(2)
PAUSE, INSTANT = 0.002, 20.0  # seconds: between two attempts, and for locks held for an instant
HOUR = 3_600
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs"}


class LarderError(Exception):
    """A call that changed nothing."""


class Busy(LarderError):
    """Other processes held a lock for too long, or there was no free slot."""


class Damaged(LarderError):
    """Something in the cache is not what the page says. `cachetool verify` tells more."""


# System calls that Python does not have.

_NUMBERS = {"x86_64": (316, 324)}  # renameat2 and membarrier
RENAMEAT2, MEMBARRIER = _NUMBERS.get(platform.machine(), (276, 283))
_libc = ctypes.CDLL(None, use_errno=True)


def _call(*arguments: object) -> None:
    if _libc.syscall(*arguments) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def rename(from_dir: int, old: str, to_dir: int, new: str, flags: int) -> None:
    """Renames with the flags NOREPLACE or EXCHANGE."""
    _call(RENAMEAT2, from_dir, os.fsencode(old), to_dir, os.fsencode(new), flags)


def fence() -> None:
    """A full memory fence: MEMBARRIER_CMD_GLOBAL_EXPEDITED."""
    _call(MEMBARRIER, 2, 0, 0)


# Names


def encode(text: bytes) -> str:
    """Returns a text with its escapes."""
    plain = b"abcdefghijklmnopqrstuvwxyz0123456789-_+"
    last = len(text) - 1
    return "".join(
        chr(byte) if byte in plain or (byte == ord(".") and 0 < at < last) else f"%{byte:02x}"
        for at, byte in enumerate(text)
    ) or "%"


def decode(text: str) -> bytes:
    """Returns the text without its escapes. Raises ValueError if encode() returns no such text."""
    found = b"" if text == "%" else re.sub(
        rb"%([0-9a-f]{2})", lambda escape: bytes.fromhex(escape[1].decode()), text.encode()
    )
    if encode(found) != text:
        raise ValueError(f"no escaped text: {text}")
    return found


def hash_of(name: str) -> int:
    """Returns the name-based UUID of a name, as a number."""
    return uuid.uuid5(uuid.NAMESPACE_OID, name).int


def id_text(number: int) -> str:
    return "".join(DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


def id_number(text: str) -> int:
    """Returns the number of an id that fits ID."""
    number = 0
    for digit in text:
        number = number << 5 | DIGITS.index(digit)
    return number


def bucket_name(bucket: str) -> str:
    name = encode(bucket.encode())
    if not bucket or len(name) > LONGEST_BUCKET:
        raise ValueError(f"no name of a bucket: {bucket!r}")
    return name


def key_name(key: str, longest: int) -> str:
    if len(key.encode()) > LONGEST_KEY:
        raise ValueError("the key is too long")
    name = encode(key.encode())
    if len(name) <= longest:
        return name
    return re.sub("%.?$", "", name[: longest - 28]) + "%~" + id_text(hash_of(key))


# Entries


def _seconds(nanoseconds: int) -> str:
    return "%d.%09d" % divmod(nanoseconds, 10**9)


def _sealed(text: bytes, word: bytes = b"end") -> bytes:
    """Returns the text, followed by the line with its CRC."""
    return b"%s%s %08x\n" % (text, word, zlib.crc32(text))


class Survey(NamedTuple):
    """What stands in a tree. The lines have no digests."""

    lines: List[bytes]
    size: int
    files: int
    newest: int  # time of modification in nanoseconds

    @staticmethod
    def of(tree: str) -> Survey:
        lines: List[bytes] = []
        sizes: Dict[Tuple[int, int], int] = {}
        files = 0
        times = []
        waiting = [(os.fsencode(tree), b".", 0)]
        while waiting:
            path, name, depth = waiting.pop()
            lines.append(b"d %d %o %s" % (depth, _mode(os.lstat(path)), _escaped(name)))
            inner = []
            for child in sorted(os.listdir(path)):
                at = os.path.join(path, child)
                info = os.lstat(at)
                if stat.S_ISDIR(info.st_mode):
                    inner.append((at, child, depth + 1))
                    continue
                files += 1
                if stat.S_ISLNK(info.st_mode):
                    lines.append(b"l %d - %s" % (len(os.readlink(at)), _escaped(child)))
                elif stat.S_ISREG(info.st_mode):
                    lines.append(b"f %o %d - %s" % (_mode(info), info.st_size, _escaped(child)))
                    sizes[info.st_dev, info.st_ino] = info.st_size
                    times.append(info.st_mtime_ns)
                else:
                    raise ValueError(f"neither file, nor directory, nor symlink: {at!r}")
            waiting += reversed(inner)
        return Survey(lines, sum(sizes.values()), files, max(times, default=0))


def _mode(info: os.stat_result) -> int:
    return stat.S_IMODE(info.st_mode)


def _escaped(name: bytes) -> bytes:
    return name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")


def manifest_of(survey: Survey, boot: str, boottime: int) -> bytes:
    """Returns a manifest without digests."""
    try:
        namespace = os.stat("/proc/self/ns/time").st_ino
    except FileNotFoundError:
        namespace = 0
    head = (
        f"larder manifest 1\nboot {boot}\nboottime {_seconds(boottime)}\ntimens {namespace}\n"
        f"digest none\nnewest {_seconds(survey.newest)}\n"
    )
    return _sealed(_sealed(head.encode(), b"head") + b"".join(b"%s\n" % x for x in survey.lines))


def lines_of_manifest(text: bytes) -> Optional[List[bytes]]:
    """Returns the lines of a valid manifest, without their digests, or None."""
    found = re.fullmatch(
        rb"(larder manifest 1\nboot [0-9a-f]{32}\nboottime \d+\.\d{9}\ntimens \d+\n"
        rb"digest [a-z0-9-]{1,32}\nnewest -?\d+\.\d{9}\n)(head [0-9a-f]{8}\n)(.*\n)"
        rb"end [0-9a-f]{8}\n",
        text, re.S,
    )
    if not found or _sealed(found[1], b"head") != found[1] + found[2]:
        return None
    if _sealed(found[1] + found[2] + found[3]) != text:
        return None
    return [
        re.sub(rb"\A(f \d+ \d+|l \d+) \S+ ", rb"\1 - ", line) for line in found[3].split(b"\n")[:-1]
    ]


class Record(NamedTuple):
    """The fields of a record, without escapes."""

    bucket: str
    key: str
    time: int
    boot: str
    size: int
    files: int
    producer: bytes
    metadata: Optional[bytes] = None
    durability: str = "process"

    def text(self) -> bytes:
        metadata = "" if self.metadata is None else f"metadata {encode(self.metadata)}\n"
        return _sealed((
            f"larder record 1\nbucket {encode(self.bucket.encode())}\n"
            f"key {encode(self.key.encode())}\ntime {_seconds(self.time)}\nboot {self.boot}\n"
            f"durability {self.durability}\nbytes {self.size}\nfiles {self.files}\n"
            f"producer {encode(self.producer)}\n{metadata}"
        ).encode())

    @staticmethod
    def of(text: bytes) -> Optional[Record]:
        """Returns a record from its bytes, or None if they are none."""
        form = (
            r"larder record 1\nbucket (\S+)\nkey (\S+)\ntime (\d+)\.(\d{9})\nboot ([0-9a-f]{32})\n"
            r"durability (process|power)\nbytes (\d+)\nfiles (\d+)\nproducer (\S+)\n"
            r"(?:metadata (\S+)\n)?end [0-9a-f]{8}\n"
        )
        try:
            found = re.fullmatch(form, text.decode("ascii"))
            if not found:
                return None
            record = Record(
                bucket=decode(found[1]).decode(),
                key=decode(found[2]).decode(),
                time=int(found[3]) * 10**9 + int(found[4]),
                boot=found[5],
                size=int(found[7]),
                files=int(found[8]),
                producer=decode(found[9]),
                metadata=decode(found[10]) if found[10] else None,
                durability=found[6],
            )
        except ValueError:  # of an escape, or of UTF-8
            return None
        return record if record.text() == text else None


# Locks


def _lock_request(kind: int, start: int, length: int) -> bytes:
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0)


def try_lock(file: int, kind: int, start: int, length: int) -> bool:
    """Locks a range of bytes, without waiting. Returns false if another process holds it."""
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _lock_request(kind, start, length))
        return True
    except (BlockingIOError, PermissionError):
        return False


def is_locked(file: int, start: int) -> bool:
    """Returns true if an exclusive lock of this byte would have to wait."""
    answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _lock_request(fcntl.F_WRLCK, start, 1))
    return bool(struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK)


def lock_byte(kind: int, name: str) -> int:
    return (kind << 60) + (hash_of(name) & (1 << 60) - 1)


def wait_until(is_done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > end:
            raise Busy("other processes hold a lock")
        time.sleep(PAUSE)


# The lease table


def _proc(name: str) -> str:
    return pathlib.Path("/proc", name).read_text()


def header_of_table(boot: str, ring_head: int) -> Dict[int, bytes]:
    """Returns what a process writes into its table, by the offset, but for its pid."""
    on_procfs = os.stat("/proc/sys/kernel/random/boot_id").st_dev == os.stat("/proc/self").st_dev
    started = int(_proc("self/stat").rpartition(")")[2].split()[19])
    command = pathlib.Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
    try:
        offsets = re.search(r"^boottime\s+(-?\d+)\s+(\d+)$", _proc("self/timens_offsets"), re.M)
        offset = int(offsets[1]) * 10**9 + int(offsets[2]) if offsets else 0
    except FileNotFoundError:
        offset = 0
    return {
        0: b"lardtbl2" + struct.pack("<II", 2 if on_procfs else 0, 0) + bytes.fromhex(boot),
        32: struct.pack("<QQ", os.stat("/proc/self/ns/pid").st_ino, started),
        56: struct.pack("<Q", time.time_ns()) + struct.pack("432s", command[:431]),
        496: struct.pack("<qQ", offset, 0),
        512: bytes(FIRST_SLOT - 512 + SLOTS * 16),
        8_200: struct.pack("<Q", ring_head),
    }


class Table:
    """The lease table and the staging area of this process."""

    def __init__(self, participants: int, staging: int, boot: str):
        """Joins the cache."""
        self.number = 0
        while not self._take(participants, staging, boot):
            self.number += 1
        self.stage = os.open(str(self.number), os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=staging)
        self.used: List[bool] = [False] * SLOTS

    def _take(self, participants: int, staging: int, boot: str) -> bool:
        name = str(self.number)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        self.file = os.open(name, flags, 0o600, dir_fd=participants)
        if self._is_free(participants, name) and self._has_empty_stage(staging, name):
            head = struct.unpack("<Q", os.pread(self.file, 8, 8_192))[0]
            for at, content in header_of_table(boot, head).items():
                os.pwrite(self.file, content, at)
            os.pwrite(self.file, struct.pack("<Q", os.getpid()), 48)
            return True
        os.close(self.file)
        return False

    def _is_free(self, participants: int, name: str) -> bool:
        if not try_lock(self.file, fcntl.F_WRLCK, 0, 0):
            return False
        try:
            if os.stat(name, dir_fd=participants).st_ino != os.fstat(self.file).st_ino:
                return False
        except FileNotFoundError:
            return False
        if os.fstat(self.file).st_size < TABLE_SIZE:
            os.ftruncate(self.file, TABLE_SIZE)
        start = os.pread(self.file, 56, 0)
        return start[:8] in (b"lardtbl2", bytes(8)) and start[48:] == bytes(8)

    @staticmethod
    def _has_empty_stage(staging: int, name: str) -> bool:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=staging)
        stage = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=staging)
        try:
            return not os.listdir(stage)
        finally:
            os.close(stage)

    def take_slot(self, number: int) -> int:
        """Writes an id into a free slot. Returns the slot."""
        if False not in self.used:
            raise Busy("this process has no free slot")
        slot = self.used.index(False)
        self.used[slot] = True
        self.write_slot(slot, number)
        return slot

    def write_slot(self, slot: int, number: int) -> None:
        words = struct.pack("<QQ", number >> 64, number & (1 << 64) - 1)
        os.pwrite(self.file, words, FIRST_SLOT + 16 * slot)
        fence()

    def clear_slot(self, slot: int) -> None:
        self.write_slot(slot, 0)
        self.used[slot] = False

    def leave(self) -> None:
        for slot in range(SLOTS):
            if self.used[slot]:
                self.clear_slot(slot)
        os.pwrite(self.file, bytes(8), 48)
        os.close(self.stage)
        os.close(self.file)


class Lease:
    """As long as a lease is held, nothing takes the files of its entry away."""

    def __init__(self, table: Table, slot: int, identity: str, path: str):
        self._table, self._slot = table, slot
        self.identity, self.path = identity, path

    def release(self) -> None:
        if self._slot >= 0:
            self._table.clear_slot(self._slot)
            self._slot = -1

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Cache:
    """A cache that larder has made.

    With `exchange` false, put() works as where the file system can't exchange two names.
    """

    def __init__(self, path: str, exchange: bool = True):
        self.path, self.exchange = os.path.abspath(path), exchange
        self._open: List[int] = []
        self._table: Optional[Table] = None
        self._owner = -1  # the process that drew self._random
        try:
            self._root = self._open_dir(self.path)
            self._refuse_network()
            self._read_format()
            self._dirs = {
                name: self._open_dir(name, self._root)
                for name in ("participants", "staging", "buckets", "archive", "deleting")
                + ("retired/links", "retired/buckets")
                + (("generations",) if self.buckets == "pointer" else ())
            }
        except BaseException:
            self.close()
            raise
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._root, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self._boot = _proc("sys/kernel/random/boot_id").strip().replace("-", "")

    def close(self) -> None:
        """Leaves the cache, with all leases."""
        if self._table:
            self._table.leave()
        for file in self._open:
            os.close(file)
        self._table, self._open = None, []

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def join(self) -> Table:
        """Returns the table of this process. The first call joins the cache."""
        self._look_again()
        if not self._table:
            self._table = Table(self._dirs["participants"], self._dirs["staging"], self._boot)
        return self._table

    def get(self, bucket: str, key: str) -> Optional[Lease]:
        """Returns a lease on the entry of a key, or None if there is none."""
        table = self.join()
        identity = self._identity(bucket, key)
        if not identity:
            return None
        slot = table.take_slot(id_number(identity))
        try:
            while (again := self._identity(bucket, key)) != identity:
                if not again:
                    table.clear_slot(slot)
                    return None
                identity = again
                table.write_slot(slot, id_number(identity))
            if not self._is_usable(identity, key):
                table.clear_slot(slot)
                return None
            self._note_use(bucket, key)
        except BaseException:
            table.clear_slot(slot)
            raise
        return Lease(table, slot, identity, f"{self.path}/archive/{identity}/tree")

    def peek(self, bucket: str, key: str) -> Optional[str]:
        """Returns the path of an entry that may vanish at any instant, or None. Joins nothing."""
        identity = self._identity(bucket, key)
        return identity and f"{self.path}/archive/{identity}/tree"

    def put(
        self, bucket: str, key: str, fill: Callable[[str], None], metadata: Optional[bytes] = None
    ) -> Lease:
        """Publishes the tree that `fill` makes in a directory. Returns a lease on it."""
        table = self.join()
        number = self._draw(bytes.fromhex(self._boot[:8]))
        identity = id_text(number)
        self._make(table.stage, f"l-{identity}", f"../../archive/{identity}/tree")
        slot = -1
        try:
            self._make_entry(identity, bucket, key, fill, metadata)
            slot = table.take_slot(number)
            left = self._publish(table.stage, bucket, key, identity)
        except Exception:  # all of them come from before the publication
            if slot >= 0:
                table.clear_slot(slot)
            self._give_up(table.stage, identity)
            raise
        if left:
            self._retire(table.stage, left, "retired/links")
        return Lease(table, slot, identity, f"{self.path}/archive/{identity}/tree")

    def get_or_build(
        self, bucket: str, key: str, fill: Callable[[str], None], seconds: float = 1800
    ) -> Lease:
        """Returns a lease on the entry of a key. If there is none, one process makes it."""
        name = f"{bucket_name(bucket)}/{key_name(key, self.names)}"
        with self._lock(lock_byte(BUILD, name), fcntl.F_WRLCK, seconds):
            return self.get(bucket, key) or self.put(bucket, key, fill)

    def remove(self, bucket: str, key: str) -> bool:
        """Takes a key out of its bucket. Returns false if it had no entry."""
        self._look_again()
        with self._bucket_lock(bucket, exclusive=True):
            place = self._place(bucket, key)
            if not place or self._link(*place) is None:
                return False
            try:
                self._retire(*place, "retired/links")
            except FileNotFoundError:  # by a refresh
                return False
            return True

    def refresh(self, bucket: str) -> bool:
        """Takes all keys out of a bucket, at once. Returns false if there was no bucket."""
        self._look_again()
        try:
            self._retire(self._dirs["buckets"], bucket_name(bucket), "retired/buckets")
            return True
        except FileNotFoundError:
            return False

    # The root

    def _open_dir(self, path: str, parent: Optional[int] = None) -> int:
        """Opens a directory, each part of its name without following a symlink."""
        flags = os.O_DIRECTORY | (os.O_NOFOLLOW if parent is not None else 0)
        for part in [path] if parent is None else path.split("/"):
            parent = os.open(part, flags, dir_fd=parent)
            self._open.append(parent)
            info = os.fstat(parent)
            if info.st_uid != os.geteuid() or info.st_mode & 0o022:
                raise LarderError(f"other users may change {path}")
        assert parent is not None
        return parent

    def _refuse_network(self) -> None:
        device = os.fstat(self._root).st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        for mount in _proc("self/mountinfo").splitlines():
            before, _, after = mount.partition(" - ")
            if before.split()[2] == number and after.split()[0] in NETWORK:
                raise LarderError("the cache is on a network file system")

    def _read_format(self) -> None:
        try:
            text = self._content(self._root, "format")
        except FileNotFoundError as error:
            raise LarderError("there is no cache: `cachetool put` makes one") from error
        found = re.fullmatch(
            r"larder [45]\n(?:names ([1-9]\d*)\n)?"
            r"links (symlink|file)\nbuckets (directory|pointer)\n",
            text.decode(errors="replace"),
        )
        if not found:
            raise LarderError("this is no cache of version 4 or 5")
        self.names, self.links, self.buckets = int(found[1] or 200), found[2], found[3]
        if found[1] and not 64 <= self.names < 200:
            raise LarderError("no cache has names of that length")

    def _look_again(self) -> None:
        if not os.path.samestat(os.stat(self.path), os.fstat(self._root)):
            raise LarderError("the path of the cache leads to another directory by now")

    @staticmethod
    def _content(directory: int, path: str) -> bytes:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory), "rb") as file:
            return file.read()

    def _draw(self, first: bytes) -> int:
        """Draws an id, or a retired name. A forked child draws its own random bytes."""
        if self._owner != os.getpid():
            self._owner, self._random, self._counter = os.getpid(), os.urandom(8), 0
        self._counter += 1
        return int.from_bytes(first + self._random + struct.pack(">I", self._counter), "big")

    def _retire(self, directory: int, path: str, to: str) -> None:
        name = id_text(self._draw(struct.pack(">I", int(time.time()))))
        os.rename(path, name, src_dir_fd=directory, dst_dir_fd=self._dirs[to])

    # Links and buckets

    def _make(self, directory: int, name: str, text: str) -> None:
        """Makes a link or a pointer."""
        if self.links == "symlink":
            os.symlink(text, name, dir_fd=directory)
        else:
            self._write(directory, name, f"{text}\n".encode())

    @staticmethod
    def _write(directory: int, path: str, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(os.open(path, flags, 0o644, dir_fd=directory), "wb") as file:
            file.write(content)

    def _read(self, directory: int, path: str, form: str) -> Optional[str]:
        """Returns the id in a link or a pointer of this form, None if nothing stands there, or ""
        if it names nothing. Raises Damaged if it is of another kind than the links of the cache.
        """
        try:
            if self.links == "symlink":
                text = os.readlink(path, dir_fd=directory)
            else:
                text = self._content(directory, path).decode("ascii", "replace")
                form += "\n"
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Damaged(f"no link: {path}") from error
        found = re.fullmatch(form, text)
        return found[1] if found else ""

    def _link(self, directory: int, path: str) -> Optional[str]:
        return self._read(directory, path, rf"\.\./\.\./archive/({ID})/tree")

    def _place(self, bucket: str, key: str) -> Optional[Tuple[int, str]]:
        """Returns where the link of a key is, or None if there is no such bucket."""
        name = bucket_name(bucket)
        if self.buckets == "directory":
            return self._dirs["buckets"], f"{name}/{key_name(key, self.names)}"
        generation = self._read(self._dirs["buckets"], name, rf"\.\./generations/({ID})")
        if generation == "":
            raise Damaged(f"no pointer: {bucket}")
        if generation is None:
            return None
        return self._dirs["generations"], f"{generation}/{key_name(key, self.names)}"

    def _identity(self, bucket: str, key: str) -> Optional[str]:
        """Returns the id that the link of a key names now, or None."""
        try:
            place = self._place(bucket, key)
            return place and self._link(*place) or None
        except Damaged:
            return None

    # Locks

    @contextlib.contextmanager
    def _lock(self, byte: int, kind: int, seconds: float = INSTANT) -> Iterator[int]:
        """Locks one byte. F_UNLCK only opens the file of the locks."""
        file = os.open("locks", os.O_RDWR | os.O_NOFOLLOW, dir_fd=self._root)
        try:
            wait_until(lambda: try_lock(file, kind, byte, 1), seconds)
            yield file
        finally:
            os.close(file)

    @contextlib.contextmanager
    def _bucket_lock(self, bucket: str, exclusive: bool) -> Iterator[None]:
        gate, byte = (lock_byte(kind, bucket_name(bucket)) for kind in (GATE, BUCKET))
        with contextlib.ExitStack() as held:
            if exclusive:
                with self._lock(gate, fcntl.F_WRLCK):
                    held.enter_context(self._lock(byte, fcntl.F_WRLCK))
            else:
                with self._lock(gate, fcntl.F_UNLCK) as file:
                    wait_until(lambda: not is_locked(file, gate), INSTANT)
                held.enter_context(self._lock(byte, fcntl.F_RDLCK))
            yield

    # Get

    def _is_usable(self, identity: str, key: str) -> bool:
        """Returns true if the entry is there, was not torn by a power cut, and is of this key."""
        archive = self._dirs["archive"]
        try:
            os.stat(f"{identity}/tree", dir_fd=archive, follow_symlinks=False)
            if "%~" in key_name(key, self.names):
                record = Record.of(self._content(archive, f"{identity}/record"))
                if not record or record.key != key:
                    return False
            if id_number(identity) >> 96 == int(self._boot[:8], 16):
                return True
            if not Record.of(self._content(archive, f"{identity}/record")):
                return False
            lines = lines_of_manifest(self._content(archive, f"{identity}/manifest"))
            return lines == Survey.of(f"{self.path}/archive/{identity}/tree").lines
        except (OSError, ValueError):
            return False

    def _note_use(self, bucket: str, key: str) -> None:
        with contextlib.suppress(OSError):
            place = self._place(bucket, key)
            if place:
                used = os.stat(place[1], dir_fd=place[0], follow_symlinks=False).st_mtime
                if time.time() - used > HOUR:
                    os.utime(place[1], dir_fd=place[0], follow_symlinks=False)

    # Put

    def _make_entry(
        self, identity: str, bucket: str, key: str, fill: Callable[[str], None],
        metadata: Optional[bytes],
    ) -> None:
        archive = self._dirs["archive"]
        os.mkdir(identity, 0o755, dir_fd=archive)
        os.mkdir(f"{identity}/tree", 0o755, dir_fd=archive)
        tree = f"{self.path}/archive/{identity}/tree"
        fill(tree)
        boottime = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        survey = Survey.of(tree)
        self._write(archive, f"{identity}/manifest", manifest_of(survey, self._boot, boottime))
        record = Record(
            bucket, key, time.time_ns(), self._boot, survey.size, survey.files, b"larder_format.py",
            metadata,
        )
        self._write(archive, f"{identity}/record", record.text())

    def _give_up(self, stage: int, identity: str) -> None:
        name = id_text(self._draw(bytes.fromhex(self._boot[:8])))
        with contextlib.suppress(FileNotFoundError):
            os.rename(
                identity, name, src_dir_fd=self._dirs["archive"], dst_dir_fd=self._dirs["deleting"]
            )
        os.unlink(f"l-{identity}", dir_fd=stage)
        shutil.rmtree(f"{self.path}/deleting/{name}", ignore_errors=True)

    def _publish(self, stage: int, bucket: str, key: str, identity: str) -> Optional[str]:
        """Names the entry by its key. Returns the name of the old link in the staging area."""
        if self.exchange:
            try:
                with self._bucket_lock(bucket, exclusive=False):
                    return self._name(stage, bucket, key, identity, exclusive=False)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise  # the second way would meet the same
        with self._bucket_lock(bucket, exclusive=True):
            return self._name(stage, bucket, key, identity, exclusive=True)

    def _name(
        self, stage: int, bucket: str, key: str, identity: str, exclusive: bool
    ) -> Optional[str]:
        for _ in range(1000):
            place = self._place(bucket, key)
            try:
                old = self._link(*place) if place else None
                if place and old is None:
                    self._move_to_free(stage, f"l-{identity}", *place, exclusive)
                    return None
                if place and old is not None:
                    replace = self._by_rename if exclusive else self._by_exchange
                    return replace(stage, *place, identity, old)
            except (FileNotFoundError, FileExistsError):
                pass  # other processes were faster
            self._make_bucket(stage, bucket, exclusive)
        raise Busy("the key does not come to rest")

    @staticmethod
    def _move_to_free(stage: int, name: str, to_dir: int, to: str, exclusive: bool) -> None:
        """Renames to a name that was free. Under the exclusive lock no other process takes it."""
        if exclusive:
            os.rename(name, to, src_dir_fd=stage, dst_dir_fd=to_dir)
        else:
            rename(stage, name, to_dir, to, NOREPLACE)

    def _make_bucket(self, stage: int, bucket: str, exclusive: bool) -> None:
        """Makes a bucket if there is none."""
        buckets, name = self._dirs["buckets"], bucket_name(bucket)
        if self.buckets == "directory":
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=buckets)
            return
        generations = self._dirs["generations"]
        place = self._place(bucket, "")
        if place:
            if not self._exists(generations, os.path.dirname(place[1])):
                if self._place(bucket, "") == place:
                    raise Damaged(f"the pointer of a bucket leads nowhere: {bucket}")
            return
        generation = id_text(self._draw(bytes.fromhex(self._boot[:8])))
        self._make(stage, f"g-{generation}", f"../generations/{generation}")
        os.mkdir(generation, 0o755, dir_fd=generations)
        try:
            self._move_to_free(stage, f"g-{generation}", buckets, name, exclusive)
        except OSError as error:
            os.rmdir(generation, dir_fd=generations)
            os.unlink(f"g-{generation}", dir_fd=stage)
            if not isinstance(error, FileExistsError):
                raise

    @staticmethod
    def _exists(directory: int, path: str) -> bool:
        try:
            os.stat(path, dir_fd=directory, follow_symlinks=False)
            return True
        except FileNotFoundError:
            return False

    @staticmethod
    def _by_exchange(stage: int, directory: int, path: str, identity: str, old: str) -> str:
        rename(stage, f"l-{identity}", directory, path, EXCHANGE)
        return f"l-{identity}"

    def _by_rename(
        self, stage: int, directory: int, path: str, identity: str, old: str
    ) -> Optional[str]:
        recorded = f"o-{identity}" if old else None
        if recorded:
            self._make(stage, recorded, f"../../archive/{old}/tree")
        try:
            os.rename(f"l-{identity}", path, src_dir_fd=stage, dst_dir_fd=directory)
        except OSError:
            if recorded:
                os.unlink(recorded, dir_fd=stage)
            raise
        return recorded
