# SPDX-License-Identifier: MIT
"""The count at the end of ci/test must not lie."""

import sys
import unittest

from ci.lib.test.cases import of_test


def counted(status, log):
    """(passed, failed, what was skipped, whether there is a remark)."""
    count, remark = of_test(status, log)
    return count.passed, count.failed, count.skipped, bool(remark)


# As Criterion prints it: the one that crashed is among the three that fail.
CRITERION = (
    "[\x1b[0;34m====\x1b[0m] Synthesis: Tested: 4 | Passing: 1 | "
    "Failing: 3 | Crashing: 1 \n"
)

KTAP = """\
KTAP version 1
1..2
  KTAP version 1
  1..3
  ok 1 - kmap_hit
  not ok 2 - kmap_miss
  ok 3 - kmap_pae # SKIP no PAE
not ok 1 - pkmap
ok 2 - alone
"""


class CasesTest(unittest.TestCase):
    """One log each."""

    def test_our_own_line_the_last_one_counts(self):
        log = "cases: 1 passed, 0 failed\nmore\ncases: 12 passed, 0 failed\n"
        self.assertEqual(counted("PASSED", log), (12, 0, [], False))

    def test_criterion_in_colour(self):
        self.assertEqual(counted("FAILED", CRITERION), (1, 3, [], False))

    def test_ktap_counts_leaves(self):
        self.assertEqual(
            counted("FAILED", KTAP),
            (2, 1, ["kmap_pae # SKIP no PAE"], False),
        )

    def test_unittest(self):
        log = "....\nRan 22 tests in 7.254s\n\nOK\n"
        self.assertEqual(counted("PASSED", log), (22, 0, [], False))
        log = ("Ran 9 tests in 0.1s\n\n"
               "FAILED (failures=1, errors=2, skipped=3)\n")
        self.assertEqual(counted("FAILED", log)[:2], (3, 3))

    def test_what_an_interrupt_left_out_is_no_failure(self):
        self.assertEqual(counted("NOT RUN", "")[:2], (0, 0))

    def test_without_a_count_a_target_is_one_case(self):
        self.assertEqual(counted("PASSED", "fine\n"), (1, 0, [], False))
        self.assertEqual(counted("TIMEOUT", ""), (0, 1, [], False))
        self.assertEqual(counted("NOT BUILT", ""), (0, 1, [], False))

    def test_a_death_after_good_cases_is_a_failure(self):
        log = "cases: 5 passed, 0 failed\n"
        self.assertEqual(counted("FAILED", log), (5, 1, [], False))

    def test_exit_code_does_not_hide_failed_cases(self):
        log = "cases: 5 passed, 1 failed\n"
        self.assertEqual(counted("PASSED", log), (5, 1, [], True))

    def test_running_nothing_is_a_failure(self):
        log = "cases: 0 passed, 0 failed\n"
        self.assertEqual(counted("PASSED", log), (0, 1, [], True))

    def test_skipped_is_neither(self):
        log = "skipped: kvm: no guest boots on it\n"
        self.assertEqual(
            counted("PASSED", log),
            (0, 0, ["kvm: no guest boots on it"], False),
        )
        self.assertEqual(counted("SKIPPED", "")[:2], (0, 0))

    def test_a_word_of_ok_is_not_a_case(self):
        self.assertEqual(counted("PASSED", "ok then\n"), (1, 0, [], False))


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
