# SPDX-License-Identifier: MIT
"""A core that dies, under fuzz targets and torture: one program, one replay.

usage: crash_test.py KMAP_BIN SCHED_BIN TORTURE HMT

The first two are libFuzzer's, TORTURE has ASan and UBSan, and all have the core
of dies.patch. HMT is a healthy one.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

KMAP, SCHED, TORTURE, HMT = map(os.path.abspath, sys.argv[1:5])

# A way to die for each number of slots, and what is said of it.
DEATHS = {
    6: r"AddressSanitizer: SEGV|AddressSanitizer: DEADLYSIGNAL",
    12: r"runtime error: signed integer overflow",
    13: r"highmem: BUG: not true at .*pkmap\.c:\d+: most == 0",
    14: r"AddressSanitizer: stack-buffer-overflow",
    15: r"deadly signal|AddressSanitizer: ILL|program crashed or aborted",
}

PROGRAM = """machine cpus=2 slots=%d pages=4 colours=1 depth=1 pae=no force=no
task A cpu=0
task B cpu=1
A: kmap p0
B: flush
"""
FLUSH = "B: flush\n"
CHOICE = "choices v2: 1=B\n"
OLD_CHOICE = "choices v1: 1=B\n"

# SHA-1.
NOTHING = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

# Two CPUs, one operation, then what was a choice before versions; and a choice
# of version 1.
UNVERSIONED = bytes([1, 0, 3, 0, 0, 0, 0, 0, 0, 3, 28 << 3, 7])
OLD = bytes([0x11]) + UNVERSIONED[1:]


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def run_here(self, *command):
        run = subprocess.run(command, cwd=self.folder, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL)
        return run.returncode, run.stdout.decode(errors="replace")

    def replayed(self, output):
        """The file that the one replay line names."""
        lines = re.findall(r"^replay: bazel run .* (\S+)$", output, re.M)
        self.assertEqual(len(re.findall("replay: ", output)), 1, output)
        self.assertEqual(len(lines), 1, output)
        self.assertTrue(os.path.isabs(lines[0]), output)
        return lines[0]


class Dies(InFolder):
    def dies(self, slots, status, output, program):
        self.assertEqual(status, 77, output)
        self.assertRegex(output, DEATHS[slots])
        self.assertEqual(output.count(program), 1, output)
        return self.replayed(output)

    def test_named(self):
        for binary, choice in ((KMAP, ""), (SCHED, ""), (SCHED, CHOICE)):
            for slots in DEATHS:
                program = PROGRAM % slots + choice
                path = self.write("named.hmt", program)
                status, output = self.run_here(binary, path)
                with self.subTest(binary=binary, slots=slots):
                    self.assertEqual(
                        self.dies(slots, status, output, program), path)

    def test_from_a_corpus(self):
        for binary in (KMAP, SCHED):
            for slots in DEATHS:
                corpus = os.path.join(self.folder, f"corpus{slots}")
                os.makedirs(corpus, exist_ok=True)
                program = PROGRAM % slots
                self.write(f"corpus{slots}/one", program)
                status, output = self.run_here(
                    binary, "-runs=0", "-artifact_prefix=found-", corpus)
                with self.subTest(binary=binary, slots=slots):
                    path = self.dies(slots, status, output, program)
                    with open(path, encoding="utf-8") as file:
                        self.assertEqual(file.read(), program)
                    self.assertRegex(os.path.basename(path),
                                     r"^found-program-0x[0-9a-f]+\.hmt$")
                    self.assertEqual(self.run_here(HMT, "run", path)[0], 0)

    def test_in_the_mutator(self):
        """It runs programs, too, of which libFuzzer knows nothing."""
        unknown = 0
        for seed in range(1, 9):
            work = os.path.join(self.folder, str(seed))
            os.makedirs(work)
            status, output = self.run_here(
                SCHED, "-runs=20000", "-max_len=520", "-len_control=0",
                f"-seed={seed}", f"-artifact_prefix={work}/")
            with self.subTest(seed=seed):
                self.assertEqual(status, 77, output)
                path = self.replayed(output)
                status, again = self.run_here(SCHED, path)
                self.assertEqual(status, 77, again)
                unknown += os.path.exists(work + "/crash-" + NOTHING)
        self.assertGreater(unknown, 0)

    def test_without_a_place_to_write_to(self):
        corpus = os.path.join(self.folder, "corpus")
        os.makedirs(corpus)
        self.write("corpus/one", PROGRAM % 13)
        status, output = self.run_here(
            KMAP, "-runs=0", "-artifact_prefix=" + 300 * "x", corpus)
        self.assertEqual(status, 77, output)
        self.assertIn("could not be written", output)
        line, = re.findall("^replay: (.*)$", output, re.M)
        pasted, tail = line.split("bazel run ")
        self.assertTrue(tail.endswith("hmt -- run -"), line)
        said = subprocess.run(["sh", "-c", pasted + HMT + " print -"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(said.stdout, PROGRAM % 13, said)

    def test_torture(self):
        for slots in DEATHS:
            path = self.write("it.hmt", PROGRAM % slots)
            status, output = self.run_here(
                TORTURE, "--program", path, "--time=20s", "--stall=10s",
                "--out=.")
            with self.subTest(slots=slots):
                self.assertEqual(status, 77, output)
                self.assertRegex(output, DEATHS[slots])
                self.assertEqual(output.count(FLUSH), 1, output)
                self.assertEqual(len(re.findall("^replay: ", output, re.M)),
                                 1, output)


    def test_torture_of_standard_input_and_of_bytes(self):
        text = self.write("it.hmt", PROGRAM % 13)
        self.assertEqual(self.run_here(HMT, "encode", text, "-o", "it")[0], 0)
        again = " --time=20s --stall=10s --out=."
        for command, tail in (("cat it.hmt | %s --program -", "--program -"),
                              ("%s --program it --bytes",
                               f"--program {self.folder}/it --bytes"),
                              ("%s --program - --bytes < it", "--program -")):
            with self.subTest(command=command):
                status, output = self.run_here(
                    "sh", "-c", command % TORTURE + again)
                self.assertEqual(status, 77, output)
                line, = re.findall("^replay: (.*)$", output, re.M)
                self.assertTrue(line.endswith(tail), line)
                line = re.sub("bazel run .* -- ", TORTURE + " ", line)
                status, output = self.run_here("sh", "-c", line + again)
                self.assertEqual(status, 77, output)
                self.assertRegex(output, DEATHS[13])

    def test_torture_takes_no_bytes_unasked(self):
        for data in (UNVERSIONED, b"", b"prose\n"):
            status, output = self.run_here(
                TORTURE, "--program", self.write("it", data))
            self.assertEqual(status, 1, output)
            self.assertNotIn("replay: ", output)


class Refused(InFolder):
    """A file that is named and cannot be run."""

    def refused(self, data, why):
        path = self.write("it", data)
        for binary in (KMAP, SCHED):
            status, output = self.run_here(binary, path)
            with self.subTest(binary=binary):
                self.assertEqual(status, 1, output)
                self.assertRegex(output, "(?m)^fuzz target: the input is "
                                         "refused: " + why)
                self.assertNotIn("replay: ", output)

    def test_a_text_with_choices_of_another_version(self):
        self.refused(PROGRAM % 7 + OLD_CHOICE,
                     r"line 6: choices of version 1, but this build plays")

    def test_bytes_with_choices_of_another_version(self):
        self.refused(OLD, "choices of another version, but this build plays")

    def test_a_page_that_is_not_there(self):
        self.refused(PROGRAM.replace("p0", "p9") % 7, r"line 4: expected a p")

    def test_choices_from_before_versions_are_said_to_be_left_out(self):
        path = self.write("it", UNVERSIONED)
        for binary in (KMAP, SCHED):
            status, output = self.run_here(binary, path)
            self.assertEqual(status, 0, output)
            self.assertRegex(output, "(?m)^fuzz target: what looks like "
                                     "choices is left out, because")
        status, output = self.run_here(HMT, "run", "--bytes", path)
        self.assertEqual(status, 0, output)
        self.assertIn("what looks like choices is left out", output)

    def test_a_text_with_a_byte_order_mark(self):
        text = PROGRAM % 7
        for data in (b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
            self.refused(data, "line 1: the file begins with a byte order mark")

    def test_a_text_without_a_machine_line_is_said_to_be_bytes(self):
        path = self.write("it", "task A: kmap p0\n")
        for binary in (KMAP, SCHED):
            status, output = self.run_here(binary, path)
            self.assertEqual(status, 0, output)
            self.assertRegex(output, "(?m)^fuzz target: looks like text "
                                     "without a machine line")

    def test_the_replay_line_of_bytes_says_so(self):
        program = self.write("it.hmt", PROGRAM % 13)
        self.assertEqual(self.run_here(HMT, "encode", program, "-o", "it")[0],
                         0)
        status, output = self.run_here(KMAP, "it")
        self.assertEqual(status, 77, output)
        self.assertRegex(output, r"(?m)^replay: .*hmt -- run --bytes /\S+/it$")

    def test_in_a_corpus_they_are_silent(self):
        corpus = os.path.join(self.folder, "corpus")
        os.makedirs(corpus)
        self.write("corpus/one", OLD)
        self.write("corpus/two", UNVERSIONED)
        self.write("corpus/three", "prose\n")
        status, output = self.run_here(KMAP, "-runs=0", corpus)
        self.assertEqual(status, 0, output)
        self.assertNotIn("fuzz target: ", output)


def main():
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    failed = min(failed, result.testsRun)  # subtests count one by one
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    return 77 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
