# SPDX-License-Identifier: MIT
"""Commands that forget Ctrl-C are found."""

import sys
import unittest
from pathlib import Path

from ci.lib.test.interrupts import complaint

MAIN = '''if __name__ == "__main__":
    try:
        main()
    except %s:
        sys.exit(%s)
'''


def said(text, name="a.py"):
    """The complaint about a file of that text, or an empty one."""
    return complaint(Path(name), text) or ""


class InterruptsTest(unittest.TestCase):
    """One file each."""

    def test_a_traceback(self):
        self.assertIn("traceback", said("if __name__ == '__main__':\n  a()"))
        self.assertIn("traceback", said(MAIN % ("OSError", "130")))

    def test_a_wrong_status(self):
        self.assertIn("130", said(MAIN % ("KeyboardInterrupt", "1")))

    def test_good_ones(self):
        for how in ("130", "128 + signal.SIGINT", "INTERRUPTED"):
            self.assertEqual(said(MAIN % ("KeyboardInterrupt", how)), "")
        self.assertEqual(
            said(MAIN % ("(OSError, KeyboardInterrupt)", "130")), "")

    def test_what_is_no_command(self):
        self.assertEqual(said("def f(): pass"), "")
        self.assertEqual(said(MAIN % ("OSError", "1"), "a_test.py"), "")


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
