# SPDX-License-Identifier: MIT
"""What cannot be a subject is refused in one sentence, and nothing is lost."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path("stress/subjects/launch").absolute()))

import asking  # noqa: E402  pylint: disable=wrong-import-position

HIDDEN = """
int hidden_count[64];
__attribute__((no_sanitize("thread"), noinline)) static void hide(void)
{
	hidden_count[32]++; /* a block of its own: others are put right with theirs */
}
"""


class Refusals(unittest.TestCase):
    def setUp(self):
        self.scratch = Path(os.environ["TEST_TMPDIR"], self._testMethodName)
        self.scratch.mkdir()

    def file(self, before="", after="", name="highmem.c"):
        path = self.scratch / name
        path.write_text(before + asking.source().read_text() + after)
        return f"--file={path}"

    def edit(self, line):
        path = self.scratch / "one.edit"
        path.write_text(line + "\n")
        return f"--edit={path}"

    def refused(self, sentence, *arguments):
        status, said = asking.explore(*arguments, "run", "--generate",
                                      "--iterations=300", "--seed=1")
        said = said.removeprefix("seed 1\n")
        self.assertEqual((status, said.count("\n")), (1, 1), said)
        self.assertRegex(said, sentence)

    def test_names(self):
        self.refused("there is no subject minix; there are .*linux-pae",
                     "--subject=minix")
        self.refused("which --subject", "--file=highmem.c")
        self.refused("there is no such file", "--subject=linux", "--file=none.c")
        self.refused("is no subject", f"--subject={self.scratch}/")

    def test_no_c(self):
        self.refused("does not compile as linux: .*highmem.c:1:1: error:",
                     "--subject=linux", self.file(before="hello\n"))

    def test_another_kernels(self):
        path = self.scratch / "other.c"
        path.write_text("int pages;\nint take(void) { return pages++; }\n")
        self.refused("does not compile as linux", "--subject=linux",
                     f"--file={path}")

    def test_a_symbol_is_missing(self):
        call = "void frobnicate_kmap(void);\nvoid f(void) { frobnicate_kmap(); }\n"
        self.refused("nobody defines frobnicate_kmap", "--subject=linux",
                     self.file(after=call))
        self.refused("call to undeclared function 'frob'", "--subject=linux",
                     self.file(after="void f(void) { frob(); }\n"))

    def test_inline_assembly(self):
        self.refused("has inline assembly at line 3", "--subject=linux",
                     self.file(before='void f(void)\n{\n\tasm volatile("mfence" '
                               '::: "memory");\n}\n'))

    def test_a_barrier_for_the_compiler_is_none(self):
        status, said = asking.explore(
            "--subject=linux", asking.MENDED, "run", "--generate", "--seed=1",
            "--iterations=300",
            self.file(after='void f(void) { asm volatile("" ::: "memory"); }\n'))
        self.assertEqual(status, 0, said)

    def test_a_variable_elsewhere(self):
        self.refused(r"its variable far_away is in \.data\.far", "--subject=linux",
                     self.file(before='__attribute__((section(".data.far"))) '
                               "int far_away = 1;\n"))

    def test_a_write_that_nobody_is_told_of(self):
        self.refused("leaks from run to run.*hidden_count", "--subject=linux",
                     self.file(before=HIDDEN), asking.MENDED,
                     self.edit("kmap_high: replace `lock_kmap();` by "
                               "`hide(); lock_kmap();`"))

    def test_an_edit_of_another_file(self):
        self.refused("`frob` is there 0 times, not once", "--subject=linux",
                     self.edit("kmap_high: delete `frob`"))


if __name__ == "__main__":
    asking.linux_or_skip()
    unittest.main(verbosity=2)
