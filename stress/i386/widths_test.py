#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A program means the same with pointers of 64 and of 32 bits.

    widths_test.py HMT64 HMT32 SEED...

Each seed is encoded, printed and run by both; what they write must not differ
by a byte: the fuzz input, the canonical text, and of the run each operation with
its answer, the counters, and the trace hash.
"""

import os
import subprocess
import sys
import tempfile
import unittest

HMTS = [os.path.abspath(path) for path in sys.argv[1:3]]
SEEDS = sys.argv[3:]
del sys.argv[1:]


def run(hmt, *arguments):
    """(exit status, what it says)."""
    done = subprocess.run(
        [hmt, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def encoded(hmt, seed):
    with tempfile.NamedTemporaryFile() as out:
        status, said = run(hmt, "encode", seed, "-o", out.name)
        return status, said, out.read()


class Widths(unittest.TestCase):
    def setUp(self):
        self.longMessage = True

    def same(self, answer):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                wide, narrow = (answer(hmt, seed) for hmt in HMTS)
                self.assertIn(wide[0], (0, 70), wide)  # 70: it deadlocks
                self.assertEqual(wide, narrow)

    def test_there_are_seeds_of_each_kind(self):
        kinds = {os.path.basename(os.path.dirname(seed)) for seed in SEEDS}
        self.assertEqual(kinds, {"highmem_sched", "kmap", "kmap_local"})

    def test_the_two_differ(self):
        classes = set()
        for hmt in HMTS:
            with open(hmt, "rb") as program:
                classes.add(program.read(5)[4])
        self.assertEqual(classes, {1, 2}, "ELF's class: 32 and 64 bits")

    def test_bytes(self):
        self.same(encoded)

    def test_text(self):
        self.same(lambda hmt, seed: run(hmt, "print", seed))

    def test_runs(self):
        self.same(lambda hmt, seed: run(hmt, "run", "--trace", seed))


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - min(bad, result.testsRun)} passed, "
          f"{bad} failed")
    sys.exit(bool(bad))
