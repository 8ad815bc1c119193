# SPDX-License-Identifier: MIT
"""What libFuzzer prints, and the artifacts it writes."""

import os
import re
from typing import NamedTuple, Optional

EXIT_CRASH = 77
EXIT_TIMEOUT = 70
EXIT_OOM = 71
EXIT_INTERRUPTED = 72

# #1345  NEW    cov: 5 ft: 5 corp: 4/8b lim: 14 exec/s: 0 rss: 32Mb L: 4/4 ...
_EVENT = re.compile(r"#(\d+)\s+([A-Za-z]+)\s")
_FIELD = re.compile(r"\b(cov|ft|corp|exec/s): (\d+)")
_EDGES = re.compile(r"INFO: Loaded \d+ modules\s+\((\d+) inline 8-bit counters")
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_ARTIFACT = re.compile(r"(?:crash|leak|timeout|oom)-[0-9a-f]{40}\Z")
_PROGRAM = re.compile(r"program-0x[0-9a-f]+\.hmt\Z")


class Status(NamedTuple):
    """One status line. cov counts edges, ft features, both of the corpus."""
    execs: int
    event: str
    cov: int
    ft: int
    corpus: int


def parse_status(line) -> Optional[Status]:
    event = _EVENT.match(line)
    if not event:
        return None
    fields = {key: int(value) for key, value in _FIELD.findall(line)}
    if "exec/s" not in fields:
        return None
    return Status(int(event[1]), event[2], fields.get("cov", 0),
                  fields.get("ft", 0), fields.get("corp", 0))


def parse_edges(line) -> Optional[int]:
    """How many edges were instrumented, from the line that says so."""
    match = _EDGES.match(line)
    return int(match[1]) if match else None


def parse_executed(line) -> Optional[int]:
    """The exact count that -print_final_stats=1 ends with."""
    match = _EXECUTED.match(line)
    return int(match[1]) if match else None


def is_artifact(name):
    return bool(_ARTIFACT.match(name))


def artifacts(directory):
    """The inputs that were left there.

    In an empty crash libFuzzer did not know what ran: the mutator ran a program
    of its own. The target itself (fuzz/fuzz_crash.c) left that as a text.
    """
    names = sorted(os.listdir(directory))
    found = [os.path.join(directory, name) for name in names
             if is_artifact(name)]
    programs = [os.path.join(directory, name) for name in names
                if _PROGRAM.match(name)]
    return [programs.pop() if programs and os.path.getsize(path) == 0
            else path for path in found]
