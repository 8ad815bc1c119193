#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Is every difference between kernel and host seen? Are bad modules refused?

usage: equivalence_test.py IMG OUTCOMES
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, HERE)
import pack  # noqa: E402

GOOD = b"machine slots=2 pages=2\ntask A: kmap p0; write p0; kunmap p0; " \
    b"kunmap p0\n"
LINES = ["did Ao Ao Ao", "verdict ok, performed 4, skipped 0", "pages ",
         "said highmem: BUG: kunmap of page 2 (pfn 0x*)", "did Ar",
         "counted miss 1"]
DEADLOCK = b"machine slots=2 pages=3\ntask A: kmap p0; kmap p1; kmap p2\n"

KERNEL = HOST = None


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, data):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def run_script(self, script, *arguments):
        environment = {**os.environ,
                       "TEST_UNDECLARED_OUTPUTS_DIR": self.folder.name}
        return subprocess.run(
            ["/usr/bin/python3", os.path.join(HERE, script), "--kernel",
             KERNEL, *arguments], capture_output=True, text=True, check=False,
            env=environment)


class Comparisons(Folder):
    def compare(self, *arguments, host=None):
        return self.run_script("equivalence.py", "--host", host or HOST,
                               *arguments)

    def lying_host(self, edit):
        """What the host says, put through sed."""
        path = self.file("host", f"#!/bin/sh\n{HOST} \"$@\" | sed '{edit}'\n"
                         .encode())
        os.chmod(path, 0o755)
        return path

    def test_same(self):
        result = self.compare(self.file("a.hmt", GOOD),
                              self.file("b.hmt", DEADLOCK))
        self.assertEqual(result.returncode, 0, result)
        self.assertTrue(result.stdout.endswith(
            "2 programs, 0 of them skipped; 2 outcomes are the same, 0 are "
            "not\ncases: 2 passed, 0 failed\n"), result.stdout)

    def test_each_line_counts(self):
        path = self.file("a.hmt", GOOD)
        for line in LINES:
            with self.subTest(line=line):
                edit = "/" + line.replace("*", "\\*") + "/d"
                result = self.compare(path, host=self.lying_host(edit))
                self.assertEqual(result.returncode, 77, result)
                self.assertIn(f"  kernel ! {line}", result.stdout)
                self.assertIn("cases: 0 passed, 1 failed", result.stdout)

    def test_each_digit_counts(self):
        path = self.file("a.hmt", GOOD)
        for edit in ("s/did Ao/did An/", "s/miss 1/miss 2/",
                     "s/page 2/page 3/", "s/pages 0x./pages 0y/",
                     "s/verdict ok/verdict deadlock/"):
            with self.subTest(edit=edit):
                result = self.compare(path, host=self.lying_host(edit))
                self.assertEqual(result.returncode, 77, result)

    def test_replay_line(self):
        path = self.file("a.hmt", GOOD)
        result = self.compare(path, host=self.lying_host("/pages/d"))
        line = [line for line in result.stdout.splitlines()
                if line.startswith("replay: ")]
        self.assertEqual(len(line), 1)
        kept = line[0].split()[-1]
        with open(kept, "rb") as file:
            self.assertEqual(file.read(), GOOD)
        self.assertEqual(self.compare(kept).returncode, 0)

    def test_a_place_that_does_not_take_it(self):
        path = self.file("a.hmt", GOOD)
        result = self.compare("--keep", os.path.join(path, "kept"), path)
        self.assertEqual(result.returncode, 1, result)
        self.assertRegex(result.stderr, "--keep .*a.hmt is no directory")
        self.assertEqual(result.stderr.count("\n"), 1)
        # What is in the way of the file itself is seen late.
        name = pack.name_of(path).replace("/", "-")
        os.makedirs(os.path.join(self.folder.name, "kept", name))
        for words, again in (([path], path),
                             (["--random=1", "--seed=3"],
                              "--random=1 --seed=3")):
            if words != [path]:
                os.makedirs(os.path.join(self.folder.name,
                                         "kept/random-3.0"))
            result = self.compare("--keep=kept", "--one-cpu", *words,
                                  host=self.lying_host("/verdict/d"))
            self.assertEqual(result.returncode, 77, result)
            self.assertIn("Is a directory; the replay line says", result.stderr)
            self.assertRegex(result.stdout, "\nreplay: .* --one-cpu "
                             + re.escape(again) + "\n")

    def test_drafted_programs(self):
        """The same for the same seed, and they do wait and time out."""
        module = os.path.join(self.folder.name, "drafts.pack")
        drafts = {}
        for seed in ("1", "1", "2"):
            subprocess.run([HOST, "--drafts=200", "--seed=" + seed, module],
                           check=True)
            with open(module, "rb") as file:
                programs = pack.unpack(file.read())
            self.assertEqual(len(programs), 200)
            self.assertEqual(drafts.setdefault(seed, programs), programs)
        self.assertNotEqual(drafts["1"], drafts["2"])
        told = subprocess.run([HOST, module], capture_output=True, text=True,
                              check=True).stdout
        self.assertGreater(told.count(" timeout "), 50)
        self.assertGreater(told.count(" handover "), 50)
        result = self.compare("--plain", "--drafted=50", "--machine=--smp 4")
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("50 programs, 0 of them skipped; 50 outcomes are the "
                      "same", result.stdout)

    def test_silent_host(self):
        result = self.compare(self.file("a.hmt", GOOD),
                              host=self.lying_host("d"))
        self.assertEqual(result.returncode, 77, result)
        self.assertIn("  host     nothing\n", result.stdout)

    def test_host_that_dies(self):
        result = self.compare(self.file("a.hmt", GOOD), host="/bin/false")
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("ended with 1", result.stderr)

    def test_program_that_cannot_run_is_skipped(self):
        path = self.file("a.hmt", b"machine cpus=8 slots=2 pages=2\n"
                         b"task A: kmap p0\n")
        result = self.compare("--machine=--smp 1", path,
                              self.file("b.hmt", GOOD))
        self.assertEqual(result.returncode, 0, result)
        self.assertRegex(result.stdout, r"skipped: \S+/a.hmt: \w+")
        self.assertIn("cases: 1 passed, 0 failed", result.stdout)
        alone = self.compare("--machine=--smp 1", path)
        self.assertEqual(alone.returncode, 1, alone)
        self.assertRegex(alone.stderr, "nothing was compared: .*/a.hmt: "
                         "this PC has 1 CPU.*--machine=.*--one-cpu")
        plain = self.compare("--one-cpu", path)
        self.assertEqual(plain.returncode, 0, plain)

    def test_random_programs_are_the_same_each_time(self):
        results = [self.compare("--one-cpu", "--random=20",
                                host=self.lying_host("/pages/d")).stdout
                   for _ in range(2)]
        self.assertIn("cases: 0 passed, 20 failed", results[0])
        self.assertEqual(*results)

    def test_bad_program(self):
        result = self.compare(self.file("a.hmt", GOOD + b"A: kmpa p0\n"))
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("program 1 of 1: ", result.stderr)
        self.assertIn("a.hmt:3: expected", result.stderr)

    def test_choices_of_another_version(self):
        result = self.compare(self.file("a.hmt", GOOD + b"choices: 5=A\n"))
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("a.hmt:3: choices of no version", result.stderr)

    def test_bytes_only_if_they_are_asked_for(self):
        good = self.file("good.hmt", GOOD)
        for data in (b"#\xff", b"notes\n", b"task A: kmap p0\n", b"\0\0\0",
                     b"machine\0", GOOD.decode().encode("utf-16-le")):
            path = self.file("a", data)
            result = self.compare(good, path)
            self.assertEqual(result.returncode, 1, result)
            self.assertRegex(result.stderr, "/a: expected a text with a "
                             "machine line.*--bytes")
            result = self.compare("--bytes", good, path)
            self.assertEqual(result.returncode, 0, result)
            self.assertIn("2 programs, ", result.stdout)

    def test_the_replay_line_of_bytes_says_so(self):
        path = self.file("a", bytes([0, 0, 1, 0, 0, 0, 0, 0, 0, 2]))
        result = self.compare("--bytes", path,
                              host=self.lying_host("/verdict/d"))
        self.assertEqual(result.returncode, 77, result)
        self.assertRegex(result.stdout, r"\nreplay: .* --bytes \S+a\n")

    def test_a_file_that_no_editor_should_write(self):
        for data, why in ((b"", "is empty"),
                          (b"\xef\xbb\xbf" + GOOD, "byte order mark"),
                          (GOOD.decode().encode("utf-16"), "byte order mark"),
                          (GOOD.replace(b"\n", b"\r"), "CR without a LF")):
            result = self.compare(self.file("a.hmt", data))
            self.assertEqual(result.returncode, 1, result)
            self.assertIn(why, result.stderr)
        windows = self.file("a.hmt", GOOD.replace(b"\n", b"\r\n"))
        self.assertEqual(self.compare(windows).returncode, 0)

    def test_no_program(self):
        result = self.compare()
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("no program to run", result.stderr)
        result = self.compare("/nonexistent")
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("/nonexistent: No such file", result.stderr)


class Modules(Folder):
    """What the kernel itself says of them."""

    def boot(self, *paths):
        return self.run_script("run_kernel.py", "--module", *paths)

    def refused(self, data, sentence):
        result = self.boot(self.file("good.hmt", GOOD),
                           self.file("m", data))
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("the kernel refused to run: bad boot module m",
                      result.stderr)
        self.assertIn(sentence, result.stderr)
        self.assertNotIn("ok 1", result.stdout)

    def test_two_modules(self):
        packed = pack.pack([("x/b", DEADLOCK), ("x/c", b"\1\2\3")])
        result = self.boot(self.file("a.hmt", GOOD), self.file("p", packed))
        self.assertEqual(result.returncode, 0, result)
        for line in ("1..3", "ok 1 a.hmt", "ok 2 x/b",
                     "= x/b verdict deadlock, performed 2, skipped 0"):
            self.assertIn(f"\n{line}\n", result.stdout)
        self.assertRegex(result.stdout, r"\nok 3 x/c( # SKIP .*)?\n")

    def test_text_that_is_no_program(self):
        self.refused(b"machine slots=3\nbut no more\n", ":2: expected")

    def test_neither(self):
        self.refused(b"\x7fELF", "neither a program as text nor a pack")

    def test_pack_cut_anywhere(self):
        whole = pack.pack([("x/a", GOOD), ("x/b", DEADLOCK)])
        for end in (8, 11, 12, 15, 20, 22, 23, 30, len(whole) - 1):
            with self.subTest(end=end):
                result = self.boot(self.file("m", whole[:end]))
                self.assertEqual(result.returncode, 1, result)
                self.assertRegex(result.stderr,
                                 r"bad boot module m: .*(cut short|expected)")

    def test_pack_with_more_behind_it(self):
        self.refused(pack.pack([("x/a", GOOD)]) + b"x", "there is more behind")

    def test_empty_pack(self):
        self.refused(pack.pack([]), "a pack without a program")

    def test_bad_name_in_a_pack(self):
        self.refused(pack.pack([("x a", GOOD)]), "program 1 of 1: is cut")

    def test_too_many(self):
        paths = [self.file(f"{i}.hmt", GOOD) for i in range(17)]
        result = self.boot(*paths)
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("more than 16 boot modules", result.stderr)

    def test_files(self):
        empty = self.file("empty", b"")
        for path, sentence in ((empty, "is empty"),
                               (self.folder.name, "cannot read the module"),
                               ("/nonexistent", "cannot read the module"),
                               (self.file("a b.hmt", GOOD), "has a blank")):
            result = self.boot(path)
            self.assertEqual(result.returncode, 1, result)
            self.assertIn(sentence, result.stderr)

    def test_name_with_a_comma(self):
        result = self.boot(self.file("a,b.hmt", GOOD))
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("\nok 1 a,b.hmt\n", result.stdout)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 1)
    HOST = os.path.abspath(sys.argv.pop())
    KERNEL = os.path.abspath(sys.argv.pop())
    unittest.main(verbosity=2)
