# SPDX-License-Identifier: MIT
"""What blocks.py and match.py find, and what they refuse."""

import unittest

from . import blocks, match


def block(text):
    return blocks.read("d.md", text)


class Blocks(unittest.TestCase):
    def test_kinds(self):
        found = block("""a

    bazel run //a:b -- --c \\
        --d      # e

<!-- output: exact; core: missing_flush -->

    $ hmt run x
    ok

<!-- text -->

    a --> b

    c
b
""")
        self.assertEqual([(b.line, b.kind, len(b.lines)) for b in found],
                         [(3, "commands", 2), (8, "output", 2),
                          (13, "text", 3)])
        self.assertEqual(found[1].options, {"core": "missing_flush"})

    def test_an_output_that_does_not_say_so(self):
        for body in ("    ok\n", "    $ hmt run x\n    ok\n",
                     "    bazel run //a:b\n    ok 1 a\n"):
            with self.assertRaisesRegex(blocks.Wrong, "d.md:2: a block that"):
                block("\n" + body)

    def test_wrong_comments(self):
        for comment in ("output: nearly", "output: exact; cores: a"):
            with self.assertRaises(blocks.Wrong):
                block(f"<!-- {comment} -->\n\n    $ a\n    b\n")

    def test_other_comments(self):
        self.assertEqual(block("<!-- hello -->\n\n    git a\n")[0].kind,
                         "commands")

    def test_runs(self):
        found = block("<!-- output: exact -->\n\n"
                      "    $ a 'b c'   # d\n    e\n    $ f\n    g\n    h\n")
        self.assertEqual(blocks.runs(found[0]),
                         [(["a", "b c"], ["e"]), (["f"], ["g", "h"])])

    def test_output_of_nothing(self):
        with self.assertRaisesRegex(blocks.Wrong, "of what"):
            blocks.runs(block("<!-- output: exact -->\n\n    a\n")[0])

    def test_a_folded_program(self):
        self.assertEqual(blocks.program_in(
            ["CRASH: a", "    machine cpus=1", "    task A cpu=0",
             "    A: kmap p0;", "       kunmap p0", "  36 bytes"]),
            "machine cpus=1\ntask A cpu=0\nA: kmap p0; kunmap p0\n")
        self.assertIsNone(blocks.program_in(["a", "b"]))


class Match(unittest.TestCase):
    def agree(self, said, printed, mode="exact"):
        return match.difference(said.split("\n"), printed, mode) is None

    def test_words(self):
        self.assertTrue(self.agree("a b\n  c", "a  b c\n"))
        for printed in ("a b", "a b c d", "x a b c", "a bc", "A b c", ""):
            self.assertFalse(self.agree("a b\nc", printed), printed)

    def test_dots(self):
        self.assertTrue(self.agree("a\n...\nd", "a b c d"))
        self.assertTrue(self.agree("a ... d", "a d"))
        self.assertTrue(self.agree("...", ""))
        self.assertTrue(self.agree("in .../b.c now", "in /x/y/b.c now"))
        for printed in ("a b c", "b d", "a b d c"):
            self.assertFalse(self.agree("a ... d", printed), printed)

    def test_numbers(self):
        self.assertTrue(self.agree("hit 1,234 0xff 2.5s", "hit 7 0x0 31.25s",
                                   "numbers vary"))
        self.assertTrue(self.agree("x/8ba004f03a/", "x/0123456789/",
                                   "numbers vary"))
        self.assertFalse(self.agree("hit 1", "hit 2"))
        for printed in ("hit", "miss 1", "hit x", "hit 1 2"):
            self.assertFalse(self.agree("hit 1", printed, "numbers vary"))
        self.assertFalse(self.agree("at 0xff", "at 255", "numbers vary"))

    def test_findings(self):
        said = ("CRASH (new): oracle: A reads p0\nmachine cpus=1\n"
                "A: kmap p0\nreplay: x")
        self.assertTrue(self.agree(
            said, "CRASH (new): oracle: lost it machine cpus=2 B: a replay: x",
            "findings vary"))
        self.assertTrue(self.agree(
            "BUG: A reads p0,\nwhere 1 belongs: a lost write\n    machine "
            "cpus=1\nreplay: x", "BUG: it fell machine cpus=2 replay: x",
            "findings vary"))
        self.assertTrue(self.agree("t: !!! round 0: CPU 0 fell",
                                   "t: !!! round 7: A reads p1",
                                   "findings vary"))
        self.assertTrue(self.agree("Ran 20 s: 3 kinds of crash.",
                                   "Ran 4 s: 1 kind of crash.",
                                   "findings vary"))
        for printed in ("CRASH (old): oracle: lost it machine replay: x",
                        "CRASH (new): oracle: lost it"):
            self.assertFalse(self.agree(said, printed, "findings vary"))

    def test_where_they_part_is_shown(self):
        said = match.difference(["a", "...", "d e"], "a\nb\nd f\n", "exact")
        self.assertIn("right up to: a ... d\n", said)
        self.assertIn("goes on: e\n", said)
        self.assertIn("d f", said)
        self.assertIn("(the end)", match.difference(["a"], "a b", "exact"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
