# SPDX-License-Identifier: MIT
"""google-benchmark's JSON, and how to run a binary that writes it."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "../ci/lib"))
from command import Parser, number, seconds  # noqa: E402, F401

# What google-benchmark hangs on to the name that we gave.
_SUFFIX = re.compile(r"/(iterations:\d+|repeats:\d+|manual_time)(?=/|$)")


class Problem(Exception):
    """One sentence for the user."""


@dataclass
class Row:
    """One benchmark: a sample for each repetition."""

    times: list = field(default_factory=list)  # ns per operation
    iterations: list = field(default_factory=list)
    counters: dict = field(default_factory=dict)  # of the last repetition

    def time(self):
        """The median, in ns per operation."""
        return median(self.times)


_UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}

# Keys of a benchmark in the JSON that are not counters.
_NOT_COUNTERS = {
    "cpu_time",
    "family_index",
    "iterations",
    "per_family_instance_index",
    "real_time",
    "repetition_index",
    "repetitions",
    "threads",
}


def plain_name(name):
    """The name of a benchmark as bench/*.c has it."""
    return _SUFFIX.sub("", name)


def _counters(entry):
    return {
        key: value
        for key, value in entry.items()
        if key not in _NOT_COUNTERS and isinstance(value, (int, float))
    }


def parse(text, where):
    """{name: Row} of a JSON text; @where names it in a Problem."""
    try:
        entries = json.loads(text)["benchmarks"]
        rows = {}
        for entry in entries:
            name = plain_name(entry["run_name"])
            if entry["run_type"] != "iteration":
                continue
            row = rows.setdefault(name, Row())
            row.times.append(entry["real_time"] * _UNITS[entry["time_unit"]])
            row.iterations.append(entry["iterations"])
            row.counters = _counters(entry)
    except (ValueError, LookupError, TypeError) as error:
        raise Problem(
            f"{where}: not what google-benchmark writes with "
            f"--benchmark_out ({type(error).__name__}: {error})"
        ) from error
    if not rows:
        raise Problem(f"{where}: holds no run of any benchmark")
    return rows


def load(path):
    """{name: Row} of a file."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read(), path)
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: cannot be read: {error}") from error


def execute(command):
    """The standard output of a benchmark binary, or a tool around it."""
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Problem(f"{command[0]}: cannot be run: {error}") from error
    if run.returncode:
        said = (run.stderr.strip() or "it said nothing").splitlines()[-1]
        raise Problem(f"{command[0]}: exit status {run.returncode}: {said}")
    return run.stdout


def program(path):
    """A path that is run as it is, not looked for in $PATH."""
    return os.path.abspath(path)


def names(binary, pattern="."):
    """The names of the benchmarks in @binary that match @pattern."""
    listed = execute(
        [
            program(binary),
            "--benchmark_list_tests",
            f"--benchmark_filter={pattern}",
        ]
    )
    return [plain_name(line) for line in listed.splitlines()]


def run(binary, *flags):
    """{name: Row} of one run of @binary."""
    text = execute([program(binary), "--benchmark_format=json", *flags])
    return parse(text, binary)
