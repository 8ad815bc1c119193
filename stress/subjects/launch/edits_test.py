# SPDX-License-Identifier: MIT
"""Edits of a file find their place, or say why not."""

import unittest

import sys
from pathlib import Path

sys.path.insert(0, str(Path("stress/subjects/launch").absolute()))

import edits  # noqa: E402  pylint: disable=wrong-import-position

FILE = """
static int count;

static void take(void)
{
	lock(&it);	/* now */
	count = 1;
	if (count)
		unlock(&it);
}

int give(int n,
	 int m)
{
	unlock(&it);
	return n + m;
}
"""


def edited(*lines):
    return edits.apply(FILE, edits.parse("\n".join(lines)))


class Edits(unittest.TestCase):
    def test_replaces_tokens_whatever_blanks(self):
        text = edited("# why", "give: replace `return  n+m` by `return n - m`")
        self.assertIn("\treturn n - m;", text)

    def test_deletes_a_statement_and_leaves_an_empty_one(self):
        text = edited("take: delete `unlock(`")
        self.assertIn("if (count)\n\t\t;\n", text)
        self.assertIn("\tunlock(&it);\n\treturn", text)

    def test_moves_a_statement(self):
        text = edited("take: move `count =` before `lock`")
        self.assertLess(text.index("count = 1"), text.index("lock(&it)"))
        text = edited("take: move `lock` after `count =`")
        self.assertLess(text.index("count = 1"), text.index("lock(&it)"))

    def test_a_word_is_no_part_of_another(self):
        self.assertIn("unlock(&it);\n\treturn", edited("take: delete `lock`"))

    def test_refuses_what_is_not_there_once(self):
        for line, why in (
            ("take: delete `free`", "0 times"),
            ("take: delete `count`", "2 times"),
            ("keep: delete `count`", "0 functions"),
            ("take: rename `count` by `c`", "line 1"),
            ("take: move `lock` by `count =`", "line 1"),
            ("# nothing but words", "no edit"),
        ):
            with self.assertRaises(edits.EditError) as caught:
                edited(line)
            self.assertIn(why, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
