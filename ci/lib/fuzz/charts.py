# SPDX-License-Identifier: MIT
"""What one target did over time, as small SVG drawings for a page.

Drawn in the page's colours, one quantity each. Edges and features begin at
what was kept from earlier runs: so a gain is seen, however small beside the
total. Time in which the target waited for its turn is shaded.
"""

import html

from .words import number, short

WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 50, 332, 26, 126

UNITS = ((2 * 86400, 86400, "d"), (2 * 3600, 3600, "h"),
         (300, 60, "min"), (0, 1, "s"))


def ticks(low, high, most=4):
    """Round numbers from low to high, @most of them or fewer."""
    step = 1
    while (high // step - -(-low // step)) + 1 > most:
        step = {"1": 2, "2": 5, "5": 10}[str(step)[0]] * (
            10 ** (len(str(step)) - 1))
    return list(range(-(-low // step) * step, high + 1, step))


class Chart:
    """One quantity over time."""

    def __init__(self, name, samples, low, high):
        self.name = name
        self.samples = samples
        self.low, self.high = (low - 1, high + 1) if low == high else (
            low, high)
        self.longest = max(samples[-1]["t"], 1)
        self.parts = []

    def x(self, seconds):
        return LEFT + (RIGHT - LEFT) * seconds / self.longest

    def y(self, value):
        span = self.high - self.low
        return BOTTOM - (BOTTOM - TOP) * (value - self.low) / span

    def text(self, x, y, what, anchor="start", cls=""):
        self.parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
            + (f' class="{cls}"' if cls else "")
            + f">{html.escape(what)}</text>")

    def axes(self, label):
        for value in ticks(self.low, self.high):
            y = self.y(value)
            self.parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}'
                              f'H{RIGHT}"/>')
            self.text(LEFT - 5, y + 4, label(value), "end")
        _, scale, unit = next(u for u in UNITS if self.longest >= u[0])
        last = int(self.longest // scale)
        for value in ticks(0, last):
            anchor = "end" if value == last and last else "middle"
            self.text(self.x(value * scale), BOTTOM + 17,
                      f"{value} {unit}" if value else "0", anchor)

    def waits(self):
        """Shades where no worker ran it."""
        begin = None
        ends = self.samples[1:] + self.samples[-1:]
        for sample, after in zip(self.samples, ends):
            runs = sample.get("runs", True)
            if not runs and begin is None:
                begin = sample["t"]
            if begin is not None and (runs or after is sample):
                x = self.x(begin)
                self.parts.append(
                    f'<rect class="off" x="{x:.1f}" y="{TOP}" '
                    f'width="{max(0, self.x(sample["t"]) - x):.1f}" '
                    f'height="{BOTTOM - TOP}"/>')
                begin = None

    def line(self, points, cls):
        """A step where the value changes; what stays costs no byte."""
        path, value = [], None
        for seconds, now in points:
            if value is None:
                path.append(f"M{self.x(seconds):.1f} {self.y(now):.1f}")
            elif now != value:
                path.append(f"H{self.x(seconds):.1f}V{self.y(now):.1f}")
            value = now
        path.append(f"H{self.x(points[-1][0]):.1f}")
        self.parts.append(f'<path class="line {cls}" d="{"".join(path)}"/>')

    def svg(self, said):
        self.text(LEFT, 14, self.name, cls="name")
        self.text(RIGHT, 14, said, "end", "said")
        label = html.escape(f"{self.name}: {said}")
        return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
                f'aria-label="{label}">{"".join(self.parts)}</svg>')


def _coverage(name, key, samples, gain):
    """None if the fuzzer never said how much it covers. @gain: against what
    was kept. What it had by the first sample is not drawn: a run without
    anything kept begins with a jump, which would hide all that follows."""
    seen = [s for s in samples if s[key]]
    if not seen:
        return None
    low, high = seen[0][key], max(s[key] for s in seen)
    gain = max(gain, high - low)
    chart = Chart(name, samples, low, high)
    chart.waits()
    chart.axes(number)
    points, best = [], low
    for sample in seen:
        best = max(best, sample[key])
        points.append((sample["t"], best))
    chart.line(points, key)
    return chart.svg(f"{number(high)}, "
                     + (f"+{number(gain)}" if gain else "none new"))


def _executions(samples):
    high = max(s["execs"] for s in samples)
    chart = Chart("executions", samples, 0, high)
    chart.low = 0
    chart.waits()
    chart.axes(short)
    chart.line([(s["t"], s["execs"]) for s in samples], "execs")
    return chart.svg(short(high))


def drawings(samples, new_cov=0, new_ft=0):
    """The charts of one target, [svg]; what this run added to it."""
    if not samples:
        return []
    samples = sorted(samples, key=lambda sample: sample["t"])
    drawn = [_coverage("edges", "cov", samples, new_cov),
             _coverage("features", "ft", samples, new_ft), _executions(samples)]
    return [svg for svg in drawn if svg]
