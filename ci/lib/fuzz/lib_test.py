# SPDX-License-Identifier: MIT
"""Runs the tests of ci/lib/fuzz and of fuzz/engine's Python.

Real files and processes; only the fuzzer is a fake. The last line is
`cases: N passed, M failed`.
"""

import io
import sys
import unittest

from . import corpus_test, report_test, run_test, triage_test


def main():
    load = unittest.defaultTestLoader.loadTestsFromModule
    suite = unittest.TestSuite(load(module) for module in (
        corpus_test, report_test, run_test, triage_test))
    output = io.StringIO()
    result = unittest.TextTestRunner(output, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(output.getvalue())
    print(f"cases: {result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
