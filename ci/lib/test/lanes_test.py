# SPDX-License-Identifier: MIT
"""Which tests belong to which lane, and which to the night."""

import unittest
from unittest import mock

from ci.lib.test import __main__ as ci_test
from ci.lib.test import bazel

NIGHT = "//stress/kernel:torture_night_1_test\n//ci/oss-fuzz:nightly_x_test\n"


class Lanes(unittest.TestCase):
    def test_a_target_has_the_first_lane_that_fits(self):
        for label, lane in (
                ("//core/lib:a_test", "unit"),
                ("//stress/oracle:a_test", "unit"),
                ("//stress/kernel:a_test", "kernel"),
                ("//stress/explore:a_test", "torture"),
                ("//ci/lib/test:a_test", "other")):
            self.assertEqual(ci_test.lane_of(label), lane)

    def nightly(self, wanted):
        with mock.patch.object(bazel, "output_of", return_value=NIGHT):
            return ci_test.nightly_tests(wanted)

    def test_the_night_is_in_lanes_too(self):
        self.assertEqual(self.nightly(None), NIGHT.split())
        self.assertEqual(self.nightly(["kernel"]), NIGHT.split()[:1])
        self.assertEqual(self.nightly(["unit"]), [])

    def run_bazel(self, nightly):
        """The patterns that Bazel is given, and what is said."""
        said = []
        with mock.patch.object(bazel, "output_of", return_value=NIGHT), \
                mock.patch.object(bazel, "test",
                                  return_value=(bazel.OK, [])) as test, \
                mock.patch.object(ci_test, "say", said.append):
            ci_test.run_bazel({}, None, nightly, None)
        return test.call_args[0][0], said

    def test_the_night_runs_only_if_asked_for(self):
        patterns, said = self.run_bazel(False)
        self.assertEqual(patterns, ["//..."])
        self.assertIn(ci_test.NOT_ASKED, said)
        patterns, said = self.run_bazel(True)
        self.assertEqual(patterns, NIGHT.split() + ["//..."])
        self.assertNotIn(ci_test.NOT_ASKED, said)


if __name__ == "__main__":
    unittest.main()
