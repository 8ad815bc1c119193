# SPDX-License-Identifier: MIT
"""The example of docs/subjects.md: its bug is found, and what is refused.

usage: example_test.py EXPLORE HMT EXPLORE_MENDED HMT_MENDED EXPLORE_WRONG HMT_WRONG
    EXPLORE_OF_OURS
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

(EXPLORE, HMT, MENDED, HMT_MENDED, WRONG, HMT_WRONG, OURS) = map(
    os.path.abspath, sys.argv[1:8])

RUN = ["run", "--generate", "--seed=1"]
OFF = "not demanded: what its inside says: counts, free slots, queues; "


class Example(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_it(self, *command):
        return subprocess.run(command, cwd=self.folder.name, check=False,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)

    def write(self, text):
        with open(os.path.join(self.folder.name, "a.hmt"), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def test_its_bug_is_found_and_found_again(self):
        run = self.run_it(EXPLORE, *RUN, "--iterations=20000")
        self.assertEqual(run.returncode, 77, run.stdout + run.stderr)
        line = re.search(r"^replay: bazel run \S+ -- replay "
                         r"--subject=example (\S+)$", run.stdout, re.M)
        self.assertTrue(line, run.stdout)
        said, = re.findall(r"^BUG: (.*)$", run.stdout, re.M)
        for explore in ([EXPLORE], [OURS, "--subject=example"]):
            again = self.run_it(*explore, "replay", line[1])
            self.assertEqual(again.returncode, 77,
                             again.stdout + again.stderr)
            self.assertIn("BUG: " + said, again.stdout)

    def test_mended_it_is_clean_and_what_was_off_is_said(self):
        run = self.run_it(MENDED, *RUN, "--iterations=20000")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn(OFF, run.stdout)
        self.assertIn("nobody is overtaken", run.stdout)

    def test_the_same_of_all_small_programs(self):
        small = ["exhaust", "--ops=2", "--max-preemptions=1"]
        run = self.run_it(EXPLORE, *small)
        self.assertEqual(run.returncode, 77, run.stdout + run.stderr)
        run = self.run_it(MENDED, *small)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("subject          example-mended, judged from outside",
                      run.stdout)
        self.assertIn(OFF, run.stdout)

    def refuses(self, sentence, *command):
        run = self.run_it(*command)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        self.assertIn(sentence, run.stderr)

    def test_what_it_lacks_is_refused(self):
        lacks = ("subject example has nothing for the operation %s, which "
                 "the program needs")
        self.write("machine cpus=1\ntask A: kmap p0\n")
        for command in ([HMT, "run"], [EXPLORE, "replay"]):
            self.refuses(lacks % "kmap", *command, "a.hmt")
        self.write("machine cpus=1 colours=2\ntask A: try p0\n")
        self.refuses("subject example has at most 1 colours, and the machine "
                     "2", HMT, "run", "a.hmt")
        self.write("machine cpus=1 force=yes\ntask A: try p0\n")
        self.refuses("subject example does not run on a machine with "
                     "force=yes", HMT, "run", "a.hmt")
        self.refuses(lacks % "flush", EXPLORE, "exhaust",
                     "--alphabet=try,flush")
        self.refuses("nothing that a handler could do", EXPLORE, "exhaust",
                     "--faults=irq")

    def test_a_contradiction_is_refused(self):
        sentence = "it promises WAITERS_SHARE without ONE_ADDRESS"
        self.refuses(sentence, WRONG, *RUN)
        self.refuses(sentence, HMT_WRONG, "subjects")

    def test_it_tells_of_itself(self):
        run = self.run_it(HMT, "subjects")
        self.assertEqual(run.returncode, 0, run.stderr)
        for line in (r"^example: a table of slots",
                     r"^  has  +kmap_try, kunmap$",
                     r"^  lacks  +kmap, kmap_timeout, ",
                     r"^  promises  +ONE_ADDRESS, NO_STALE_TLB$",
                     r"^  not demanded  +what its inside says"):
            self.assertRegex(run.stdout, re.compile(line, re.M))
        self.write("machine cpus=1\ntask A: try p0; check; kunmap p0\n")
        self.assertEqual(self.run_it(HMT_MENDED, "run", "a.hmt").returncode, 0)


def main():
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    failed = min(len(result.failures) + len(result.errors), result.testsRun)
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    return 77 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
