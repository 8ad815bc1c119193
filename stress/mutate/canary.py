#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs one lane on a core with a deliberate bug: it has to go red.

Red means: within the limit PROGRAM says the sentence that belongs to this
bug, and then ends with one of the statuses that the lane has for a finding. A
lane that cannot start, or fails over something else, proves nothing.

In ARG, {scratch} stands for a directory that is removed at the end.

exit status:
  0   the lane goes red, for the right reason
  77  the lane stays green, or goes red for another reason
  1   wrong usage, or the lane did not run
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the tree may be read-only
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../ci/lib"))
from command import Parser, seconds, wrong  # noqa: E402

RED, FAILED, UNUSABLE = 0, 77, 1

TAIL_LINES = 30

# Limits that a lane may take after its finding, for the cases that are left.
END_LIMITS = 3

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def regex(text):
    try:
        return re.compile(text)
    except re.error as error:
        raise wrong(f"a regular expression ({error})", text) from None


def statuses(text):
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise wrong("statuses such as 77 or 70,77", text)
    return [int(status) for status in text.split(",")]


def parse_arguments(argv):
    parser = Parser("canary", __doc__)
    parser.add_argument("--mutant", required=True, metavar="NAME")
    parser.add_argument("--lane", required=True, metavar="NAME")
    parser.add_argument(
        "--patch", metavar="FILE", help="the mutant's; its header is shown"
    )
    parser.add_argument(
        "--red",
        required=True,
        type=statuses,
        metavar="STATUS,...",
        help="exit statuses of PROGRAM that mean: a bug was found",
    )
    parser.add_argument(
        "--says",
        required=True,
        type=regex,
        metavar="REGEX",
        help="what a line of its output says about this bug",
    )
    parser.add_argument(
        "--limit",
        type=seconds,
        default=10.0,
        metavar="TIME",
        help="for the finding (default: 10s)",
    )
    parser.add_argument(
        "--healthy",
        action="store_true",
        help="there is no bug: this passes if the lane is seen to stay green",
    )
    parser.add_argument("program", metavar="PROGRAM")
    parser.add_argument("args", nargs=argparse.REMAINDER, metavar="ARG")
    return parser.parse_args(argv)


class Unusable(Exception):
    """The canary cannot be judged; the sentence says why."""


# ---- The patch -------------------------------------------------------------


def read_header(patch):
    """The comment on top of a patch, less the licence line."""
    lines = Path(patch).read_text(encoding="utf-8").splitlines()
    header = []
    for line in lines:
        if not line.startswith("#"):
            break
        header.append(line[1:].strip())
    return header[1:]


def check_header(patch, lane):
    """The header and the table of lanes must tell the same story."""
    header = read_header(patch)
    killers = " ".join(header).partition("Killed by:")[2]
    if lane not in re.findall(r"\w+", killers):
        raise Unusable(f"the header of {patch} has no 'Killed by: {lane}'")
    return header


# ---- The lane --------------------------------------------------------------


class Run:
    """One run of the lane's program, as far as it has come."""

    def __init__(self, says):
        self.says = says
        self.lines = []
        self.begun = ""  # a line that goes on
        self.finding = None  # the line that says it
        self.found = 0.0  # when, in seconds from the start
        self.took = 0.0  # until the end
        self.status = None  # None: it had to be stopped

    def read(self, output):
        """Takes in what was printed since the last time."""
        *lines, self.begun = (self.begun + output.read()).split("\n")
        for line in lines:
            self._take(line)

    def end(self, output):
        self.read(output)
        self._take(self.begun)

    def _take(self, line):
        line = _ANSI.sub("", line).rstrip()
        self.lines.append(line)
        if self.finding is None and self.says.search(line):
            self.finding = line.strip()


def stop(process):
    """Ends the program, not yet waited for, and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def watch(run, process, output, limit):
    """Until the program ends, or is late with its finding or its end."""
    start = time.monotonic()
    while run.status is None:
        run.status = process.poll()
        run.read(output)
        run.took = time.monotonic() - start
        if run.finding is None:
            run.found = run.took
            if run.took > limit:
                return
        if run.took > limit + END_LIMITS * limit:
            return
        time.sleep(0.02)


def run_lane(command, says, limit):
    run = Run(says)
    with tempfile.NamedTemporaryFile() as file:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise Unusable(f"cannot run {command[0]}: {error.strerror}")
        with open(file.name, encoding="utf-8", errors="replace") as output:
            try:
                watch(run, process, output, limit)
            finally:
                if run.status is None:
                    stop(process)
                run.end(output)
    return run


# ---- The verdict -----------------------------------------------------------


def name_of_status(status):
    if status < 0:
        return f"signal {-status}"
    return f"exit status {status}"


def judge(options, run):
    """(exit status, sentence)."""
    name = f"lane {options.lane} %s on {options.mutant}: "
    green, red = name % "stays green", name % "goes red"
    if run.status is None and run.finding is None:
        return FAILED, f"{green}nothing was found in {run.took:.1f} s"
    if run.status is None:
        return FAILED, f"{red}but does not end: {run.finding}"
    ending = f"{name_of_status(run.status)} after {run.took:.1f} s"
    if run.status == 0:
        return FAILED, green + ending
    if run.status not in options.red:
        wanted = " or ".join(map(str, options.red))
        return UNUSABLE, (
            f"{name % 'gives no verdict'}{ending}, "
            f"where a finding has {wanted}"
        )
    if run.finding is None:
        return FAILED, (
            f"{name % 'goes red for another reason'}{ending}, "
            f"and no line says '{options.says.pattern}'"
        )
    return RED, f"{red}{run.found:.1f} s: {run.finding}"


def report(options, run, verdict, sentence):
    if verdict != RED:
        print(f"the end of what {options.program} printed:")
        for line in run.lines[-TAIL_LINES:]:
            print(f"    {line}")
    print(f"canary: {sentence}")


def canary(options):
    if options.patch:
        for line in check_header(options.patch, options.lane):
            print(f"# {line}".rstrip(), flush=True)
    with tempfile.TemporaryDirectory(prefix="canary.") as scratch:
        args = [arg.replace("{scratch}", scratch) for arg in options.args]
        command = [os.path.abspath(options.program), *args]
        run = run_lane(command, options.says, options.limit)
    verdict, sentence = judge(options, run)
    report(options, run, verdict, sentence)
    if options.healthy:
        return RED if verdict == FAILED and " stays green on " in sentence \
            else FAILED
    return verdict


def main():
    options = parse_arguments(sys.argv[1:])
    try:
        verdict = canary(options)
    except (Unusable, OSError) as error:
        print(f"canary: {error}", file=sys.stderr)
        verdict = UNUSABLE
    passed = int(verdict == RED)
    print(f"cases: {passed} passed, {1 - passed} failed")
    return verdict


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("canary: interrupted, nothing is known", file=sys.stderr)
        sys.exit(130)
