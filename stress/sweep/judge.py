# SPDX-License-Identifier: MIT
"""Judges a cache after a kill or a failed call: invariants 1, 2 and 6 of docs/protocol.md, and what
cachetool promises.

The numbers in findings are those of the invariants. Every finding is a sentence. Without findings
the point is clean.
"""

import json
import os
import re

import cache
import operations
import tracing


class Judge:
    """Judges caches in which one operation was struck."""

    def __init__(self, tool, operation):
        self.tool, self.operation = tool, operation

    def findings(self, root, struck, error):
        """Returns the findings in a cache. Collects in it once."""
        found = list(self.of_the_end(root, struck, error))
        found += self.of_the_keys(root, struck, error)
        code, verdict = self.verify(root)
        if code != 0:
            found.append(f"(1, 2) verify ends with {code}: {verdict}")
        collected = tracing.run([self.tool, "--json", "gc"], root)
        if collected.code != 0:
            found.append(f"(6) gc ends with {collected.code}: {collected.err.strip()}")
        return found + list(self.after_collecting(root))

    def verify(self, root):
        """Returns the exit code of verify, and its document, or its message if there is none."""
        done = tracing.run([self.tool, "--json", "verify"], root)
        try:
            return done.code, json.loads(done.out)
        except ValueError:
            return done.code, done.err

    def of_the_end(self, root, struck, error):
        """Checks that the operation ended with success or with a clear error."""
        if not error or struck.code == 0:
            return
        if struck.code < 0 or struck.code > 5:
            yield f"ended with {struck.code}: {struck.err.strip()[-500:]}"
            return
        if error == "EINTR":
            yield f"a call that was interrupted was not made again: {struck.err.strip()}"
        if not re.match(r"cachetool: .*\S", struck.err):
            yield f"failed without a message: {struck.err!r}"
        said = document_of(struck).get("error")
        if is_output(struck):
            return
        if said is None:
            yield f"failed without a document: {struck.out!r}"
        elif said["step"] is None or said["path"] is None:
            yield f"an error that names no step or no path: {said}"
        elif said["code"] == "miss" or (
                said["code"] == "damaged"
                and not re.search(r"/participants(/|$)", said["path"])):
            # If a lease table can't be opened its leases are unknown. That counts as damage until
            # it can be opened.
            yield f"a call that failed once was taken for the state of the cache: {said}"

    def of_the_keys(self, root, struck, error):
        """Checks (1): neighbours are unchanged; the operation's key is old or new, and whole."""
        keys = cache.read_keys(root)
        state = {place: tree for place, (_, tree) in keys.items()}
        allowed = self.allowed(struck, error)
        if all(self.heeding_refusals(state, one, struck) != one for one in allowed.values()):
            places = sorted({place for one in [state, *allowed.values()] for place in one})
            wrong = [place for place in places
                     if all(state.get(place) != one.get(place) for one in allowed.values())]
            for place in wrong:
                yield (f"(1) key {place} is neither as {' nor as '.join(allowed)}: "
                       f"it is {described(keys.get(place))}")
            if not wrong:
                yield f"(1) some keys are as before and others as after: {sorted(state)}"
        for entry, tree in self.operation.leased.items():
            if cache.read_tree(f"{root}/archive/{entry}/tree") != tree:
                yield f"(4) entry {entry} is leased, but has changed"

    @staticmethod
    def heeding_refusals(state, expected, struck):
        """Returns the state, with the attributes that it lacks because they could not be copied."""
        if "xattr" not in struck.call:
            return state
        return {place: cache.with_lost_attributes(tree, expected.get(place))
                for place, tree in state.items()}

    def allowed(self, struck, error):
        """Returns the states in which the keys may be, by name."""
        before, after = {"before": self.operation.before}, {"after": self.operation.after}
        if struck.code == 0:
            return after
        # A collection may fail after it has evicted, whatever it fails at.
        if (not error or is_output(struck) or struck.silenced
                or self.operation.arguments[0] == "gc"):
            return before | after
        # If an error says that something was not done, it was not done. A refresh says what it did.
        said = document_of(struck)
        # A change that can't be brought to the disk was made, and the error says so.
        unsynced = "the change was made" in (said.get("error") or {}).get("message", "")
        return after if said.get("refreshed") or said.get("keys") or unsynced else before

    def after_collecting(self, root):
        """Checks (6): there is no leak."""
        kept = self.operation.leased
        code, verdict = self.verify(root)
        if (code != 0 or not verdict["sound"] or verdict["garbage"] != len(kept)
                or verdict["findings"]):
            yield f"(6) after one collection verify ends with {code}: {verdict}"
        left = cache.leftovers(root, kept)
        if left:
            yield f"(6) left after one collection: {', '.join(left)}"
        for entry, tree in kept.items():
            if cache.read_tree(f"{root}/archive/{entry}/tree") != tree:
                yield f"(4) entry {entry} is leased, but was collected"


class RefusalJudge(Judge):
    """Judges caches in which calls of one operation were refused."""

    def findings(self, root, struck, error):
        """Returns the findings in a cache. Collects in it once if the operation changes keys."""
        if self.operation.before != self.operation.after:
            return super().findings(root, struck, error)
        found = [*self.of_the_end(root, struck, error), *self.of_the_keys(root, struck, error)]
        found += self.of_what_is_installed(root, struck, error)
        code, verdict = self.verify(root)
        if code != 0:
            found.append(f"(1, 2) verify ends with {code}: {verdict}")
        return found

    def of_what_is_installed(self, root, struck, error):
        """Checks that an install that succeeded has the entry's files, and counted what differs.

        A file system that has no attributes answers EOPNOTSUPP to a list of them. So this answer
        is no refusal, and what it hides is not counted.
        """
        if self.operation.arguments[0] != "install" or struck.code != 0:
            return
        wanted = self.operation.before["b", "key"]
        tree = cache.read_tree(f"{os.path.dirname(root)}/installed")
        counted = document_of(struck).get("inexact")
        if tree is None or tree.keys() != wanted.keys():
            yield f"installed are other names than those of the entry: {tree}"
            return
        for name, (kind, mode, content, attributes) in tree.items():
            has_none = struck.call == "flistxattr" and error == "EOPNOTSUPP"
            is_exact = mode == wanted[name][1] and (has_none or attributes == wanted[name][3])
            if (kind, content) != (wanted[name][0], wanted[name][2]):
                yield f"{name} was installed with another content"
            if not set(attributes) <= set(wanted[name][3]):
                yield f"{name} was installed with other attributes: {attributes}"
            if not is_exact and not counted and not is_output(struck) and not struck.silenced:
                yield f"{name} was installed without its mode or attributes, and not counted"

    def of_the_end(self, root, struck, error):
        """Checks that the operation succeeded in a second way, or said what to do."""
        if not error or struck.code == 0:
            return
        if struck.code == tracing.TIMED_OUT:
            yield f"it hangs: {struck.err}"
            return
        # The two codes of a COMMAND that can't be run.
        if struck.code < 0 or (struck.code > 5 and struck.code not in (126, 127)):
            yield f"ended with {struck.code}: {struck.err.strip()[-500:]}"
            return
        if is_output(struck) or struck.silenced:
            return
        if (self.operation.arguments[0] == "exec"
                and "error while loading shared libraries" in struck.err):
            return  # the COMMAND was run, and its own calls were refused
        document = document_of(struck)
        if self.operation.arguments[0] == "doctor" and "probes" in document:
            return  # it says what does not work
        said = document.get("error")
        if said is None:
            if not re.match(r"cachetool: .*\S", struck.err):
                yield f"failed without a message: {struck.err!r} {struck.out[-300:]!r}"
            return
        if said["code"] != "command" and (said["step"] is None or said["path"] is None):
            yield f"an error that names no step or no path: {said}"
        if not says_what_to_do(said["message"]):
            yield f"an error that does not say what to do: {said}"
        if said["code"] == "miss" or (said["code"] == "damaged"
                                      and not re.search(r"/participants(/|$)", said["path"])):
            yield f"a refusal was taken for the state of the cache: {said}"


# An advice begins a clause with a verb, or names a command of cachetool. What stands before the
# first colon is the step ("open cache PATH:"), and what stands in brackets is the system's reason.
ADVICE = re.compile(
    r"`cachetool [^`]*`|; --\w[\w-]* \w|"
    r"(?:; |: |, or |, and )(?:\w+ing )?(?:if [^,;]*, )?"
    r"(?:then )?(?:name|run|give|move|allow|put|make|let|try|end|free|delete|remove|mount|take|use|"
    r"set|open|wait|start|raise|close|ask|see|pin|publish|choose|update|install|repeat|check)\b")


def says_what_to_do(message):
    """Returns whether a message has advice beside the step, the path and the system's reason."""
    step, colon, said = message.partition(": ")
    said = colon + said or step
    return bool(ADVICE.search(re.sub(r"\([^()]*\)$", "", said)))


class OfMoves:
    """Judges a put that takes its source away, beside what a Judge does."""

    def of_the_end(self, root, struck, error):
        yield from super().of_the_end(root, struck, error)
        source = cache.read_tree(f"{os.path.dirname(root)}/{operations.MOVED}")
        wanted = self.operation.after["b", "key"]
        if struck.code == 0 and source is not None:
            yield "the source is still there"
        # A process that was killed gives nothing back: what it had staged is reaped.
        if source is None and error and struck.code != 0 and not is_output(struck):
            published = cache.read_keys(root).get(("b", "key"), (None, None))[1]
            if wanted not in (published, self.tree_where_it_says(struck)):
                yield f"the source was not given back: {struck.err.strip()}"
        if source is not None and source != wanted:
            yield f"the source is not whole: {sorted(source)}"

    @staticmethod
    def tree_where_it_says(struck):
        """Returns the tree that could not be put back, which the message must name."""
        place = re.search(r"could not be put back .* and is (/\S*/tree)[:,]", struck.err)
        return cache.read_tree(place.group(1)) if place else None


class OfPaths:
    """Judges an operation on a path that leads to an entry, beside what a Judge does."""

    def findings(self, root, struck, error):
        """Returns the findings in a cache. Takes all keys out, and collects."""
        found = super().findings(root, struck, error)
        path = f"{os.path.dirname(root)}/{operations.LINKED}"
        entry = cache.entry_at(path, root)
        before, after = self.operation.leads
        if entry not in ([after] if struck.code == 0 else [before, after]):
            found.append(f"(1) the path leads to {entry}, and not to {before} or {after}")
        if error and any(name.startswith(".larder-") for name in os.listdir(os.path.dirname(root))):
            found.append("something unfinished is left beside the path")
        # From here on the path alone keeps its entry.
        for command in ["refresh", "b", "c"], ["gc"]:
            done = tracing.run([self.tool, *command], root)
            if done.code != 0:
                found.append(f"{command} ends with {done.code}: {done.err.strip()}")
        for known, tree in self.operation.linked.items():
            left = cache.read_tree(f"{root}/archive/{known}/tree")
            if left != (tree if known == entry else None):
                found.append(f"(4) the path leads to {entry}, and {known} is "
                             f"{'changed' if left else 'gone'} or was kept")
        return found


class OfDestroys:
    """Judges caches that were destroyed. Such a cache is as before, or another destroy ends it."""

    def findings(self, root, struck, error):
        """Returns the findings in a cache, and destroys it."""
        found = list(self.of_the_end(root, struck, error))
        if not os.path.lexists(root):
            return found if struck.code == 0 or not error or is_output(struck) else found + [
                f"failed, although the cache is gone: {struck.err.strip()}"]
        if struck.code == 0:
            found.append("the cache is still there")
        if not os.listdir(root):
            return found  # only its directory is left, in which a new cache can be made
        code, verdict = self.verify(root)
        if code == 0:
            found += self.of_the_keys(root, struck, error)
        elif not re.search(r"`cachetool .*destroy`", str(verdict)):
            found.append(f"verify ends with {code}, and nothing leads out: {verdict}")
        again = tracing.run([self.tool, "destroy"], root)
        if again.code != 0 or os.path.lexists(root):
            found.append(f"another destroy ends with {again.code}: {again.err.strip()}")
        return found

    def allowed(self, _struck, _error):
        return {"before": self.operation.before}


def judge_of(tool, operation, refuses):
    """Returns the judge of an operation."""
    bases = [OfDestroys] if operation.arguments[0] == "destroy" else []
    bases += [OfMoves] if operation.moved else []
    bases += [OfPaths] if operation.leads else []
    kind = RefusalJudge if refuses else Judge
    return type("JudgeOfThis", (*bases, kind), {})(tool, operation)


def document_of(struck):
    """Returns the JSON document that cachetool printed; an empty one if there is none."""
    try:
        return json.loads(struck.out)
    except ValueError:
        return {}


def is_output(struck):
    """Returns whether the work was done, but its result could not be written."""
    return struck.code == 1 and "write to standard output" in struck.err


def described(found):
    """Describes what a key names."""
    if found is None:
        return "absent"
    entry, tree = found
    if entry is None:
        return "no link of larder"
    return f"{entry}, {'without a tree' if tree is None else sorted(tree)}"
