#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does auto make the changes it should, and believe the right verdicts?

The core is one small file here, and the technique a script that calls it.
"""

import contextlib
import io
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import auto  # noqa: E402
import auto_mutations as mutations  # noqa: E402
import auto_run  # noqa: E402
import matrix_cells as cells  # noqa: E402

CORE = """\
int twice(int n);
int unused(int n);

int twice(int n)
{
	return n + n;
}

int unused(int n)
{
	return n + 1;
}
"""

# Loads what LD_PRELOAD names, as the real programs do.
PROGRAM = """#!/usr/bin/python3
import ctypes, sys
got = ctypes.CDLL(None).twice(4)
print("oracle: got", got)
sys.exit(0 if got == 8 else 77)
"""


def changes(body):
    """[(operator, first changed line of new)] of a function with that body."""
    text = "int f(int a)\n{\n" + body + "}\n"
    found = []
    for mutation in mutations.mutations_of(text):
        mutated = mutation.apply(text)
        assert mutated.count("\n") == text.count("\n"), mutation
        found.append((mutation.operator,
                      mutations.lines_changed(text, mutated)[2][0].strip()))
    return found


class Mutations(unittest.TestCase):
    def test_statements_go(self):
        self.assertIn(("statement", ";"), changes("\twake(a);\n"))
        self.assertIn(("statement", "if (a) ;"), changes("\tif (a) b = 1;\n"))

    def test_a_statement_of_two_lines_is_one(self):
        self.assertEqual(changes("\tf(a,\n\t  b);\n"), [("statement", ";")])

    def test_declarations_stay(self):
        for body in ["\tint b;\n", "\tstruct x *b = c;\n", "\tpte_t old = a;\n",
                     "\tstatic const char t[] = { a, b };\n"]:
            self.assertEqual(changes(body), [], body)

    def test_order(self):
        self.assertIn(("order", "b();"), changes("\ta();\n\tb();\n"))
        self.assertNotIn("order", dict(changes("\ta();\n\n\tb();\n")))

    def test_operators_with_two_operands(self):
        for old, new in [("a < 9", "a <= 9"), ("a == b", "a != b"),
                         ("a && b", "a || b"), ("a + b", "a - b"),
                         ("a << b", "a >> b"), ("a & b", "a | b")]:
            found = [line for _, line in changes(f"\treturn {old};\n")]
            self.assertIn(f"return {new};", found)

    def test_operators_with_one_operand_stay(self):
        for body in ["\treturn -a;\n", "\treturn &a;\n", "\treturn *a;\n",
                     "\treturn b->c;\n"]:
            self.assertEqual(changes(body), [], body)

    def test_constants(self):
        found = [line for _, line in changes("\treturn 0x1fU;\n")]
        self.assertEqual(found, ["return 0x1eU;", "return 0x20U;"])
        self.assertEqual(changes("\treturn true;\n"),
                         [("constant", "return false;")])

    def test_conditions(self):
        self.assertIn(("condition", "if (!(a))"), changes("\tif (a)\n\t\t;\n"))

    def test_checks_comments_strings_and_directives_stay(self):
        for body in ["\tHM_CHECK(a == 1);\n", "\t/* a = 1; */\n",
                     '\treturn "1 + 1";\n', "#define A 1\n", "\t// a = 1;\n"]:
            self.assertEqual(changes(body), [], body)

    def test_outside_of_functions_nothing_changes(self):
        self.assertEqual(mutations.mutations_of("int a[] = { 1 + 2 };\n"), [])


class Runs(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.here = Path(place.name, "stress/mutate")
        self.results = Path(place.name, "results.jsonl")
        self.write(Path(place.name, "core/lib/sum.c"), CORE)
        self.write(Path(place.name, "core/build/instrumentation.c"), "int i;")
        self.write(self.here / "program", PROGRAM).chmod(0o755)
        technique = cells.Technique("program", (), "{name}.sim.so", (77,), r"oracle: (.*)",
                                    draws=False)
        for patch in [
            mock.patch.dict(cells.TECHNIQUES, {"call": technique}, clear=True),
            mock.patch.object(auto_run, "TECHNIQUES", ["call"]),
            mock.patch.object(auto, "__file__", self.here / "auto.py"),
        ]:
            patch.start()
            self.addCleanup(patch.stop)

    @staticmethod
    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def auto(self, *arguments):
        """(exit status, what it says)."""
        out = io.StringIO()
        command = ["auto", *arguments, f"--results={self.results}"]
        with mock.patch.object(sys, "argv", command), \
             contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                status = auto.main()
            except SystemExit as end:
                status = end.code
        return status, out.getvalue()

    def test_who_survives(self):
        status, text = self.auto("run", "--gate=25")
        self.assertEqual(status, 0, text)
        self.assertIn("-\treturn n + 1;\n    +\treturn n - 1;", text)
        self.assertNotIn("n + n", text)
        self.assertIn("killed by call", text)
        self.assertEqual(self.auto("run", "--gate=99")[0], 77)
        self.assertEqual(self.auto("report", "--gate=25")[0], 0)

    def test_what_compiles_to_the_same_is_no_mutant(self):
        core = CORE.replace("n + 1;", "n + (1 < 2);").replace("unused", "same")
        self.write(self.here.parent.parent / "core/lib/sum.c", core)
        text = self.auto("run", "--gate=25")[1]
        self.assertRegex(text, r" [1-9]\d* equivalent")  # 1 <= 2

    def test_a_reason_excuses_and_one_too_many_is_named(self):
        diff = "```diff\n-return n + 1;\n+return n {};\n```\nNobody calls it.\n"
        reasons = "# S\n\n## core/lib/sum.c\n\n" + "\n".join(
            diff.format(new) for new in ["- 1", "+ 2", "+ 0", "+ 77"])
        self.write(self.here / "SURVIVORS.md", reasons)
        status, text = self.auto("run", "--gate=100")
        self.assertEqual(status, 0, text)
        self.assertIn("3 survive for a reason, 0 survive: 100.0 %", text)
        self.assertIn("a reason for what does not survive: core/lib/sum.c", text)

    def test_only_survivors_meet_new_tests(self):
        self.auto("run", "--gate=25")
        self.assertNotIn("[1/", self.auto("run", "--gate=25")[1])
        better = PROGRAM.replace("got == 8",
                                 "got == 8 and ctypes.CDLL(None).unused(1) == 2")
        self.write(self.here / "program", better).chmod(0o755)
        status, text = self.auto("run", "--gate=100")
        self.assertEqual(status, 0, text)
        self.assertIn("[3/3,", text)

    def test_another_file_is_judged_anew(self):
        self.auto("run", "--gate=25")
        self.write(self.here.parent.parent / "core/lib/sum.c", CORE + "\n")
        self.assertIn(" 0 of them done", self.auto("run", "--gate=25")[1])

    def test_a_change_elsewhere_is_for_the_survivors(self):
        self.auto("run", "--gate=25")
        self.write(self.here.parent.parent / "core/lib/more.c", "int more;\n")
        self.assertIn(" 1 of them done", self.auto("run", "--gate=25")[1])

    def test_a_technique_that_kills_the_healthy_core_is_no_use(self):
        self.write(self.here / "program", PROGRAM.replace("== 8", "== 9"))
        status, text = self.auto("run")
        self.assertEqual(status, 1, text)
        self.assertIn("call calls the healthy core killed", text)

    def test_usage(self):
        self.assertEqual(self.auto("run", "--files=no.c")[0], 1)
        self.assertEqual(self.auto("run", "--gate=101")[0], 1)
        self.assertEqual(self.auto("run", "--techniques=x")[0], 1)
        self.assertEqual(self.auto("report")[0], 1)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
