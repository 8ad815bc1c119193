# SPDX-License-Identifier: MIT
"""Cases by name, and never more or fewer than are counted."""

import unittest

from ci.lib.test.bazel import Result
from ci.lib.test.named import count_of, of_test

CRITERION_LOG = (
    "[====] Synthesis: Tested: 4 | Passing: 1 | Failing: 3 | Crashing: 1 \n"
)

# What Criterion 2.4.1 writes, shortened.
CRITERION_XML = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Tests compiled with Criterion v2.4.1 -->
<testsuites name="Criterion Tests" tests="5" failures="3" errors="1">
  <testsuite name="su" tests="5" failures="3" errors="1" skipped="1" time="1.0">
    <testcase name="slow" assertions="0" status="ERRORED" time="1.026">
      <error type="timeout" message="The test timed out." />    </testcase>
    <testcase name="skips" assertions="0" status="SKIPPED" time="0.000">
      <skipped/>
    </testcase>
    <testcase name="passes" assertions="0" status="PASSED" time="0.002">
    </testcase>
    <testcase name="fails" assertions="2" status="FAILED" time="0.007">
      <failure type="assert" message="1 assertion(s) failed."
      ><![CDATA[ct.c:3: a <b> & 3]]>&#10;</failure>
    </testcase>
    <testcase name="dies" assertions="0" status="ERRORED" time="0.000">
      <error type="crash" message="The test crashed." />    </testcase>
  </testsuite>
</testsuites>
"""

UNITTEST = """\
test_a (__main__.T.test_a) ... ok
test_b (__main__.T.test_b)
It has a line of its own. ... said in between
FAIL
test_c (__main__.T.test_c) ... skipped 'no kvm'
----------------------------------------------------------------------
Ran 3 tests in 0.1s

FAILED (failures=1, skipped=1)
"""


def cases(log, status="PASSED", xml="", label="//a/b:c_test"):
    found, _ = of_test(Result(label, status, log, 1.5, xml))
    return found


def words(found):
    return [(case.name, case.verdict) for case in found]


class NamedTest(unittest.TestCase):
    """One log each."""

    def test_criterion(self):
        found = cases(CRITERION_LOG, "FAILED", CRITERION_XML)
        self.assertEqual(words(found), [
            ("su::dies", "failed"), ("su::fails", "failed"),
            ("su::passes", "passed"), ("su::skips", "skipped"),
            ("su::slow", "failed"),
        ])
        self.assertEqual(found[2].seconds, 0.002)
        self.assertIn("ct.c:3: a <b> & 3", found[1].message)
        self.assertIn("The test timed out.", found[4].message)
        self.assertTrue(found[3].message)

    def test_the_xml_of_another_program(self):
        log = "cases: 1 passed, 0 failed\n"
        found = cases(log, "PASSED", CRITERION_XML)
        self.assertEqual(words(found), [("c_test", "passed")])
        self.assertEqual(found[0].seconds, 1.5)

    def test_ktap(self):
        log = ("1..2\nok 1 kmap_hit\nok 2 windows # SKIP one CPU\n"
               "cases: 1 passed, 0 failed, 1 skipped\n")
        found = cases(log)
        self.assertEqual(
            words(found), [("kmap_hit", "passed"), ("windows", "skipped")])
        self.assertEqual(found[1].message, "one CPU")

    def test_a_replay(self):
        log = ("ok     fuzz/kmap_fuzz_test_corpus/pae\n"
               "FAILED fuzz/kmap_fuzz_test_corpus/misuse: exit status 77\n"
               "cases: 1 passed, 1 failed\n")
        found = cases(log, "FAILED")
        self.assertEqual(
            words(found), [("pae", "passed"), ("misuse", "failed")])
        self.assertIn("exit status 77", found[1].message)

    def test_unittest(self):
        self.assertEqual(words(cases(UNITTEST, "FAILED")), [
            ("T.test_a", "passed"), ("T.test_b", "failed"),
            ("T.test_c", "skipped"),
        ])

    def test_a_count_without_names(self):
        found = cases("cases: 3 passed, 1 failed\n", "FAILED")
        self.assertEqual([case.name for case in found],
                         ["c_test 1", "c_test 2", "c_test 3", "c_test 4"])

    def test_names_that_are_not_what_was_counted(self):
        log = "ok 1 a\nok 2 b\ncases: 5 passed, 0 failed\n"
        self.assertEqual(len(cases(log)), 5)

    def test_a_death_after_good_cases(self):
        log = "ok 1 a\nok 2 b\nSegmentation fault\n"
        found = cases(log, "FAILED")
        self.assertEqual(words(found), [
            ("a", "passed"), ("b", "passed"), ("c_test as a whole", "failed")])
        self.assertIn("Segmentation fault", found[2].message)

    def test_without_a_log(self):
        for status, verdict in [("PASSED", "passed"), ("FAILED", "failed"),
                                ("TIMEOUT", "failed"), ("NOT BUILT", "failed"),
                                ("SKIPPED", "skipped"), ("NOT RUN", "skipped")]:
            with self.subTest(status):
                found = cases("", status)
                self.assertEqual([case.verdict for case in found], [verdict])

    def test_the_count_is_that_of_the_cases(self):
        count = count_of(cases(UNITTEST, "FAILED"))
        self.assertEqual((count.passed, count.failed), (1, 1))
        self.assertEqual(count.skipped, ["T.test_c: no kvm"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
