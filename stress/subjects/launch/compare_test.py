# SPDX-License-Identifier: MIT
"""Where two subjects part, told by programs that only write what they shall."""

import contextlib
import io
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path("stress/subjects/launch").absolute()))

import building  # noqa: E402  pylint: disable=wrong-import-position
import compare  # noqa: E402  pylint: disable=wrong-import-position

SCRIPT = """#!/bin/sh
for word; do case $word in --outcomes=*) out=${word#*=} ;; esac; done
case $1 in
exhaust) printf '%s' "$EXHAUST" > "$out" ;;
run) printf '%s' "$RUN" > "$out" ;;
esac
exit $STATUS
"""
FIRST = "11 machine cpus=1|A: kmap p0|\n"
SECOND = "machine cpus=2|A: kmap p1|\n"


class Compare(unittest.TestCase):
    def program(self, name, exhaust, run="", status=0):
        path = Path(os.environ["TEST_TMPDIR"], f"{self._testMethodName}_{name}")
        text = SCRIPT.replace("$EXHAUST", exhaust).replace("$RUN", run)
        path.write_text(text.replace("$STATUS", str(status)))
        path.chmod(0o755)
        return path

    def compare(self, *programs):
        os.environ["BUILD_WORKING_DIRECTORY"] = os.environ["TEST_TMPDIR"]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            try:
                status = compare.compare(["a", "b"], programs, ["--ops=2"])
            except SystemExit as end:
                status = end.code
        return status, said.getvalue()

    def test_equal(self):
        a = self.program("a", FIRST + "22 " + SECOND)
        b = self.program("b", FIRST + "22 " + SECOND)
        self.assertEqual(self.compare(a, b), (
            0, "equal: a and b give the same in 2 programs\n"))

    def test_the_first_program_and_a_schedule(self):
        end = "machine cpus=2|A: kmap p1|choices v2: 3=run:B|\n"
        a = self.program("a", FIRST + "22 " + SECOND, "77 " + SECOND)
        b = self.program("b", FIRST + "33 " + SECOND, "77 " + SECOND + "88 " + end)
        status, said = self.compare(a, b)
        self.assertEqual(status, 77)
        self.assertIn("on a with 1 ends, on b with 2:\n\nmachine cpus=2\nA: kmap p1",
                      said)
        self.assertIn("only b ends like this:\n\nmachine cpus=2\nA: kmap p1\n"
                      "choices v2: 3=run:B", said)
        self.assertRegex(said, "replay --subject=b .*/compare-88.hmt\n$")
        saved = Path(os.environ["TEST_TMPDIR"], "compare-88.hmt")
        self.assertIn("choices v2: 3=run:B\n", saved.read_text())

    def test_a_bug_is_no_difference(self):
        a = self.program("a", FIRST, status=77)
        self.assertEqual(self.compare(a, a)[0], 77)

    def test_what_cannot_be_compared(self):
        a = self.program("a", FIRST)
        b = self.program("b", "11 " + SECOND)
        with self.assertRaisesRegex(building.Refused, "not run the same programs"):
            self.compare(a, b)
        with self.assertRaisesRegex(building.Refused, "a does not go through"):
            self.compare(self.program("a", FIRST, status=1), b)


if __name__ == "__main__":
    unittest.main()
