#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of one operation, exactly, with callgrind.

Wall time needs many runs and still wavers; an instruction count does not. Each
benchmark runs under valgrind with N operations, with 2N, and with N again,
and only what happens inside of the functions timed_* is counted. The
difference of the first two, divided by N, is the answer; if first and last are
not equal, the count is marked with `~`: it is not exact. With a second binary
both are counted and their ratio is printed.

Benchmarks with several tasks are left out: how long they spin is up to the
host's scheduler.

Exit status: 0 counted, 1 not.
"""

import os
import re
import shutil
import sys
import tempfile

import gbench

# How callgrind ends its file: the sum over everything that was counted.
_TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)

_SEVERAL_TASKS = re.compile(r"/tasks:\d+")
_IDLE = re.compile(r"/idle:(\d+)")

MIN_OPERATIONS = 4

OBJCOPY = "/usr/lib/llvm-19/bin/llvm-objcopy"


def totals(text):
    """Instructions in a callgrind.out file."""
    found = _TOTALS.findall(text)
    if not found:
        raise gbench.Problem("callgrind wrote no totals")
    return sum(map(int, found))


def operations(name, slots):
    """How many: a flush of K slots counts as K."""
    idle = _IDLE.search(name)
    return max(MIN_OPERATIONS, slots // int(idle[1])) if idle else slots


def without_debug(binary, folder):
    """A copy that Debian's valgrind can read: it knows no clang-19 DWARF."""
    copy = os.path.join(folder, "bench")
    gbench.execute([OBJCOPY, "--strip-debug", gbench.program(binary), copy])
    return copy


def run_counted(binary, name, count, folder):
    """Instructions of @count operations."""
    out = os.path.join(folder, "callgrind.out")
    gbench.execute(
        [
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            "--toggle-collect=timed_*",
            f"--callgrind-out-file={out}",
            binary,
            f"--iterations={count}",
            f"--benchmark_filter=^{re.escape(name)}/",
        ]
    )
    with open(out, encoding="utf-8") as file:
        return totals(file.read())


def per_operation(counter, count):
    """(instructions, exact): @counter(n) counts those of n operations."""
    once = counter(count)
    twice = counter(2 * count)
    return (twice - once) / count, counter(count) == once


def measure(binary, name, slots):
    """per_operation() of one benchmark of a binary."""
    with tempfile.TemporaryDirectory(prefix="instructions.") as folder:
        copy = without_debug(binary, folder)
        return per_operation(
            lambda n: run_counted(copy, name, n, folder),
            operations(name, slots),
        )


def line(name, results):
    """One line of the table."""
    text = f"{name:<24}"
    for count, exact in results:
        text += f" {'' if exact else '~'}{count:.2f}".rjust(13)
    if len(results) == 2 and results[0][0]:
        text += f"{results[1][0] / results[0][0]:9.4f}"
    return text


def parse_args(argv):
    """The command line."""
    parser = gbench.Parser("instructions.py", __doc__)
    parser.add_argument("binary", help="pkmap_bench or kmap_local_bench")
    parser.add_argument("other", nargs="?", help="another build of it")
    parser.add_argument(
        "--filter", default=".", metavar="REGEX", help="which benchmarks"
    )
    parser.add_argument(
        "--operations",
        type=gbench.number(MIN_OPERATIONS, 10**9),
        default=8192,
        metavar="N",
        help="8192 by default; a flush of K slots counts as K",
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Returns the exit status."""
    args = parse_args(argv)
    if not shutil.which("valgrind"):
        raise gbench.Problem("needs valgrind: apt-get install valgrind")
    binaries = [args.binary] + ([args.other] if args.other else [])
    print(f"{'benchmark':<24} instructions" + "  the other  ratio" * bool(args.other))
    for name in gbench.names(args.binary, args.filter):
        if _SEVERAL_TASKS.search(name):
            print(f"{name:<24} not counted: several tasks")
            continue
        results = [measure(b, name, args.operations) for b in binaries]
        print(line(name, results), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except gbench.Problem as problem:
        sys.exit(f"instructions.py: {problem}")
    except KeyboardInterrupt:
        print("instructions.py: interrupted", file=sys.stderr)
        sys.exit(130)
