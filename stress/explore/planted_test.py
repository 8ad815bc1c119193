# SPDX-License-Identifier: MIT
"""Three bugs planted by hand: each is found, made small, explained, replayed.

usage: planted_test.py EXPLORE_NAME...

EXPLORE_NAME is the explorer with the mutant NAME for a core.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

EXPLORERS = {}
MOST_OPERATIONS = 8


class Planted(unittest.TestCase):
    def explore(self, name, code, *arguments):
        result = subprocess.run([EXPLORERS[name], *arguments],
                                capture_output=True, text=True, check=False,
                                cwd=self.folder)
        self.assertEqual(result.returncode, code, result)
        return result.stdout

    def hash_of(self, output):
        return re.search(r"^trace hash ([0-9a-f]{16})$", output, re.M)[1]

    def check(self, name, why, *flags):
        """@why: what the sentences have to say."""
        with tempfile.TemporaryDirectory() as self.folder:
            found = self.explore(name, 77, "run", "--generate", "--seed=1",
                                 "--time=120s", *flags)
            operations = re.search(r"minimised to (\d+) operations", found)
            self.assertLessEqual(int(operations[1]), MOST_OPERATIONS, found)
            self.assertRegex(found, why)
            replays = re.findall(r"^replay: .* -- (replay \S+)$", found, re.M)
            self.assertEqual(len(replays), 1, found)
            again = self.explore(name, 77, *replays[0].split())
            self.assertEqual(self.hash_of(again), self.hash_of(found))
            file = replays[0].split()[1]
            self.assertRegex(self.explore(name, 0, "explain", file), why)

    def test_a_lost_wakeup(self):
        self.check("lost_wakeup", r"let go of it at step \d+ and did not look")

    def test_a_skipped_flush(self):
        self.check("missing_flush", r"did not flush CPU")

    def test_a_missing_fence(self):
        self.check("enqueue_unfenced", r"was still held back", "--faults=tso")


def main():
    for path in sys.argv[1:]:
        name = os.path.basename(path).split("explore_")[1]
        EXPLORERS[name] = os.path.realpath(path)
    os.environ.pop("BUILD_WORKING_DIRECTORY", None)
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    sys.exit(1 if failed or result.testsRun == 0 else 0)


if __name__ == "__main__":
    main()
