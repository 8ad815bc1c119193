# SPDX-License-Identifier: MIT
"""Command lines, what they come to, and the one sentence on those that are wrong."""

import contextlib
import io
import os
import unittest

from ci.lib import command


def parser():
    made = command.Parser("some", "Tests.")
    made.add_argument("--count", type=command.number(1, 4), metavar="N")
    made.add_argument("--time", type=command.seconds, metavar="TIME")
    made.add_argument("--whole", type=command.whole_seconds, metavar="TIME")
    made.add_argument("--out", metavar="DIR")
    made.add_argument("--names", type=command.names, metavar="A,B")
    made.add_argument("--colour", choices=["red", "green"], action="append")
    made.add_argument("--on", action="store_true")
    pae = made.add_mutually_exclusive_group()
    pae.add_argument("--pae", dest="p", action="store_const", const=1)
    pae.add_argument("--nopae", dest="p", action="store_const", const=0)
    return made


def with_verbs():
    made = command.Parser("some", "Tests.")
    verbs = made.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("run", help="runs").add_argument("--seeds")
    return made


class Lines(unittest.TestCase):
    def ends(self, words, make=parser):
        """(status, stdout, stderr)"""
        out, err = io.StringIO(), io.StringIO()
        with self.assertRaises(SystemExit) as end, \
                contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(err):
            make().parse_args(words)
        return end.exception.code, out.getvalue(), err.getvalue()

    def says(self, sentence, *words, make=parser, prog="some"):
        self.assertEqual(self.ends(words, make), (
            1, "", f"{prog}: {sentence}; see {prog} --help\n"), words)

    def test_good_lines(self):
        found = parser().parse_args(
            ["--count", "3", "--time=1h30m", "--on", "--colour=red",
             "--colour=green", "--names=a,b", "--nopae", "--whole", "60"])
        self.assertEqual((found.count, found.time, found.on, found.p),
                         (3, 5400.0, True, 0))
        self.assertEqual(found.colour, ["red", "green"])
        self.assertEqual(found.names, ["a", "b"])

    def test_a_parser_can_be_used_again(self):
        made = parser()
        for _ in range(2):
            self.assertEqual(made.parse_args(["--count=1"]).count, 1)

    def test_numbers(self):
        for bad in ("0", "5", "-1", "+1", "1x", "1.5", "1e1", "", "x", " 1",
                    "1_0", "\u0661", "9" * 30):
            self.says(f"--count: expected a number from 1 to 4, not '{bad}'",
                      "--count=" + bad)

    def test_times(self):
        for text, value in (("5", 5), ("1.5s", 1.5), ("500ms", 0.5),
                            ("2m", 120), ("1h1s", 3601), ("1d", 86400),
                            (".5s", 0.5), ("0.005", 0.005)):
            self.assertEqual(command.seconds(text), value, text)
        for bad in ("soon", "-3s", "3x", "nan", "inf", "1e9s", "", "s", "0",
                    "1.2.3s", ".", "1h30", "400d", "5s ", "\u0665s"):
            self.says("--time: expected a time above 0 such as 500ms, 30s or "
                      f"8h, up to 365d, not '{bad}'", "--time=" + bad)
        self.says("--whole: expected a time of whole seconds, up to 8760h, not '1.5s'",
                  "--whole=1.5s")

    def test_words_are_listed(self):
        self.says("--colour: expected one of red, green, not 'blue'",
                  "--colour", "blue")
        self.says("--colour: expected one of red, green, not 'gren'; did you "
                  "mean green?", "--colour", "gren")
        for bad in ("", "a,", "a,,b", "a,a"):
            self.says("--names: expected names with commas between them, each "
                      f"once, not '{bad}'", "--names=" + bad)

    def test_the_nearest_option_is_named(self):
        self.says("there is no option --cuont; did you mean --count?",
                  "--cuont=1")
        self.says("there is no option --coun; did you mean --count?",
                  "--coun", "1")
        self.says("there is no option --zebra", "--zebra")
        self.says("there is no option --sedes; did you mean --seeds?", "run",
                  "--sedes", make=with_verbs)
        self.says("no use for 'word'", "word")

    def test_nothing_comes_twice(self):
        self.says("--count comes twice", "--count=1", "--count", "1")
        self.says("--on comes twice", "--on", "--on")
        self.says("--pae comes twice", "--pae", "--pae")
        self.says("--nopae does not go with --pae", "--pae", "--nopae")

    def test_values_where_there_is_none_and_the_other_way_round(self):
        self.says("--on takes no value", "--on=1")
        self.says("--out: expected DIR, not ''", "--out=")
        self.says("--out: expected DIR", "--out")
        self.says("--out: expected DIR", "--out", "--on")
        self.says("--colour: expected one of red, green", "--colour")

    def test_verbs(self):
        self.says("VERB: expected one of run, not 'rn'; did you mean run?",
                  "rn", make=with_verbs)
        self.says("the following arguments are required: VERB",
                  make=with_verbs)

    def test_a_sentence_is_one_line(self):
        self.says("there is no option --a\\nb\\x1b", "--a\nb\033")

    def test_help_and_version(self):
        status, out, err = self.ends(["--help", "--nonsense"])
        self.assertEqual((status, err), (0, ""))
        self.assertIn("--count N", out)
        self.assertIn("--version", out)
        for words, make in (["--version"], parser), (["run", "--version"],
                                                     with_verbs):
            status, out, err = self.ends(words, make)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"^some \(highmem\) \d+\.\d+\.\d+, choices "
                             r"v\d+(, commit [0-9a-f]{12}( and changes)?)?\n$")

    def test_where_there_is_no_git(self):
        path, os.environ["PATH"] = os.environ["PATH"], "/nonexistent"
        try:
            self.assertRegex(command.version("some"), r"choices v\d+$")
        finally:
            os.environ["PATH"] = path


if __name__ == "__main__":
    unittest.main()
