# SPDX-License-Identifier: MIT
"""The operations, and the cache that each of them finds, which is prepared once and copied for
every point.

cachetool itself prepares the cache. Garbage that only the death of a process leaves is made by
killing cachetool at the right call.
"""

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil
import subprocess

import cache
import tracing

# The entries that stand in every cache, which no operation may change.
NEIGHBOURS = {("b", "alpha"): "alpha", ("b", "beta"): "beta", ("c", "gamma"): "gamma"}


@dataclasses.dataclass
class Operation:
    name: str
    arguments: list  # of cachetool
    before: dict  # (bucket, key) -> tree, before the operation
    after: dict  # the same after it
    template: str = ""  # the directory with the prepared cache and the source
    # id -> tree: entries that are leased, and must stay
    leased: dict = dataclasses.field(default_factory=dict)
    # the processes that have leased them
    holders: list = dataclasses.field(default_factory=list)
    moved: str = ""  # a tree that the operation takes away: each cache gets a copy of it beside it
    # the commands that come before the operation in each cache: a root names the path of its cache
    first: list = dataclasses.field(default_factory=list)
    linked: dict = dataclasses.field(default_factory=dict)  # id -> tree: what the path may lead to
    # the ids to which the path may lead before and after the operation; None: there is no path
    leads: tuple = ()

    def end(self):
        for process in self.holders:
            process.communicate(b"")
        shutil.rmtree(self.template)


@contextlib.contextmanager
def tables_held_as_in(root, copy):
    """Holds the lease tables of a copy that processes hold in the cache itself. Without that, a
    command in the copy would take them for those of dead processes, and clean up after them."""
    with contextlib.ExitStack() as held:
        for name in cache.names(f"{root}/participants"):
            with open(f"{root}/participants/{name}", "r+b") as table:
                try:
                    fcntl.lockf(table, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    continue
                except BlockingIOError:
                    pass
            mine = held.enter_context(open(f"{copy}/participants/{name}", "r+b"))
            fcntl.lockf(mine, fcntl.LOCK_EX)
        yield


class Preparation:
    """A directory with a cache, and the means to fill it."""

    def __init__(self, tool, directory, links, buckets):
        self.tool, self.directory, self.links = tool, directory, links
        self.root = f"{directory}/cache"
        self.trees = {}
        os.makedirs(self.root)
        if (links, buckets) != ("symlink", "directory"):
            # cachetool makes links of the kind that the file system has, but keeps to what an
            # existing cache says. The tag makes this a cache whose making was interrupted.
            files = {"CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
                     "format": f"larder 5\nlinks {links}\nbuckets {buckets}\n"}
            for name, text in files.items():
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
            raise RuntimeError(f"preparation: {arguments} ended with {done.code}: {done.err}")
        return done.out

    def put(self, bucket, key, text):
        self.do("put", bucket, key, self.source(text))

    def furnish(self):
        for (bucket, key), text in NEIGHBOURS.items():
            self.put(bucket, key, text)
        return {place: self.tree(text) for place, text in NEIGHBOURS.items()}

    def first_call(self, pattern, *arguments):
        """Returns the first call that matches, of a command that is run on a copy of the cache."""
        beside = f"{self.directory}/beside"
        os.makedirs(beside)
        cache.copy(self.root, f"{beside}/cache")
        with tables_held_as_in(self.root, f"{beside}/cache"):
            _, calls = tracing.calls_of([self.tool, *arguments], f"{beside}/cache")
        shutil.rmtree(beside)
        return next(call for call in calls if re.match(pattern, call.text))

    def kill_at(self, pattern, *arguments):
        """Kills a command at the first call that matches."""
        call = self.first_call(pattern, *arguments)
        struck = tracing.strike([self.tool, *arguments], self.root, call, None)
        if not struck.reached:
            raise RuntimeError(f"preparation: {arguments} was not killed at {pattern}: {struck}")

    def start(self, *command):
        """Starts a command whose child says "ready" and then waits for the end of its input."""
        process = subprocess.Popen(command, env=tracing.environment(self.root), cwd=self.directory,
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in process.stderr:
            if line == b"ready\n":
                return process
        raise RuntimeError(f"preparation: {command} did not start")


# Where the tree that an operation takes away stands, beside the cache.
MOVED = "moved"

# The calls at which a publish changes what a crash leaves.
RECORDS = r'openat\(.*/archive/\w+>, "record"'
PLACES = r'rename\w+\(.*"l-.*/(buckets|generations)>'
RETIRES_OLD = r'rename\w+\(.*"l-.*/retired/links>'


def with_key(state, tree):
    """Returns the state in which the operation's key names the tree as well."""
    return {**state, ("b", "key"): tree}


def put_new(prepare):
    before = prepare.furnish()
    after = with_key(before, prepare.tree("new"))
    return ["put", "b", "key", prepare.source("new")], before, after


def put_replacing(prepare):
    prepare.put("b", "key", "old")
    before = with_key(prepare.furnish(), prepare.tree("old"))
    after = with_key(before, prepare.tree("new"))
    return ["put", "b", "key", prepare.source("new")], before, after


def put_adopting(prepare):
    """A participant has died with an entry in flight, and the put adopts its number: it reaps
    first.
    """
    before = prepare.furnish()
    prepare.kill_at(PLACES, "put", "b", "dead", prepare.source("dead"))
    after = with_key(before, prepare.tree("new"))
    return ["put", "b", "key", prepare.source("new")], before, after


def put_moving(prepare):
    before = prepare.furnish()
    after = with_key(before, prepare.tree("new"))
    return ["put", "--move", "b", "key", MOVED], before, after, {}, [], prepare.source("new")


def build(prepare):
    before = prepare.furnish()
    fill = f'cp -a {prepare.source("new")}/. "$LARDER_STAGE"'
    after = with_key(before, prepare.tree("new"))
    return ["build", "b", "key", "--", "sh", "-c", fill], before, after


def remove(prepare):
    prepare.put("b", "key", "old")
    after = prepare.furnish()
    return ["remove", "b", "key"], with_key(after, prepare.tree("old")), after


def refresh(prepare):
    before = prepare.furnish()
    after = {place: tree for place, tree in before.items() if place[0] != "b"}
    return ["refresh", "b"], before, after


def refresh_some(prepare):
    before = prepare.furnish()
    after = {place: tree for place, tree in before.items() if place != ("b", "alpha")}
    return ["refresh", "b", "--key", "al*"], before, after


def evict(prepare):
    """One key has to go: the only one that is neither pinned nor kept."""
    prepare.put("b", "key", "old")
    prepare.do("pin", "c", "gamma")
    after = prepare.furnish()
    before = with_key(after, prepare.tree("old"))
    return ["gc", "--max-entries", "0", "--keep", "b/*a"], before, after


def restore(prepare):
    prepare.put("b", "key", "old")
    entry, _ = cache.read_keys(prepare.root)[("b", "key")]
    before = prepare.furnish()
    prepare.do("remove", "b", "key")
    return ["trash", "restore", entry], before, with_key(before, prepare.tree("old"))


def first_use(prepare):
    return ["put", "b", "key", prepare.source("new")], {}, {("b", "key"): prepare.tree("new")}


def collect(prepare):
    """The cache has garbage of every kind."""
    # An entry in deleting/ and the retired link that named it: a collection died between its two
    # steps.
    prepare.put("b", "moved", "moved")
    prepare.do("remove", "b", "moved")
    prepare.kill_at(r"unlinkat\(.*/retired/links>", "gc")
    prepare.put("b", "alpha", "old")  # which the next line replaces
    before = prepare.furnish()
    prepare.put("b", "removed", "removed")
    prepare.do("remove", "b", "removed")
    for key in "one", "two":
        prepare.put("d", key, key)
    prepare.do("refresh", "--keep-garbage", "d")
    # Garbage that is in use. In a copy of this cache only the pid shows that its user lives, as if
    # the user had closed all its descriptors.
    prepare.put("b", "leased", "leased")
    entry, tree = cache.read_keys(prepare.root)["b", "leased"]
    # A build that makes nothing is an error.
    waits = ["sh", "-c", 'test -z "$LARDER_STAGE" || echo text >"$LARDER_STAGE"/file\n'
                         "echo ready >&2; read _; true"]
    holders = [prepare.start(prepare.tool, "exec", "b", "leased", "--", *waits)]
    prepare.do("remove", "b", "leased")
    # Participants that died: with an entry that has no record yet, with a complete one, and with
    # the old link that a put took out.
    for key, pattern in {"staged": RECORDS, "flying": PLACES}.items():
        command = ["build", "b", key, "--", *waits]
        call = prepare.first_call(pattern, *command)
        kill = f"inject={call.name}:signal=SIGKILL:when={call.k}"
        holders.append(prepare.start("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call.name}",
                                     "-e", kill, "--", prepare.tool, *command))
    prepare.kill_at(RETIRES_OLD, "put", "b", "alpha", prepare.source("alpha"))
    for process in holders[1:]:
        process.communicate(b"")
    # A process that joins begins to look for a free table at its pid modulo the number of tables,
    # and makes one more call if it meets the table in use. It counts the tables up to the first
    # missing number. So a table with a much higher number is read by a collector, but not met by a
    # joiner.
    for where in "participants", "staging":
        os.rename(f"{prepare.root}/{where}/0", f"{prepare.root}/{where}/7")
        os.rename(f"{prepare.root}/{where}/3", f"{prepare.root}/{where}/0")
    staged = [name[0] for number in "012"
              for name in cache.names(f"{prepare.root}/staging/{number}")]
    if staged != ["l", "l", "l"] or not cache.names(f"{prepare.root}/deleting"):
        raise RuntimeError(f"preparation: this is not the garbage that was wanted: {staged}")
    return ["gc"], before, before, {entry: tree}, holders[:1]


def destroy(prepare):
    """The cache has an entry in every state, and the table of a dead participant."""
    before = prepare.furnish()
    prepare.put("b", "removed", "removed")
    prepare.do("remove", "b", "removed")
    prepare.kill_at(PLACES, "put", "b", "dead", prepare.source("dead"))
    return ["destroy"], before, {}


# The path that becomes a symlink, beside the cache.
LINKED = "linked"


def linking(first, arguments, leads, changes=lambda state: state):
    """Returns an operation on a path that leads, or will lead, to an entry. `first` are commands of
    cachetool. `leads` are keys.
    """
    def prepared(prepare):
        prepare.put("b", "key", "old")
        before = with_key(prepare.furnish(), prepare.tree("old"))
        entries = {key: cache.read_keys(prepare.root)["b", key] for key in ("key", "alpha")}
        return (arguments, changes(before), changes(before), {}, [], "",
                [[prepare.tool, *words] for words in first], dict(entries.values()),
                tuple(key and entries[key][0] for key in leads))
    return prepared


LINK_KEY, LINK_ALPHA = ["link", "b", "key", LINKED], ["link", "b", "alpha", LINKED]


def without_key(state):
    return {place: tree for place, tree in state.items() if place != ("b", "key")}


def collect_linked(prepare):
    """The entry to which the path leads was removed, and stays."""
    arguments, *states, entries, leads = linking(
        [LINK_ALPHA, LINK_KEY, ["remove", "b", "key"]], ["gc"], ["key", "key"],
        without_key)(prepare)
    states[2] = {leads[0]: entries[leads[0]]}
    return arguments, *states, entries, leads


ALL = {"open": first_use, "put": put_new, "replace": put_replacing, "adopt": put_adopting,
       "move": put_moving, "destroy": destroy, "build": build, "remove": remove, "refresh": refresh,
       "refresh-some": refresh_some, "evict": evict, "restore": restore, "gc": collect,
       "link": linking([], LINK_KEY, [None, "key"]),
       "relink": linking([LINK_ALPHA], LINK_KEY, ["alpha", "key"]),
       "unlink": linking([LINK_KEY], ["unlink", LINKED], ["key", None]),
       # The root of the entry that the path has left is what a prune forgets.
       "prune": linking([LINK_ALPHA, LINK_KEY], ["roots", "prune"], ["key", "key"]),
       "gc-linked": collect_linked}


def reading(*words):
    """Returns an operation that changes no key. `words` may name the entry, the source and a place
    for what is made.
    """
    def prepared(prepare):
        prepare.put("b", "key", "old")
        state = with_key(prepare.furnish(), prepare.tree("old"))
        prepare.do("pin", "b", "beta")
        prepare.put("c", "gone", "gone")
        prepare.do("remove", "c", "gone")
        return [word.format(directory=prepare.directory, root=prepare.root) for word in words], \
            state, state
    return prepared


# How many threads a command starts that only wait for signals.
THREADS = {"install": 1, "install-copy": 1}

# The commands that change no key, or that only refusals strike.
COMMANDS = {
    **ALL,
    "dir": reading("dir"),
    "get": reading("get", "b", "key"),
    "exec": reading("exec", "b", "key", "--", "true"),
    "supervise": reading("exec", "--supervise", "b", "key", "--", "true"),
    "hit": reading("build", "b", "key", "--", "true"),
    "install": reading("install", "b", "key", "installed"),
    "install-copy": reading("install", "--link-mode", "copy", "b", "key", "installed"),
    "pin": reading("pin", "b", "key"),
    "unpin": reading("unpin", "b", "beta"),
    "ls": reading("ls"),
    "info": reading("info", "b", "key"),
    "stats": reading("stats"),
    "status": reading("status"),
    "why": reading("why", "b", "key"),
    "trash": reading("trash", "ls"),
    "verify": reading("verify"),
    "dry": reading("gc", "--dry-run", "--max-entries", "1"),
    "doctor": reading("doctor", "cache"),
}


def prepare(name, tool, directory, links, buckets):
    """Prepares the cache of an operation in a new directory."""
    preparation = Preparation(tool, directory, links, buckets)
    arguments, *states = COMMANDS[name](preparation)
    return Operation(name, arguments, *states[:2], directory, *states[2:])
