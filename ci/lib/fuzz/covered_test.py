# SPDX-License-Identifier: MIT
"""Links to lines that no input reached, and to nothing else."""

import json
import os

from . import covered
from .in_directory import InDirectory


class Covered(InDirectory):
    def run_dir(self, words=None):
        os.makedirs(self.path("runs", "r"))
        if words is not None:
            os.makedirs(self.path("coverage"))
            for name, text in [("index.html", ""), ("coverage.json", words)]:
                with open(self.path("coverage", name), "w",
                          encoding="utf-8") as file:
                    file.write(text)
        return self.path("runs", "r")

    def page(self, words):
        gaps = covered.gaps(self.run_dir(words))
        return gaps, "\n".join(covered.section(gaps))

    def test_without_coverage(self):
        self.assertIsNone(covered.gaps(self.run_dir()))
        self.assertEqual(covered.section(None), [])

    def test_lines_that_are_left(self):
        gaps, page = self.page(json.dumps({"files": {
            "core/lib/page.c": {"corpus": {"uncovered": [12, 40]}},
            "core/lib/full.c": {"corpus": {"uncovered": []}},
            "core/ports/host/x.c": {"corpus": {"uncovered": [1]}}}}))
        self.assertEqual(gaps, {"core/lib/page.c": [12, 40]})
        self.assertIn(
            '<a href="../../coverage/core.lib.page.c.html#L40">40</a>', page)
        self.assertIn('<a href="../../coverage/index.html">', page)

    def test_without_the_lane(self):
        gaps, _ = self.page(json.dumps({"files": {
            "core/lib/page.c": {"unit": {"uncovered": [12]}}}}))
        self.assertEqual(gaps, {})

    def test_what_a_stranger_wrote(self):
        for words in [
            "", "[]", "{", "[" * 100000, '{"files": 1}',
            json.dumps({"files": {"core/lib/a.c": 1, "core/lib/b.c": {
                "corpus": {"uncovered": ["<b>", None, -1, 1e99, True]}}}}),
            json.dumps({"files": {'core/lib/"><script>.c': {
                "corpus": {"uncovered": [1]}}, "core/lib/../../x.c": {
                "corpus": {"uncovered": [1]}}}}),
        ]:
            with self.subTest(words[:40]):
                self.setUp()
                gaps, page = self.page(words)
                self.assertEqual(gaps, {})
                self.assertNotIn("script", page)
