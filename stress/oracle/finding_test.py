# SPDX-License-Identifier: MIT
"""Every sentence has its kind (finding.h), and every kind a sentence.

usage: finding_test.py FINDING_KINDS FINDING_C

The sentences are those in the sources beside us: the string literals that the
oracle, the core and the machines hand to those who report.
"""

import glob
import os
import re
import subprocess
import sys
import unittest

KINDS, TABLE = map(os.path.abspath, sys.argv[1:3])

SOURCES = ["stress/oracle/*.c", "core/boot/*.[ch]", "core/lib/*.[ch]",
           "core/ports/*/*.c"]
REPORTS = r"\b(exec_fail|hm_misuse|port_bug|host_bug)\("
LITERAL = r'"(?:[^"\\]|\\.)*"'

# What the core and a caller put in front.
PREFIX = {"hm_misuse": "highmem: BUG: "}
# Of others: fuzz/pgtable_fuzz_test.c, stress/torture/torture.c.
ELSEWHERE = {"page_tables", "deadlock_of_a_safe_program", "memory_leak"}


def filled(literals):
    """Adjacent literals as the sentence that they are, with values in it."""
    text = "".join(part[1:-1] for part in re.findall(LITERAL, literals))
    text = text.replace("%c%u", "p1").replace("%c", "A").replace("%s", "what")
    text = re.sub(r"%[#l]*[zl]*[udxp]", "7", text)
    return text.replace("\\n", "").replace('\\"', '"')


def sentences_in(text):
    return [filled(match[0])
            for match in re.finditer(rf"(?:{LITERAL}\s*)+", text)]


def sources():
    for pattern in SOURCES:
        for path in glob.glob(pattern):
            with open(path, encoding="utf-8") as file:
                yield re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def reported():
    for source in sources():
        for call in re.finditer(REPORTS + r"[^;{]*;", source, re.S):
            found = [line for line in sentences_in(call[0])
                     if re.search(r"\w \w", line)]
            # The others are what a %s may stand for.
            for line in found if call[1] == "port_bug" else found[:1]:
                yield PREFIX.get(call[1], "") + line


def asked(lines):
    """[(kind, line)] of finding_kinds for these sentences."""
    run = subprocess.run([KINDS], input="\n".join(lines) + "\n", check=True,
                         stdout=subprocess.PIPE, universal_newlines=True)
    return [tuple(line.split("\t")) for line in run.stdout.splitlines()]


def normal(sentence):
    (_, line), = asked([sentence])
    return line


class Kinds(unittest.TestCase):
    def test_every_sentence_has_one(self):
        lines = sorted(set(reported()))
        self.assertGreater(len(lines), 60)
        for line, (kind, _) in zip(lines, asked(lines)):
            with self.subTest(sentence=line):
                self.assertNotEqual(kind, "another", "stress/oracle/finding.c "
                                    "has no kind for this sentence: add one")

    def test_every_one_has_a_sentence(self):
        with open(TABLE, encoding="utf-8") as file:
            kinds = set(re.findall(r"\bF\((\w+), ", file.read()))
        self.assertGreater(len(kinds), 40)
        lines = {line for source in sources() for line in sentences_in(source)}
        lines |= set(reported())
        found = {kind for kind, _ in asked(sorted(lines))}
        self.assertEqual(kinds - found - ELSEWHERE, set())

    def test_no_two_of_the_oracle_share_one(self):
        """But for those that begin alike."""
        seen = {}
        for line, (kind, _) in zip(sorted(set(reported())),
                                   asked(sorted(set(reported())))):
            seen.setdefault(kind, []).append(line)
        for kind, lines in seen.items():
            begins = {" ".join(line.split()[:2]) for line in lines}
            with self.subTest(kind=kind, lines=lines):
                self.assertTrue(
                    len(begins) == 1 or
                    kind.startswith(("interrupt", "task_ends", "unasked",
                                     "core", "machine", "host", "looks")))


class Normal(unittest.TestCase):
    def test_names_and_numbers_go(self):
        self.assertEqual(
            normal("A reads 0xa6000258 at 0xff800000, byte 4092 of p12, where "
                   "0 belongs: it sees another page or a lost write"),
            "assertion failed: task reads # at #, byte # of page, where # "
            "belongs: it sees another page or a lost write")
        self.assertEqual(normal("J's interrupt leaves l0 on CPU 3"),
                         "assertion failed: task's interrupt leaves page on "
                         "CPU #")

    def test_words_stay(self):
        line = "highmem: BUG: not true at core/lib/pkmap.c: page_pin AB p lx"
        self.assertEqual(normal(line), "assertion failed: " + line)

    def test_what_is_endless_ends(self):
        line = normal("p1 " * 300)
        self.assertLess(len(line), 513)
        self.assertTrue(line.startswith("assertion failed: page page "))


def main():
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    failed = min(len(result.failures) + len(result.errors), result.testsRun)
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    return 77 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
