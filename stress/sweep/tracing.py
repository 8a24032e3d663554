# SPDX-License-Identifier: MIT
"""Uses strace to find out which system calls an operation makes, and to kill it or make it fail at
one.

What is counted: `when=K` of strace counts the calls of one name, from the start of the program, in
each traced thread by itself. Without -f strace traces the first thread alone. It traces neither the
children of cachetool nor its helper threads, if there are any. So K is a number in one sequence,
which is the same in every run. cachetool starts helper threads only from 512 files on, and the
sweep refuses an operation that does.

A signal is injected at the entry of the call, and SIGKILL lets the kernel return without running
the call: it has not happened. An injected error takes the place of the call: it has not happened
either.
"""

import dataclasses
import os
import re
import signal
import subprocess

# Everything that touches files, locks, maps of memory, and the child of `build`.
TRACED = "%file,%desc,mmap,munmap,clone,clone3,vfork,wait4,waitid,kill,getrandom"
HANGS = 60  # seconds; nothing here takes even one
TIMED_OUT = 124  # the exit code of a command that hangs, as timeout(1) has it


@dataclasses.dataclass(frozen=True)
class Call:
    """A system call of an operation."""

    name: str
    k: int  # the k-th of its name since the program began
    text: str  # as strace prints it


@dataclasses.dataclass
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str
    reached: bool  # the call was made, and was struck
    silenced: bool = False  # it could write no more, not even a message
    call: str = ""  # the name of the call that was struck


def environment(root):
    """Returns the environment in which commands run."""
    return {"PATH": os.environ["PATH"], "HOME": os.path.dirname(root), "LC_ALL": "C",
            "LARDER_CACHE_DIR": root}


def run(command, root):
    """Runs a command until it has ended, and its children too, since they hold the pipe."""
    try:
        done = subprocess.run(command, env=environment(root), cwd=os.path.dirname(root),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=HANGS,
                              check=False)
    except subprocess.TimeoutExpired:
        return Run(TIMED_OUT, "", f"not done after {HANGS} s", False)
    return Run(done.returncode, done.stdout.decode(errors="replace"),
               done.stderr.decode(errors="replace"), False)


def can_trace():
    """Returns why strace can't trace here; an empty text if it can."""
    try:
        tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True,
                               text=True, timeout=HANGS, check=False)
    except OSError as error:
        return f"strace: {error.strerror}"
    return tried.stderr.strip() or "strace failed" if tried.returncode != 0 else ""


def calls_of(command, root, threads=0):
    """Runs a command. Returns how it ended, and its calls from the first that names the cache on.
    Only those of its first thread are seen. `threads` is how many more it starts that never touch
    the cache.

    What comes before are calls of the loader and of the parser of the command line.
    """
    log = f"{os.path.dirname(root)}/strace.log"
    traced = run(["strace", "-qq", "-y", "-s", "200", "-e", "signal=none",
                  "-e", f"trace={TRACED}", "-o", log, "--", *command], root)
    counts, calls = {}, []
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = re.match(r"(\w+)\(", line)
            if not match:
                continue
            name = match.group(1)
            counts[name] = counts.get(name, 0) + 1
            if name == "execve" and counts[name] > 1 and calls:
                calls.append(Call(name, counts[name], line.rstrip("\n")))
                break  # what follows are the calls of another program
            threads -= "CLONE_THREAD" in line
            if threads < 0:
                raise RuntimeError(f"{command} starts threads: its calls are not one sequence")
            names_cache = re.search(rf'["<]{re.escape(root)}["/>]', line)
            if calls or (name != "execve" and names_cache):
                calls.append(Call(name, counts[name], line.rstrip("\n")))
    return traced, calls


def shape_of(call):
    """Returns the text of a call without its result and without what differs from call to call."""
    text = re.sub(r"\s= .*", "", call.text)
    text = re.sub(r"[0-9a-z]{26}", "ID", text)
    return re.sub(r"\d+", "0", text)


def strike(command, root, call, error, always=False):
    """Runs a command and kills it at a call, or lets the call fail with `error` if that is not
    empty. With `always`, all later calls of that name fail too.
    """
    log = f"{os.path.dirname(root)}/strace.log"
    fate = f"error={error}" if error else "signal=SIGKILL"
    # strace prints the execve that starts the program, but does not count it.
    when = call.k - 1 if call.name == "execve" else call.k
    inject = f"inject={call.name}:{fate}:when={when}{'+' if always else ''}"
    struck = run(["strace", "-qq", "-e", "signal=none", "-e", f"trace={call.name}", "-e", inject,
                  "-o", log, "--", *command], root)
    with open(log, encoding="utf-8", errors="replace") as lines:
        seen = [line for line in lines if re.match(r"(\w+)\(", line)]
    struck.silenced = always and call.name == "write"
    struck.call = call.name
    if error:
        struck.reached = len(seen) >= call.k and "(INJECTED)" in seen[call.k - 1]
    else:
        struck.reached = len(seen) == call.k and struck.code == -signal.SIGKILL
    return struck
