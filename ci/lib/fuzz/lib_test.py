# SPDX-License-Identifier: MIT
"""Runs the tests of ci/lib/fuzz and of fuzz/engine's Python.

usage: lib_test.py lib|command

Real files and processes; only the fuzzer, hmt and Bazel are fakes. `command`
runs the whole of ci/fuzz. The last line is `cases: N passed, M failed`.
"""

import io
import sys
import unittest

from . import (corpus_test, covered_test, hostile_test, interrupt_test,
               moved_test, page_test, report_test, run_test, setup_test,
               triage_test)

SUITES = {
    "lib": (corpus_test, covered_test, page_test, report_test, run_test,
            setup_test, triage_test),
    "command": (hostile_test, interrupt_test, moved_test),
}


def main():
    load = unittest.defaultTestLoader.loadTestsFromModule
    suite = unittest.TestSuite(load(module)
                               for module in SUITES[sys.argv[1]])
    output = io.StringIO()
    result = unittest.TextTestRunner(output, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(output.getvalue())
    print(f"cases: {result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
