# SPDX-License-Identifier: MIT
"""The matrix as one HTML file that needs nothing else.

What the techniques said comes from programs that a mutant has broken, so
every word goes through html.escape().
"""

import html

from matrix_cells import HEALTHY

_STYLE = """
:root {
  color-scheme: light dark;
  --bg: #ffffff; --ink: #1d2430; --dim: #59626f; --line: #d9dee6;
  --good: #d3f0db; --some: #fbeebc; --bad: #fbd5da; --alarm: #b00020;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #14181f; --ink: #e6e9ef; --dim: #a3acb9; --line: #39424f;
    --good: #1d4a2e; --some: #4d4213; --bad: #6b1f2b; --alarm: #ff8592;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90em; padding: 1em; background: var(--bg);
  color: var(--ink); font: 14px/1.45 system-ui, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.4em; margin: .2em 0; } p { max-width: 60em; }
.alarm { color: var(--alarm); font-weight: 600; } .dim { color: var(--dim); }
.key { padding: 0 .5em; }
table { border-collapse: collapse; margin: 1em 0; width: 100%; }
th, td { border: 1px solid var(--line); padding: .15em .5em; text-align: center;
  overflow-wrap: normal; }
td.says { text-align: left; color: var(--dim); font-size: 12px; overflow-wrap: anywhere; }
tbody th { text-align: left; font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
.good { background: var(--good); } .some { background: var(--some); }
.bad { background: var(--bad); } .none { color: var(--dim); }
@media (max-width: 60em) {
  thead { display: none; }
  tr { display: block; padding: .5em 0; border-bottom: 1px solid var(--line); }
  tbody th { display: block; border: 0; padding: .15em .3em; font-size: 13px; }
  td { display: inline-block; margin: .1em .1em 0 0; }
  td::before { content: attr(data-name) " "; }
  td.unrun { display: none; }
  td.says { display: block; border: 0; } td.says::before { content: none; }
}
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Kill matrix</title>
<style>%s</style>
</head>
<body>
<h1>Kill matrix</h1>
%s
</body>
</html>
"""

_CLASSES = {"killed": "good", "some": "some", "survived": "none",
            "none": "none unrun"}


def _tag(name, text, cls=""):
    said = f' class="{cls}"' if cls else ""
    return f"<{name}{said}>{html.escape(text)}</{name}>"


def _cell(technique, square, healthy):
    """The healthy core is to be left alone: what kills it is at fault."""
    cls, text = _CLASSES[square.kind()], square.text()
    if healthy and square.records:
        cls = "bad" if square.killed() else "good"
        text = text if square.killed() else "lives"
    elif text == "-":
        text = "\u2013"
    return (f'<td class="{cls}" data-name="{html.escape(technique)}" '
            f'title="{html.escape(square.says())}">{html.escape(text)}</td>')


def _first_words(squares):
    """What the quickest technique said."""
    killers = [square for square in squares if square.killed()]
    return min(killers, key=lambda s: s.median()).says() if killers else ""


def _row(table, mutant, squares):
    healthy = mutant == HEALTHY
    fault = bool(table.killers(mutant)) == healthy
    name = _tag("th", mutant, "bad" if fault else "good" if healthy else "")
    cells = "".join(_cell(technique, square, healthy)
                    for technique, square in zip(table.techniques, squares))
    return f"<tr>{name}{cells}{_tag('td', _first_words(squares), 'says')}</tr>"


def page(table):
    """@table: matrix_report.Table."""
    head = "".join(_tag("th", name) for name in (
        "mutant", *table.techniques, "what the quickest said"))
    rows = "".join(_row(table, *row) for row in table.rows())
    sentences = [_tag("p", said, "alarm" if "SURVIVES" in said
                      or "KILLS" in said else "")
                 for said in table.sentences()]
    key = " ".join(_tag("span", text, f"key {cls}") for text, cls in (
        ("killed", "good"), ("killed with some seeds", "some"),
        ("\u2013 not found by this technique", "none"),
        ("found by none, or the healthy core killed", "bad")))
    return _PAGE % (_STYLE, "\n".join(
        [_tag("p", table.legend(), "dim"), f"<p>{key}</p>", *sentences,
         f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
         "</table>"]))
