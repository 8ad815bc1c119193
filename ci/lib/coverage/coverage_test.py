# SPDX-License-Identifier: MIT
"""Sums by lane, and pages that say no more than was measured."""

import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

from ci.lib.coverage import corpora, lanes, pages

sys.path.insert(0, "ci/lib")
from pages import check  # noqa: E402

# As llvm-cov exports it, less what is not read.
UNIT = """SF:/proc/self/cwd/core/lib/page.c
FN:3,page_to_pfn
FN:9,core/lib/page.c:within
FNDA:4,page_to_pfn
FNDA:0,core/lib/page.c:within
BRDA:4,0,0,3
BRDA:4,0,1,-
DA:3,4
DA:4,4
DA:9,0
end_of_record
SF:core/lib/page_test.c
DA:1,1
end_of_record
SF:core/lib/test_machine.h
DA:1,1
end_of_record
"""
SEEDS = UNIT.replace("FNDA:0,", "FNDA:7,").replace("DA:9,0", "DA:9,7").replace(
    "DA:3,4", "DA:3,0")
STATS = "SF:core/lib/stats.c\nDA:1,5\nend_of_record\n"

TESTS = [
    ("//core/lib:page_test", UNIT),
    ("//fuzz:kmap_fuzz_test", SEEDS),
    ("//fuzz:sched_mutator_test", STATS),
]
PAGE = "core/lib/page.c"


class Reader(HTMLParser):
    """Every tag is closed in order; which links and which text there are."""

    VOID = {"meta", "html", "!doctype"}

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids, self.text = [], [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.links += [attributes["href"]] if "href" in attributes else []
        self.ids |= {attributes.get("id")}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID and self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes another")

    def handle_data(self, data):
        self.text.append(data)


class LanesTest(unittest.TestCase):
    """What each lane takes in."""

    def setUp(self):
        self.found = lanes.by_lane(TESTS)

    def test_a_lane_has_its_own_tests(self):
        times = {lane: lanes.lines(counts[PAGE])
                 for lane, counts in self.found.items()}
        self.assertEqual(times["unit"], {3: 4, 4: 4, 9: 0})
        self.assertEqual(times["seeds"], {3: 0, 4: 4, 9: 7})
        self.assertEqual(times["all"], {3: 4, 4: 8, 9: 7})

    def test_tests_do_not_cover_themselves(self):
        self.assertEqual(sorted(self.found["all"]),
                         [PAGE, "core/lib/stats.c"])

    def test_a_file_that_a_lane_never_linked_counts(self):
        self.assertEqual(lanes.total(self.found["unit"], "lines"), (2, 4))
        self.assertEqual(lanes.total(self.found["all"], "lines"), (4, 4))

    def test_functions_and_branches(self):
        unit = self.found["unit"][PAGE]
        self.assertEqual(lanes.share(unit, "functions"), (1, 2))
        self.assertEqual(lanes.share(unit, "branches"), (1, 2))
        self.assertEqual(lanes.branches(unit), {4: [3, 0]})

    def test_a_corpus_is_a_lane_and_part_of_all(self):
        found = lanes.by_lane(TESTS[:1], SEEDS)
        self.assertEqual(lanes.uncovered(found["corpus"][PAGE]), [3])
        self.assertEqual(lanes.uncovered(found["all"][PAGE]), [])

    def test_json(self):
        words = lanes.as_json(self.found)
        self.assertEqual(words["lanes"]["unit"]["lines"], (2, 4))
        self.assertEqual(words["files"][PAGE]["seeds"]["uncovered"], [3])

    def test_lcov_for_others(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "unit.info")
            lanes.write_lcov(self.found["unit"], path)
            text = path.read_text()
        for line in ["SF:core/lib/page.c", "FN:9,within", "FNDA:4,page_to_pfn",
                     "FNF:2", "FNH:1", "BRF:2", "BRH:1", "LF:3", "LH:2"]:
            self.assertIn(line + "\n", text)
        self.assertEqual(lanes.of_texts([text])[PAGE]["DA:3"], 4)


class PagesTest(unittest.TestCase):
    """HTML that a browser reads as it was meant."""

    def setUp(self):
        self.found = lanes.by_lane(TESTS)

    def test_the_index_links_each_file(self):
        read = Reader(pages.index(self.found, "<script>"))
        self.assertEqual(read.open, [])
        self.assertEqual(read.links, ["core.lib.page.c.html",
                                      "core.lib.stats.c.html"])
        self.assertIn("<script>", read.text)

    def test_a_file_links_the_lines_that_are_left(self):
        text = "a\nb\nc\nif (x < 1 && \"</td>\")\n" + "\n" * 6
        read = Reader(pages.source(PAGE, text, self.found))
        self.assertEqual(read.open, [])
        self.assertEqual(read.links, ["index.html", "#L9", "#L3"])
        self.assertLessEqual({"L3", "L9"}, read.ids)
        self.assertIn('if (x < 1 && "</td>")', read.text)

    def test_they_can_be_read_at_night_and_on_a_phone(self):
        pairs = [(text, ground) for text in ["text", "link"]
                 for ground in ["back", "some", "none", "part"]]
        for text in [pages.index(self.found, ""),
                     pages.source(PAGE, "a\n" * 9, self.found)]:
            self.assertEqual(list(check.problems(text, pairs)), [])

    def test_only_all_of_it_is_a_hundred_percent(self):
        self.assertEqual(pages.percent(9999, 10000), "99.9 %")
        self.assertEqual(pages.percent(10000, 10000), "100.0 %")
        self.assertEqual(pages.percent(0, 0), "-")


class CorporaTest(unittest.TestCase):
    """A directory of ci/fuzz, or not."""

    def test_only_targets_with_inputs(self):
        with tempfile.TemporaryDirectory() as scratch:
            for name in ["a_fuzz_test", "b_fuzz_test", "..x", "runs"]:
                Path(scratch, name, "corpus").mkdir(parents=True)
            Path(scratch, "a_fuzz_test/corpus/x").write_text("x")
            Path(scratch, "runs/corpus/x").write_text("x")
            self.assertEqual(list(corpora.directories(scratch)),
                             ["a_fuzz_test"])

    def test_another_directory(self):
        with tempfile.TemporaryDirectory() as scratch:
            with self.assertRaises(corpora.Trouble):
                corpora.directories(scratch)


if __name__ == "__main__":
    unittest.main(verbosity=2)
