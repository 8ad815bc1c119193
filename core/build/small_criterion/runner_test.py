#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A test that fails, crashes, hangs or exits must be one red case."""

import subprocess
import sys
import unittest

SAMPLE = sys.argv.pop(1)


def run(*arguments):
    """(exit status, stdout, stderr)."""
    done = subprocess.run(
        [SAMPLE, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Runner(unittest.TestCase):
    def one(self, name):
        return run(f"--filter={name}")

    def red(self, name, *sentences):
        status, out, err = self.one(name)
        self.assertEqual(status, 1)
        self.assertTrue(out.endswith("\ncases: 0 passed, 1 failed\n"))
        self.assertIn(f"not ok 1 - {name.replace('/', '::')} # ", out)
        for sentence in sentences:
            self.assertIn(sentence, err + out)
        return err

    def test_what_passes_says_its_name(self):
        status, out, err = self.one("around/is_initialised*")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(out, "ok 1 - around::is_initialised\n"
                         "ok 2 - around::is_initialised_once\n"
                         "cases: 2 passed, 0 failed\n")
        status, out, err = self.one("plain/passes")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(out, "ok 1 - plain::passes\n"
                         "cases: 1 passed, 0 failed\n")

    def test_a_failed_expectation_goes_on(self):
        self.red(
            "plain/fails_and_goes_on",
            '"left" is "right": "left", not "right": number 3',
            "sample.c:",
            "not true: 1 == 2\n",
            "# exit status 1",
        )

    def test_a_failed_assertion_ends_the_test(self):
        err = self.red("plain/asserts_and_ends", "1 == 2: this is the end")
        self.assertNotIn("never seen", err)

    def test_a_crash_is_named(self):
        self.red("plain/crashes", "crashed: Aborted")

    def test_who_exits_has_not_passed(self):
        self.red("plain/exits_by_itself", "exit status 0")

    def test_the_end_of_a_suite_counts(self):
        self.red("around/its_end_can_fail", "the suite's end runs")

    def test_who_does_not_end_is_stopped(self):
        status, out, _ = run("--filter=slow/*", "--timeout=1")
        self.assertEqual(status, 1)
        self.assertIn("::never_ends # still running after 1 s of CPU", out)
        self.assertIn("::never_wakes # still running after 10 s\n", out)

    def test_one_that_crashes_does_not_hide_the_others(self):
        status, out, _ = run("--filter=[ap]*")
        self.assertEqual(status, 1)
        self.assertTrue(out.endswith("cases: 3 passed, 5 failed\n"))

    def test_some_can_be_left_out(self):
        _, out, _ = run("--list", "--filter=plain/*", "--skip=plain/[!p]*")
        self.assertEqual(out, "plain/passes\n")

    def test_usage(self):
        self.assertEqual(run("--help")[0], 0)
        self.assertEqual(len(run("--list")[1].splitlines()), 10)
        for wrong in "--filter=none", "--timeout=0", "--timeout=x", "word":
            status, out, err = run(wrong)
            self.assertEqual((status, out), (1, ""))
            self.assertIn("see --help", err)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
