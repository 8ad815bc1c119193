# SPDX-License-Identifier: MIT
"""The HTML report: can it be read, and are gains seen?"""

import html
import re

from pages import check

from . import charts, page, report
from .in_directory import InDirectory
from .report_test import CRASH, recorded

# Text and its ground, as page.css and charts.py put them together.
PAIRS = [(text, "bg") for text in ("ink", "dim", "bad", "good", "cov", "ft",
                                   "execs")]
PAIRS += [("ink", "box"), ("dim", "off")]


def samples(covs, runs=()):
    return [{"t": t, "target": "t", "execs": 10 * t, "cov": cov, "ft": cov,
             "corpus": 1, "runs": runs[t] if t < len(runs) else True}
            for t, cov in enumerate(covs)]


class Check(InDirectory):
    """check.py sees what it is for."""

    PAGE = ("<meta name=\"viewport\" content=\"default-src 'none'\"><style>"
            ":root { --a: #000; --b: #fff; } p { color: var(--a); %s }"
            "@media (prefers-color-scheme: dark) { :root { --a: %s; --b: #111;"
            " } } @media (min-width: 900px) { p { width: 800px; } }"
            "</style>%s")

    def said(self, style="", dark="#eee", rest="", pairs=(("a", "b"),)):
        return " ".join(check.problems(self.PAGE % (style, dark, rest), pairs))

    def test_contrast_is_that_of_wcag(self):
        self.assertAlmostEqual(check.contrast("#000", "#ffffff"), 21)
        self.assertAlmostEqual(check.contrast("#777777", "#fff"), 4.48, 2)

    def test_it_finds_each_of_its_problems(self):
        self.assertEqual(self.said(), "")
        self.assertIn("dark: a on b", self.said(dark="#333"))
        self.assertIn("no dark form of: a", self.said(dark="#000"))
        self.assertIn("no variables: #eee", self.said("color: #eee;"))
        self.assertIn("no variables: grey", self.said("color: grey;"))
        self.assertIn("800px", self.said("min-width: 800px;"))
        self.assertIn("60em", self.said("width: 60em;"))
        self.assertIn("400px", self.said(
            "grid-template-columns: 400px minmax(0, 1fr);"))
        self.assertIn("runs", self.said(rest="<script>"))
        self.assertIn("runs", self.said(rest="<a onclick=x()>"))
        self.assertIn("viewport", " ".join(check.problems("", ())))


class Page(InDirectory):
    def page(self, run, **history):
        return report.html(run, [], history)

    def test_it_can_be_read_on_a_phone_and_at_night(self):
        said = self.page(recorded(crashes=[CRASH]),
                         t=samples([5, 6], [True, False]))
        self.assertEqual(list(check.problems(said, PAIRS)), [])

    def test_every_class_that_is_used_has_a_style(self):
        said = self.page(recorded(crashes=[CRASH]),
                         t=samples([5, 6, 6], [True, False, True]))
        used = {cls for many in re.findall(r'class="([^"]*)"', said)
                for cls in many.split()}
        styled = set(re.findall(r"\.([a-z]+)", page.style()))
        self.assertEqual(used - styled, set())

    def test_a_phone_shows_the_name_of_each_value(self):
        said = self.page(recorded())
        names = re.findall(r'<td data-name="([^"]*)">', said)
        self.assertEqual(tuple(map(html.unescape, names)), report.ALONE[1:])

    def test_a_crash_is_whole_and_wraps(self):
        title = "oracle: " + "a long sentence " * 40
        said = self.page(recorded(crashes=[dict(CRASH, title=title)]))
        self.assertIn(title.strip(), said)
        self.assertRegex(page.style(), r"pre \{[^}]*white-space: pre-wrap")

    def test_the_gain_is_told(self):
        said = self.page(recorded())
        self.assertIn("4 new edges and 0 new features in this run", said)
        self.assertIn("Nothing new in this run; no new edge for 1 m 05 s",
                      self.page(recorded(new_cov=0)))
        self.assertIn("It was not run", self.page(recorded(execs=0)))


class Charts(InDirectory):
    def drawn(self, covs, runs=()):
        return charts.drawings(samples(covs, runs))

    def test_each_quantity_has_its_own_drawing(self):
        self.assertEqual([re.search('aria-label="([^"]*)"', svg)[1]
                          for svg in self.drawn([0, 1000, 1003])],
                         ["edges: 1,003, +3", "features: 1,003, +3",
                          "executions: 20"])

    def test_a_small_gain_beside_a_large_total_is_seen(self):
        """It begins at the bottom and ends at the top."""
        svg = self.drawn([0, 1000, 1000, 1003])[0]
        path = re.search('class="line cov" d="([^"]*)"', svg)[1]
        heights = [float(y) for y in re.findall(r"[MV][^HV ]* ?([\d.]+)",
                                                path.replace("V", "V0 "))]
        self.assertEqual((heights[0], heights[-1]),
                         (charts.BOTTOM, charts.TOP))

    def test_a_gain_before_the_first_sample_counts(self):
        """The drawing and the table say the same."""
        svg = charts.drawings(samples([0, 0, 990, 1003]), new_cov=40)[0]
        self.assertIn('aria-label="edges: 1,003, +40"', svg)
        path = re.search('class="line cov" d="([^"]*)"', svg)[1]
        self.assertTrue(path.startswith("M238.0 126.0"), path)

    def test_waiting_for_its_turn_is_shaded(self):
        runs = [True, True, False, False, True, False]
        svg = self.drawn([1] * 6, runs)[0]
        shades = [(float(x), float(w)) for x, w in re.findall(
            r'class="off" x="([\d.]+)" y="\d+" width="([\d.]+)"', svg)]
        a_second = (charts.RIGHT - charts.LEFT) / 5
        self.assertEqual(len(shades), 2)
        self.assertAlmostEqual(shades[0][0], charts.LEFT + 2 * a_second, 0)
        self.assertAlmostEqual(shades[0][1], 2 * a_second, 0)
        self.assertNotIn('class="off"', self.drawn([1] * 6)[0])

    def test_odd_histories(self):
        self.assertEqual(charts.drawings([]), [])
        self.assertEqual(len(self.drawn([0, 0])), 1, "executions only")
        self.assertEqual(len(self.drawn([5])), 3)
        self.assertIn("none new", self.drawn([5, 5])[0])
        many = self.drawn([5] * 600)
        self.assertLess(sum(map(len, many)), 15000)

    def test_ticks(self):
        self.assertEqual(charts.ticks(0, 3), [0, 1, 2, 3])
        self.assertEqual(charts.ticks(0, 60), [0, 20, 40, 60])
        self.assertEqual(charts.ticks(571, 577), [572, 574, 576])
        for low, high in ((0, 1), (0, 10**12), (999, 1000), (7, 123456)):
            self.assertIn(len(charts.ticks(low, high)), (1, 2, 3, 4))
