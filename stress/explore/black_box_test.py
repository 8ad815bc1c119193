# SPDX-License-Identifier: MIT
"""Bugs of the core are found also by who does not look into it.

usage: black_box_test.py EXPLORE EXPLORE_MUTANT...

Each mutant is red with the oracle's look inside, and with --black-box; the
healthy core is red in neither. Red means a sentence, and that the replay line
shows it again.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

HEALTHY, *MUTANTS = map(os.path.abspath, sys.argv[1:])

OFF = "not demanded: what its inside says: counts, free slots, queues\n"
SCHEDULES = 400000  # more than the slowest needs, and less than a minute


def run_it(folder, *command):
    return subprocess.run(command, cwd=folder, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)


def search(folder, explorer, schedules, *flags):
    return run_it(folder, explorer, "run", "--generate", "--seed=1",
                  "--iterations=%d" % schedules, *flags)


class BlackBox(unittest.TestCase):
    def test_the_healthy_core(self):
        with tempfile.TemporaryDirectory() as folder:
            run = search(folder, HEALTHY, 30000, "--black-box")
            self.assertEqual(run.returncode, 0, run.stdout)
            self.assertIn(OFF, run.stdout)
            run = search(folder, HEALTHY, 1000)
            self.assertNotIn("not demanded", run.stdout)

    def red(self, explorer, *flags):
        with tempfile.TemporaryDirectory() as folder:
            run = search(folder, explorer, SCHEDULES, *flags)
            self.assertEqual(run.returncode, 77, run.stdout)
            replay = re.search(r"^replay: .* -- replay (.*)$", run.stdout,
                               re.M)[1].split()
            self.assertEqual(replay[:-1], list(flags))
            again = run_it(folder, explorer, "replay", *replay)
            self.assertEqual(again.returncode, 77, again.stdout)

    def test_each_mutant(self):
        self.assertGreaterEqual(len(MUTANTS), 10)
        for explorer in MUTANTS:
            with self.subTest(mutant=os.path.basename(explorer)):
                self.red(explorer)
                self.red(explorer, "--black-box")


def main():
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    failed = min(len(result.failures) + len(result.errors), result.testsRun)
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    return 77 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
