# SPDX-License-Identifier: MIT
"""Checks the layers of the code: the library, the command and the stress harness.

    layers.py SOURCE_DIR

A tree has rooms, which are its folders. A file may include files of its own room and of the rooms
before it, and no file of a room after it. Each folder with sources is a room, and each room has
sources. No files include each other in a circle. In src/ the files of a room have an order too, in
which src/CMakeLists.txt lists them: a file may include what is listed before it.
"""

import pathlib
import re
import sys

# The rooms of each tree, lowest first. Files in the folder of a tree stand above all rooms, except
# those of FOUNDATIONS, which stand below.
ROOMS = {
    "src": "base os format tree cache protocol policy observe api c content".split(),
    "cachetool": "options system term cli doctor commands".split(),
    "stress": "system history judge content scenario board fault workload run".split(),
}
FOUNDATIONS = {"stress": {"random.hpp"}}


def sources_of(tree):
    return sorted(path for path in tree.rglob("*") if path.suffix in (".cpp", ".hpp"))


def includes_of(path, prefix):
    """Returns the files of the tree that a file includes, as paths from the tree."""
    quoted = re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)
    return [name.removeprefix(prefix) for name in quoted if name.startswith(prefix)]


def room_of(name, tree_name):
    """Returns the number of the room in which a file stands; None for one that is in no room."""
    if "/" not in name:
        return -1 if name in FOUNDATIONS.get(tree_name, ()) else len(ROOMS[tree_name])
    room = name.split("/", 1)[0]
    return ROOMS[tree_name].index(room) if room in ROOMS[tree_name] else None


def check_rooms(source_dir, tree_name):
    """Yields the faults between the rooms of a tree, and folders that are no room."""
    tree = source_dir / tree_name
    prefix = "" if tree_name == "src" else tree_name + "/"
    names = {str(path.relative_to(tree)): path for path in sources_of(tree)}
    for room in ROOMS[tree_name]:
        if not any(name.startswith(room + "/") for name in names):
            yield f"{tree_name}/{room}: a room without sources"
    for name, path in names.items():
        here = room_of(name, tree_name)
        if here is None:
            yield f"{tree_name}/{name}: its folder is no room"
            continue
        for included in includes_of(path, prefix):
            there = room_of(included, tree_name) if included in names else None
            if there is not None and there > here:
                yield f"{tree_name}/{name} includes {included}, whose room comes after its own"


def circles(graph):
    """Yields one circle of each set of files that include each other."""
    done, path = set(), []

    def visit(name):
        if name in path:
            yield path[path.index(name):] + [name]
        if name in done or name in path:
            return
        path.append(name)
        for other in graph.get(name, ()):
            yield from visit(other)
        path.pop()
        done.add(name)

    for name in sorted(graph):
        yield from visit(name)


def graph_of(source_dir, tree_name):
    """Returns which files of the tree each file includes."""
    tree = source_dir / tree_name
    prefix = "" if tree_name == "src" else tree_name + "/"
    return {
        str(path.relative_to(tree)): includes_of(path, prefix) for path in sources_of(tree)
    }


def check_circles(source_dir, tree_name):
    for circle in circles(graph_of(source_dir, tree_name)):
        yield f"{tree_name}: a circle of includes: {' -> '.join(circle)}"


def listed_sources(source_dir):
    """Returns the sources of the library in the order of their lists in src/CMakeLists.txt."""
    lists = (source_dir / "src" / "CMakeLists.txt").read_text()
    lists = re.findall(r"set\(larder_(?:public_|content_)?sources\n(.*?)\n\)", lists, re.S)
    return [name for text in lists for name in text.split()]


def reached_from(name, graph, listed):
    """Returns the listed sources whose headers a file includes, through headers too."""
    reached, seen, to_do = set(), set(), list(graph[name])
    while to_do:
        header = to_do.pop()
        if header in seen:
            continue
        seen.add(header)
        source = header.removesuffix(".hpp") + ".cpp"
        if source in listed:
            reached.add(source)
        else:
            to_do += graph.get(header, [])
    return reached


def check_list(source_dir):
    """Yields the faults of the list: missing files, and files that include a later one."""
    listed = listed_sources(source_dir)
    graph = graph_of(source_dir, "src")
    rooms = [room_of(name, "src") for name in listed]
    for before, after, name in zip(rooms, rooms[1:], listed[1:]):
        if None not in (before, after) and after < before:
            yield f"src/CMakeLists.txt lists {name} after a file of a later room"
    place = {name: number for number, name in enumerate(listed)}
    for name in graph:
        source = name.removesuffix(".hpp") + ".cpp" if name.endswith(".hpp") else name
        if name.endswith(".cpp") and name not in place:
            yield f"src/{name} is not listed in src/CMakeLists.txt"
        if source not in place:
            continue
        for reached in sorted(reached_from(name, graph, place)):
            if place[reached] > place[source]:
                yield f"src/{name} includes the header of {reached}, which is listed after it"
    for name in listed:
        if name not in graph:
            yield f"src/CMakeLists.txt lists {name}, which does not exist"


def faults_of(source_dir):
    for tree_name in ROOMS:
        yield from check_rooms(source_dir, tree_name)
        yield from check_circles(source_dir, tree_name)
    yield from check_list(source_dir)


if __name__ == "__main__":
    faults = list(faults_of(pathlib.Path(sys.argv[1])))
    print("\n".join(faults))
    sys.exit(1 if faults else 0)
