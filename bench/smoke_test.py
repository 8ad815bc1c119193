# SPDX-License-Identifier: MIT
"""Each benchmark runs, and proves what it measures; no time is looked at.

usage: smoke_test.py PKMAP_BENCH KMAP_LOCAL_BENCH BROKEN_BENCH SIM_BENCH
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import gbench
import instructions

PKMAP, LOCAL, BROKEN, SIM = sys.argv[1:5]

ITERATIONS = 100

IDLE = [2**n for n in range(11)]

PKMAP_NAMES = (
    [
        "hit/pages:1",
        "hit/pages:512",
        "hit_own_page/tasks:2",
        "hit_same_page/tasks:2",
    ]
    + [f"miss/held:{held}" for held in (0, 102, 512, 922, 1013)]
    + [f"flush/idle:{idle}" for idle in IDLE]
    + ["handover/tasks:2", "handover/tasks:4"]
)

LOCAL_NAMES = [
    "local/same_page",
    "local/new_page",
    "atomic/new_page",
    "nested/maps:4",
    "switch/maps:0",
    "switch/maps:1",
    "switch/maps:4",
    "switch/maps:16",
]

SIM_NAMES = [
    "schedule/random",
    "schedule/faults",
    "schedule/dfs",
    "schedule/dfs_pruned",
    "exec/bytes:64",
    "decode/bytes:64",
    "state_hash",
    "boot",
]


def measured(binary):
    """{name: Row} of --benchmark_out."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        gbench.execute(
            [
                gbench.program(binary),
                f"--iterations={ITERATIONS}",
                f"--benchmark_out={out}",
            ]
        )
        return gbench.load(out)


def status(*command):
    """(exit status, standard output, standard error)."""
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


class Rows(unittest.TestCase):
    """What the JSON of a minimal run holds."""

    def check_all_ran(self, rows, names):
        self.assertEqual(sorted(rows), sorted(names))
        for name, row in rows.items():
            self.assertEqual(row.iterations, [ITERATIONS], name)
            self.assertGreater(row.time(), 0, name)

    def test_pkmap(self):
        rows = measured(PKMAP)
        self.check_all_ran(rows, PKMAP_NAMES)
        for idle in IDLE:
            counters = rows[f"flush/idle:{idle}"].counters
            self.assertEqual(counters["shootdowns_per_1000"], 1000)
            self.assertEqual(counters["slots_per_shootdown"], idle)
        for name in PKMAP_NAMES[:4]:
            self.assertEqual(rows[name].counters["shootdowns_per_1000"], 0)
        for name in PKMAP_NAMES[-2:]:
            wakeups = rows[name].counters["wakeups_per_handover"]
            self.assertTrue(0 < wakeups <= 1, f"{name}: {wakeups}")

    def test_full_house_is_flushed_each_time_its_few_slots_are_used_up(self):
        counters = measured(PKMAP)["miss/held:1013"].counters
        self.assertEqual(counters["slots_per_shootdown"], 1024 - 1013)
        self.assertEqual(counters["shootdowns_per_1000"], 1000 * 9 / 100)

    def test_kmap_local(self):
        rows = measured(LOCAL)
        self.check_all_ran(rows, LOCAL_NAMES)
        self.assertEqual(rows["nested/maps:4"].counters["local_flushes"], 4)
        self.assertEqual(rows["switch/maps:16"].counters["local_flushes"], 16)

    def test_sim(self):
        rows = measured(SIM)
        self.check_all_ran(rows, SIM_NAMES)
        points = rows["schedule/random"].counters["points"]
        self.assertTrue(40 < points < 65, points)
        self.assertEqual(rows["schedule/dfs"].counters["pruned"], 0)
        self.assertGreater(rows["schedule/dfs_pruned"].counters["pruned"], 0)
        self.assertEqual(rows["decode/bytes:64"].counters["ops"], 28)
        self.assertGreater(rows["exec/bytes:64"].counters["performed"], 5)

    def test_sim_says_what_is_asked_of_it_and_never_fails_for_speed(self):
        counters = measured(SIM)["schedule/random"].counters
        self.assertEqual(counters["gate"], 100_000)
        self.assertEqual(counters["goal"], 200_000)
        for name in ["gate", "goal"]:
            holds = counters["per_second"] >= counters[name]
            self.assertEqual(counters[name + "_holds"], holds)


class CommandLine(unittest.TestCase):
    """Flags and exit statuses."""

    def test_help(self):
        code, out, _ = status(PKMAP, "--help")
        self.assertEqual(code, 0)
        self.assertIn("--iterations=N", out)
        self.assertIn("--benchmark_filter", out)

    def test_wrong_arguments(self):
        for wrong in (
            "--iterations=0",
            "--iterations=7x",
            "--nonsense",
            "--benchmark_filter=no_such_benchmark",
        ):
            code, _, err = status(PKMAP, wrong)
            self.assertEqual(code, 1, wrong)
            self.assertIn(wrong.split("=")[-1], err)

    def test_json_on_standard_output(self):
        code, out, _ = status(
            LOCAL,
            "--iterations=1",
            "--benchmark_format=json",
            "--benchmark_filter=switch",
        )
        self.assertEqual(code, 0)
        self.assertEqual(len(json.loads(out)["benchmarks"]), 4)


class Broken(unittest.TestCase):
    """A benchmark that does not do what it says is an error."""

    def check(self, name, code, sentence):
        got, _, err = status(
            BROKEN,
            "--iterations=10",
            "--benchmark_repetitions=2",
            f"--benchmark_filter=^{name}/",
        )
        self.assertEqual(got, code)
        self.assertRegex(err.splitlines()[-1], sentence)

    def test_control(self):
        self.check("fine", 0, ".")

    def test_wrong_claim(self):
        self.check("hits_that_are_misses", 77, "^hits_that.*: 10 operations moved 'local' by 0")

    def test_bug_of_the_core(self):
        self.check("double_kunmap", 77, "^double_kunmap: highmem: BUG: kunmap of page")

    def test_stall(self):
        self.check("sleep_for_ever", 70, "^sleep_for_ever: a task sleeps for ever$")


class Instructions(unittest.TestCase):
    """callgrind on the real thing."""

    def test_count_is_exact(self):
        if not shutil.which("valgrind"):
            print("skipped: instructions.py: valgrind is not installed")
            return
        count, exact = instructions.measure(LOCAL, "nested/maps:4", 16)
        self.assertTrue(exact)
        self.assertEqual(count, int(count))
        self.assertGreater(count, 8)


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
