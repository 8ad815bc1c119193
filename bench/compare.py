#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares two builds of one benchmark binary by wall time.

A, B and A once more (the control) run in turns, in a random order each round,
so that whatever else the machine does hits all three. In a round each does a
few short repetitions, and the fastest counts: noise only ever adds. This makes
one ratio B/A and one ratio A/A for each benchmark and round; you get their
medians and a bootstrap interval. B differs from A only if its interval lies
outside of 1 and of the interval that A against itself has.

Exit status: 0 compared, whatever came out; 1 not compared.
"""

import random
import sys
from dataclasses import dataclass
from statistics import median

import gbench

MIN_ROUNDS = 5
RESAMPLES = 2000
LEVEL = 0.95


def interval(ratios, rng):
    """Bootstrap percentile interval of the median of @ratios."""
    medians = sorted(
        median(rng.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES)
    )
    cut = int(RESAMPLES * (1 - LEVEL) / 2)
    return medians[cut], medians[-1 - cut]


@dataclass
class Comparison:
    """One benchmark in both builds."""

    name: str
    time: float  # of A, ns
    ratio: float  # B / A
    low: float
    high: float
    control_low: float  # A / A
    control_high: float

    def verdict(self):
        """What may be said of B."""
        if self.low > max(1, self.control_high):
            return "slower"
        if self.high < min(1, self.control_low):
            return "faster"
        return "no difference"


def compare(name, a, b, control, rng):
    """@a, @b, @control: times of one benchmark, one for each round."""
    ratios = [y / x for x, y in zip(a, b)]
    low, high = interval(ratios, rng)
    control_low, control_high = interval(
        [y / x for x, y in zip(a, control)], rng
    )
    return Comparison(
        name, median(a), median(ratios), low, high, control_low, control_high
    )


def progress(text):
    """A line that the next one overwrites; nothing in a log file."""
    if sys.stderr.isatty():
        print(f"\r{text:<30}\r", end="", file=sys.stderr, flush=True)


def rounds(binaries, count, flags, rng):
    """{side: {name: [time of each round]}} for sides a, b and control."""
    times = {side: {} for side in binaries}
    for number in range(1, count + 1):
        sides = list(binaries)
        rng.shuffle(sides)
        for side in sides:
            progress(f"round {number} of {count}: {side}")
            for name, row in gbench.run(binaries[side], *flags).items():
                times[side].setdefault(name, []).append(min(row.times))
    progress("")
    return times


def common(times):
    """Names on all sides; Problem if there are none. Says what is left out."""
    known = [set(times[side]) for side in ("a", "b")]
    for name in sorted(known[0] ^ known[1]):
        only = "A" if name in known[0] else "B"
        print(f"{name}: only in {only}, not compared", file=sys.stderr)
    both = [name for name in times["a"] if name in known[1]]
    if not both:
        raise gbench.Problem("A and B have no benchmark in common")
    return both


def table(comparisons):
    """The report, line by line."""
    yield (
        f"{'benchmark':<24} {'A, ns':>10} {'B/A':>7}  "
        f"{'95 % interval':<15}  {'A/A control':<15}  B is"
    )
    for c in comparisons:
        yield (
            f"{c.name:<24} {c.time:>10.1f} {c.ratio:>7.3f}  "
            f"{c.low:.3f} .. {c.high:.3f}   "
            f"{c.control_low:.3f} .. {c.control_high:.3f}   {c.verdict()}"
        )
    said = [c.verdict() for c in comparisons]
    yield (
        f"{len(said)} compared: {said.count('faster')} faster, "
        f"{said.count('slower')} slower, "
        f"{said.count('no difference')} no difference"
    )


def parse_args(argv):
    """The command line."""
    parser = gbench.Parser("compare.py", __doc__)
    add = parser.add_argument
    add("--a", required=True, metavar="BIN", help="the build before")
    add("--b", required=True, metavar="BIN", help="the build after")
    add("--filter", default=".", metavar="REGEX", help="which benchmarks")
    add("--rounds", type=gbench.number(MIN_ROUNDS, 1000), default=10,
        metavar="N", help="10 by default, at least 5, or no interval holds")
    add(
        "--min-time",
        type=gbench.seconds,
        default=0.005,
        metavar="TIME",
        help="of each benchmark in each repetition, 0.005 by default",
    )
    add("--repetitions", type=gbench.number(1, 1000), default=10, metavar="N",
        help="a round, 10 by default")
    add("--seed", type=gbench.number(0, 2**32 - 1), default=1, metavar="N",
        help="of orders and resamples")
    return parser.parse_args(argv)


def main(argv=None):
    """Returns the exit status."""
    args = parse_args(argv)
    rng = random.Random(args.seed)
    flags = [
        f"--benchmark_filter={args.filter}",
        f"--benchmark_min_time={args.min_time}",
        f"--benchmark_repetitions={args.repetitions}",
        "--benchmark_enable_random_interleaving=true",
    ]
    binaries = {"a": args.a, "b": args.b, "control": args.a}
    times = rounds(binaries, args.rounds, flags, rng)
    compared = [
        compare(name, *(times[side][name] for side in binaries), rng)
        for name in common(times)
    ]
    print(*table(compared), sep="\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except gbench.Problem as problem:
        sys.exit(f"compare.py: {problem}")
    except KeyboardInterrupt:
        print("compare.py: interrupted, nothing compared", file=sys.stderr)
        sys.exit(130)
