#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Are two runs of the kernel's benchmarks the same, and do they count?

usage: bench_test.py IMG
"""

import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
KERNEL = None


def run(script, *arguments):
    return subprocess.run(
        ["/usr/bin/python3", os.path.join(HERE, script), "--kernel", KERNEL,
         *arguments], capture_output=True, text=True, check=False)


def table(*arguments):
    """{row: [numbers]} as bench.py prints it."""
    result = run("bench.py", *arguments)
    assert result.returncode == 0, result
    lines = [line.split() for line in result.stdout.splitlines()[1:]]
    return {words[0]: words[1:] for words in lines}


class Bench(unittest.TestCase):
    def test_two_runs_are_the_same(self):
        first, second = table(), table()
        self.assertEqual(first, second)
        self.assertGreater(len(first), 20)
        for name, numbers in first.items():
            self.assertGreater(float(numbers[0]), 10, name)

    def test_two_cpus_are_the_same(self):
        probe = run("bench.py", "--smp", "2")
        if probe.returncode == 4:
            self.skipTest(probe.stdout)
        self.assertEqual(probe.stdout, run("bench.py", "--smp", "2").stdout)
        rows = [line.split() for line in probe.stdout.splitlines()[1:]]
        ipis = {row[0]: float(row[-1]) for row in rows}
        self.assertGreaterEqual(ipis["flush/idle:8"], 1)
        self.assertEqual(ipis["local/same_page"], 0)

    def test_it_counts_what_it_says(self):
        rows = table()
        number = {name: float(cells[0]) for name, cells in rows.items()}
        # kmap, kunmap, and the loop around them.
        pair = number["kmap/hit"] + number["kunmap/last_user"]
        self.assertLess(pair, number["hit/pages:1"])
        self.assertLess(number["hit/pages:1"], pair + 20)
        self.assertLess(number["hit/pages:1"], number["miss/held:0"])
        self.assertLess(number["context_switch/maps:0"],
                        number["context_switch/maps:4"])
        shootdowns, invlpgs, full = (
            {name: float(cells[i]) for name, cells in rows.items()}
            for i in (2, 3, 4))
        self.assertEqual((shootdowns["flush/idle:32"], invlpgs["flush/idle:32"],
                          full["flush/idle:32"]), (1, 32, 0))
        self.assertEqual((shootdowns["flush/idle:64"], full["flush/idle:64"]),
                         (1, 1))
        self.assertEqual(shootdowns["hit/pages:512"], 0)
        self.assertEqual(invlpgs["switch/maps:4"], 4)

    def test_without_a_clock_that_counts(self):
        result = run("run_kernel.py", "--run", "bench")
        self.assertIn("ok 1 bench # SKIP the clock counts no instructions",
                      result.stdout)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 1)
    KERNEL = os.path.abspath(sys.argv.pop())
    unittest.main(verbosity=2)
