# SPDX-License-Identifier: MIT
"""ci/lint's check that commands_test knows every command."""

import re
from pathlib import Path

COMMANDS = Path("ci/lib/command/commands.bzl")

_MAIN = {
    ".c": re.compile(r"^int main\(", re.M),
    ".cc": re.compile(r"^int main\(", re.M),
    ".py": re.compile(r'^if __name__ == "__main__":', re.M),
    ".sh": re.compile(r"\A#!"),
    "": re.compile(r"\A#!"),
}


def has_main(path):
    """Can it be called? Tests are Bazel's to call."""
    if path.stem.endswith("_test") or path.suffix not in _MAIN:
        return False
    return bool(_MAIN[path.suffix].search(path.read_text(errors="replace")))


def complaints(paths, text):
    """Files with a main() that `text`, commands.bzl, does not name, or too many."""
    lists = {}
    exec(text, lists)  # a .bzl of two dictionaries is Python  pylint: disable=W0122
    named = {*lists["COMMANDS"], *lists["OTHERS"]}
    found = {str(path) for path in paths if has_main(path)}
    return [f"{name}: is it a command? Put it into {COMMANDS}"
            for name in sorted(found - named)] + [
                f"{COMMANDS}: {name} has no main()"
                for name in sorted(named - found)]


def check(paths):
    """Complaints about these files."""
    return complaints(paths, COMMANDS.read_text(encoding="utf-8"))
