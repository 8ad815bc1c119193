# SPDX-License-Identifier: MIT
"""Coverage and executions over time, as SVG to be put into a page."""

import io

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot   # noqa: E402  (the backend comes first)
from matplotlib.ticker import EngFormatter, MaxNLocator  # noqa: E402

STYLE = {
    "font.size": 9,
    "font.family": "sans-serif",
    "svg.fonttype": "none",     # text stays text
    "svg.hashsalt": "highmem",  # the same samples give the same bytes
    "axes.spines.top": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
UNITS = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"),
         (300, 60, "minutes"), (0, 1, "seconds"))


def time_axis(axes, times):
    longest = times[-1] if times else 0
    _, scale, name = next(u for u in UNITS if longest >= u[0])
    axes.set_xlabel(f"{name} of this run")
    axes.set_xlim(0, max(longest, 1) / scale)
    return [t / scale for t in times]


def plot_coverage(axes, times, samples):
    edges = axes.step(times, [s["cov"] for s in samples], where="post",
                      color="tab:blue", label="edges")
    axes.set_ylabel("edges", color="tab:blue")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    other = axes.twinx()
    features = other.step(times, [s["ft"] for s in samples], where="post",
                          color="tab:orange", label="features")
    other.set_ylabel("features", color="tab:orange")
    other.yaxis.set_major_locator(MaxNLocator(integer=True))
    other.grid(False)
    axes.set_title("coverage")
    axes.legend(handles=edges + features, loc="lower right")


def plot_executions(axes, times, samples):
    axes.plot(times, [s["execs"] for s in samples], color="tab:green")
    axes.set_ylabel("executions")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(EngFormatter())
    axes.set_title("executions")


def svg(samples):
    """One target's samples -> the text of an <svg> element."""
    with pyplot.rc_context(STYLE):
        figure, (left, right) = pyplot.subplots(
            1, 2, figsize=(10, 2.8), layout="constrained")
        seconds = [s["t"] for s in samples]
        plot_coverage(left, time_axis(left, seconds), samples)
        plot_executions(right, time_axis(right, seconds), samples)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata=dict.fromkeys(
            ("Creator", "Date", "Format", "Type")))
        pyplot.close(figure)
    text = text.getvalue()
    return text[text.index("<svg"):]
