# SPDX-License-Identifier: MIT
"""crash.json, which says of a kind of crash what its input cannot.

The directory may come from anybody: a cache of CI, a mail. So nothing in the
file is a path or a command; what it lacks, or says in a wrong form, is left
out, and the crash itself is tried all the same.
"""

import json
import os
import re

import corpus_dir

from .fuzzer import as_lines, is_input
from .place import write_atomic
from .signature import LONGEST
from .words import one_line

_NAME = re.compile(r"[\w+=-][\w.+=-]{0,99}\Z", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z", re.ASCII)
MANY = 1 << 63

# Any of them makes the crash; the first that is there is run.
INPUTS = ("crash.bin", "original.bin", "crash.hmt", "crash.txt")


def is_name(name):
    """May a directory with a crash be called so?"""
    return bool(_NAME.match(name))


def _number(value):
    ours = isinstance(value, int) and not isinstance(value, bool)
    return value if ours and 0 <= value < MANY else None


def write(directory, crash):
    """What read() reads."""
    write_atomic(os.path.join(directory, "crash.json"), json.dumps({
        "title": crash.title, "found": crash.found, "seed": crash.seed,
        "reproduces": crash.reproduces,
        "original_bytes": crash.original_bytes}, indent=1) + "\n")


def read(directory):
    """(what crash.json says, what is wrong with it or None)."""
    path, said, wrong = os.path.join(directory, "crash.json"), {}, None
    try:
        said = json.loads(corpus_dir.read_file(path))
        if not isinstance(said, dict):
            said, wrong = {}, "it is no JSON object"
    except OSError as error:
        wrong = error.strerror
    except (ValueError, RecursionError):
        wrong = "it is no JSON"
    title, found = said.get("title"), said.get("found")
    if not wrong and not isinstance(title, str):
        wrong = "it names no crash"
    return {
        "title": (one_line(title, LONGEST) if isinstance(title, str)
                  else "a crash without a word"),
        "found": (found if isinstance(found, str) and _TIME.match(found)
                  else "nobody knows when"),
        "seed": _number(said.get("seed")),
        "reproduces": said.get("reproduces") is not False,
        "original_bytes": _number(said.get("original_bytes")),
    }, wrong


def input_of(directory):
    """The file there to be run; None if there is none."""
    for name in INPUTS:
        path = os.path.join(directory, name)
        if is_input(path):
            return path
    return None


def program_of(directory):
    """What a reader is shown of the input; None if it has no text."""
    for name in ("crash.txt", "crash.hmt"):
        path = os.path.join(directory, name)
        if is_input(path):
            return as_lines(corpus_dir.read(path).decode("utf-8", "replace"))
    return None
