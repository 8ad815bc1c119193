# SPDX-License-Identifier: MIT
"""Reports, made from recorded runs."""

import json
import os

import corpus_dir

from . import report, results, runner
from .in_directory import InDirectory


def recorded(**changes):
    """A run.json of one target."""
    record = {
        "label": "//fuzz:t", "fuzzer": "f1", "execs": 1234567, "rate": 20000,
        "cov": 16, "ft": 93, "new_cov": 4, "new_ft": 0, "edges": 30, "inputs": 44, "new_inputs": 5,
        "dry_edges": 65, "dry_features": 3, "seeds": [7, 8], "crashes": [],
        "failure": None, "merge_problem": None}
    record.update(changes)
    return {"version": 2, "started": "2030-01-02 03:04:05", "machine": "m",
            "seconds": 60, "elapsed": 61.5, "jobs": 2, "seed": 9,
            "status": "done", "trouble": None, "targets": {"t": record}}


CRASH = {
    "target": "t", "label": "//fuzz:t", "key": "abc",
    "title": "highmem: BUG: a < b", "home": "crashes/abc",
    "replays": "crash.hmt", "found": "2030-01-02", "seed": 7,
    "reproduces": True, "bytes": 6, "original_bytes": 60,
    "program": "machine cpus=2\n", "status": "new", "count": 3}


class Report(InDirectory):
    def run_dir(self, name, run, samples=()):
        os.makedirs(self.path(name))
        results.write_run(self.path(name), run)
        with open(self.path(name, "history.jsonl"), "w",
                  encoding="ascii") as file:
            file.writelines(json.dumps(s) + "\n" for s in samples)
        return self.path(name)

    def samples(self, nr):
        return [{"t": t, "target": "t", "execs": 1000 * t, "cov": min(t, 16),
                 "ft": t, "corpus": t} for t in range(nr)]

    def contents(self, run_dir, earlier=()):
        return [corpus_dir.read(path).decode()
                for path in report.write(run_dir, list(earlier))]

    def test_text(self):
        text, _ = self.contents(self.run_dir("r", recorded()))
        self.assertIn("Ran 1 m 01 s: no crash.", text)
        self.assertIn("1,234,567", text)
        self.assertIn("16 of 30", text)
        self.assertIn("1 m 05 s", text)
        self.assertIn("the first run; 5 new inputs", text)

    def test_html_has_plots_and_needs_nothing_from_outside(self):
        _, page = self.contents(
            self.run_dir("r", recorded(crashes=[CRASH]), self.samples(60)))
        self.assertEqual(page.count("<svg"), 3)
        self.assertIn("highmem: BUG: a &lt; b", page)
        for fetches in ("src=", "<link", "<script", "url(http", "@import",
                        'href="http'):
            self.assertNotIn(fetches, page)

    def test_the_same_samples_give_the_same_bytes(self):
        run_dir = self.run_dir("r", recorded(), self.samples(20))
        self.assertEqual(self.contents(run_dir), self.contents(run_dir))

    def test_a_crash_is_in_both_with_one_replay_line(self):
        both = self.contents(self.run_dir("r", recorded(crashes=[CRASH])))
        for said in both:
            self.assertIn("1 kind of crash", said)
            self.assertEqual(said.count("replay: "), 1)

    def test_new_against_the_last_run(self):
        first = self.run_dir("1", recorded(cov=10, ft=50))
        second = self.run_dir("2", recorded())
        text, _ = self.contents(second, [first])
        self.assertIn("t: +6 edges, +43 features; 5 new inputs", text)
        third = self.run_dir("3", recorded(fuzzer="f2"))
        text, _ = self.contents(third, [first, second])
        self.assertIn("the binary changed", text)

    def test_a_killed_run_and_a_cut_line_still_make_a_report(self):
        run = dict(recorded(failure="t does not fuzz: x"), status="running")
        run_dir = self.run_dir("r", run, self.samples(5))
        with open(run_dir + "/history.jsonl", "a", encoding="ascii") as file:
            file.write('{"t": 6, "targ')
        text, page = self.contents(run_dir)
        self.assertEqual(len(results.read_history(run_dir)["t"]), 5)
        self.assertIn("Killed or still at work", text)
        self.assertIn("t does not fuzz: x", text)
        self.assertIn("<svg", page)

    def test_history_stays_small(self):
        history = results.History(self.dir, 28800)
        progress = {"t": runner.Progress()}
        taken = sum(history.sample(t, progress) for t in range(28800))
        self.assertLessEqual(taken, results.SAMPLES)
        self.assertGreater(taken, results.SAMPLES * 0.9)

    def test_an_unreadable_run_is_none(self):
        self.write(b"{", "r", "run.json")
        self.write(b"[]", "s", "run.json")
        for name in "rst":
            self.assertIsNone(results.read_run(self.path(name)))
