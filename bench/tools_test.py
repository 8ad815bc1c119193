# SPDX-License-Identifier: MIT
"""compare.py, instructions.py and plot.py on results made up here."""

import contextlib
import io
import json
import os
import random
import re
import sys
import tempfile
import unittest

# Where matplotlib may keep its cache: before anything imports it.
os.environ["MPLCONFIGDIR"] = tempfile.mkdtemp(
    prefix="matplotlib.", dir=os.environ.get("TEST_TMPDIR")
)

# pylint: disable=wrong-import-position
import compare
import gbench
import instructions
import plot


def entry(name, time, **more):
    """One benchmark in google-benchmark's JSON."""
    return {
        "name": f"{name}/iterations:5/manual_time",
        "run_name": f"{name}/iterations:5/manual_time",
        "run_type": "iteration",
        "iterations": 5,
        "real_time": time,
        "cpu_time": 0.5,
        "time_unit": "ns",
        **more,
    }


def text(*entries):
    """The JSON."""
    return json.dumps({"context": {}, "benchmarks": entries})


# A stand-in for a benchmark binary: {time} with a little noise, which a
# counter beside it makes different in each run.
FAKE = """#!/usr/bin/python3
import json, os, random
count = os.path.join(os.path.dirname(__file__), "runs")
with open(count, "a") as file:
    file.write("x")
noise = random.Random(os.path.getsize(count)).uniform(0.99, 1.01)
print(json.dumps({{"benchmarks": [{{
    "run_name": "hit", "run_type": "iteration", "iterations": 1,
    "real_time": {time} * noise, "time_unit": "ns"}}]}}))
"""


class Folder(unittest.TestCase):
    """Cases that need files."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(content)
        return self.path(name)


class Gbench(Folder):
    """Reading results."""

    def test_repetitions_are_samples_and_names_are_ours(self):
        rows = gbench.parse(
            text(
                entry("miss/held:0", 3, words_per_miss=2.5),
                entry("miss/held:0", 1, time_unit="us"),
                entry("miss/held:0", 99, run_type="aggregate"),
            ),
            "x",
        )
        self.assertEqual(list(rows), ["miss/held:0"])
        self.assertEqual(rows["miss/held:0"].times, [3, 1000])
        self.assertEqual(rows["miss/held:0"].time(), 501.5)

    def test_counters(self):
        rows = gbench.parse(text(entry("a", 3, words_per_miss=2.5)), "x")
        self.assertEqual(rows["a"].counters, {"words_per_miss": 2.5})

    def test_not_results(self):
        good = text(entry("a", 1))
        for bad in (good[:-9], "[]", "{}", text({"run_name": "a"}), text()):
            with self.assertRaises(gbench.Problem, msg=bad):
                gbench.parse(bad, "x")

    def test_files_that_cannot_be_read(self):
        with open(self.path("binary"), "wb") as file:
            file.write(b"\xff\xfe\x00")
        for name in ("absent", "binary"):
            with self.assertRaisesRegex(gbench.Problem, name):
                gbench.load(self.path(name))

    def test_a_binary_that_fails(self):
        for binary in ("/bin/false", self.path("absent")):
            with self.assertRaisesRegex(gbench.Problem, binary):
                gbench.run(binary)


def verdict(b, control, seed=1):
    """Of times against an A that always takes 100 ns."""
    return compare.compare(
        "x", [100] * len(b), b, control, random.Random(seed)
    ).verdict()


class Compare(Folder):
    """What may be said of two builds."""

    QUIET = [99, 100, 101, 100, 99, 101, 100, 100]
    NOISY = [80, 125, 90, 118, 100, 130, 77, 122]

    def test_clear_cases(self):
        slow = [x * 1.2 for x in self.QUIET]
        fast = [x * 0.8 for x in self.QUIET]
        self.assertEqual(verdict(slow, self.QUIET), "slower")
        self.assertEqual(verdict(fast, self.QUIET), "faster")
        self.assertEqual(verdict(self.QUIET, self.QUIET), "no difference")

    def test_interval_with_1_in_it_is_no_difference(self):
        self.assertEqual(verdict(self.NOISY, self.QUIET), "no difference")

    def test_what_the_control_does_too_is_no_difference(self):
        # All of B is above A, but so is A against itself, by as much.
        shifted = [x + 10 for x in self.QUIET]
        self.assertEqual(verdict(shifted, self.QUIET), "slower")
        self.assertEqual(verdict(shifted, shifted), "no difference")
        shifted = [x - 10 for x in self.QUIET]
        self.assertEqual(verdict(shifted, self.QUIET), "faster")
        self.assertEqual(verdict(shifted, shifted), "no difference")

    def test_rounds_are_paired(self):
        # The machine slows down eightfold meanwhile; B/A stays what it is.
        a = [100, 200, 300, 400, 500, 600, 700, 800]
        found = compare.compare("x", a, [x * 1.1 for x in a], a, random.Random(1))
        self.assertAlmostEqual(found.ratio, 1.1)
        self.assertAlmostEqual(found.low, 1.1)
        self.assertAlmostEqual(found.high, 1.1)

    def test_interval_covers_the_truth_about_as_often_as_it_says(self):
        rng = random.Random(7)
        covered = 0
        for _ in range(40):
            low, high = compare.interval(
                [rng.gauss(1, 0.05) for _ in range(15)], rng
            )
            covered += low <= 1 <= high
        self.assertGreaterEqual(covered, 34)

    def test_only_common_benchmarks(self):
        times = {"a": {"x": [1], "y": [1]}, "b": {"z": [1], "y": [1]}}
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(compare.common(times), ["y"])
        self.assertIn("x: only in A", err.getvalue())
        self.assertIn("z: only in B", err.getvalue())
        with self.assertRaises(gbench.Problem):
            compare.common({"a": {}, "b": {}})

    def fake(self, name, time):
        os.mkdir(self.path(name))
        path = self.write(f"{name}/bench", FAKE.format(time=time))
        os.chmod(path, 0o755)
        return path

    def compared(self, *args):
        with contextlib.redirect_stderr(io.StringIO()):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(compare.main(list(args)), 0)
        return out.getvalue()

    def test_two_binaries(self):
        a, b = self.fake("a", 100), self.fake("b", 130)
        out = self.compared("--a", a, "--b", b, "--rounds", "6")
        self.assertIn("1 compared: 0 faster, 1 slower, 0 no difference", out)
        out = self.compared("--a", a, "--b", a, "--rounds", "6")
        self.assertIn("1 compared: 0 faster, 0 slower, 1 no difference", out)
        self.assertEqual(os.path.getsize(self.path("b/runs")), 6)

    def test_wrong_arguments(self):
        for wrong in (["--rounds", "4"], ["--repetitions", "0"], ["--what"]):
            said = io.StringIO()
            with self.assertRaises(SystemExit) as end, \
                    contextlib.redirect_stderr(said):
                compare.parse_args(["--a", "x", "--b", "y", *wrong])
            self.assertEqual(end.exception.code, 1)
            self.assertRegex(said.getvalue(), "--help\n$")


class Instructions(unittest.TestCase):
    """The arithmetic; smoke_test.py runs valgrind."""

    def test_what_is_paid_once_is_not_counted(self):
        self.assertEqual(
            instructions.per_operation(lambda n: 1000 + 7 * n, 50), (7, True)
        )

    def test_a_count_that_wavers_is_marked(self):
        counts = iter([100, 200, 101])
        self.assertEqual(
            instructions.per_operation(lambda _: next(counts), 10), (10, False)
        )
        self.assertIn("~10.00", instructions.line("x", [(10, False)]))
        self.assertNotIn("~", instructions.line("x", [(10, True)]))

    def test_ratio(self):
        self.assertRegex(
            instructions.line("x", [(10, True), (15, True)]), r"1\.5000$"
        )

    def test_flushes_count_as_their_slots(self):
        self.assertEqual(instructions.operations("hit/pages:1", 8192), 8192)
        self.assertEqual(instructions.operations("flush/idle:1", 8192), 8192)
        self.assertEqual(instructions.operations("flush/idle:1024", 8192), 8)
        self.assertEqual(instructions.operations("flush/idle:1024", 100), 4)

    def test_totals(self):
        self.assertEqual(
            instructions.totals("events: Ir\n1 2\n\ntotals: 1234\n"), 1234
        )
        with self.assertRaises(gbench.Problem):
            instructions.totals("events: Ir\n")


class Plot(Folder):
    """The picture."""

    def results(self):
        miss = [
            entry(f"miss/held:{n}", 50 + n, words_per_miss=1)
            for n in (0, 1013, 512)
        ]
        flush = [entry(f"flush/idle:{2**n}", 2**n) for n in range(4)]
        return text(*miss, *miss, *flush)

    def test_points_are_in_order(self):
        rows = gbench.parse(self.results(), "x")
        numbers = [n for n, _ in plot.series(rows, "miss/held")]
        self.assertEqual(numbers, [0, 512, 1013])

    def test_svg(self):
        source = self.write("in.json", self.results())
        self.assertEqual(plot.main([source, "-o", self.path("o.svg")]), 0)
        with open(self.path("o.svg"), encoding="utf-8") as file:
            svg = file.read()
        for words in ("Slot search", "words read per miss", "idle slots"):
            self.assertIn(words, re.sub("<!--.*?-->", "", svg))

    def test_png(self):
        source = self.write("in.json", self.results())
        self.assertEqual(plot.main([source, "-o", self.path("o.png")]), 0)
        with open(self.path("o.png"), "rb") as file:
            self.assertEqual(file.read(4), b"\x89PNG")

    def test_nothing_to_plot(self):
        source = self.write("in.json", text(entry("local/new_page", 1)))
        with self.assertRaisesRegex(gbench.Problem, "miss/held"):
            plot.main([source, "-o", self.path("o.svg")])

    def test_without_counters(self):
        source = self.write(
            "in.json", text(entry("miss/held:0", 1), entry("flush/idle:1", 1))
        )
        with self.assertRaisesRegex(gbench.Problem, "words_per_miss"):
            plot.main([source, "-o", self.path("o.svg")])

    def test_where_it_cannot_go(self):
        source = self.write("in.json", self.results())
        with self.assertRaisesRegex(gbench.Problem, "cannot be written"):
            plot.main([source, "-o", self.path("no/such/folder/o.svg")])
        with self.assertRaises(SystemExit):
            plot.main([source, "-o", self.path("o.jpeg")])


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
