# SPDX-License-Identifier: MIT
"""The report as one HTML file that needs nothing else: no script, no network.

What it shows comes from files that anybody may have written, so every word
goes through html.escape(), and the page says itself that it runs nothing.
"""

import html
import os

from . import charts, covered, crashes, results
from .words import count, duration, number

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%s</title>
<style>
%s</style>
</head>
<body>
%s
</body>
</html>
"""


def style():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "page.css")
    with open(path, encoding="ascii") as file:
        return file.read()


def tag(name, text, cls=None):
    said = f' class="{cls}"' if cls else ""
    return f"<{name}{said}>{html.escape(text)}</{name}>"


def _table(columns, rows):
    """On a phone each row is a block, with the column's name in each line."""
    above, alone = columns
    head = "".join(tag("th", c) for c in above)
    body = []
    for first, *cells in rows:
        body.append(f"<tr>{tag('th', first)}" + "".join(
            f'<td data-name="{html.escape(name)}">{html.escape(cell)}</td>'
            for name, cell in zip(alone[1:], cells)) + "</tr>")
    return (f"<table><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(body)}</tbody></table>")


def _crashes(found):
    if not found:
        return []
    parts = [tag("h2", "Crashes"), tag("p", crashes.HOW_TO_REPLAY, "dim")]
    for crash in found:
        cls = "bad" if crash.status in crashes.THERE else "good"
        parts += [tag("h3", crash.title, cls),
                  tag("pre", crashes.block(crash))]
    return parts


def _gain(record):
    """What this run added to a target, in a sentence."""
    if not record["execs"]:
        return "It was not run."
    if not record["new_cov"] and not record["new_ft"]:
        return ("Nothing new in this run; no new edge for "
                f"{duration(record['dry_edges'])} of its fuzzing, earlier "
                "runs of the same binary included.")
    return (f"{count(record['new_cov'], 'new edge')} and "
            f"{count(record['new_ft'], 'new feature')} in this run, "
            f"{count(record['new_inputs'], 'new input')}. The last new edge "
            f"was {duration(record['dry_edges'])} of its fuzzing ago, the "
            f"last new feature {duration(record['dry_features'])}.")


def _target(name, record, samples):
    parts = [tag("h2", name), tag("p", _gain(record))]
    drawn = charts.drawings(samples, record["new_cov"], record["new_ft"])
    if drawn:
        parts.append(f'<div class="charts">{"".join(drawn)}</div>')
    if any(not sample.get("runs", True) for sample in samples):
        parts.append(tag("p", "Shaded: other targets had their turn.", "dim"))
    seeds = ", ".join(str(seed) for seed in record["seeds"])
    parts.append(tag("p", f"First -seed= of each worker: {seeds}", "dim"))
    return parts


def page(run, columns, rows, said, history):
    """@said: {what: sentences} of report.py."""
    parts = [tag("h1", "Fuzzing report"),
             tag("p", f"{run['started']}, seed {run['seed']}, "
                 f"{count(run['jobs'], 'job')}, {run['machine']}", "dim"),
             tag("p", said["verdict"], "bad" if said["bad"] else "good")]
    parts += [tag("p", sentence, "bad") for sentence in said["troubles"]]
    parts += [_table(columns, rows), tag("h2", "New against the last run"),
              "<ul>"]
    parts += [tag("li", f"{name}: {words}") for name, words in said["news"]]
    parts.append("</ul>")
    parts += _crashes(results.crashes_of(run))
    parts += covered.section(said.get("gaps"))
    for name, record in sorted(run["targets"].items()):
        parts += _target(name, record, history.get(name, []))
    return HEAD % (html.escape(f"Fuzzing {run['started']}"), style(),
                   "\n".join(parts))


def of_edges(record):
    """'577 of 2,588'"""
    edges = number(record["cov"])
    if record["edges"]:
        edges += f" of {number(record['edges'])}"
    return edges
