# SPDX-License-Identifier: MIT
"""The report of a run, as text and as one HTML file that needs nothing else.

Made only from what results.py reads, so a run that was killed has one too.
"""

import os

from . import covered, crashes, page, results
from .place import write_atomic
from .words import count, duration, number

COLUMNS = ("target", "executions", "exec/s", "edges", "new", "features", "new",
           "inputs", "no new edge for", "crashes")
ALONE = tuple({4: "new edges", 6: "new features"}.get(at, name)
              for at, name in enumerate(COLUMNS))   # not under a heading
SHOWN = 20      # kinds of crash that the screen ends with


def row(name, record):
    found = [c for c in record["crashes"] if c["status"] in crashes.THERE]
    return (name, number(record["execs"]), number(record["rate"]),
            page.of_edges(record), f"+{number(record['new_cov'])}",
            number(record["ft"]), f"+{number(record['new_ft'])}",
            number(record["inputs"]), duration(record["dry_edges"]),
            str(len(found)))


def rows(run):
    return [row(*item) for item in sorted(run["targets"].items())]


def table(run):
    """The columns of every target, aligned."""
    lines = [COLUMNS] + rows(run)
    widths = [max(len(r[i]) for r in lines) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(r, widths))).rstrip()
        for r in lines)


def verdict(run):
    """One sentence: how the run ended and what it found."""
    ends = {
        "done": f"Ran {duration(run['elapsed'])}",
        "interrupted": f"Interrupted after {duration(run['elapsed'])}",
        "stopped": f"Stopped after {duration(run['elapsed'])}",
        "running": f"Killed or still at work; last heard of after "
                   f"{duration(run['elapsed'])}",
    }
    kinds = len(crashes.kinds(results.crashes_of(run)))
    found = "no crash" if not kinds else count(kinds, "kind of crash",
                                               "kinds of crash")
    return f"{ends[run['status']]}: {found}."


def _seen(crash):
    if not crash.count:
        return f"{crash.target} ({crash.status})"
    times = "once" if crash.count == 1 else f"{crash.count} times"
    return f"{crash.target} ({crash.status}, seen {times})"


def _trouble_to_replay(crash):
    """Programs before bytes; those that do it alone first."""
    return not crash.reproduces, crash.replays != "crash.hmt"


def summary(run, out):
    """What a long run ends with: each crash's sentence and its replay line."""
    kinds = crashes.kinds(results.crashes_of(run))
    lines = []
    for same in kinds[:SHOWN]:
        lines += [f"CRASH: {same[0].title}",
                  "  " + ", ".join(sorted({_seen(crash) for crash in same})),
                  crashes.replay_line(min(same, key=_trouble_to_replay),
                                      out)]
    if len(kinds) > SHOWN:
        lines.append(f"and {len(kinds) - SHOWN} more, in the report")
    return "\n".join(lines)


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


def text(run, earlier):
    parts = [f"ci/fuzz {run['started']}, seed {run['seed']}, "
             f"{count(run['jobs'], 'job')}", "", verdict(run)]
    parts += troubles(run)
    parts += ["", table(run), "", "New against the last run:"]
    parts += [f"  {name}: {said}" for name, said in compared(run, earlier)]
    found = results.crashes_of(run)
    if found:
        parts += ["", crashes.HOW_TO_REPLAY]
    for crash in found:
        parts += ["", crashes.block(crash)]
    return "\n".join(parts) + "\n"


def html(run, earlier, history, gaps=None):
    wrong = troubles(run)
    said = {"verdict": verdict(run), "troubles": wrong,
            "news": compared(run, earlier), "gaps": gaps,
            "bad": wrong or crashes.kinds(results.crashes_of(run))}
    return page.page(run, (COLUMNS, ALONE), rows(run), said, history)


def write(run_dir, earlier):
    """Writes report.txt and report.html; returns their paths."""
    run = results.read_run(run_dir)
    paths = [os.path.join(run_dir, "report." + ext) for ext in ("txt", "html")]
    write_atomic(paths[0], text(run, earlier))
    write_atomic(paths[1], html(run, earlier, results.read_history(run_dir),
                                covered.gaps(run_dir)))
    return paths
