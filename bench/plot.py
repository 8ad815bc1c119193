#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Plots what pkmap_bench wrote with --benchmark_out.

Left: what a miss costs against how many of the 1024 slots are held, in time
and in words of the free map that the search reads. Right: what a flush costs
against the number of idle slots. Several repetitions give the median and a
band from the least to the most. The name of the output, .svg or .png, says
its format.
"""

import os
import re
import sys

import gbench


def series(rows, prefix):
    """[(number in the name, Row)] of the benchmarks PREFIX:number, sorted."""
    pattern = re.compile(re.escape(prefix) + r":(\d+)$")
    found = [(pattern.match(name), row) for name, row in rows.items()]
    points = sorted(
        ((int(m[1]), row) for m, row in found if m), key=lambda p: p[0]
    )
    if not points:
        raise gbench.Problem(f"the input has no benchmark {prefix}:N")
    return points


def draw(axes, points, **style):
    """Time against number."""
    numbers = [n for n, _ in points]
    axes.plot(numbers, [r.time() for _, r in points], marker="o", **style)
    if any(len(r.times) > 1 for _, r in points):
        axes.fill_between(
            numbers,
            [min(r.times) for _, r in points],
            [max(r.times) for _, r in points],
            alpha=0.2,
        )
    axes.grid(alpha=0.3)


def draw_search(axes, points):
    """The left half."""
    if any("words_per_miss" not in row.counters for _, row in points):
        raise gbench.Problem("the input does not count words_per_miss")
    draw(axes, points, color="tab:blue")
    axes.set_title("Slot search")
    axes.set_xlabel("slots held, of 1024")
    axes.set_ylabel("ns per miss", color="tab:blue")
    axes.set_xticks([n for n, _ in points], [n for n, _ in points], rotation=60)
    axes.set_ylim(bottom=0)
    words = axes.twinx()
    words.plot(
        [n for n, _ in points],
        [r.counters["words_per_miss"] for _, r in points],
        marker="s",
        color="tab:orange",
    )
    words.set_ylabel("words read per miss", color="tab:orange")
    words.set_ylim(bottom=0)


def draw_flush(axes, points):
    """The right half."""
    draw(axes, points, color="tab:blue")
    axes.set_title("kmap_flush_unused()")
    axes.set_xlabel("idle slots")
    axes.set_ylabel("ns per flush")
    axes.set_xscale("log", base=2)
    axes.set_xticks([n for n, _ in points], [n for n, _ in points], rotation=60)
    axes.set_ylim(bottom=0)


def load_pyplot():
    """matplotlib, only now: it takes a second, and --help must not."""
    # pylint: disable=import-outside-toplevel
    try:
        import matplotlib
    except ImportError as error:
        raise gbench.Problem(
            "needs matplotlib: apt-get install python3-matplotlib, "
            "and run with /usr/bin/python3"
        ) from error
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "bench"
    matplotlib.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot

    return pyplot


def plot(rows, path):
    """Writes the picture."""
    search = series(rows, "miss/held")
    flush = series(rows, "flush/idle")
    pyplot = load_pyplot()
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(11, 4.5), layout="constrained"
    )
    draw_search(left, search)
    draw_flush(right, flush)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise gbench.Problem(f"{path}: cannot be written: {error}") from error


def main(argv=None):
    """Returns the exit status."""
    parser = gbench.Parser("plot.py", __doc__)
    parser.add_argument("input", metavar="IN.json")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.svg|OUT.png"
    )
    args = parser.parse_args(argv)
    if os.path.splitext(args.output)[1] not in (".svg", ".png"):
        parser.error(f"{args.output}: must end in .svg or .png")
    plot(gbench.load(args.input), args.output)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except gbench.Problem as problem:
        sys.exit(f"plot.py: {problem}")
    except KeyboardInterrupt:
        print("plot.py: interrupted, nothing drawn", file=sys.stderr)
        sys.exit(130)
