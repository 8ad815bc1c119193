# SPDX-License-Identifier: MIT
"""What docs/oracle.md names must be there: functions, tests and mutants."""

import re
from pathlib import Path

TABLE = Path("docs/oracle.md")
FOLDERS = [Path("core"), Path("stress")]
MUTANTS = Path("stress/mutate/mutants")

_TEST = re.compile(r"^Test\((\w+),\s*(\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"^\w[\w *]*?\**(\w+)\(", re.MULTILINE)


def _known():
    """Names as the table writes them."""
    names = {p.stem for p in MUTANTS.glob("*.patch")}
    for path in (p for folder in FOLDERS for p in folder.rglob("*.[ch]")):
        text = path.read_text()
        names |= {f"{suite}::{case}" for suite, case in _TEST.findall(text)}
        names |= {f"{function}()" for function in _FUNCTION.findall(text)}
    return names


def check():
    """docs/oracle.md names only what there is."""
    known = _known()
    return [
        f"{TABLE}:{number}: there is no {name}"
        for number, line in enumerate(TABLE.read_text().splitlines(), 1)
        if line.startswith("|")
        for name in re.findall(r"`([^`]+)`", line)
        if name not in known
    ]
