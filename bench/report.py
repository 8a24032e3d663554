#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a page and a picture of what the benchmarks measured.

    report.py RESULTS [PAGE]

Reads RESULTS/*.json, and writes README.md and floor.svg to the directory PAGE. PAGE is RESULTS
unless it is given. `scripts/bench` calls this script after it has measured.
"""

import json
import math
import pathlib
import re
import sys
import textwrap

WIDTH = 100


def load(results):
    return {path.stem: json.loads(path.read_text()) for path in sorted(results.glob("*.json"))}


# ---- Markdown ----


def paragraph(text):
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False) + "\n"


def bullets(texts):
    lines = [textwrap.fill(text, WIDTH, initial_indent="- ", subsequent_indent="  ",
                           break_on_hyphens=False, break_long_words=False) for text in texts]
    return "\n".join(lines) + "\n" if lines else ""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def processes_text(count):
    return f"{count} processes" if count > 1 else "1 process"


def with_range(ratio):
    return f"{ratio['median']:.2f} ({ratio['p10']:.2f}–{ratio['p90']:.2f})"


def duration(microseconds):
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.2f} {unit}"
    return f"{microseconds:.2f} µs"


def series(items):
    """Returns "1", "1 and 2" or "1, 2 and 4"."""
    items = [str(item) for item in items]
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


# ---- the floor ----


def floors_of(documents):
    """Returns the rows of bench_floor for each file system that it ran on."""
    floors = [one for one in documents.values() if one.get("bench") == "floor"]
    return {one["file_system"]: one["rows"] for one in floors}


def rows_by_name(rows):
    """Returns {operation: {number of processes: row}} of the rows that are ratios."""
    by_name = {}
    for row in rows:
        if "processes" in row:
            by_name.setdefault(row["row"], {})[row["processes"]] = row
    return by_name


def floor_remarks(rows):
    """Returns a sentence for each row that is no ratio, and one about scaling."""
    remarks = []
    for row in rows:
        if "ratio_of_p50" in row:
            ns = row["nanoseconds"]
            get_p99, floor_p99 = (ns[name]["p99"] / 1000 for name in ("get_busy", "links_busy"))
            remarks.append(
                f"{row['row']}: the median is {row['ratio_of_p50']:.2f} × that of get alone "
                f"(goal {row['goal']}). The 99th percentile is {get_p99:.1f} µs, and "
                f"{floor_p99:.1f} µs for two bare `readlinkat` under the same load.")
        if "more_bytes_than_with_100" in row:
            remarks.append(f"{row['row']}: {row['more_bytes_than_with_100']} bytes more with "
                           f"{row['keys']:,} keys than with 100.")
        elif "bytes_for_each" in row:
            remarks.append(f"{row['row']}: {row['bytes_for_each']:.0f} bytes for each of "
                           f"{row['keys']:,} keys, chosen in {row['seconds']:.1f} s.")
    get = {count: row["ratio"]["median"] for count, row in
           rows_by_name(rows).get("get, hit", {}).items()}
    if 1 in get and 2 in get:
        remarks.append("From one process to two, get scales with "
                       f"{get[1] / get[2]:.2f} of the floor's own factor (goal 0.95).")
    return remarks


def floor_tables(rows):
    """Returns one table for one process, and one for several processes if there are any."""
    by_name = rows_by_name(rows)
    counts = sorted({count for mine in by_name.values() for count in mine})
    ones, several = [], []
    for name, mine in by_name.items():
        one = mine[min(mine)]
        ones.append([name, f"{one['goal']:.2f}", with_range(one["ratio"]),
                     duration(one["floor_microseconds"]["median"]),
                     duration(one["larder_microseconds"]["median"])])
        if len(mine) > 1:
            several.append([name] + [with_range(mine[count]["ratio"]) if count in mine else ""
                                     for count in counts[1:]])
    parts = [table(["operation, " + processes_text(counts[0]), "goal", "ratio", "floor", "larder"],
                   ones)]
    if several:
        parts.append(table(["operation"] + [processes_text(count) for count in counts[1:]],
                           several))
    return "\n".join(parts)


def floor_section(floors):
    calls = {row["row"]: row["floor"] for rows in floors.values() for row in rows
             if "processes" in row}
    parts = ["## Against the floor\n",
             "![larder's time over the floor's](floor.svg)\n",
             paragraph("The ratio is larder's time over the floor's: the median of the rounds' "
                       "ratios. One tenth of the rounds lies below the range in brackets, and one "
                       "tenth above it. The times are medians. The floor of each operation is:"),
             bullets(f"{name}: {floor}" for name, floor in calls.items())]
    for system, rows in floors.items():
        parts += [f"### {system}\n", floor_tables(rows), bullets(floor_remarks(rows))]
    return "\n".join(parts)


# ---- other caches ----


def peers_tables(rows):
    """Returns, for each number of entries, a table of seconds and a table of ratios."""
    parts = []
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    for entries in sorted({row["entries"] for row in rows}):
        mine = {(row["peer"], row["phase"], row["processes"]): row for row in rows
                if row["entries"] == entries}
        counts = sorted({count for _, _, count in mine})
        columns = [(phase, count) for phase in phases for count in counts]
        head = [f"{phase}, {count}" if count == counts[0] else str(count)
                for phase, count in columns]

        def lines(text_of):
            return [[peer] + [text_of(mine[peer, phase, count]) if (peer, phase, count) in mine
                              else "" for phase, count in columns]
                    for peer in dict.fromkeys(peer for peer, _, _ in mine)]

        def ratio_of(row):
            ratio = row.get("ratio_to_larder")
            return f"{ratio:.2f}" if ratio else ""

        parts += [f"### {entries:,} entries\n",
                  table(["seconds"] + head, lines(lambda row: f"{row['median']:.3f}")),
                  table(["× larder"] + head, lines(ratio_of))]
    return "\n".join(parts)


def left_out(document):
    """Returns a sentence for each contender that was not measured, or no further."""
    sentences = {}
    for kind in ("skipped", "failed"):
        for one in document.get(kind, []):
            why = one["why"].strip().splitlines()[-1].removeprefix("driver.Failed: ")
            if "entries" in one:
                sizes = sentences.setdefault((one["peer"], kind, why), {})
                sizes.setdefault(one["entries"], []).append(one["processes"])
            else:
                sentences[one["peer"], kind, why] = {}
    texts = []
    for (peer, kind, why), sizes in sentences.items():
        where = "; ".join(f"{entries:,} entries by {series(counts)} "
                          + ("process" if counts == [1] else "processes")
                          for entries, counts in sizes.items())
        verb = "failed and was not measured again" if kind == "failed" else "left out"
        texts.append(f"{peer}: {verb}" + (f" ({where})" if where else "") + f": {why}")
    return texts


def peers_section(document):
    return "\n".join(filter(None, [
        "## Against what people use\n",
        paragraph("An entry is a directory of ten files of 4 KiB. Each contender puts all entries, "
                  "gets all and reads every byte, then drops half and collects. A column's number "
                  "is the number of processes at work. The ratios are medians of ratios within "
                  "one round, so they are not quotients of the seconds."),
        peers_tables([row for row in document["rows"] if "median" in row]),
        bullets(left_out(document))]))


def contenders_section(documents):
    """Returns what each contender is, once for both tables that it stands in."""
    known = {}
    for document in documents:
        for row in document["rows"]:
            known.setdefault(row["peer"], (row.get("version", ""), row.get("note", "")))
    texts = [f"**{peer}**" + (f" {version}" if version else "") + (f": {note}" if note else "")
             for peer, (version, note) in known.items()]
    return "## The contenders\n\n" + bullets(texts)


# ---- installers ----


def seconds_with_range(row):
    return f"{row['median']:.3f} ({row['p10']:.3f}–{row['p90']:.3f})" if row else ""


def installers_section(document):
    by_pair = {}
    for row in document["rows"]:
        by_pair.setdefault((row["set"], row["what"]), {})[row["tool"]] = row
    ratios = {}
    for ratio in document["ratios"]:
        name = next(name for name in ratio if name not in ("set", "what", "goal"))
        ratios[ratio["set"], ratio["what"]] = (name.replace("_", " "), ratio[name],
                                               ratio.get("goal", ""))
    by_tools = {}
    for pair, tools in by_pair.items():
        by_tools.setdefault(tuple(tools), []).append(pair)
    parts = ["## The installers\n",
             paragraph("Seconds: the median, and in brackets the range without the fastest and the "
                       "slowest tenth of the runs.")]
    for tools, pairs in by_tools.items():
        name = next((ratios[pair][0] for pair in pairs if pair in ratios), "ratio")
        lines = []
        for pair in pairs:
            _, ratio, goal = ratios.get(pair, ("", None, ""))
            lines.append([*pair, *(seconds_with_range(by_pair[pair][tool]) for tool in tools),
                          "" if ratio is None else f"{ratio:.2f}", goal])
        parts.append(table(["set", "what", *tools, name, "goal"], lines))
    parts.append(bullets(document.get("notes", [])))
    return "\n".join(parts)


# ---- correctness ----


def correctness_section(document):
    beside, killed = [], []
    for row in document["rows"]:
        lost = f"{row['lost']:,} of {row['read_back']:,}"
        if row["part"] == "beside":
            beside.append([row["peer"], f"{row['acknowledged']:,}", lost, row["failed_puts"],
                           f"{row['collections']:,}"])
        else:
            times = [f"{row['next_put'][name] * 1000:.1f}" for name in ("usual", "median", "worst")]
            killed.append([row["peer"], row["during"], f"{row['midway']} of {row['kills']}", *times,
                           lost])
    return "\n".join(filter(None, [
        "## Correctness under load\n",
        paragraph("Two writers work beside a collector. What was acknowledged, and not dropped by "
                  "a writer, must be there afterwards."),
        table(["contender", "puts acknowledged", "lost", "puts failed", "collections"], beside),
        paragraph("A process is killed in the middle. The times are milliseconds until the next "
                  "put has returned."),
        table(["contender", "killed in a", "in the middle", "usual", "median", "worst", "lost"],
              killed),
        bullets(left_out(document))]))


# ---- the picture ----

COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2")
LABELS, PLOT, MARGIN, TOP, BAR, GAP = 270, 460, 30, 30, 11, 10


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def floor_picture(floors):
    """Returns an SVG: a bar for each operation and file system, the goal, and the range."""
    by_system = {system: {name: mine[1] for name, mine in rows_by_name(rows).items() if 1 in mine}
                 for system, rows in floors.items()}
    names = list(dict.fromkeys(name for mine in by_system.values() for name in mine))
    medians = [row["ratio"]["median"] for mine in by_system.values() for row in mine.values()]
    low = min(-2, math.floor(math.log2(min(medians))))
    high = max(2, math.ceil(math.log2(max(medians))))

    def x(ratio):
        return LABELS + (min(max(math.log2(ratio), low), high) - low) / (high - low) * PLOT

    height = BAR * len(by_system) + GAP
    bottom = TOP + height * len(names)
    width = LABELS + PLOT + MARGIN
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 50}"',
             '     font-family="sans-serif" font-size="12">',
             "<title>larder's time over the floor's, one process</title>",
             '<rect width="100%" height="100%" fill="white"/>']

    def group(attributes, elements):
        lines.extend([f"<g {attributes}>", *elements, "</g>"])

    ticks = range(low, high + 1)
    group('stroke="#ddd"', [f'<path d="M{x(2.0 ** tick):.1f} {TOP}V{bottom}"/>' for tick in ticks])
    group('text-anchor="middle"', [f'<text x="{x(2.0 ** tick):.1f}" y="{bottom + 15}">'
                                   f"{2.0 ** tick:g}</text>" for tick in ticks])
    middles = [TOP + height * (i + 0.5) for i in range(len(names))]
    group('text-anchor="end"', [f'<text x="{LABELS - 8}" y="{middle + 4:.0f}">{escaped(name)}'
                                "</text>" for name, middle in zip(names, middles)])
    whiskers, goals = [], []
    for place, (system, mine) in enumerate(by_system.items()):
        bars = []
        for name, row in mine.items():
            y = TOP + height * names.index(name) + GAP / 2 + BAR * place
            ratio = row["ratio"]
            left, right = x(2.0 ** low), x(ratio["median"])
            bars.append(f'<rect x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" '
                        f'height="{BAR - 1}"/>')
            whiskers.append(f'<path d="M{x(ratio["p10"]):.1f} {y + BAR / 2 - 0.5:.1f}'
                            f'H{x(ratio["p90"]):.1f}"/>')
            goals.append(f'<path d="M{x(row["goal"]):.1f} {y - 0.5:.1f}v{BAR}"/>')
        colour = COLOURS[place % len(COLOURS)]
        group(f'fill="{colour}"', bars)
        at = LABELS + place * 90
        lines.append(f'<rect x="{at}" y="9" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{at + 17}" y="19">{escaped(system)}</text>')
    group('stroke="#555"', whiskers)
    group('stroke="black" stroke-width="2"', goals)
    lines.append(f'<path d="M{x(1):.1f} {TOP}V{bottom}" stroke="#888"/>')
    lines += [f'<text x="{LABELS + PLOT / 2:.0f}" y="{bottom + 36}" text-anchor="middle">',
              "larder's time over the floor's, one process; black: the goal; thin: the range",
              "</text>"]
    return "\n".join([*lines, "</svg>"]) + "\n"


def main():
    results = pathlib.Path(sys.argv[1])
    page = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else results
    documents = load(results)
    if not documents:
        sys.exit(f"report.py: {results} holds no *.json; scripts/bench writes them")
    parts = ["# What was measured\n",
             paragraph("`scripts/bench` measured this, and `bench/report.py` made the page. Every "
                       "ratio is of times that were taken in turn in one run.")]
    machine = documents.get("machine")
    if machine:
        parts.append(table(["machine", ""], [
            (name, f"{value:.2f}" if isinstance(value, float) else value)
            for name, value in machine.items()]))
    floors = floors_of(documents)
    if floors:
        parts.append(floor_section(floors))
        (page / "floor.svg").write_text(floor_picture(floors))
    compared = [documents[name] for name in ("peers", "correctness") if name in documents]
    if compared:
        parts.append(contenders_section(compared))
    for name, section in (("peers", peers_section), ("installers", installers_section),
                          ("correctness", correctness_section)):
        if name in documents:
            parts.append(section(documents[name]))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip("\n") + "\n"
    (page / "README.md").write_text(text)


if __name__ == "__main__":
    main()
