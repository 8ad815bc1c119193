# SPDX-License-Identifier: MIT
"""Coverage as HTML: one page of all files, and one for each file's lines.

Each page needs nothing else, not even the others.
"""

import html

from ci.lib.coverage import lanes

STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1a1a1a; --line: #ddd;
  --some: #d8f0d8; --none: #fbd5d5; --part: #fbeec2; --link: #0645ad; }
@media (prefers-color-scheme: dark) {
  :root { --back: #16181c; --text: #e4e4e4; --line: #3a3d44; --some: #1e3d26;
    --none: #5a2323; --part: #453a12; --link: #8ab4f8; } }
body { background: var(--back); color: var(--text); margin: 1rem auto;
  max-width: 72rem; padding: 0 .6rem; font: 15px/1.45 system-ui, sans-serif }
a { color: var(--link) }
h1 { font-size: 1.25rem; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse }
th, td { padding: .1rem .5rem; text-align: right; white-space: nowrap }
th { border-bottom: 1px solid var(--line) }
tr > :first-child { text-align: left }
td.gap, .none { background: var(--none) }
.some { background: var(--some) }
.part { background: var(--part) }
tr.all td { border-top: 1px solid var(--line); font-weight: 600 }
.source { font: 13px/1.35 ui-monospace, monospace }
.source td { padding: 0 .4rem }
.source td:last-child { text-align: left; white-space: pre; tab-size: 8 }
.source tr:target { outline: 2px solid var(--link) }
"""


# What is added up: the core itself, and with the ports that tests run on.
FOLDERS = {"core": ("core/boot/", "core/lib/"), "all": ""}


def page(title, body):
    """A whole page."""
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8>\n"
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src '
        "'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"<h1>{html.escape(title)}</h1>\n{body}</html>\n"
    )


def file_name(source):
    """The page of a source file."""
    return source.replace("/", ".") + ".html"


def percent(hit, every):
    """As text; 100 only if nothing is left."""
    if not every:
        return "-"
    tenths = 1000 * hit // every
    return f"{tenths // 10}.{tenths % 10} %"


def _cell(hit, every):
    gap = " class=gap" if hit < every else ""
    return f'<td{gap} title="{hit} of {every}">{percent(hit, every)}</td>'


def _row(first, shares, kind=""):
    cells = "".join(_cell(*share) for share in shares)
    return f"<tr{kind}><td>{first}</td>{cells}</tr>\n"


def index(found, note):
    """All files, one row each."""
    order = [(lane, kind) for lane in found for kind in lanes.KINDS]
    heads = "".join(f"<th colspan={len(lanes.KINDS)}>{html.escape(lane)}</th>"
                    for lane in found)
    kinds = "".join(f"<th>{kind}</th>" for _, kind in order)
    rows = [
        _row(f'<a href="{html.escape(file_name(name))}">{html.escape(name)}</a>',
             [lanes.share(found[lane][name], kind) for lane, kind in order])
        for name in next(iter(found.values()))
    ]
    rows += [
        _row(title, [lanes.total(found[lane], kind, folder)
                     for lane, kind in order], " class=all")
        for title, folder in FOLDERS.items()
    ]
    return page(
        "Coverage of the core",
        f"<p>{html.escape(note)}</p>\n<div class=wide><table>\n"
        f"<tr><th></th>{heads}</tr>\n<tr><th>file</th>{kinds}</tr>\n"
        f"{''.join(rows)}</table></div>\n")


def _count(times, taken):
    if times is None:
        return "<td></td>"
    kind = "none" if not times else "part" if 0 in taken else "some"
    hint = ""
    if taken:
        ways = sum(n > 0 for n in taken)
        hint = f' title="{ways} of {len(taken)} branches"'
    mark = "" if not taken or 0 not in taken or not times else " \N{WARNING SIGN}"
    return f"<td class={kind}{hint}>{times}{mark}</td>"


def source(name, text, found):
    """One file's lines, with how often each lane reached each."""
    times = {lane: lanes.lines(counts[name]) for lane, counts in found.items()}
    taken = {lane: lanes.branches(counts[name]) for lane, counts in found.items()}
    heads = "".join(f"<th>{html.escape(lane)}</th>" for lane in found)
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = "".join(
            _count(times[lane].get(number), taken[lane].get(number, []))
            for lane in found)
        rows.append(f'<tr id=L{number}><td>{number}</td>{cells}'
                    f"<td>{html.escape(line)}</td></tr>\n")
    gaps = "".join(
        f"<p>{html.escape(lane)}: {_links(lanes.uncovered(counts[name]))}</p>\n"
        for lane, counts in found.items())
    return page(name, (
        '<p><a href="index.html">all files</a>. Red: not reached. Yellow, '
        "\N{WARNING SIGN}: some branch never taken.</p>\n"
        f"{gaps}<div class=wide><table class=source>\n"
        f"<tr><th></th>{heads}<th></th></tr>\n{''.join(rows)}</table></div>\n"))


def _links(numbers):
    if not numbers:
        return "every line is reached"
    return "not reached: " + ", ".join(
        f'<a href="#L{number}">{number}</a>' for number in numbers)
