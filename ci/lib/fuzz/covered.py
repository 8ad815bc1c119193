# SPDX-License-Identifier: MIT
"""Lines of the core that no input has reached, if ci/coverage has been here.

`ci/coverage --corpus OUT` leaves OUT/coverage; a report is in OUT/runs/X. Anybody
may have written these files: what is not a name and a number is left out.
"""

import html
import json
import os
import re

LANE = "corpus"
CORE = re.compile(r"core/(?:boot|lib)/[\w-]+\.[ch]\Z")
LARGEST = 8 << 20
HERE = "../../coverage/"


def _words(path):
    try:
        if os.path.getsize(path) > LARGEST:
            return {}
        with open(path, encoding="utf-8") as file:
            words = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    files = words.get("files") if isinstance(words, dict) else None
    return files if isinstance(files, dict) else {}


def _lines(lanes):
    lane = lanes.get(LANE) if isinstance(lanes, dict) else None
    lines = lane.get("uncovered") if isinstance(lane, dict) else None
    return [n for n in lines if type(n) is int and 0 < n < 1000000] \
        if isinstance(lines, list) else []


def gaps(run_dir):
    """None without coverage; else {file of the core: [line, ...]}."""
    home = os.path.join(run_dir, HERE)
    if not os.path.isfile(os.path.join(home, "index.html")):
        return None
    found = {name: _lines(lanes)
             for name, lanes in _words(os.path.join(home, "coverage.json")).items()
             if CORE.match(name)}
    return {name: lines for name, lines in sorted(found.items()) if lines}


def section(found):
    """Pieces of the page."""
    if found is None:
        return []
    parts = ["<h2>Lines of the core that no input reached</h2>",
             f'<p>When <a href="{HERE}index.html">ci/coverage --corpus</a> '
             "last looked.</p>"]
    for name, lines in found.items():
        page = HERE + name.replace("/", ".") + ".html"
        links = ", ".join(f'<a href="{page}#L{n}">{n}</a>' for n in lines)
        parts.append(f"<p>{html.escape(name)}: {links}</p>")
    return parts
