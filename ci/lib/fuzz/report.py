# SPDX-License-Identifier: MIT
"""The report of a run, as text and as one HTML file that needs nothing else.

Made only from what results.py reads, so a run that was killed has one too.
"""

import html
import os

from . import crashes, results
from .place import write_atomic
from .words import duration, number

COLUMNS = ("target", "executions", "exec/s", "edges", "features", "inputs",
           "no new edge for", "crashes")

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 68em; margin: 2em auto;
       padding: 0 1em; color: #222; background: #fff; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2em .9em; text-align: right; border-bottom: 1px solid #ddd; }}
th:first-child, td:first-child {{ text-align: left; }}
pre {{ background: #f4f4f4; padding: .8em; overflow-x: auto; }}
svg {{ max-width: 100%; height: auto; }}
.bad {{ color: #b00020; font-weight: bold; }}
.good {{ color: #1b6e2d; font-weight: bold; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def row(name, record):
    edges = number(record["cov"])
    if record["edges"]:
        edges += f" of {number(record['edges'])}"
    bugs = [c for c in record["crashes"] if c["status"] in ("new", "known")]
    return (name, number(record["execs"]), number(record["rate"]), edges,
            number(record["ft"]), number(record["inputs"]),
            duration(record["dry_edges"]), str(len(bugs)))


def table(run):
    """The columns of every target, aligned."""
    rows = [COLUMNS] + [row(*item) for item in sorted(run["targets"].items())]
    widths = [max(len(r[i]) for r in rows) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(r, widths))).rstrip()
        for r in rows)


def verdict(run):
    """One sentence: how the run ended and what it found."""
    bugs = [c for record in run["targets"].values()
            for c in record["crashes"] if c["status"] in ("new", "known")]
    ends = {
        "done": f"Ran {duration(run['elapsed'])}",
        "interrupted": f"Interrupted after {duration(run['elapsed'])}",
        "stopped": f"Stopped after {duration(run['elapsed'])}",
        "running": f"Killed or still at work; last heard of after "
                   f"{duration(run['elapsed'])}",
    }
    found = "no crash" if not bugs else (
        "1 kind of crash" if len(bugs) == 1 else f"{len(bugs)} kinds of crash")
    return f"{ends[run['status']]}: {found}."


def troubles(run):
    said = [run["trouble"]] if run.get("trouble") else []
    for record in run["targets"].values():
        said += [record[key] for key in ("failure", "merge_problem")
                 if record.get(key)]
    return said


def compared(run, earlier):
    """[(target, what is new)]"""
    return [(name, results.news(record, results.last_of(earlier, name)[1]))
            for name, record in sorted(run["targets"].items())]


def all_crashes(run):
    return [crashes.Crash(**c)
            for _, record in sorted(run["targets"].items())
            for c in record["crashes"]]


def text(run, earlier):
    parts = [f"ci/fuzz {run['started']}, seed {run['seed']}, "
             f"{run['jobs']} jobs", "", verdict(run)]
    parts += troubles(run)
    parts += ["", table(run), "", "New against the last run:"]
    parts += [f"  {name}: {said}" for name, said in compared(run, earlier)]
    for crash in all_crashes(run):
        parts += ["", crashes.block(crash)]
    return "\n".join(parts) + "\n"


def html_table(run):
    head = "".join(f"<th>{html.escape(c)}</th>" for c in COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row(*item))
        + "</tr>" for item in sorted(run["targets"].items()))
    return f"<table><tr>{head}</tr>{body}</table>"


def html_target(name, record, samples):
    from . import plots     # loads matplotlib: a second, only when needed
    parts = [f"<h2>{html.escape(name)}</h2>"]
    if samples:
        parts.append(plots.svg(samples))
    parts.append(
        f"<p>No new edge for {duration(record['dry_edges'])} of fuzzing and "
        f"no new feature for {duration(record['dry_features'])}, earlier "
        f"runs of the same binary included.</p>")
    seeds = ", ".join(str(seed) for seed in record["seeds"])
    parts.append(f"<p>First -seed= of each worker: {html.escape(seeds)}</p>")
    return parts


def page(run, earlier, history):
    bad = any(c.status in ("new", "known") for c in all_crashes(run))
    bad = bad or troubles(run)
    parts = [
        "<h1>Fuzzing report</h1>",
        f"<p>{html.escape(run['started'])}, seed {run['seed']}, "
        f"{run['jobs']} jobs, {html.escape(run['machine'])}</p>",
        f"<p class=\"{'bad' if bad else 'good'}\">"
        f"{html.escape(verdict(run))}</p>"]
    parts += [f'<p class="bad">{html.escape(s)}</p>' for s in troubles(run)]
    parts += [html_table(run), "<h2>New against the last run</h2>", "<ul>"]
    parts += [f"<li>{html.escape(name)}: {html.escape(said)}</li>"
              for name, said in compared(run, earlier)]
    parts.append("</ul>")
    if all_crashes(run):
        parts.append("<h2>Crashes</h2>")
        parts += [f"<pre>{html.escape(crashes.block(crash))}</pre>"
                  for crash in all_crashes(run)]
    for name, record in sorted(run["targets"].items()):
        parts += html_target(name, record, history.get(name, []))
    return PAGE.format(title=html.escape(f"Fuzzing {run['started']}"),
                       body="\n".join(parts))


def write(run_dir, earlier):
    """Writes report.txt and report.html; returns their paths."""
    run = results.read_run(run_dir)
    paths = [os.path.join(run_dir, "report." + ext) for ext in ("txt", "html")]
    write_atomic(paths[0], text(run, earlier))
    write_atomic(paths[1], page(run, earlier, results.read_history(run_dir)))
    return paths
