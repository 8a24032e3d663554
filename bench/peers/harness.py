# SPDX-License-Identifier: MIT
"""Starts drivers, measures them, and checks what they say. `run` and `correctness` share this.

A driver is a program for one peer. It is called in one of three ways:

    driver about
        prints {"version": ..., "note": ...}, or prints to stderr why it cannot drive the peer here
    driver PHASE STORE SOURCES FIRST LAST
        prepares itself, prints `ready`, waits for a line, works, prints `done BYTES`
    driver serve STORE SOURCES FIRST LAST
        prints `ready`, then answers requests, one line each

SOURCES/000042 is the directory to be cached as entry 42. STORE belongs to the driver, and is empty
before `put`. A phase handles the entries FIRST..LAST-1:

    put      puts them
    get      gets them and reads every byte; BYTES is their number
    drop     drops those of even number
    collect  collects the whole STORE

The requests are:

    put N, drop N, collect, sweep
        `sweep` is what the peer offers to maintain a cache that is in use. The answer is `ok` or
        `failed WHY`.
    check N
        The answer is the SHA-256 of the files of the entry, or `missing`.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import platform
import queue
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
FILES = 10
FILE_BYTES = 4096
ENTRY_BYTES = FILES * FILE_BYTES
# Seconds to wait for one answer. Arbitrary, because only a driver that hangs takes so long.
PATIENCE = 600


class Failed(Exception):
    """A driver has died, hangs, or did not do what it said."""


class TooSlow(Failed):
    """A driver gave no answer in time."""


class OutOfTime(Exception):
    """The rest of this measurement is left out."""


@dataclasses.dataclass
class Contender:
    name: str
    command: list
    version: str = ""
    note: str = ""
    # The largest number of entries in one run, for a peer so slow that more would only take time.
    # 0 means any number.
    at_most: int = 0


def contenders(build):
    """Returns all contenders. larder is the first, because the others are compared with it."""
    library = str(pathlib.Path(build, "bench", "peers", "peers_larder"))
    return [
        Contender("larder", [library, "plain"]),
        Contender("larder, syncing", [library, "power"]),
        Contender("larder, hashing", [library, "sha512"]),
        Contender(
            "cachetool",
            [str(HERE / "cachetool"), str(pathlib.Path(build, "cachetool", "cachetool"))],
        ),
        *(
            Contender(name, [str(HERE / name)])
            for name in ("uv", "cacache", "pnpm", "diskcache", "ostree", "nix-store")
        ),
        Contender("ccache", [str(HERE / "ccache")], at_most=50),
    ]


def introduce(candidates, wanted, peers):
    """Returns the candidates that are wanted and that can be driven, with their versions, and a
    list of those that cannot, with the reasons."""
    unknown = set(wanted or []) - {c.name for c in candidates}
    if unknown:
        sys.exit(
            f"there is no peer {', '.join(sorted(unknown))}; the peers are "
            f"{', '.join(c.name for c in candidates)}"
        )
    able, skipped = [], []
    for candidate in candidates:
        if wanted and candidate.name not in wanted:
            continue
        try:
            told = subprocess.run(
                [*candidate.command, "about"],
                env=environment(peers),
                capture_output=True,
                text=True,
                timeout=60,
            )
            reason = (told.stderr.strip().splitlines() or [f"exit code {told.returncode}"])[-1]
        except OSError as error:
            told, reason = None, str(error)
        if told and told.returncode == 0:
            able.append(dataclasses.replace(candidate, **json.loads(told.stdout)))
        else:
            skipped.append({"peer": candidate.name, "why": reason})
            say(f"skipped: {candidate.name}: {reason}")
    return able, skipped


def environment(peers):
    """Returns the environment of a driver. LARDER_PEERS is the directory that `install` fills."""
    return {**os.environ, "LARDER_PEERS": str(peers), "LC_ALL": "C.UTF-8"}


def say(text):
    print(text, file=sys.stderr, flush=True)


PATH = re.compile(r"[\w.@+-]*(?:/[\w.@+-]+){2,}")  # also the rest of a path that was cut


def without_places(told, quoted=False):
    """Returns the document without the directories of this machine, which the error messages of
    peers contain. Only the names of files are left."""
    if isinstance(told, dict):
        return {
            name: without_places(value, name in ("examples", "why")) for name, value in told.items()
        }
    if isinstance(told, list):
        return [without_places(value, quoted) for value in told]
    return (
        PATH.sub(lambda path: path[0].rsplit("/", 1)[1], told)
        if quoted and isinstance(told, str)
        else told
    )


def tell(document):
    json.dump(without_places(document), sys.stdout, indent=1)
    print()


class Progress:
    """Prints the progress, at least every 30 seconds."""

    def __init__(self):
        self.doing = "starting"
        self.spoken = time.monotonic()
        self.ended = threading.Event()
        threading.Thread(target=self.remind, daemon=True).start()

    def remind(self):
        while not self.ended.wait(5):
            if time.monotonic() - self.spoken > 20:
                self.line(f"... {self.doing}")

    def line(self, text):
        self.spoken = time.monotonic()
        say(text)


# Sources. They are random, and different for each entry. An entry's number determines its content,
# so that the content can be checked without a file.


def entry_bytes(index):
    return random.Random(index).randbytes(ENTRY_BYTES)


def entry_sum(index):
    return hashlib.sha256(entry_bytes(index)).hexdigest()


def make_sources(directory, count):
    for index in range(count):
        entry = directory / f"{index:06d}"
        entry.mkdir(parents=True)
        content = entry_bytes(index)
        for file in range(FILES):
            (entry / str(file)).write_bytes(content[file * FILE_BYTES : (file + 1) * FILE_BYTES])


# Drivers


class Driver:
    """The process of a driver. It has its own session, so that kill() ends its children, too."""

    def __init__(self, contender, peers, phase, store, sources, first=0, last=0):
        self.name = f"{contender.name}'s {phase}"
        self.errors = tempfile.TemporaryFile("w+")
        words = [*contender.command, phase, str(store), str(sources), str(first), str(last)]
        self.process = subprocess.Popen(
            words,
            env=environment(peers),
            start_new_session=True,
            text=True,
            bufsize=1,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        self.answers = queue.SimpleQueue()
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        for line in self.process.stdout:
            self.answers.put(line.rstrip("\n"))
        self.answers.put(None)

    def answer(self, patience=PATIENCE):
        try:
            line = self.answers.get(timeout=max(patience, 0))
        except queue.Empty:
            raise TooSlow(f"{self.name}: no answer in {patience:.0f} s") from None
        if line is None:
            code = self.process.wait()
            self.errors.seek(0)
            raise Failed(f"{self.name}: ended with {code}: {self.errors.read().strip()[-500:]}")
        return line

    def expect(self, word, patience=PATIENCE):
        line = self.answer(patience)
        if line.split(" ")[0] != word:
            raise Failed(f"{self.name}: said {line!r} instead of {word!r}")
        return line[len(word) :].strip()

    def tell(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() will report how it ended

    def ask(self, request):
        self.tell(request)
        return self.answer()

    def close(self):
        """Closes the driver, which must then end with success."""
        self.process.stdin.close()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name}: does not end") from None
        if code != 0:
            raise Failed(f"{self.name}: ended with {code}")

    def kill(self):
        """Kills the driver and its children. Does nothing if they have ended."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.listener.join()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


def shares(count, processes):
    """Returns a range of entries for each process."""
    edges = [count * i // processes for i in range(processes + 1)]
    return list(zip(edges, edges[1:]))


def run_phase(contender, peers, phase, store, sources, ranges, patience=PATIENCE):
    """Returns how many seconds pass from the start of the drivers' work until the last one has
    finished, and the number of bytes that they report."""
    drivers = []
    try:
        for first, last in ranges:
            drivers.append(Driver(contender, peers, phase, store, sources, first, last))
        for driver in drivers:
            driver.expect("ready")
        begin = time.monotonic()
        for driver in drivers:
            driver.tell("go")
        told = [driver.expect("done", patience) for driver in drivers]
        seconds = time.monotonic() - begin
        for driver in drivers:
            driver.close()
        return seconds, sum(int(count) for count in told)
    finally:
        for driver in drivers:
            driver.kill()


def check(contender, peers, store, sources, wanted):
    """Compares what the cache returns with the sources. `wanted` says of each entry whether it
    should exist."""
    driver = Driver(contender, peers, "serve", store, sources)
    try:
        driver.expect("ready")
        for index, there in wanted.items():
            answer = driver.ask(f"check {index}")
            if answer != (entry_sum(index) if there else "missing"):
                raise Failed(
                    f"{contender.name}: entry {index} should {'' if there else 'not '}exist, "
                    f"but the answer is {answer[:200]!r}"
                )
        driver.close()
    finally:
        driver.kill()


def disk_usage(directory):
    """Returns the bytes on the disk. A file with several names counts once."""
    seen, total, todo = set(), 0, [directory]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    total += status.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
    return total


# The number of entries that are checked byte by byte after a phase. Arbitrary, because a driver
# that is wrong is wrong in most entries.
SAMPLE = 20


def measure(contender, peers, sources, directory, entries, processes, patience=PATIENCE):
    """Measures one contender once, on a new store. Returns {phase: seconds}, without the first
    phase that took longer than `patience` and those after it. Raises Failed unless all has really
    happened.
    """
    store = pathlib.Path(tempfile.mkdtemp(prefix="store.", dir=directory))
    ranges = shares(entries, processes)
    sample = range(
        0, entries, max(1, entries // SAMPLE | 1)
    )  # an odd step, so that half of them are even
    seconds = {}

    def phase(name, over):
        try:
            seconds[name], told = run_phase(contender, peers, name, store, sources, over, patience)
        except TooSlow:
            if patience < PATIENCE:
                raise OutOfTime from None
            raise
        return told

    try:
        os.sync()  # so that no contender waits for what another one has left to be written
        phase("put", ranges)
        read = phase("get", ranges)
        if read != entries * ENTRY_BYTES:
            raise Failed(f"{contender.name}'s get: read {read} bytes of {entries * ENTRY_BYTES}")
        check(contender, peers, store, sources, {index: True for index in sample})
        full = disk_usage(store)
        os.sync()
        phase("drop", ranges)
        phase("collect", [(0, entries)])
        freed, dropped = full - disk_usage(store), (entries + 1) // 2
        # Directories that `get` has filled are deleted as well, so more bytes may be freed than
        # were dropped, but not fewer.
        if freed < 0.9 * dropped * ENTRY_BYTES:
            raise Failed(
                f"{contender.name}'s collect: freed {freed} bytes of {dropped * ENTRY_BYTES}"
            )
        check(contender, peers, store, sources, {index: index % 2 == 1 for index in sample})
    except OutOfTime:
        pass
    finally:
        shutil.rmtree(store, ignore_errors=True)
    return seconds


def median_ratio(seconds, of_larder):
    """Returns the median of the rounds' ratios to larder, of those rounds that both have finished,
    or None if there is no such round."""
    ratios = [seconds[r] / of_larder[r] for r in seconds if r in of_larder]
    return round(statistics.median(ratios), 3) if ratios else None


def machine(directory, able):
    with open("/proc/cpuinfo") as info:
        model = next(
            (line.split(":")[1].strip() for line in info if line.startswith("model name")),
            platform.machine(),
        )
    file_system = subprocess.run(
        ["findmnt", "-n", "-o", "FSTYPE", "-T", directory], capture_output=True, text=True
    ).stdout.split()[-1:]
    return {
        "kernel": platform.release(),
        "cpu": model,
        "cpus": os.cpu_count(),
        "file_system": "".join(file_system) or "unknown",
        "load_at_start": os.getloadavg()[0],
        "versions": {c.name: c.version for c in able},
    }


def add_common_options(parser):
    repository = HERE.parent.parent
    parser.add_argument(
        "--dir",
        type=pathlib.Path,
        default=pathlib.Path(tempfile.gettempdir()),
        help="the directory for stores and sources, on the file system to measure",
    )
    parser.add_argument(
        "--build", type=pathlib.Path, default=repository / "build", help="larder's build directory"
    )
    parser.add_argument(
        "--peers-dir",
        type=pathlib.Path,
        default=repository / "build" / "peers",
        help="the directory that bench/peers/install has filled",
    )
    parser.add_argument(
        "--peers",
        type=lambda text: [name.strip() for name in text.split(";" if ";" in text else ",")],
        help="only these, by their names in the table (separated by ';' where a name has a comma)",
    )
    parser.add_argument("--quick", action="store_true", help="measure less, to see that all works")
