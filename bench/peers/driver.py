# SPDX-License-Identifier: MIT
"""The drivers' side of the protocol in harness.py, for drivers that are written in Python."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

FILES = [str(i) for i in range(10)]
PEERS = pathlib.Path(os.environ.get("LARDER_PEERS", "."))


class Failed(Exception):
    pass


def run(*words, **options):
    """Returns the stdout of a command. Raises Failed with the end of its output if it fails."""
    options = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "stdin": subprocess.DEVNULL,
        **options,
    }
    ended = subprocess.run([str(word) for word in words], text=True, **options)
    if ended.returncode != 0:
        output = (ended.stderr or "") + (ended.stdout or "")
        raise Failed(
            f"{pathlib.Path(words[0]).name}: exit code {ended.returncode}: {output.strip()[-300:]}"
        )
    return ended.stdout


def version_of(*words):
    """Returns the first line that a command prints. Ends the driver if there is no such command."""
    try:
        return run(*words).strip().splitlines()[0]
    except (OSError, Failed) as error:
        sys.exit(f"not installed: {error}")


def read_files(directory):
    """Returns the contents of the entry's files, or None if one is missing."""
    files = []
    try:
        for name in FILES:
            file = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            files.append(os.read(file, 8192))
            os.close(file)
    except FileNotFoundError:
        return None
    return files


class Peer:
    """One peer. Entries are numbers. Each method gets a sequence of them, because some peers are
    faster with many at once."""

    def __init__(self, store, sources):
        self.store = pathlib.Path(store)
        self.sources = sources

    def source(self, entry):
        return f"{self.sources}/{entry:06d}"

    def prepare(self, phase, entries):
        """Does what is not measured."""

    def put(self, entries):
        raise NotImplementedError

    def get(self, entries):
        """Yields a list of the bytes of each entry's files, or None if the entry is missing."""
        raise NotImplementedError

    def check(self, entry):
        return next(iter(self.get([entry])))

    def drop(self, entries):
        """Marks entries as not wanted any more. If the peer cannot do this, collect() does it."""

    def collect(self):
        """Deletes what is not wanted any more."""

    def sweep(self):
        """Does what the peer offers to maintain a cache that other processes use: collects, and
        more."""
        self.collect()


def answer(peer, request):
    word, *number = request.split()
    entries = [int(n) for n in number]
    try:
        if word == "check":
            files = peer.check(entries[0])
            return hashlib.sha256(b"".join(files)).hexdigest() if files is not None else "missing"
        {"put": peer.put, "drop": peer.drop, "collect": peer.collect, "sweep": peer.sweep}[word](
            *[entries] * bool(entries)
        )
        return "ok"
    except Exception as error:  # every failure of a peer is an answer, and the driver continues
        return "failed " + " ".join(f"{type(error).__name__}: {error}".split())


def main(peer_class, about):
    if sys.argv[1:] == ["about"]:
        print(json.dumps(about()))
        return
    phase, store, sources, first, last = sys.argv[1:]
    peer = peer_class(store, sources)
    entries = range(int(first), int(last))
    peer.prepare(phase, entries)
    print("ready", flush=True)
    if phase == "serve":
        for request in sys.stdin:
            print(answer(peer, request), flush=True)
        return
    sys.stdin.readline()
    count = 0
    if phase == "put":
        peer.put(entries)
    elif phase == "get":
        for entry, files in zip(entries, peer.get(entries)):
            if files is None:
                sys.exit(f"entry {entry} is missing")
            count += sum(map(len, files))
    elif phase == "drop":
        peer.drop([entry for entry in entries if entry % 2 == 0])
    elif phase == "collect":
        peer.collect()
    else:
        sys.exit(f"no such phase: {phase}")
    print("done", count, flush=True)
