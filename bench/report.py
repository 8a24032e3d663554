"""Makes a table and pictures of what the benchmarks measured.

    report.py RESULTS      reads RESULTS/*.json, writes RESULTS/README.md and RESULTS/*.svg

Pictures need matplotlib; without it there are none, and the table says so.
"""

import json
import pathlib
import re
import sys

try:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "larder"  # the same figures, the same file
    from matplotlib import pyplot
except ImportError:
    pyplot = None

COLOURS = {"tmpfs": "#4c78a8", "ext4": "#f58518"}


def load(results):
    return {path.stem: json.loads(path.read_text()) for path in sorted(results.glob("*.json"))}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" for _ in head) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def spread(ratio):
    return f"**{ratio['median']:.2f}** ({ratio['p10']:.2f}–{ratio['p90']:.2f})"


def floors(documents):
    return {document["file_system"]: document["rows"] for document in documents.values() if document.get("bench") == "floor"}


def floor_table(by_system):
    parts = []
    for system, rows in by_system.items():
        ratios = [row for row in rows if "processes" in row]
        processes = sorted({row["processes"] for row in ratios})
        lines = []
        for name in dict.fromkeys(row["row"] for row in ratios):
            mine = {row["processes"]: row for row in ratios if row["row"] == name}
            one = mine[processes[0]]
            lines.append([name, one["floor"], f"{one['goal']:.2f}"]
                         + [spread(mine[n]["ratio"]) if n in mine else "" for n in processes]
                         + [f"{one['floor_microseconds']['median']:.2f} / {one['larder_microseconds']['median']:.2f}"])
        parts.append(f"### {system}\n\nLarder's time over the floor's: median of the rounds' ratios (a tenth of them is below, a tenth above the range).\n\n"
                     + table(["operation", "floor", "goal"] + [f"{n} processes" if n > 1 else "1 process" for n in processes] + ["µs, 1 process"], lines))
        for row in rows:
            if "ratio_of_p50" in row:
                ns = row["nanoseconds"]
                parts.append(f"{row['row']}: p50 {row['ratio_of_p50']:.2f} × that of get alone (goal {row['goal']}); p99 "
                             f"{ns['get_busy']['p99'] / 1000:.1f} µs, and {ns['links_busy']['p99'] / 1000:.1f} µs for two bare `readlinkat` under the same load.\n")
            if "more_bytes_than_with_100" in row:
                parts.append(f"{row['row']}: {row['more_bytes_than_with_100']} bytes more with {row['keys']:,} keys than with 100.\n")
            elif "bytes_for_each" in row:
                parts.append(f"{row['row']}: {row['bytes_for_each']:.0f} bytes for each of {row['keys']:,} keys, chosen in {row['seconds']:.1f} s.\n")
        get = {row["processes"]: row["ratio"]["median"] for row in ratios if row["row"] == "get, hit"}
        if 1 in get and 2 in get:
            parts.append(f"Scaling of get from one process to two: {get[1] / get[2]:.2f} of the floor's own (goal 0.95).\n")
    return "\n".join(parts)


def draw_floor(by_system, path):
    names = list(dict.fromkeys(row["row"] for rows in by_system.values() for row in rows if row.get("processes") == 1))
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(names) + 1.2))
    height = 0.8 / len(by_system)
    for place, (system, rows) in enumerate(by_system.items()):
        mine = {row["row"]: row for row in rows if row.get("processes") == 1}
        at = [i + place * height for i, name in enumerate(names) if name in mine]
        ratios = [mine[name]["ratio"] for name in names if name in mine]
        medians = [ratio["median"] for ratio in ratios]
        errors = [[max(0, r["median"] - r["p10"]) for r in ratios], [max(0, r["p90"] - r["median"]) for r in ratios]]
        axes.barh(at, medians, height, xerr=errors, label=system, color=COLOURS.get(system), ecolor="#555")
        for y, name in zip(at, [name for name in names if name in mine]):
            axes.plot([mine[name]["goal"]] * 2, [y - height / 2, y + height / 2], color="black", linewidth=2)
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks([0.25, 0.5, 1, 2, 4, 8, 16], ["0.25", "0.5", "1", "2", "4", "8", "16"])
    axes.minorticks_off()
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(names))], names)
    axes.invert_yaxis()
    axes.set_xlabel("larder's time over the floor's, one process (black: the goal; thin lines: a tenth of the rounds beyond)")
    axes.legend(loc="lower right")
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def draw_sizes(by_system, path):
    figure, axes = pyplot.subplots(figsize=(6, 4))
    for system, rows in by_system.items():
        for name, style in (("refresh of", "o-"), ("collect, no garbage, in", "s--")):
            points = {}
            for row in rows:
                if row["row"].startswith(name) and "larder_microseconds" in row:
                    points[int(re.search(r"\d+", row["row"])[0])] = row["larder_microseconds"]["median"]
                    if name.startswith("collect"):
                        points[100] = row["floor_microseconds"]["median"]
            if points:
                axes.plot(*zip(*sorted(points.items())), style, color=COLOURS.get(system), label=f"{name.split(',')[0].split(' of')[0]}, {system}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(1, 10_000)
    axes.set_xlabel("keys in the cache")
    axes.set_ylabel("µs")
    axes.legend()
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def peers_table(document):
    lines = [[row["peer"], row.get("version", ""), row["entries"], row["processes"], row["phase"], f"{row['median']:.3f}",
              f"{row['ratio_to_larder']:.2f}" if row.get("ratio_to_larder") else "", row.get("note", "")] for row in document["rows"] if "median" in row]
    skipped = [f"- {row['peer']}: {row['skipped']}" for row in document["rows"] if "skipped" in row]
    return table(["peer", "version", "entries", "processes", "phase", "s", "× larder", "beyond larder"], lines) + "\n" + "\n".join(skipped) + "\n"


def draw_peers(document, path):
    rows = [row for row in document["rows"] if row.get("median") and row["processes"] == 1]
    size = min(row["entries"] for row in rows)
    rows = [row for row in rows if row["entries"] == size]
    peers, phases = list(dict.fromkeys(row["peer"] for row in rows)), ["put", "get", "collect"]
    figure, axes = pyplot.subplots(figsize=(9, 0.45 * len(peers) + 1.5))
    for place, phase in enumerate(phases):
        mine = {row["peer"]: row["median"] / row["entries"] * 1e6 for row in rows if row["phase"] == phase}
        axes.barh([peers.index(peer) + place * 0.27 for peer in mine], list(mine.values()), 0.25, label=phase)
    axes.set_xscale("log")
    axes.set_yticks([i + 0.27 for i in range(len(peers))], peers)
    axes.invert_yaxis()
    axes.set_xlabel(f"µs for each entry of 10 files of 4 KiB ({size} entries, one process)")
    axes.legend()
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def installers_table(document):
    head = ["set", "what", "tool", "median s", "p10", "p90"]
    lines = [[row["set"], row["what"], row["tool"], f"{row['median']:.3f}", f"{row['p10']:.3f}", f"{row['p90']:.3f}"] for row in document["rows"]]
    ratios = []
    for ratio in document["ratios"]:
        name = next(name for name in ratio if name not in ("set", "what", "goal"))
        ratios.append([ratio["set"], ratio["what"], name.replace("_", " "), f"{ratio[name]:.2f}", ratio.get("goal", "")])
    notes = "\n".join(f"- {note}" for note in document.get("notes", []))
    return table(head, lines) + "\n" + table(["set", "what", "ratio", "", "goal"], ratios) + "\n" + notes + "\n"


def correctness_table(document):
    rows = document["rows"]
    beside = [[row["peer"], row["version"], row["acknowledged"], f"{row['lost']} of {row['read_back']}", row["failed_puts"], row["collections"], row["note"]]
              for row in rows if row["part"] == "beside"]
    killed = [[row["peer"], row["during"], f"{row['midway']} of {row['kills']}"]
              + [f"{row['next_put'][name]:.3f}" for name in ("usual", "median", "worst")] + [f"{row['lost']} of {row['read_back']}"]
              for row in rows if row["part"] == "killed"]
    return ("Two writers beside a collector: what was acknowledged and nobody asked to drop must be there.\n\n"
            + table(["peer", "version", "puts acknowledged", "lost", "puts failed", "collections", "what it does"], beside)
            + "\nA process killed in the middle: seconds until the next put is done.\n\n"
            + table(["peer", "killed in a", "in the middle", "usual", "median", "worst", "lost"], killed))


def main():
    results = pathlib.Path(sys.argv[1])
    documents = load(results)
    parts = ["# What was measured\n\nMade by `scripts/bench`; every ratio is of times taken in turn in one run.\n"]
    machine = documents.pop("machine", None)
    if machine:
        parts.append(table(["machine", ""], machine.items()))
    by_system = floors(documents)
    if by_system:
        parts.append("## Against the floor\n\n![larder's time over the floor's](floor.svg)\n\n" + floor_table(by_system) + "\n![cost against size](sizes.svg)\n")
    for name, title, make in (("peers", "Against what people use", peers_table), ("installers", "The installers' table", installers_table),
                              ("correctness", "Correctness under load", correctness_table)):
        if name in documents:
            parts.append(f"## {title}\n\n" + ("![time for each entry](peers.svg)\n\n" if name == "peers" else "") + make(documents[name]))
    if pyplot is None:
        parts.append("There are no new pictures: matplotlib is missing.\n")
    else:
        if by_system:
            draw_floor(by_system, results / "floor.svg")
            draw_sizes(by_system, results / "sizes.svg")
        if "peers" in documents:
            draw_peers(documents["peers"], results / "peers.svg")
    (results / "README.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
