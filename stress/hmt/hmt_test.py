# SPDX-License-Identifier: MIT
"""hmt as a user runs it: what is a program, what is none, and standard input.

usage: hmt_test.py HMT BROKEN

BROKEN has a core that does not flush.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import unittest

HMT, BROKEN = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))

TEXT = b"""# two tasks
machine cpus=2 slots=2 pages=4
task A cpu=0: kmap p0; kunmap p0
task B cpu=1: kmap p2; write p2; check
"""
DEADLOCK = TEXT + b"A: kmap p1; kmap p3\nB: kmap p0\n"
# The second kmap p2 needs a slot that no TLB may remember.
STALE = b"""machine cpus=2 slots=2 pages=4
task A cpu=0: kmap p0; write p0; kunmap p0; kmap p1; kunmap p1; kmap p2; check
task B cpu=1
"""
RUN = "bazel run //stress/hmt:hmt --"
BYTES = bytes([1, 0, 3, 0, 0, 0, 0, 0, 0, 2, 48, 2])
PRINTABLE = b"0123456789abcdef"

MARK = "begins with a byte order mark: save it as plain UTF-8, without one"
NO_MACHINE = "expected a machine line first, such as 'machine cpus=2', found "
NO_TEXT = NO_MACHINE + "a byte that is not text"
HINT = "; an input of a fuzz target is read with --bytes"

# What is no program, though each once ran as one and was "ok".
HOSTILE = {
    "nothing": (b"", "is empty, which is no program"),
    "blanks": (b" \n\n", "such as 'machine cpus=2', found the end of the f"),
    "comments": (b"# notes\n", "such as 'machine cpus=2', found the end"),
    "no machine line": (TEXT.replace(b"machine", b"#"), NO_MACHINE + "'task'"),
    "prose": (b"Once upon a time\n", NO_MACHINE + "'Once'"),
    "json": (b'{"machine": 1}', NO_MACHINE + "'{'"),
    "a shell script": (b"#!/bin/sh\nmake\n", ":2: " + NO_MACHINE + "'make'"),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + TEXT, MARK),
    "UTF-16": (TEXT.decode().encode("utf-16"), MARK),
    "UTF-16 with the other end": (b"\xfe\xff" +
                                  TEXT.decode().encode("utf-16-be"), MARK),
    "UTF-16 without a mark": (TEXT[12:].decode().encode("utf-16-le"),
                              NO_MACHINE + "'m'"),
    "another encoding": ("é machine\n".encode("latin-1"), NO_TEXT),
    "CR": (TEXT.replace(b"\n", b"\r"), "found a CR without a LF"),
    "a CR that hides a line": (
        b"machine\ntask A: check # old\rA: kmap p0\n", "a CR without a LF"),
    "NUL": (b"machine\0\ntask A", "found a byte that is not text"),
    "NUL behind": (TEXT + b"\0", ":5: expected"),
    "an escape in a comment": (b"# \x1b[2J\n" + TEXT, NO_TEXT),
    "ELF": (b"\x7fELF\2\1\1", NO_TEXT),
    "gzip": (b"\x1f\x8b\x08\0\0\0", NO_TEXT),
    "an input of a fuzz target": (BYTES, NO_TEXT + HINT),
    "one that looks like text": (PRINTABLE,
                                 NO_MACHINE + "'0123456789abcdef'" + HINT),
    "too much": (TEXT + b"#" * (64 * 1024), "is larger than any program"),
}

# What is one.
INNOCENT = {
    "as it is printed": TEXT,
    "Windows": TEXT.replace(b"\n", b"\r\n"),
    "no end of the line": TEXT.rstrip(b"\n"),
    "blanks first": b"\n \t\n" + TEXT,
    "letters": "# für uns — 机\n".encode() + TEXT,
}


class Hmt(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, data, name="it.hmt"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def hmt(self, status, *words, stdin=b"", hmt=HMT):
        result = subprocess.run([hmt, *words], cwd=self.folder, input=stdin,
                                capture_output=True, check=False)
        result.stdout = result.stdout.decode()
        result.stderr = result.stderr.decode()
        self.assertEqual(result.returncode, status, result)
        return result

    def refused(self, sentence, *words, stdin=b""):
        result = self.hmt(1, *words, stdin=stdin)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(sentence, result.stderr)
        self.assertEqual(result.stdout, "")


class WhatIsAProgram(Hmt):
    def test_no_program(self):
        for what, (data, sentence) in HOSTILE.items():
            path = self.file(data)
            for verb in ("run", "check", "print"):
                with self.subTest(what=what, verb=verb):
                    self.refused(sentence, verb, path)
            with self.subTest(what=what, verb="encode"):
                self.refused(sentence, "encode", path, "-o", "out")
                self.assertFalse(os.path.exists(self.folder + "/out"))
            with self.subTest(what=what, verb="-"):
                self.refused(sentence, "run", "-", stdin=data)

    def test_a_program(self):
        printed = self.hmt(0, "print", self.file(TEXT)).stdout
        ran = self.hmt(0, "run", "--trace", self.file(TEXT)).stdout
        self.assertIn("write p2", ran)
        for what, data in INNOCENT.items():
            path = self.file(data)
            with self.subTest(what=what):
                self.assertEqual(self.hmt(0, "print", path).stdout, printed)
                self.assertEqual(self.hmt(0, "run", "--trace", path).stdout,
                                 ran)
                self.assertEqual(self.hmt(0, "check", path).stderr, "")

    def test_bytes_that_are_asked_for(self):
        out = os.path.join(self.folder, "out")
        for cpus in (1, 2, 4, 8):
            text = (b"machine cpus=%d slots=2 pages=4 colours=1 depth=4 pae=no "
                    b"force=no\ntask A cpu=0\ntask B cpu=0\nA: kmap p0\n"
                    b"choices v2: 7=B\n" % cpus)
            self.hmt(0, "encode", self.file(text), "-o", out)
            for words in (("--bytes", "print", out), ("print", out, "--bytes")):
                self.assertEqual(self.hmt(0, *words).stdout, text.decode())
            self.assertEqual(self.hmt(0, "run", "--bytes", out).stderr, "")
        for data in (BYTES, PRINTABLE, b"\x7fELF"):
            self.assertIn("ok\n", self.hmt(0, "run", "--bytes",
                                           self.file(data)).stdout)

    def test_bytes_are_read_as_a_fuzz_target_reads_them(self):
        path = self.file(TEXT)
        self.assertEqual(self.hmt(0, "print", "--bytes", path).stdout,
                         self.hmt(0, "print", path).stdout)
        self.refused(":4: expected", "run", "--bytes",
                     self.file(TEXT[:-2] + b"oops"))
        self.refused("is empty", "run", "--bytes", self.file(b""))
        said = self.hmt(0, "run", "--bytes", self.file(PRINTABLE)).stderr
        self.assertIn("looks like text without a machine line", said)


class StandardInput(Hmt):
    def test_it_is_the_file(self):
        path = self.file(TEXT)
        for words in (["run"], ["run", "--trace"], ["print"], ["check"]):
            with self.subTest(words=words):
                self.assertEqual(self.hmt(0, *words, "-", stdin=TEXT).stdout,
                                 self.hmt(0, *words, path).stdout)
        self.hmt(0, "encode", "-", "-o", "a", stdin=TEXT)
        self.hmt(0, "encode", path, "-o", "b")
        with open(self.folder + "/a", "rb") as a, \
                open(self.folder + "/b", "rb") as b:
            self.assertEqual(a.read(), b.read())
        self.hmt(70, "run", "-", stdin=DEADLOCK)
        self.assertIn("ok\n", self.hmt(0, "run", "--bytes", "-",
                                       stdin=BYTES).stdout)

    def test_what_is_wrong_with_it(self):
        self.refused("standard input:4: expected a page p0 to p3", "run", "-",
                     stdin=TEXT.replace(b"kmap p2", b"kmap p9"))
        self.refused("hmt: standard input: is empty", "run", "-")
        self.refused("one FILE only", "run", "-", "-", stdin=TEXT)
        self.refused("there is no option -x", "run", "-x", stdin=TEXT)

    def test_the_replay_line_has_the_program(self):
        choices = b"choices v2: 1=B\n"
        for data in (STALE, STALE + choices):
            said = self.hmt(77, "run", "-", stdin=data, hmt=BROKEN).stdout
            line, = re.findall("^replay: (.*)", said, re.M)
            self.assertTrue(line.endswith(f" | {RUN} run --trace -"), line)
            self.assertIn("sees another page", self.pasted(line))
            self.assertEqual(said, self.pasted(line.replace("--trace ", "")))

    def test_the_replay_line_of_bytes_says_so(self):
        self.hmt(0, "encode", self.file(STALE), "-o", "crash")
        said = self.hmt(77, "run", "crash", "--bytes", hmt=BROKEN).stdout
        line, = re.findall("^replay: (.*)", said, re.M)
        self.assertEqual(line, RUN + " run --trace --bytes crash")
        self.assertIn("sees another page", self.pasted(line))
        said = self.hmt(77, "run", self.file(STALE, "a"), hmt=BROKEN).stdout
        self.assertIn(f"\nreplay: {RUN} run --trace {self.folder}/a\n", said)

    def pasted(self, line):
        """What somebody sees who pastes a replay line."""
        result = subprocess.run(["sh", "-c", line.replace(RUN, BROKEN)],
                                cwd=self.folder, capture_output=True,
                                text=True, check=False)
        self.assertEqual(result.returncode, 77, result)
        return result.stdout

    def test_help_tells(self):
        said = self.hmt(0, "--help").stdout
        self.assertTrue(re.search("- is\nstandard input", said), said)
        self.assertIn("--bytes", said)


class Output(Hmt):
    def test_a_full_disk(self):
        path = self.file(TEXT)
        for status, hmt, *words in ((1, HMT, "run", path),
                                    (1, HMT, "print", path),
                                    (77, BROKEN, "run", self.file(STALE,
                                                                  "stale"))):
            with open("/dev/full", "w") as full:
                result = subprocess.run([hmt, *words], stdout=full, text=True,
                                        stderr=subprocess.PIPE, check=False)
            self.assertEqual(result.returncode, status, result)
            self.assertEqual(
                result.stderr, "hmt: not all could be written to standard "
                "output: No space left on device\n")
        self.refused("hmt: /dev/full: No space left", "encode", path, "-o",
                     "/dev/full")
        self.assertFalse(os.path.isfile("/dev/full"))
        self.refused("Not a directory", "encode", path, "-o", path + "/out")

    def test_half_a_program_is_none(self):
        """Some bytes of one are another one."""
        with open(self.file(b"old", "out"), "rb") as old:
            limit = (resource.RLIMIT_FSIZE, (12, 12))
            result = subprocess.run(
                [HMT, "encode", self.file(TEXT), "-o", "out"], check=False,
                cwd=self.folder, stderr=subprocess.PIPE,
                preexec_fn=lambda: resource.setrlimit(*limit))
            self.assertEqual(result.returncode, 1, result)
            self.assertIn(b"File too large", result.stderr)
            self.assertEqual(old.read(), b"old")
        self.assertEqual(sorted(os.listdir(self.folder)), ["it.hmt", "out"])


def main():
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    failed = min(failed, result.testsRun)  # subtests count one by one
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    sys.exit(1 if failed or result.testsRun == 0 else 0)


if __name__ == "__main__":
    main()
