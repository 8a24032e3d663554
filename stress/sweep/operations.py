# SPDX-License-Identifier: MIT
"""The operations, and the cache that each of them finds: prepared once, and copied for every point.

A cache is prepared by cachetool itself, and garbage that only a death leaves by killing it at the right call.
"""

import dataclasses
import os
import re
import shutil
import subprocess

import cache
import tracing

# What others have in the cache all the time.
NEIGHBOURS = {("b", "alpha"): "alpha", ("b", "beta"): "beta", ("c", "gamma"): "gamma"}


@dataclasses.dataclass
class Operation:
    name: str
    arguments: list  # of cachetool; {source} is a tree that can be put
    before: dict  # (bucket, key) -> tree, as it was
    after: dict  # as it is once the operation is done
    template: str = ""  # the directory with the prepared cache and the source
    leased: dict = dataclasses.field(default_factory=dict)  # id -> tree: what somebody uses, and must keep
    holders: list = dataclasses.field(default_factory=list)  # whoever uses them

    def end(self):
        for process in self.holders:
            process.communicate(b"")
        shutil.rmtree(self.template)


class Preparation:
    """A directory with a cache, and the means to fill it."""

    def __init__(self, tool, directory, links):
        self.tool, self.directory, self.links = tool, directory, links
        self.root = f"{directory}/cache"
        self.trees = {}
        os.makedirs(self.root)
        if links == "file":
            # cachetool takes what the file system has; a cache that says otherwise is honoured. The tag makes this one that was begun.
            for name, text in {"CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n", "format": "larder 1\nlinks file\n"}.items():
                with open(f"{self.root}/{name}", "w", encoding="utf-8") as file:
                    file.write(text)

    def source(self, text):
        path = f"{self.directory}/source-{text}"
        if not os.path.exists(path):
            cache.write_tree(path, text)
        return path

    def tree(self, text):
        return cache.read_tree(self.source(text))

    def do(self, *arguments):
        done = tracing.run([self.tool, *arguments], self.root)
        if done.code != 0:
            raise RuntimeError(f"preparing: {arguments} ended with {done.code}: {done.err}")
        return done.out

    def put(self, bucket, key, text):
        self.do("put", bucket, key, self.source(text))

    def furnish(self):
        for (bucket, key), text in NEIGHBOURS.items():
            self.put(bucket, key, text)
        return {place: self.tree(text) for place, text in NEIGHBOURS.items()}

    def first_call(self, pattern, *arguments):
        """The first call like this that the command would make, found out beside the cache."""
        beside = f"{self.directory}/beside"
        shutil.copytree(self.root, f"{beside}/cache", symlinks=True)
        _, calls = tracing.calls_of([self.tool, *arguments], f"{beside}/cache")
        shutil.rmtree(beside)
        return next(call for call in calls if re.match(pattern, call.text))

    def kill_at(self, pattern, *arguments):
        struck = tracing.strike([self.tool, *arguments], self.root, self.first_call(pattern, *arguments), None)
        if not struck.reached:
            raise RuntimeError(f"preparing: {arguments} was not killed at {pattern}: {struck}")

    def start(self, *command):
        """Starts a command whose child says that it is ready, and then waits for its input to end."""
        process = subprocess.Popen(command, env=tracing.environment(self.root), cwd=self.directory, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in process.stderr:
            if line == b"ready\n":
                return process
        raise RuntimeError(f"preparing: {command} did not start")


# The calls at which a publish changes what a crash leaves.
ARCHIVES, PLACES, RETIRES_OLD = r'rename\w+\(.*"t-.*/archive>', r'rename\w+\(.*"l-.*/buckets>', r'rename\w+\(.*"l-.*/retired/links>'


def put_new(prepare):
    before = prepare.furnish()
    return ["put", "b", "key", prepare.source("new")], before, {**before, ("b", "key"): prepare.tree("new")}


def put_replacing(prepare):
    prepare.put("b", "key", "old")
    before = {**prepare.furnish(), ("b", "key"): prepare.tree("old")}
    return ["put", "b", "key", prepare.source("new")], before, {**before, ("b", "key"): prepare.tree("new")}


def put_adopting(prepare):
    """The participant's predecessor died with an entry in flight: the put reaps first."""
    before = prepare.furnish()
    prepare.kill_at(PLACES, "put", "b", "dead", prepare.source("dead"))
    return ["put", "b", "key", prepare.source("new")], before, {**before, ("b", "key"): prepare.tree("new")}


def build(prepare):
    before = prepare.furnish()
    fill = f'cp -a {prepare.source("new")}/. "$LARDER_STAGE"'
    return ["build", "b", "key", "--", "sh", "-c", fill], before, {**before, ("b", "key"): prepare.tree("new")}


def remove(prepare):
    prepare.put("b", "key", "old")
    after = prepare.furnish()
    return ["remove", "b", "key"], {**after, ("b", "key"): prepare.tree("old")}, after


def refresh(prepare):
    before = prepare.furnish()
    return ["refresh", "b"], before, {place: tree for place, tree in before.items() if place[0] != "b"}


def refresh_some(prepare):
    before = prepare.furnish()
    return ["refresh", "b", "--key", "al*"], before, {place: tree for place, tree in before.items() if place != ("b", "alpha")}


def evict(prepare):
    """One key has to go, and is the only one that nothing keeps."""
    prepare.put("b", "key", "old")
    prepare.do("pin", "c", "gamma")
    after = prepare.furnish()
    return ["gc", "--max-entries", "0", "--keep", "b/*a"], {**after, ("b", "key"): prepare.tree("old")}, after


def restore(prepare):
    prepare.put("b", "key", "old")
    entry, _ = cache.read_keys(prepare.root)[("b", "key")]
    before = prepare.furnish()
    prepare.do("remove", "b", "key")
    return ["trash", "restore", entry], before, {**before, ("b", "key"): prepare.tree("old")}


def first_use(prepare):
    return ["put", "b", "key", prepare.source("new")], {}, {("b", "key"): prepare.tree("new")}


def collect(prepare):
    """Garbage of every kind there is."""
    # An entry in deleting/, and the retired link that named it: a collection died between its two steps.
    prepare.put("b", "moved", "moved")
    prepare.do("remove", "b", "moved")
    prepare.kill_at(r"unlinkat\(.*/retired/links>", "gc")
    prepare.put("b", "alpha", "old")  # replaced by
    before = prepare.furnish()
    prepare.put("b", "removed", "removed")
    prepare.do("remove", "b", "removed")
    for key in "one", "two":
        prepare.put("d", key, key)
    prepare.do("refresh", "--keep-garbage", "d")
    # Garbage that is in use. The copies of this cache know its user by the pid alone, as if it had closed all its descriptors.
    prepare.put("b", "leased", "leased")
    (entry, tree), = (found for place, found in cache.read_keys(prepare.root).items() if place == ("b", "leased"))
    holders = [prepare.start(prepare.tool, "exec", "b", "leased", "--", "sh", "-c", "echo ready >&2; read _; true")]
    prepare.do("remove", "b", "leased")
    # Participants that died: with a staged tree and a link to what is not there yet, with an entry in flight, with an old link that came back.
    for key, pattern in {"staged": ARCHIVES, "flying": PLACES}.items():
        command = ["build", "b", key, "--", "sh", "-c", "echo ready >&2; read _; true"]
        call = prepare.first_call(pattern, *command)
        holders.append(prepare.start("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call.name}", "-e",
                                     f"inject={call.name}:signal=SIGKILL:when={call.k}", "--", prepare.tool, *command))
    prepare.kill_at(RETIRES_OLD, "put", "b", "alpha", prepare.source("alpha"))
    for process in holders[1:]:
        process.communicate(b"")
    # Who joins begins to look at its pid modulo the pool's size, and would make a call more where it meets the table in use. The pool ends where a
    # number is missing: so a table with a number far out is read by who collects, and not met by who joins.
    for where in "participants", "staging":
        os.rename(f"{prepare.root}/{where}/0", f"{prepare.root}/{where}/7")
        os.rename(f"{prepare.root}/{where}/3", f"{prepare.root}/{where}/0")
    staged = [name[0] for number in "012" for name in cache.names(f"{prepare.root}/staging/{number}")]
    if sorted(staged) != ["l", "l", "l", "t"] or not cache.names(f"{prepare.root}/deleting"):
        raise RuntimeError(f"preparing: not the garbage that was to be made: {staged}")
    return ["gc"], before, before, {entry: tree}, holders[:1]


ALL = {"open": first_use, "put": put_new, "replace": put_replacing, "adopt": put_adopting, "build": build, "remove": remove, "refresh": refresh,
       "refresh-some": refresh_some, "evict": evict, "restore": restore, "gc": collect}


def prepare(name, tool, directory, links):
    preparation = Preparation(tool, directory, links)
    arguments, *states = ALL[name](preparation)
    return Operation(name, arguments, *states[:2], directory, *states[2:])
