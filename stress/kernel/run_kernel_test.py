#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does run_kernel.py notice each way in which a kernel can go wrong?

usage: run_kernel_test.py IMG
"""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, HERE)
from ktap import Ktap  # noqa: E402

RUNNER = os.path.join(HERE, "run_kernel.py")
FAST_CASE = "kmap_of_lowmem"  # one that takes no time

KERNEL = None


def run(*arguments, kernel=None, **environment):
    command = ["/usr/bin/python3", RUNNER, "--kernel", kernel or KERNEL,
               *arguments]
    return subprocess.run(command, capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})


class Kernels(unittest.TestCase):
    def verdict(self, kind, code, sentence, *arguments):
        result = run("--case", FAST_CASE, "--break", kind, *arguments)
        self.assertEqual(result.returncode, code, result)
        self.assertIn(sentence, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertEqual(result.stdout.count("\nreplay: "), 1)
        return result

    def test_healthy(self):
        result = run("--case", FAST_CASE)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(result.stderr, "")
        self.assertTrue(result.stdout.startswith("accelerator: tcg\n"))
        self.assertTrue(result.stdout.endswith(
            "cases: 1 passed, 0 failed, 0 skipped\n"))

    def test_failed_case(self):
        result = self.verdict("fail", 77, "failed: fail")
        self.assertIn("# it was asked to fail\nnot ok 2 fail\n",
                      result.stdout)
        self.assertTrue(result.stdout.endswith(
            "cases: 1 passed, 1 failed, 0 skipped\n"))

    def test_unexpected_report(self):
        result = self.verdict("bug", 77, "failed: bug")
        self.assertIn("# unexpected: a report", result.stdout)

    def test_page_fault(self):
        result = self.verdict("fault", 77, "page fault: write at 0x123")
        self.assertIn("while running fault", result.stdout)
        self.assertIn("# backtrace:\n#   0xc01", result.stdout)

    def test_text_is_read_only(self):
        self.verdict("text", 77, "which is read-only")

    def test_stack_overflow(self):
        self.verdict("overflow", 77, "stack overflow")

    def test_hang(self):
        self.verdict("hang", 70, "the kernel hung after 1 cases",
                     "--timeout", "2s")

    def test_stall(self):
        self.verdict("stall", 70, "stalled after 1 cases: no end in sight")

    def test_cut_log_of_a_kernel_that_says_passed(self):
        self.verdict("cut", 77, "the log is cut: 1 results of 2 planned")

    def test_reset(self):
        self.verdict("reset", 77, "reset the PC after 1 cases")


class Environment(unittest.TestCase):
    def refused(self, result, sentence, code=1):
        self.assertEqual(result.returncode, code, result)
        self.assertIn(sentence, result.stderr)

    def test_too_little_memory(self):
        self.refused(run("--mem", "64M"), "less than 896 MiB of RAM")

    def test_no_highmem_to_speak_of(self):
        self.refused(run("--mem", "900M"), "less than 16 MiB of RAM above")

    def test_no_such_case(self):
        self.refused(run("--case", "no.such.case"), "no case has that text")

    def test_no_image(self):
        self.refused(run(kernel="/nonexistent"), "cannot read the kernel")

    def test_not_an_image(self):
        self.refused(run(kernel="/etc/passwd"), "QEMU ended with status 1")

    def test_unknown_flag(self):
        self.refused(run("--colour"), "unrecognized arguments: --colour")

    def test_bad_time(self):
        self.refused(run("--timeout", "soon"), "'soon' is not a time")

    def test_log_that_cannot_be_written(self):
        self.refused(run("--case", FAST_CASE, "--log", "/nonexistent/log"),
                     "cannot write the log /nonexistent/log")

    def test_log(self):
        with tempfile.NamedTemporaryFile() as log:
            run("--case", FAST_CASE, "--log", log.name)
            self.assertTrue(log.read().startswith(b"KTAP version 1\n1..1\n"))

    def test_no_qemu_is_not_a_pass(self):
        result = run(PATH="/nonexistent")
        self.assertEqual(result.returncode, 4, result)
        self.assertEqual(result.stdout, "skipped: kernel: qemu-system-i386 is "
                         "not installed; ci/setup installs it\n")


class Logs(unittest.TestCase):
    WHOLE = ["KTAP version 1", "1..3", "# a note", "ok 1 a",
             "# why", "not ok 2 b", "ok 3 c # SKIP no PAE",
             "# Totals: pass:1 fail:1 skip:1"]

    def inconsistency(self, lines):
        ktap = Ktap()
        for line in lines:
            ktap.feed(line)
        return ktap.inconsistency()

    def test_whole(self):
        self.assertIsNone(self.inconsistency(self.WHOLE))

    def test_any_line_of_weight_missing(self):
        for line in self.WHOLE:
            if line in ("# a note", "# why"):
                continue
            rest = [other for other in self.WHOLE if other != line]
            self.assertIsNotNone(self.inconsistency(rest), line)

    def test_cut_anywhere(self):
        for end in range(len(self.WHOLE)):
            self.assertIsNotNone(self.inconsistency(self.WHOLE[:end]))

    def test_repeated_result(self):
        lines = self.WHOLE[:4] + self.WHOLE[3:]
        self.assertIn("result 2 is missing", self.inconsistency(lines))

    def test_two_plans(self):
        lines = self.WHOLE[:2] + self.WHOLE[1:]
        self.assertIn("two plans", self.inconsistency(lines))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 1)
    KERNEL = os.path.abspath(sys.argv.pop())
    unittest.main()
