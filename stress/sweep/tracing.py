# SPDX-License-Identifier: MIT
"""strace: which system calls an operation makes, and how to kill it, or make it fail, at one of them.

What is counted: `when=K` of strace counts the calls of one name, from the start of the program, for each traced thread by itself. Without -f strace
traces the first thread alone, and neither cachetool's children nor, if it had any, its helpers; so K is a number in one sequence, which is the same in
every run. cachetool starts helpers only from 512 files on, and the sweep refuses an operation that does.
A signal is injected at the entry of the call, and SIGKILL makes the kernel return without running it: the call has not happened. An injected error
takes the call's place: it has not happened either.
"""

import dataclasses
import os
import re
import signal
import subprocess

# All that touches files, locks, maps of memory, and the child of `build`.
TRACED = "%file,%desc,mmap,munmap,clone,clone3,vfork,wait4,waitid"
HANGS = 60  # seconds; nothing here takes one


@dataclasses.dataclass(frozen=True)
class Call:
    name: str
    k: int  # the k-th of its name since the program began
    text: str  # as strace prints it


@dataclasses.dataclass
class Run:
    code: int
    out: str
    err: str
    reached: bool  # the call was there, and met its fate


def environment(root):
    return {"PATH": os.environ["PATH"], "HOME": os.path.dirname(root), "LC_ALL": "C", "LARDER_CACHE_DIR": root}


def run(command, root):
    """Runs it to its end, and its children too: they hold the pipe."""
    try:
        done = subprocess.run(command, env=environment(root), cwd=os.path.dirname(root), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=HANGS, check=False)
    except subprocess.TimeoutExpired:
        return Run(124, "", f"not done after {HANGS} s", False)
    return Run(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), False)


def can_trace():
    """Why not, where strace can't be run or may trace nobody; else nothing."""
    try:
        tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, timeout=HANGS, check=False)
    except OSError as error:
        return f"strace: {error.strerror}"
    return tried.stderr.strip() or "strace failed" if tried.returncode != 0 else ""


def calls_of(command, root):
    """The calls from the first that speaks of the cache's root on: what comes before is the loader's, and the command line's."""
    log = f"{os.path.dirname(root)}/strace.log"
    traced = run(["strace", "-qq", "-y", "-s", "200", "-e", "signal=none", "-e", f"trace={TRACED}", "-o", log, "--", *command], root)
    counts, calls = {}, []
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = re.match(r"(\w+)\(", line)
            if not match:
                continue
            name = match.group(1)
            counts[name] = counts.get(name, 0) + 1
            if "CLONE_THREAD" in line:
                raise RuntimeError(f"{command} starts threads: its calls are not one sequence")
            if calls or (name != "execve" and re.search(rf'["<]{re.escape(root)}["/>]', line)):
                calls.append(Call(name, counts[name], line.rstrip("\n")))
    return traced, calls


def strike(command, root, call, error):
    """Runs the command, and at this call kills it, or lets the call fail with `error`."""
    log = f"{os.path.dirname(root)}/strace.log"
    fate = f"error={error}" if error else "signal=SIGKILL"
    struck = run(["strace", "-qq", "-e", "signal=none", "-e", f"trace={call.name}", "-e", f"inject={call.name}:{fate}:when={call.k}", "-o", log, "--",
                  *command], root)
    with open(log, encoding="utf-8", errors="replace") as lines:
        seen = [line for line in lines if re.match(r"(\w+)\(", line)]
    if error:
        struck.reached = len(seen) >= call.k and "(INJECTED)" in seen[call.k - 1]
    else:
        struck.reached = len(seen) == call.k and struck.code == -signal.SIGKILL
    return struck
